"""The five statements of the summary on one model, as reStructuredText.

They answer: does the model predict more of a seen gene than its average? What does it predict for unseen genes? Does it use the sequence,
or identify genes by it? Is it better than simple models? Can its errors be trusted?
"""

from collections.abc import Mapping, Sequence
from typing import Any

from wakawaka.evaluation.labels import BASELINES, FOLD_MEAN, LOSSES, REGIMES
from wakawaka.report.score_lookup import Score, ScoreLookup
from wakawaka.report.text import capitalised, in_rst, two_decimals, with_interval
from wakawaka.report.thresholds import COLLAPSED, MEMORISED
from wakawaka.splits.regimes import BOTH_UNSEEN, HELD_OUT, LEAKING, TRAIN, UNSEEN_CELL, UNSEEN_GENE

SIMPLE_MODELS = ("ridge_bins", "ridge_summaries", "trees_summaries")
NOTHING_KNOWN = "no held-out sample has a known truth."


def sentences(scores: ScoreLookup, model: str, modules: Sequence[str], facts: Mapping[str, Any]) -> list[str]:
    """Return the five statements on a model.

    Args:
        scores: the table of all scores.
        model: name of the model.
        modules: the modules that it has.
        facts: content of the built-in example's truth.json; empty for other data.
    """
    return [
        _seen_genes(scores, model),
        _unseen_genes(scores, model),
        _dna(scores, model, modules, facts),
        _simple_models(scores, model, modules, facts),
        _trust(scores, model),
    ]


def _seen_genes(scores: ScoreLookup, model: str) -> str:
    """Compare the model with each gene's average over the training cells."""
    for regime in _regimes(scores, (UNSEEN_CELL, LEAKING)):
        mean, skill = scores.skill("gene_mean", "training_mean", regime), scores.skill(model, "gene_mean", regime)
        if mean and skill:
            return (
                f"*{capitalised(_named(scores, regime))}:* The per-gene training mean, which uses no input, has skill {_text(mean)} "
                f"compared with the training mean. The model {in_rst(model)} has skill {_text(skill)} compared with the per-gene "
                f"training mean: {_judgement(skill)}."
            )
    return "*Seen genes:* No sample of a seen gene in an unseen cell has a known truth, so these scores do not cover other cells."


def _unseen_genes(scores: ScoreLookup, model: str) -> str:
    """Give the skill for genes that cannot be memorised."""
    regimes = _regimes(scores, (UNSEEN_GENE, BOTH_UNSEEN))
    found = _skills(scores, model, "training_mean", regimes)
    if not found:
        return "*Unseen genes:* No unseen gene has a known truth, so a model that only memorises genes would not be detected."
    skills = " and ".join(f"{_text(skill)} for {_named(scores, regime)}" for regime, skill in found.items())
    return (
        "*Unseen genes:* Here the per-gene training mean is the training mean (skill 0), because no gene can be memorised. "
        f"The model {in_rst(model)} has skill {skills}."
    )


def _dna(scores: ScoreLookup, model: str, modules: Sequence[str], facts: Mapping[str, Any]) -> str:
    """Compare the model with the same network trained on the DNA of other genes."""
    if "dna" not in modules:
        return "*DNA:* There is no DNA input, so no gene can be identified by its sequence."
    permuted = f"{model}.permuted_genes"
    if permuted not in scores.predictors:
        return (
            "*DNA:* No network was trained with the DNA of other genes (``ablations``), so the use of sequence features and the "
            "memorising of genes cannot be distinguished."
        )
    regimes = [
        next(iter(_regimes(scores, among)), "") for among in ((UNSEEN_CELL, LEAKING), (UNSEEN_GENE, BOTH_UNSEEN))
    ]
    seen, unseen = (scores.skill(model, permuted, regime) if regime else None for regime in regimes)
    found = [
        f"{_text(skill)} for {_named(scores, regime)}{_gain(scores, model, permuted, regime, facts)}"
        for regime, skill in zip(regimes, (seen, unseen), strict=True)
        if skill
    ]
    if not found:
        return f"*DNA:* The value of the sequence is unknown, because {NOTHING_KNOWN}"
    ours, others = (scores.score(name, scores.loss, TRAIN) for name in (model, permuted))
    memorised = bool(ours and others and others["value"] <= MEMORISED * ours["value"])
    return (
        f"*DNA:* Compared with the same network trained on the DNA of other genes, {in_rst(model)} has skill {' and '.join(found)}. "
        f"{_lesson(seen, unseen, memorised=memorised)}"
    )


def _gain(scores: ScoreLookup, model: str, permuted: str, regime: str, facts: Mapping[str, Any]) -> str:
    """Return how much lower the model's loss is and, for the built-in example, how much the motif accounts for."""
    ours, others = (scores.score(name, scores.loss, regime) for name in (model, permuted))
    if not ours or not others:
        return ""
    return f" ({_difference(scores, others['value'] - ours['value'], facts, 'motif' if regime == UNSEEN_GENE else '')})"


def _difference(scores: ScoreLookup, difference: float, facts: Mapping[str, Any], planted: str) -> str:
    """Return how the model's loss differs and, for the built-in example, what the planted effect accounts for."""
    words = f"{LOSSES[scores.loss].title} {'lower' if difference > 0 else 'higher'} by {two_decimals(abs(difference))}"
    expected = facts.get("expected_loss", {}).get(planted)
    return words if expected is None else f"{words}; the planted {planted} accounts for {two_decimals(expected)}"


def _lesson(seen: Score | None, unseen: Score | None, *, memorised: bool) -> str:
    """Return what the skills compared with the network with permuted genes mean.

    Args:
        seen, unseen: the skills for seen and for unseen genes.
        memorised: whether the network with permuted genes fits its training samples about as well as the model.
    """
    if unseen is None:
        return "Only unseen genes would show whether the model uses sequence features or identifies genes by their sequence."
    if not unseen["ci_low"] > 0:
        return "It is not certain that the sequence helps for unseen genes, so its value for seen genes may be memory."
    if seen is None:
        return "The sequence itself helps."
    if not memorised:
        return (
            "The sequence itself helps. The effect of memory is unknown, because the network with the DNA of other genes does not fit "
            "its training samples as well."
        )
    if seen["value"] < unseen["value"] / 2:
        return (
            "For seen genes, the DNA of another gene is nearly as good as the own DNA, because either identifies the gene. Only the "
            "scores of unseen genes show the use of sequence features."
        )
    return "The sequence itself helps, for seen genes too."


def _simple_models(scores: ScoreLookup, model: str, modules: Sequence[str], facts: Mapping[str, Any]) -> str:
    """Compare the model with the best of the linear models and trees on marks."""
    for regime in _regimes(scores, (UNSEEN_GENE, UNSEEN_CELL, BOTH_UNSEEN, LEAKING)):
        skills = {name: scores.skill(model, name, regime) for name in SIMPLE_MODELS}
        losses = {name: scores.score(name, scores.loss, regime) for name in SIMPLE_MODELS}
        values = {name: loss["value"] for name, loss in losses.items() if loss and skills[name]}
        if not values:
            return "*Simple models:* Without histone marks, the only simple models are the means."
        best = min(values, key=lambda name: values[name])
        skill = skills[best]
        assert skill is not None
        return (
            f"*Simple models:* For {_named(scores, regime)}, the best simple model is the {BASELINES[best]} with "
            f"{LOSSES[scores.loss].title} {two_decimals(values[best])}. Compared with it, {in_rst(model)} has skill {_text(skill)}: "
            f"{_judgement(skill)}.{_beyond_sums(scores, model, modules, facts)}"
        )
    return f"*Simple models:* They cannot be compared, because {NOTHING_KNOWN}"


def _beyond_sums(scores: ScoreLookup, model: str, modules: Sequence[str], facts: Mapping[str, Any]) -> str:
    """Compare the network of marks alone with the ridge on all bins, in the regime with the most samples.

    Regimes can be chosen freely, because marks do not identify genes.
    """
    network = model if list(modules) == ["histone"] else f"{model}.histone_only"
    skills = _skills(scores, network, "ridge_bins", _regimes(scores, HELD_OUT))
    if not skills:
        return ""
    regime, skill = max(skills.items(), key=lambda item: item[1]["samples"])
    ours, others = (scores.score(name, scores.loss, regime) for name in (network, "ridge_bins"))
    assert ours and others
    more = "learns more" if skill["ci_low"] > 0 else "does not certainly learn more"
    difference = _difference(scores, others["value"] - ours["value"], facts, "interaction")
    return (
        f" From marks alone, the network {more} than a weighted sum of them: compared with the ridge on all bins, it has skill "
        f"{_text(skill)} for {_named(scores, regime)} ({difference})."
    )


def _trust(scores: ScoreLookup, model: str) -> str:
    """Give the training loss, the spread of predictions, and the calibration of the fold models."""
    regimes, trained = _regimes(scores, HELD_OUT), scores.score(model, scores.loss, TRAIN)
    loss = scores.score(model, scores.loss, regimes[-1]) if regimes else None
    if not loss or not trained:
        return f"*Trust:* The error on new data is unknown, because {NOTHING_KNOWN}"
    regime, title = regimes[-1], LOSSES[scores.loss].title
    words = [
        f"*Trust:* The {title} is {two_decimals(trained['value'])} on the training samples and {two_decimals(loss['value'])} for "
        f"{_named(scores, regime)}."
    ]
    ratio = scores.score(model, "sd_ratio", regime)
    if ratio:
        collapsed = ": they are almost constant" if ratio["value"] < COLLAPSED else ""
        words.append(f"The standard deviation of predictions is {ratio['value']:.0%} of that of the truths{collapsed}.")
    covered = scores.score(model, "coverage", regime, run=FOLD_MEAN)
    if covered:
        words.append(
            f"The fold models' mean ± 1.96 standard deviations contains {covered['value']:.0%} of the truths, instead of 95%."
        )
    error = scores.score(model, "calibration_error", regime, run=FOLD_MEAN)
    if error:
        words.append(
            f"Probabilities differ from the observed shares of 1s by {two_decimals(error['value'])} on average."
        )
    return " ".join(words)


def _regimes(scores: ScoreLookup, among: Sequence[str]) -> list[str]:
    """Return the regimes that have scores."""
    return [regime for regime in among if scores.score("training_mean", scores.loss, regime)]


def _skills(scores: ScoreLookup, predictor: str, baseline: str, regimes: Sequence[str]) -> dict[str, Score]:
    """Return the skills that are defined, by regime."""
    found = {regime: scores.skill(predictor, baseline, regime) for regime in regimes}
    return {regime: skill for regime, skill in found.items() if skill}


def _named(scores: ScoreLookup, regime: str) -> str:
    """Return the name of a regime, and where its samples are from if they are not from the set that is shown first."""
    other = scores.place(regime)[0] != scores.set_name
    return REGIMES[regime] + (" (held out by the folds)" if other else "")


def _text(row: Score) -> str:
    return with_interval(row, two_decimals)


def _judgement(skill: Score) -> str:
    """Return whether the interval of a skill excludes zero, and what the interval does not cover."""
    if skill["ci_low"] > 0:
        verdict = "it is better"
    elif skill["ci_high"] < 0:
        verdict = "it is worse"
    else:
        return "it is not certainly better or worse"
    fixed = {"genes": "cells", "cells": "genes"}.get(skill["resampled"])
    return (
        f"{verdict} for these {skill[fixed]:.0f} {fixed}; the interval does not cover the choice of {fixed}"
        if fixed
        else verdict
    )

"""The first page of the report: what the scores say in five sentences for each model, and one table."""

import numpy as np

from wakawaka.evaluation.labels import ALL, BASELINES, LABELS, SIMILARITY_NAMES, in_words
from wakawaka.report.thresholds import COLLAPSED, MEMORISED
from wakawaka.splits.regimes import BOTH_UNSEEN, HELD_OUT, LEAKING, POOL, TRAIN, UNSEEN_CELL, UNSEEN_GENE

SIMPLE = ("ridge_bins", "ridge_summaries", "trees_summaries")
LOSSES = {False: ("mse", "MSE"), True: ("bce", "log loss")}


class Page:
    """The scores that a page is made of.

    Args:
        table: DataFrame as `score` writes it. set_name, run: what the first table shows: the test set of the final run, or what the folds
            held out and their mean. binary: whether truths are labels. facts: the content of the example's truth.json, or None.
    """

    def __init__(self, table, set_name, run, binary, facts):
        self.set_name, self.run, self.facts = set_name, run, facts or {}
        self.loss, self.loss_title = LOSSES[binary]
        names = ["set", "run", "regime", "predictor", "metric", "baseline", "similarity"]
        self._rows = table.assign(baseline=table["baseline"].astype(object).fillna("")).set_index(names).sort_index()
        self.predictors = list(dict.fromkeys(table["predictor"]))
        self.similarities = set(table["similarity"]) - {ALL}

    def row(self, predictor, metric, regime, baseline="", set_name=None, run=None, similarity=ALL):
        """Return the row of one score as a dict, None where there is none or it is not defined.

        Unless a set is named, of the regime on the test set, where truths are known there; else of what the folds held out.
        """
        usual = self._place(regime)
        key = (
            set_name or usual[0],
            run or (self.run if set_name else usual[1]),
            regime,
            predictor,
            metric,
            baseline,
            similarity,
        )
        row = self._rows.loc[key] if key in self._rows.index else None
        return None if row is None or np.isnan(row["value"]) else row.to_dict()

    def skill(self, predictor, baseline, regime, run=None):
        """Return the row of a skill beside a baseline."""
        return self.row(predictor, "skill", regime, baseline, run=run)

    def regimes(self, among):
        """Return those of some regimes that have scores."""
        return [regime for regime in among if self.row("training_mean", self.loss, regime)]

    def words(self, regime):
        """Return what the page calls a regime; where the first table does not show it, with a word on where it is."""
        return LABELS[regime] + ("" if self._place(regime)[0] == self.set_name else " (of what the folds held out)")

    def _place(self, regime):
        """Return the set and the run in which a regime is looked at."""
        if regime == TRAIN:
            return "train", self.run
        of_test = ("test", "final", regime, "training_mean", self.loss, "", ALL)
        return ("test", "final") if of_test in self._rows.index else ("validation", "mean")


def first_page(page, verdicts, leaks, models, modules):
    """Return the page as reStructuredText.

    Args:
        page: `Page`. verdicts: DataFrame of the verdicts, see verdicts.py. leaks: list of str, what `audit.tsv` says is on both sides of a
            split. models, modules: lists of str.
    """
    text = [".. role:: red", ""]
    text += [f":red:`Leakage, allowed by allow_leakage: {_plain(leak)}`\n" for leak in leaks]
    for model in models:
        text += [_heading(f"What the scores of {model} say", "-"), ""]
        sentences = (_of_seen_genes, _of_unseen_genes, _of_dna, _of_simple_models, _of_trust)
        text += [f"{number}. {sentence(page, model, modules)}" for number, sentence in enumerate(sentences, start=1)]
        text.append("")
    where = "the test set" if page.set_name == "test" else "what the folds held out (mean over the folds)"
    text += [
        f"Of {where}: {page.loss_title} with its 95% interval, and after the stroke the skill beside the training mean.",
        "",
    ]
    text += _table(page)
    if page.set_name == "test" and page.row("training_mean", page.loss, UNSEEN_GENE, set_name="validation", run="mean"):
        text += ["The same of what the folds held out, as the mean over the folds:", ""]
        text += _table(page, "validation", "mean")
    text += _by_similarity(page, models)
    text += _falling_short(verdicts)
    return "\n".join(text) + "\n"


def _of_seen_genes(page, model, modules):
    """Say whether the model knows more of a seen gene than its average."""
    for regime in page.regimes((UNSEEN_CELL, LEAKING)):
        memory, ours = page.skill("gene_mean", "training_mean", regime), page.skill(model, "gene_mean", regime)
        if memory and ours:
            return (
                f"*{_capital(page.words(regime))}:* answering with each gene's average over the training cells, which takes nothing but "
                f"memory, has skill {_ends(memory)} beside a constant; beside that average {_plain(model)} has skill {_ends(ours)}, "
                f"so it {_wins(ours)}."
            )
    return "*Seen genes:* no sample of a seen gene in an unseen cell has a known truth here, so nothing is said of other cells."


def _of_unseen_genes(page, model, modules):
    """Say what is left where no gene can be remembered."""
    regimes = page.regimes((UNSEEN_GENE, BOTH_UNSEEN))
    found = [(regime, page.skill(model, "training_mean", regime)) for regime in regimes]
    said = [f"{_ends(row)} for {page.words(regime)}" for regime, row in found if row]
    if not said:
        return "*Unseen genes:* there are none whose truth is known, so a model that only remembers genes would not be found out."
    return (
        "*Unseen genes:* of these nothing can be remembered, the per-gene average falls back to the training mean (skill 0), and "
        f"{_plain(model)} has skill {' and '.join(said)}."
    )


def _of_dna(page, model, modules):
    """Say whether the sequence is understood, or a name to remember the gene by."""
    if "dna" not in modules:
        return "*DNA:* none was given, so no sequence can serve as a gene's name."
    shuffled = f"{model}.shuffled_dna"
    if shuffled not in page.predictors:
        return (
            "*DNA:* no network was trained with the DNA of other genes (``ablations``), so what was understood and what was "
            "remembered is not told apart."
        )
    regimes = [next(iter(page.regimes(among)), None) for among in ((UNSEEN_CELL, LEAKING), (UNSEEN_GENE, BOTH_UNSEEN))]
    seen, unseen = (page.skill(model, shuffled, regime) if regime else None for regime in regimes)
    said = [
        f"{_ends(row)} for {page.words(regime)}{_lost(page, model, shuffled, regime)}"
        for regime, row in zip(regimes, (seen, unseen), strict=True)
        if row
    ]
    if not said:
        return "*DNA:* nothing that was held out has a known truth, so what the sequence is worth is not known."
    trained = [page.row(name, page.loss, TRAIN)["value"] for name in (model, shuffled)]
    lesson = _lesson(seen, unseen, memorised=trained[1] <= MEMORISED * trained[0])
    return f"*DNA:* beside the same network with the DNA of other genes {_plain(model)} has skill {' and '.join(said)}: {lesson}"


def _lost(page, model, other, regime):
    """Return how much error the other one has more and, on the built-in example, how much the motif carries."""
    ours, theirs = (page.row(name, page.loss, regime) for name in (model, other))
    planted = page.facts.get("expected_loss", {}).get("motif")
    of_motif = (
        f", where the planted motif carries {planted:.2f}" if planted is not None and regime == UNSEEN_GENE else ""
    )
    return f" ({page.loss_title} {theirs['value'] - ours['value']:+.2f}{of_motif})"


def _lesson(seen, unseen, memorised):
    """Return what the skills beside the network with shuffled DNA mean, of seen and of unseen genes.

    `memorised`: whether that network fits its training samples about as well, so that it knows its genes by heart.
    """
    if unseen is None:
        return "only unseen genes would show whether that is the sequence, or a name to remember the gene by."
    if not unseen["low"] > 0:
        return (
            "that anything of the sequence carries over to genes that were not trained on is not certain, so what it is worth for seen "
            "ones may be the memory of a name."
        )
    if seen is None:
        return "the sequence itself is worth something."
    if not memorised:
        return (
            "the sequence itself is worth something; what memory alone can do is not seen here, because with the DNA of other genes the "
            "network did not come to fit its training samples."
        )
    if seen["value"] < unseen["value"] / 2:
        return (
            "a seen gene is remembered by the DNA of another one nearly as well as by its own, which is then a mere name; only unseen "
            "genes show what is understood of the sequence."
        )
    return "the sequence itself is worth something, of seen genes too."


def _of_simple_models(page, model, modules):
    """Say whether the network knows more than linear models and trees of the marks."""
    for regime in page.regimes((UNSEEN_GENE, UNSEEN_CELL, BOTH_UNSEEN, LEAKING)):
        rows = {name: page.row(name, page.loss, regime) for name in SIMPLE}
        losses = {name: row["value"] for name, row in rows.items() if row and page.skill(model, name, regime)}
        if not losses:
            return "*Simple models:* without histone marks there are none but the means."
        best = min(losses, key=losses.get)
        ours = page.skill(model, best, regime)
        return (
            f"*Simple models:* for {page.words(regime)} the best of them, {BASELINES[best]}, has {page.loss_title} {losses[best]:.2f}; "
            f"beside it {_plain(model)} has skill {_ends(ours)}, so it {_wins(ours)}{_beyond_sums(page, model, modules)}."
        )
    return "*Simple models:* nothing that was held out has a known truth."


def _beyond_sums(page, model, modules):
    """Return what the network makes of marks alone beside the ridge and, on the built-in example, what there was to find.

    Of the regime with the most samples, because marks know no seen or unseen genes.
    """
    network = model if modules == ["histone"] else f"{model}.histone_only"
    skills = {regime: page.skill(network, "ridge_bins", regime) for regime in page.regimes(HELD_OUT)}
    skills = {regime: row for regime, row in skills.items() if row}
    if not skills:
        return ""
    regime, skill = max(skills.items(), key=lambda item: item[1]["samples"])
    theirs, ours = (page.row(name, page.loss, regime)["value"] for name in ("ridge_bins", network))
    planted = page.facts.get("expected_loss", {}).get("interaction")
    of_interaction = (
        f", where the planted interaction of two marks carries {planted:.2f}" if planted is not None else ""
    )
    more = (
        "more than a weighted sum of them"
        if skill["low"] > 0
        else "nothing that is certainly more than a weighted sum of them"
    )
    return (
        f"; from marks alone the network learns {more}, the ridge on all bins: for {page.words(regime)} skill {_ends(skill)} beside it "
        f"({page.loss_title} {theirs - ours:+.2f} for the ridge{of_interaction})"
    )


def _of_trust(page, model, modules):
    """Say whether it is overfitted, has collapsed, and whether its error bars are any."""
    regimes = page.regimes(HELD_OUT)
    trained = page.row(model, page.loss, TRAIN)
    if not regimes or not trained:
        return "*Trust:* nothing that was held out has a known truth."
    held_out = page.row(model, page.loss, regimes[-1])["value"]
    ratio = page.row(model, "sd_ratio", regimes[-1])
    where = page.words(regimes[-1])
    text = f"*Trust:* the {page.loss_title} is {trained['value']:.2f} on the training samples and {held_out:.2f} for {where}"
    if ratio:
        text += f", where predictions vary by {ratio['value']:.0%} of the truth's standard deviation"
        text += ": almost a constant" if ratio["value"] < COLLAPSED else ""
    covered = page.row(model, "coverage", regimes[-1], run="ensemble")
    if covered:
        part = f"{covered['value']:.0%} of the truths, where 95% would be right"
        text += f"; 1.96 standard deviations of the fold models to both sides cover {part}"
    certain = page.row(model, "calibration_error", regimes[-1], run="ensemble")
    if certain:
        text += f"; probabilities are {certain['value']:.2f} from the parts that come true"
    return f"{text}."


def _table(page, set_name=None, run=None):
    """Return the lines of a table: a predictor per row, a regime per column."""
    set_name, run = set_name or page.set_name, run or page.run
    columns = [(set_name, regime) for regime in (*HELD_OUT, POOL)] + [("train", TRAIN)]
    columns = [
        column for column in columns if page.row("training_mean", page.loss, column[1], set_name=column[0], run=run)
    ]
    lines = [".. csv-table::", "   :delim: |", "   :header-rows: 1", ""]
    lines.append("   " + "|".join(["", *(LABELS[regime] for _, regime in columns)]))
    for predictor in page.predictors:
        for of_run in (run, "ensemble") if run == "final" else (run,):
            cells = [_cell(page, predictor, regime, of_set, of_run) for of_set, regime in columns]
            if any(cells):
                name = f"{predictor}, mean of the fold models" if of_run == "ensemble" else in_words(predictor)
                lines.append("   " + "|".join([_plain(name), *(cell or "–" for cell in cells)]))
    return [*lines, "", *_not_drawn(page, columns, run)]


def _not_drawn(page, columns, run):
    """Return the lines that say of which columns of a table not both genes and cells were drawn."""
    found, pooled = {}, []
    for set_name, regime in columns:
        row = page.row("training_mean", page.loss, regime, set_name=set_name, run=run)
        if regime == POOL:
            pooled = [
                f"Intervals for {LABELS[POOL]} are over genes alone, so that the mixture of regimes stays what it is."
            ]
        elif row["over"] in ("genes", "cells") and np.isfinite(row["low"]):
            count = row["cells"] if row["over"] == "genes" else row["genes"]
            found.setdefault((row["over"], count), []).append(LABELS[regime])
    few = {"genes": ("cells", "other cells"), "cells": ("genes, or groups of them,", "other genes")}
    lines = []
    for (over, count), regimes in found.items():
        what, others = few[over]
        lines.append(
            f"Intervals for {'; '.join(regimes)} are over {over} alone: {count:.0f} {what} are too few to draw, so that they say "
            f"nothing of {others}."
        )
    return [*lines, *pooled, ""]


def _cell(page, predictor, regime, set_name, run):
    row = page.row(predictor, page.loss, regime, set_name=set_name, run=run)
    if not row:
        return ""
    skill = page.row(predictor, "skill", regime, "training_mean", set_name=set_name, run=run)
    own = "0" if predictor == "training_mean" else f"{skill['value']:.2f}" if skill else "–"
    return f"{_ends(row)} / {own.replace('-0.00', '0.00')}"


def _by_similarity(page, models):
    """Return the lines of a table of the scores of unseen genes, by how much of their windows stands in that of a training gene."""
    rows = []
    for regime in page.regimes((UNSEEN_GENE, BOTH_UNSEEN)):
        for model in models:
            for similarity in SIMILARITY_NAMES:
                loss = page.row(model, page.loss, regime, similarity=similarity)
                skill = page.row(model, "skill", regime, "training_mean", similarity=similarity)
                if loss:
                    cells = [_plain(model), LABELS[regime], similarity, f"{loss['genes']:.0f}", _ends(loss)]
                    rows.append("   " + "|".join([*cells, _ends(skill) if skill else "–"]))
    if len(page.similarities) < 2:
        return []
    text = (
        "Unseen genes by the part of their window that stands in that of one training gene too (of 16-mers, in either direction). If those "
        "that are much alike score better than the others, what the model knows of them is in part their relatives':"
    )
    head = f"   |regime|similarity|genes|{page.loss_title}|skill beside the training mean"
    return [text, "", ".. csv-table::", "   :delim: |", "   :header-rows: 1", "", head, *rows, ""]


def _falling_short(verdicts):
    """Return the lines of a list of what falls short, and of how much is undecided."""
    counts = verdicts["verdict"].value_counts()
    told = ", ".join(f"{counts.get(verdict, 0)} {verdict}" for verdict in ("holds", "undecided", "falls short"))
    lines = [
        _heading("Verdicts", "-"),
        "",
        f"Of {len(verdicts)} checks: {told}. All are in the table of verdicts, with thresholds.",
        "",
    ]
    short = verdicts[verdicts["verdict"] == "falls short"]
    for (model, check), rows in short.groupby(["model", "check"], sort=False):
        where = "; ".join(_plain(sentence.removesuffix(".")) for sentence in rows["sentence"])
        advice = rows["what_to_do"].iloc[0].replace("`", "``")
        lines.append(f"- {_plain(model)} falls short in *{check}*: {where}. What to do: {advice}.")
    return [*lines, ""]


def _wins(row):
    """Return whether a skill's interval leaves zero out."""
    few = {"genes": f", for these {row['cells']:.0f} cells", "cells": f", for these {row['genes']:.0f} genes"}.get(
        row["over"], ""
    )
    if row["low"] > 0:
        return f"wins{few}"
    return f"loses{few}" if row["high"] < 0 else "is not certainly better or worse"


def _ends(row):
    value, low, high = (f"{row[name]:.2f}".replace("-0.00", "0.00") for name in ("value", "low", "high"))
    return value if low == "nan" else f"{value} ({low} to {high})"


def _capital(text):
    return text[0].upper() + text[1:]


def _heading(text, underline):
    return f"{_plain(text)}\n{underline * len(_plain(text))}"


def _plain(text):
    """Return text that reStructuredText takes as it is."""
    for mark in "\\*_`|":
        text = text.replace(mark, f"\\{mark}")
    return text

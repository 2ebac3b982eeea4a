"""Verdicts on all scores that have a threshold, and on the course of the training, in words."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, atomic, read_table, write_table
from wakawaka.evaluation.labels import (
    ALL,
    FOLD_MEAN,
    HOLDS,
    MEAN,
    REGIMES,
    SHORT,
    UNDECIDED,
    loss_of,
    metric_title,
)
from wakawaka.report.checks import CHECKS, OF_SPREAD, Check
from wakawaka.report.score_lookup import ScoreLookup
from wakawaka.report.summary import summary_page
from wakawaka.report.text import capitalised, two_decimals, with_interval
from wakawaka.report.thresholds import DISAGREEING, GAP, OVERFITTED
from wakawaka.splits.regimes import FINAL, POOL

log = logging.getLogger(__name__)

COLUMNS = [
    "model",
    "check",
    "set",
    "regime",
    "value",
    "ci_low",
    "ci_high",
    "threshold",
    "verdict",
    "sentence",
    "what_to_do",
]

# A row of the table of verdicts.
Verdict = dict[str, Any]


def verdicts(
    scores: PathLike,
    histories: Sequence[tuple[str, str, PathLike]],
    audit: PathLike,
    truth: PathLike | None,
    verdicts: PathLike,
    summary: PathLike,
    *,
    modules: Sequence[str],
    binary: bool,
) -> None:
    """Write a verdict on every score that has a threshold, and the summary that opens the report.

    Args:
        scores: path of what `score` writes.
        histories: (model, run, path of what `train` writes).
        audit: path of what `split` writes.
        truth: path of the built-in example's truth.json, or None.
        verdicts: output path, a table with a row per model, check, set and regime. Columns: model, check, set, regime, value, ci_low,
            ci_high, threshold, verdict, sentence, what_to_do. A score is `undecided` if its interval contains the threshold or is
            missing. what_to_do is advice for a score that falls short. A regime is judged on the test set if it has known truths
            there, else on what the folds hold out.
        summary: output path, reStructuredText.
        modules: the modules that the models have.
        binary: whether truths are 0 or 1.
    """
    everything = read_table(scores)
    table = everything[everything["similarity"] == ALL]
    models = list(dict.fromkeys(model for model, _, _ in histories))
    rows: list[Verdict] = []
    for model in models:
        rows += [row for check in CHECKS for row in _judged(check, model, table)]
        folds = [read_table(path) for name, run, path in histories if name == model and run != FINAL]
        rows += _overfitting(model, folds)
        rows += _gap(model, table, loss_of(binary))
        rows += _disagreement(model, table)
    result = pd.DataFrame(rows, columns=COLUMNS)
    write_table(result, verdicts)
    for row in rows:
        if row["verdict"] == SHORT:
            log.warning("%s: %s What to do: %s.", row["model"], row["sentence"], row["what_to_do"])
    facts = json.loads(Path(truth).read_text(encoding="utf-8")) if truth else {}
    page = summary_page(ScoreLookup(everything), result, _leaks(audit), models, modules, facts)
    with atomic(summary) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _leaks(audit: PathLike) -> list[str]:
    """Return what the two sides of splits share, with run and regime."""
    rows = read_table(audit).dropna(subset=["leak"]).to_dict("records")
    return [f"{row['run']}, {REGIMES[row['regime']]}: {row['leak']}" for row in rows]


def _judged(check: Check, model: str, table: pd.DataFrame) -> Iterator[Verdict]:
    """Yield the verdicts of one check, one for each of its regimes that has a score."""
    baseline = f"{model}{check.baseline}" if (check.baseline or "").startswith(".") else check.baseline
    found = table[(table["predictor"] == model) & (table["metric"] == check.metric) & table["value"].notna()]
    found = found[found["baseline"].isna() if baseline is None else found["baseline"] == baseline]
    found = found.set_index(["set", "run", "regime"]).sort_index()
    run = FOLD_MEAN if check.metric in OF_SPREAD else FINAL
    for regime in check.regimes:
        places = [place for place in (("test", run, regime), ("validation", MEAN, regime)) if place in found.index]
        if not places:
            continue
        row = found.loc[[places[0]]].iloc[0].to_dict()
        verdict = _verdict(row, check)
        yield {
            "model": model,
            "check": check.name,
            "set": places[0][0],
            "regime": regime,
            **{end: row[end] for end in ("value", "ci_low", "ci_high")},
            "threshold": _threshold(check),
            "verdict": verdict,
            "sentence": _sentence(check, regime, row, baseline, verdict),
            "what_to_do": check.advice if verdict == SHORT else None,
        }


def _threshold(check: Check) -> str:
    if check.certain:
        return f"above {check.least:g}"
    bounds = (("at least", check.least), ("at most", check.most))
    return " and ".join(f"{word} {bound:g}" for word, bound in bounds if abs(bound) < np.inf)


def _verdict(row: Mapping[Any, Any], check: Check) -> str:
    if check.certain:
        # A missing end is NaN, which is neither above nor below the threshold.
        return HOLDS if row["ci_low"] > check.least else SHORT if row["ci_high"] < check.least else UNDECIDED
    if np.isnan(row["value"]):
        return UNDECIDED
    return HOLDS if check.least <= row["value"] <= check.most else SHORT


def _sentence(check: Check, regime: str, row: Mapping[Any, Any], baseline: str | None, verdict: str) -> str:
    """Return the score, how it compares with the threshold, what it means, and what the interval does not cover."""
    verb = {HOLDS: "", SHORT: "not ", UNDECIDED: "not certainly "}[verdict]
    title, value = metric_title(check.metric, baseline), with_interval(row, two_decimals)
    words = f"{capitalised(REGIMES[regime])}: {title} is {value}, {verb}{_threshold(check)}. {check.means}"
    return words + (_not_resampled(row) if check.certain else "")


def _not_resampled(row: Mapping[Any, Any]) -> str:
    """Return a sentence on what the interval does not cover; an empty text if genes and cells are resampled."""
    cells, genes = f"{row['cells']:.0f} cells", f"{row['genes']:.0f} genes"
    return {
        "genes": f" With {cells}, the interval covers the choice of genes only, not the choice of cells.",
        "cells": f" With {genes}, the interval covers the choice of cells only, not the choice of genes.",
        "nothing": f" With {cells} and {genes}, there is no interval.",
    }.get(row["resampled"], "")


def _overfitting(model: str, folds: Sequence[pd.DataFrame]) -> Iterator[Verdict]:
    """Yield, for each regime, whether the folds' validation loss rises again before the training ends.

    Args:
        folds: histories of the folds.
    """
    columns = [str(name) for name in folds[0]]
    train = next(name for name in columns if name.startswith("train_"))
    for column in (name for name in columns if name.startswith("val_")):
        curves = {name: np.mean([fold[name] for fold in folds if column in fold], axis=0) for name in (train, column)}
        regime, best = column.split("_", 2)[2], int(np.argmin(curves[column]))
        value, training = (
            curve[-1] / curve[best] if curve[best] > 0 else 1.0 for curve in (curves[column], curves[train])
        )
        sentence = (
            f"{capitalised(REGIMES[regime])}: after the last epoch, the folds' validation loss is {value:.2f} times that after epoch "
            f"{best + 1}, the best one. Their training loss is {training:.2f} times that after epoch {best + 1}."
        )
        advice = (
            f"regularise more (dropout), or set `training.epochs` to about {best + 1}; the folds' scores then overstate the quality, "
            "because they chose the number of epochs"
        )
        yield _without_interval(model, "overfitting", regime, value, OVERFITTED, sentence, advice)


def _gap(model: str, table: pd.DataFrame, loss: str) -> Iterator[Verdict]:
    """Yield, for each regime, how much higher the folds' validation loss is than their training loss."""
    rows = table[(table["run"] == MEAN) & (table["predictor"] == model) & (table["metric"] == loss)]
    trained = rows.loc[rows["set"] == "train", "value"]
    if not (trained > 0).any():
        return
    rows = rows[(rows["set"] == "validation") & (rows["regime"] != POOL)]
    for regime, loss_of_regime in zip(rows["regime"], rows["value"], strict=True):
        value = loss_of_regime / trained.iloc[0]
        sentence = (
            f"{capitalised(REGIMES[regime])}: the folds' validation loss is {value:.2f} times their training loss."
        )
        advice = "the model has memorised much of its training samples: regularise more, or train on more samples"
        yield _without_interval(model, "gap to training samples", regime, value, GAP, sentence, advice)


def _disagreement(model: str, table: pd.DataFrame) -> Iterator[Verdict]:
    """Yield, for each regime, the standard deviation of the folds' skills compared with the training mean."""
    rows = table[(table["set"] == "validation") & (table["predictor"] == model) & (table["metric"] == "skill")]
    rows = rows[rows["run"].str.startswith("fold-") & (rows["regime"] != POOL) & (rows["baseline"] == "training_mean")]
    for regime in dict.fromkeys(rows["regime"]):
        of_folds = rows.loc[rows["regime"] == regime, "value"]
        if of_folds.count() < 2:
            continue
        value = of_folds.std(ddof=1)
        sentence = (
            f"{capitalised(REGIMES[regime])}: {metric_title('skill', 'training_mean')} has a standard deviation of {value:.2f} over "
            f"{len(of_folds)} folds."
        )
        advice = "do not trust a single fold: take more genes per fold (fewer folds), more cells, or several seeds"
        yield _without_interval(model, "disagreement between folds", regime, value, DISAGREEING, sentence, advice)


def _without_interval(
    model: str, check: str, regime: str, value: float, most: float, sentence: str, advice: str
) -> Verdict:
    """Return a verdict on a value of the validation samples that has no interval, and may be at most `most`."""
    holds = value <= most
    return {
        "model": model,
        "check": check,
        "set": "validation",
        "regime": regime,
        "value": value,
        "ci_low": np.nan,
        "ci_high": np.nan,
        "threshold": f"at most {most:g}",
        "verdict": HOLDS if holds else SHORT,
        "sentence": sentence,
        "what_to_do": None if holds else advice,
    }

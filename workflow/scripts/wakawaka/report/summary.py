"""The summary that opens the report: five sentences on each model, and tables of the scores, as reStructuredText."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.evaluation.labels import (
    FOLD_MEAN,
    HOLDS,
    LOSSES,
    MEAN,
    REGIMES,
    SHORT,
    SIMILARITY_NAMES,
    UNDECIDED,
    metric_title,
    predictor_title,
)
from wakawaka.report.score_lookup import ScoreLookup
from wakawaka.report.summary_sentences import sentences
from wakawaka.report.text import in_rst, two_decimals, with_interval
from wakawaka.splits.regimes import BOTH_UNSEEN, FINAL, HELD_OUT, POOL, TRAIN, UNSEEN_GENE


def summary_page(
    scores: ScoreLookup,
    verdicts: pd.DataFrame,
    leaks: Sequence[str],
    models: Sequence[str],
    modules: Sequence[str],
    facts: Mapping[str, Any],
) -> str:
    """Return the summary as reStructuredText.

    Args:
        scores: the table of all scores.
        verdicts: table of the verdicts, see verdicts.py.
        leaks: what the two sides of a split share, see audit.tsv; shown in red.
        models: names of the models.
        modules: the modules that the models have.
        facts: content of the built-in example's truth.json; empty for other data.
    """
    lines = [".. role:: red", ""]
    lines += [f":red:`Leakage, allowed by allow_leakage: {in_rst(leak)}`\n" for leak in leaks]
    for model in models:
        lines += [_heading(f"What the scores say about {model}"), ""]
        lines += [f"{number}. {text}" for number, text in enumerate(sentences(scores, model, modules, facts), start=1)]
        lines.append("")
    loss = LOSSES[scores.loss].title
    where = (
        "on the test set" if scores.set_name == "test" else "on the samples that the folds hold out (mean over folds)"
    )
    lines += [
        f"The {loss} {where} with its 95% interval. After the slash: {metric_title('skill', 'training_mean')}.",
        "",
        *_table(scores, scores.set_name, scores.run),
    ]
    of_folds = scores.score("training_mean", scores.loss, UNSEEN_GENE, set_name="validation", run=MEAN)
    if scores.set_name == "test" and of_folds:
        lines += ["The same on the samples that the folds hold out (mean over folds):", ""]
        lines += _table(scores, "validation", MEAN)
    lines += _by_similarity(scores, models)
    lines += _falling_short(verdicts)
    return "\n".join(lines) + "\n"


def _table(scores: ScoreLookup, set_name: str, run: str) -> list[str]:
    """Return the lines of a table of losses and skills: a predictor per row, a regime per column."""
    columns = [(set_name, regime) for regime in (*HELD_OUT, POOL)] + [("train", TRAIN)]
    columns = [
        (of_set, regime)
        for of_set, regime in columns
        if scores.score("training_mean", scores.loss, regime, set_name=of_set, run=run)
    ]
    lines = _table_start(["", *(REGIMES[regime] for _, regime in columns)])
    for predictor in scores.predictors:
        for of_run in (run, FOLD_MEAN) if run == FINAL else (run,):
            cells = [_cell(scores, predictor, regime, of_set, of_run) for of_set, regime in columns]
            if any(cells):
                lines.append(_line([in_rst(predictor_title(predictor, of_run)), *(cell or "–" for cell in cells)]))
    return [*lines, "", *_not_resampled(scores, columns, run), ""]


def _table_start(header: Sequence[str]) -> list[str]:
    return [".. csv-table::", "   :delim: |", "   :header-rows: 1", "", _line(header)]


def _line(cells: Sequence[str]) -> str:
    return "   " + "|".join(cells)


def _cell(scores: ScoreLookup, predictor: str, regime: str, set_name: str, run: str) -> str:
    """Return the loss and the skill of a predictor; an empty text without a loss."""
    loss = scores.score(predictor, scores.loss, regime, set_name=set_name, run=run)
    if not loss:
        return ""
    skill = scores.score(predictor, "skill", regime, "training_mean", set_name=set_name, run=run)
    value = "0" if predictor == "training_mean" else two_decimals(skill["value"]) if skill else "–"
    return f"{with_interval(loss, two_decimals)} / {value}"


def _not_resampled(scores: ScoreLookup, columns: Sequence[tuple[str, str]], run: str) -> list[str]:
    """Return sentences on the columns of a table whose intervals do not cover both genes and cells."""
    found: dict[tuple[str, int], list[str]] = {}
    pooled = []
    for set_name, regime in columns:
        row = scores.score("training_mean", scores.loss, regime, set_name=set_name, run=run)
        assert row is not None
        if regime == POOL:
            pooled = [
                f"Intervals for {REGIMES[POOL]} cover the choice of genes only, so that all replicates have the same mixture of regimes."
            ]
        elif row["resampled"] in ("genes", "cells") and np.isfinite(row["ci_low"]):
            count = row["cells"] if row["resampled"] == "genes" else row["genes"]
            found.setdefault((row["resampled"], count), []).append(REGIMES[regime])
    fixed = {"genes": "cells", "cells": "genes"}
    return [
        f"Intervals for {'; '.join(regimes)} cover the choice of {resampled} only, not the choice of {fixed[resampled]}: "
        f"{count:.0f} {fixed[resampled]} are too few to resample."
        for (resampled, count), regimes in found.items()
    ] + pooled


def _by_similarity(scores: ScoreLookup, models: Sequence[str]) -> list[str]:
    """Return the lines of a table of the scores of unseen genes, by their similarity to training genes."""
    rows = []
    for regime in (
        regime for regime in (UNSEEN_GENE, BOTH_UNSEEN) if scores.score("training_mean", scores.loss, regime)
    ):
        for model in models:
            for similarity in SIMILARITY_NAMES:
                loss = scores.score(model, scores.loss, regime, similarity=similarity)
                skill = scores.score(model, "skill", regime, "training_mean", similarity=similarity)
                if loss:
                    cells = [in_rst(model), REGIMES[regime], similarity, f"{loss['genes']:.0f}"]
                    rows.append(
                        _line([*cells, *(with_interval(one, two_decimals) if one else "–" for one in (loss, skill))])
                    )
    if len(scores.similarities) < 2:
        return []
    text = (
        "Unseen genes by similarity: the share of their window that also occurs in the window of one training gene (16-mers, on either "
        "strand). If similar genes score better, a part of the skill comes from related training genes."
    )
    header = ["", "regime", "similarity", "genes", LOSSES[scores.loss].title, metric_title("skill", "training_mean")]
    return [text, "", *_table_start(header), *rows, ""]


def _falling_short(verdicts: pd.DataFrame) -> list[str]:
    """Return the lines of a list of what falls short, with advice."""
    counts = verdicts["verdict"].value_counts()
    numbers = ", ".join(f"{verdict} {counts.get(verdict, 0)}" for verdict in (HOLDS, UNDECIDED, SHORT))
    lines = [
        _heading("Verdicts"),
        "",
        f"Results of {len(verdicts)} checks: {numbers}. The table of verdicts has all of them, with thresholds.",
        "",
    ]
    short = verdicts[verdicts["verdict"] == SHORT]
    for model, check in dict.fromkeys(zip(short["model"], short["check"], strict=True)):
        rows = short[(short["model"] == model) & (short["check"] == check)]
        # Sentences that regimes share are written once.
        shared = dict.fromkeys(part for text in rows["sentence"] for part in re.split(r"(?<=\.) (?=[A-Z])", text))
        words = in_rst(" ".join(shared))
        advice = rows["what_to_do"].iloc[0].replace("`", "``")
        lines.append(f"- {in_rst(model)} falls short in *{check}*. {words} What to do: {advice}.")
    return [*lines, ""]


def _heading(text: str) -> str:
    return f"{in_rst(text)}\n{'-' * len(in_rst(text))}"

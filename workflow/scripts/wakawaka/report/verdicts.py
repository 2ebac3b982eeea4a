"""What the scores say, in words: a verdict on every score that has a threshold, and the report's first page."""

import json
import logging
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from wakawaka.core.files import atomic, read_table, write_table
from wakawaka.evaluation.labels import ALL, LABELS, in_words, shown_set
from wakawaka.report.summary import Page, first_page
from wakawaka.report.thresholds import COLLAPSED, DISAGREEING, GAP, OVERFITTED
from wakawaka.splits.regimes import BOTH_UNSEEN, HELD_OUT, LEAKING, POOL, UNSEEN_CELL, UNSEEN_GENE

log = logging.getLogger(__name__)

# What sentences call the scores that are judged, beside skill.
TITLES = {
    "sd_ratio": "standard deviation of predictions / truths",
    "r2": "R2",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "pearson_across_genes": "Pearson across genes",
    "pearson_across_cells": "Pearson across cells",
    "pearson_beyond_gene_mean": "Pearson beyond the gene means",
    "spearman_across_genes": "Spearman across genes",
    "spearman_across_cells": "Spearman across cells",
    "spearman_beyond_gene_mean": "Spearman beyond the gene means",
    "aupr_across_genes_difference": "AUPR across genes more than that of",
    "auroc": "AUROC",
    "aupr_difference": "AUPR more than that of",
    "auroc_across_genes": "AUROC across genes",
    "auroc_across_cells": "AUROC across cells",
    "coverage": "coverage",
    "spread_error_rank": "rank correlation of spread and error",
    "calibration_error": "expected calibration error",
}

HOLDS, SHORT, UNDECIDED = "holds", "falls short", "undecided"

SEEN, UNSEEN, ANY = (UNSEEN_CELL, LEAKING), (UNSEEN_GENE, BOTH_UNSEEN), HELD_OUT


class Check(NamedTuple):
    """What a score has to be.

    Attributes:
        name: of the check. metric, baseline: of the score. regimes: in which it is asked for. least, most: the score's bounds.
        certain: whether the whole interval has to lie within the bounds, else the value alone. means: what the score says, in words.
        advice: what to do if it falls short.
    """

    name: str
    metric: str
    baseline: str | None
    regimes: tuple
    least: float
    most: float
    certain: bool
    means: str
    advice: str


def _beats(name, baseline, regimes, means, advice):
    return Check(name, "skill", baseline, regimes, 0, np.inf, True, means, advice)


def _exceeds(name, metric, regimes, least, means, advice):
    return Check(name, metric, None, regimes, least, np.inf, True, means, advice)


LEARN = "train for more epochs or with another learning rate; see the learning curves"
LINEAR = "take the simpler model for these data, or give the network more samples"
CELLS = "the model knows genes, not cells: check that the marks of the cells are not mixed up, and compare their depths in store.json"
NOT_CELLS = "the model tells genes apart, and not cells: do not use it for differences between cells"
ABLATION = "the network does without it: leave it out of `modules`, or look for a fault in that input"
CHECKS = (
    Check(
        "collapse", "sd_ratio", None, ANY, COLLAPSED, np.inf, False,
        "how far predictions vary, as a part of how far the truth does; near 0 the model predicts almost a constant", LEARN,
    ),
    _beats("training mean", "training_mean", ANY, "the loss (MSE, and with it RMSE, or log loss) beside a constant's", LEARN),
    _beats(
        "memorising, per-gene mean", "gene_mean", SEEN, "beside each gene's average, which takes nothing but memory",
        "do not use the model for seen genes: the average says more; give it marks that differ between cells",
    ),
    _beats("nearest cell", "nearest_cell", SEEN, "beside the value in the most similar training cell", LINEAR),
    _beats("ridge on bins", "ridge_bins", ANY, "beside a linear model of the marks in all bins", LINEAR),
    _beats("ridge on summaries", "ridge_summaries", ANY, "beside a linear model of three numbers per mark", LINEAR),
    _beats("boosted trees", "trees_summaries", ANY, "beside boosted trees on three numbers per mark", LINEAR),
    _beats(
        "memorising, DNA", ".shuffled_dna", UNSEEN, "beside the same network with the DNA of other genes",
        "nothing of the sequence is known to carry over to other genes: shrink the dense layer behind the DNA module where there is one, "
        "train on more genes, or look at the network with histone marks only",
    ),
    _beats("DNA", ".histone_only", ANY, "beside the same network without DNA, by which it also knows seen genes again", ABLATION),
    _beats("histone marks", ".dna_only", ANY, "beside the same network without histone marks", ABLATION),
    _exceeds("R2", "r2", ANY, 0, "the part of the variance within the regime that is explained", LEARN),
    _exceeds("correlation", "pearson", ANY, 0, "whether high truths are predicted high; mostly of genes, which differ most", LEARN),
    _exceeds("rank correlation", "spearman", ANY, 0, "the same of ranks", LEARN),
    _exceeds("correlation across genes", "pearson_across_genes", ANY, 0, "whether genes of one cell are told apart", LEARN),
    _exceeds(
        "correlation across cells", "pearson_across_cells", ANY, 0, "whether cells are told apart for one gene",
        CELLS,
    ),
    _exceeds(
        "correlation beyond the gene means", "pearson_beyond_gene_mean", SEEN, 0, "what it knows of a cell beside the gene's average",
        NOT_CELLS,
    ),
    _exceeds("rank correlation across genes", "spearman_across_genes", ANY, 0, "whether genes of a cell are in the right order", LEARN),
    _exceeds("rank correlation across cells", "spearman_across_cells", ANY, 0, "whether cells are in the right order for a gene", CELLS),
    _exceeds(
        "rank correlation beyond the gene means", "spearman_beyond_gene_mean", SEEN, 0, "the order of what is known beyond the average",
        NOT_CELLS,
    ),
    _exceeds("AUROC", "auroc", ANY, 0.5, "pairs of a 1 and a 0 in the right order; guessing gets 0.5", LEARN),
    Check(
        "AUPR", "aupr_difference", "training_mean", ANY, 0, np.inf, True, "how much more precision than the base rate, which guessing gets",
        LEARN,
    ),
    _exceeds("AUROC across genes", "auroc_across_genes", ANY, 0.5, "whether genes of one cell are told apart", LEARN),
    _exceeds("AUROC across cells", "auroc_across_cells", ANY, 0.5, "whether cells are told apart for one gene", LEARN),
    Check(
        "AUPR across genes", "aupr_across_genes_difference", "training_mean", ANY, 0, np.inf, True,
        "how much more precision than the base rate within a cell", LEARN,
    ),
    Check(
        "coverage", "coverage", None, ANY, 0.9, 0.99, False, "the part of truths within 1.96 standard deviations of the fold models",
        "the fold models' spread is no error bar: multiply it by `spread_factor` in results/scores/scores.tsv, or do not show it",
    ),
    Check(
        "spread and error", "spread_error_rank", None, ANY, 0.1, np.inf, False, "whether predictions that the fold models dispute err more",
        "the fold models' spread does not tell good predictions from bad ones: do not filter by it",
    ),
    Check(
        "calibration", "calibration_error", None, ANY, 0, 0.1, False, "how far probabilities are from the parts that come true",
        "do not read the output as a probability; calibrate it on validation samples first",
    ),
)  # fmt: skip


def verdicts(scores, histories, audit, truth, verdicts, first_page_path, *, models, runs, modules, binary):
    """Write a verdict on everything that has a threshold, and the first page of the report.

    Args:
        scores: path as `score` writes it. histories: paths as `train` writes them, of each of `models` in turn all `runs`.
        audit: path as `split` writes it. truth: path of the built-in example's truth.json, or None.
        verdicts: output path. A row per model, check, set and regime: value, low, high, threshold, verdict (holds, falls short, or
            undecided, where the interval holds the threshold or there is none), sentence, and what_to_do if it falls short. Of each
            regime on the test set, where truths are known there; else on what the folds held out.
        first_page_path: output path, reStructuredText.
        models, runs, modules: lists of str. binary: whether truths are 0 or 1.
    """
    everything = read_table(scores)
    table = everything[everything["similarity"] == ALL]
    rows = []
    for number, model in enumerate(models):
        paths = dict(zip(runs, histories[number * len(runs) :], strict=False))
        rows += [row for check in CHECKS for row in _judged(check, model, table)]
        rows += _overfitting(model, {run: read_table(path) for run, path in paths.items()})
        rows += _gap(model, table, "bce" if binary else "mse")
        rows += _disagreement(model, table)
    columns = [
        "model",
        "check",
        "set",
        "regime",
        "value",
        "low",
        "high",
        "threshold",
        "verdict",
        "sentence",
        "what_to_do",
    ]
    result = pd.DataFrame(rows, columns=columns)
    write_table(result, verdicts)
    for row in rows:
        if row["verdict"] == SHORT:
            log.warning("%s: %s %s", row["model"], row["sentence"], row["what_to_do"] or "")
    facts = json.loads(Path(truth).read_text(encoding="utf-8")) if truth else None
    leaks = read_table(audit).dropna(subset=["leak"])
    leaks = [f"{row.run}, {LABELS[row.regime]}: {row.leak}" for row in leaks.itertuples()]
    page = Page(everything, *shown_set(table), binary, facts)
    with atomic(first_page_path) as temporary:
        temporary.write_text(first_page(page, result, leaks, models, modules), encoding="utf-8")


def _judged(check, model, table):
    """Yield the verdicts of one check: of the regimes in which it is asked for and has a score."""
    baseline = f"{model}{check.baseline}" if (check.baseline or "").startswith(".") else check.baseline
    found = table[(table["predictor"] == model) & (table["metric"] == check.metric) & table["value"].notna()]
    found = found[found["baseline"].isna() if baseline is None else found["baseline"] == baseline]
    of_ensemble = check.metric in ("coverage", "spread_error_rank", "calibration_error")
    found = found.set_index(["set", "run", "regime"]).sort_index()
    for regime in check.regimes:
        places = [("test", "ensemble" if of_ensemble else "final", regime), ("validation", "mean", regime)]
        places = [place for place in places if place in found.index]
        if not places:
            continue
        row = found.loc[[places[0]]].iloc[0].to_dict() | {"regime": regime}
        verdict = _verdict(row, check)
        yield {
            "model": model,
            "check": check.name,
            "set": places[0][0],
            "regime": regime,
            **{end: row[end] for end in ("value", "low", "high")},
            "threshold": _threshold(check),
            "verdict": verdict,
            "sentence": _sentence(check, row, baseline, verdict),
            "what_to_do": check.advice if verdict == SHORT else None,
        }


def _threshold(check):
    if check.certain:
        return f"above {check.least:g}"
    bounds = (("at least", check.least), ("at most", check.most))
    return " and ".join(f"{word} {bound:g}" for word, bound in bounds if abs(bound) < np.inf)


def _verdict(row, check):
    if check.certain:
        # Without an interval, or with one that ends nowhere, nothing is certain.
        return HOLDS if row["low"] > check.least else SHORT if row["high"] < check.least else UNDECIDED
    if np.isnan(row["value"]):
        return UNDECIDED
    return HOLDS if check.least <= row["value"] <= check.most else SHORT


def _sentence(check, row, baseline, verdict):
    what = TITLES.get(check.metric, "skill beside") + (f" {in_words(baseline)}" if baseline else "")
    ends = f" ({row['low']:.2f} to {row['high']:.2f})" if np.isfinite(row["low"]) else ""
    verb = {HOLDS: "is", SHORT: "is not", UNDECIDED: "is not certain to be"}[verdict]
    words = f"{LABELS[row['regime']]}: {what} {row['value']:.2f}{ends} {verb} {_threshold(check)} ({check.means})"
    return f"{words}{_drawn(row) if check.certain else ''}."


def _drawn(row):
    """Return what to add to a sentence where not both genes and cells were drawn."""
    cells, genes = f"{row['cells']:.0f} cells", f"{row['genes']:.0f} genes"
    return {
        "genes": f"; with {cells} the interval is over genes alone, and says nothing of other cells",
        "cells": f"; with {genes} the interval is over cells alone, and says nothing of other genes",
        "nothing": f"; {cells} and {genes} are too few for an interval",
    }.get(row["over"], "")


def _overfitting(model, histories):
    """Yield whether the folds' validation loss had risen again when the training ended, by regime, and what the training loss did."""
    folds = [history for run, history in histories.items() if run != "final"]
    train = next(name for name in folds[0] if name.startswith("train_"))
    for column in (name for name in folds[0] if name.startswith("val_")):
        curves = {name: np.mean([fold[name] for fold in folds if column in fold], axis=0) for name in (train, column)}
        regime, best = column.split("_", 2)[2], int(np.argmin(curves[column]))
        value, falls = (
            curve[-1] / curve[best] if curve[best] > 0 else 1.0 for curve in (curves[column], curves[train])
        )
        holds = value <= OVERFITTED
        words = (
            f"{LABELS[regime]}: the folds' loss after the last epoch is {value:.2f} times that after epoch {best + 1}, the best one; "
            f"that of the training samples is {falls:.2f} times what it was then"
        )
        yield _plain(model, "overfitting", "validation", regime, value, f"at most {OVERFITTED}", holds, words) | {
            "what_to_do": None
            if holds
            else f"regularise more (dropout), or set `training.epochs` to about {best + 1}; the folds' scores then flatter, being chosen by"
        }


def _gap(model, table, loss):
    """Yield how much higher the loss of what the folds held out is than that of their training samples, by regime."""
    rows = table[(table["run"] == "mean") & (table["predictor"] == model) & (table["metric"] == loss)]
    trained = rows.loc[rows["set"] == "train", "value"]
    for row in rows[(rows["set"] == "validation") & (rows["regime"] != POOL)].itertuples():
        if not (trained > 0).any():
            continue
        value = row.value / trained.iloc[0]
        holds = value <= GAP
        words = f"{LABELS[row.regime]}: the loss of what the folds held out is {value:.2f} times that of their training samples"
        yield _plain(
            model, "gap to training samples", "validation", row.regime, value, f"at most {GAP:g}", holds, words
        ) | {
            "what_to_do": None
            if holds
            else "the model has learnt much of its training samples by heart: regularise more, or train on more"
        }


def _disagreement(model, table):
    """Yield how far the folds' skills lie apart, by regime."""
    rows = table[(table["set"] == "validation") & (table["predictor"] == model) & (table["metric"] == "skill")]
    rows = rows[rows["run"].str.startswith("fold-") & (rows["regime"] != POOL) & (rows["baseline"] == "training_mean")]
    for regime, of_folds in rows.groupby("regime", sort=False)["value"]:
        if of_folds.count() < 2:
            continue
        value = of_folds.std(ddof=1)
        holds = value <= DISAGREEING
        words = f"{LABELS[regime]}: the skills of {len(of_folds)} folds beside the training mean have a standard deviation of {value:.2f}"
        yield _plain(
            model, "disagreement between folds", "validation", regime, value, f"at most {DISAGREEING}", holds, words
        ) | {
            "what_to_do": None
            if holds
            else "do not trust one fold: take more genes per fold (fewer folds), more cells, or several seeds"
        }


def _plain(model, check, name, regime, value, threshold, holds, words):
    """Return a verdict on a value without an interval."""
    row = {"model": model, "check": check, "set": name, "regime": regime, "value": value, "low": np.nan, "high": np.nan}
    return row | {"threshold": threshold, "verdict": HOLDS if holds else SHORT, "sentence": f"{words}."}

"""Scores of every run, regime by regime, beside the two baselines that a model has to beat."""

import logging
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from . import metrics
from .files import read_table, write_table
from .regimes import HELD_OUT, LABELS, TRAIN

log = logging.getLogger(__name__)

# The rows of the summary, by set and run, and what their model is called there.
SHOWN = {
    ("test", "final"): "final model",
    ("test", "ensemble"): "mean of the fold models",
    ("validation", "mean"): "model, mean over folds",
    ("train", "final"): "final model",
    ("train", "mean"): "model, mean over folds",
}
BASELINES = {"gene_mean": "per-gene training mean", "training_mean": "training mean"}


class Kind(NamedTuple):
    """How one kind of target is scored: the function, its scores' titles in the summary, and the loss that skill compares."""

    scores: Callable
    titles: dict
    loss: str


VALUES = Kind(
    metrics.scores,
    {
        "mse": "MSE",
        "rmse": "RMSE",
        "r2": "R2",
        "pearson": "Pearson",
        "spearman": "Spearman",
        "pearson_across_genes": "across genes",
        "pearson_across_cells": "across cells",
    },
    "mse",
)
LABELS_0_1 = Kind(
    metrics.binary_scores,
    {
        "bce": "log loss",
        "auroc": "AUROC",
        "aupr": "AUPR",
        "auroc_across_genes": "AUROC across genes",
        "aupr_across_genes": "AUPR across genes",
        "auroc_across_cells": "AUROC across cells",
    },
    "bce",
)
SETS = {"test": "test", "validation": "validation", "train": "training"}


def score(final, folds, test, table, summary, *, binary):
    """Write all scores, and a short table of them for the report.

    Baselines are fitted on the run's own training samples: `training_mean` predicts their mean; `gene_mean` a gene's mean
    over the training cells, and the training mean for genes it has not seen. Of labels 0 and 1 these are the parts that are 1. `skill`
    is 1 - loss / loss of the training mean on the same samples: 0 is no better than a constant. The loss is the MSE or, of
    labels, the log loss. A regime none of whose samples has a truth is left out.

    Args:
        final, folds: paths of predictions as `predict` writes them, `folds` a list. test: path as `aggregate` writes it.
        table: output path, long: set (test, validation, train), regime, run (final, ensemble, fold-1 ..., mean and sd
            over the folds), predictor (model, training_mean, gene_mean), samples, the scores of metrics.py, skill.
        summary: output path of the table in words.
        binary: whether the truth is 0 or 1 and predictions are probabilities.
    """
    kind = LABELS_0_1 if binary else VALUES
    rows = _run_scores(kind, read_table(final), "final", "test")
    rows += _ensemble_scores(kind, read_table(test))
    for number, path in enumerate(folds, start=1):
        rows += _run_scores(kind, read_table(path), f"fold-{number}", "validation")
    _add_skill(rows, kind.loss)
    result = pd.DataFrame(rows)
    result = pd.concat([result, *_over_folds(result, kind)], ignore_index=True)
    write_table(result, table)
    write_table(_summary(result, kind), summary)
    for row in result[(result["run"] == "final") & (result["predictor"] == "model")].to_dict("records"):
        loss = f"{kind.titles[kind.loss]} {row[kind.loss]:.4f}"
        log.info("final model, %s (%s): %s, skill %.3f", LABELS[row["regime"]], row["set"], loss, row["skill"])


def baselines(predictions):
    """Return the baselines' predictions for every row of a run's table, as a dict of [row] float64 arrays."""
    trained = predictions[(predictions["regime"] == TRAIN) & predictions["truth"].notna()]
    mean = trained["truth"].mean()
    by_gene = predictions["gene_id"].map(trained.groupby("gene_id")["truth"].mean())
    return {"training_mean": np.full(len(predictions), mean), "gene_mean": by_gene.fillna(mean).to_numpy()}


def _run_scores(kind, predictions, run, set_name):
    """Return the rows of one run: model and baselines in every regime, and on its own training samples."""
    predicted = {"model": predictions["prediction"], **baselines(predictions)}
    predictions = predictions.assign(**predicted)
    rows = []
    for regime in (*HELD_OUT, TRAIN):
        where = {"set": "train" if regime == TRAIN else set_name, "regime": regime, "run": run}
        rows += [_block_scores(kind, predictions, column, where | {"predictor": column}) for column in predicted]
    return [row for row in rows if row["samples"]]


def _ensemble_scores(kind, test):
    """Return the rows of the mean of the fold models."""
    where = {"set": "test", "run": "ensemble", "predictor": "model"}
    rows = [_block_scores(kind, test, "ensemble_mean", where | {"regime": regime}) for regime in HELD_OUT]
    return [row for row in rows if row["samples"]]


def _block_scores(kind, predictions, column, where):
    """Return the row of one column of predictions in the regime that `where` names; samples without a truth are left out."""
    block = predictions[(predictions["regime"] == where["regime"]) & predictions["truth"].notna()]
    names = block["cell"].to_numpy(str), block["gene_id"].to_numpy(str)
    return where | {"samples": len(block), **kind.scores(block["truth"], block[column], *names)}


def _add_skill(rows, loss):
    """Add the skill to every row; that of the mean of the fold models is against the final run's training mean."""
    constant = {
        (row["set"], row["regime"], row["run"]): row[loss] for row in rows if row["predictor"] == "training_mean"
    }
    for row in rows:
        run = "final" if row["run"] == "ensemble" else row["run"]
        least = constant[row["set"], row["regime"], run]
        row["skill"] = 1 - row[loss] / least if least > 0 else np.nan


def _over_folds(result, kind):
    """Return the mean and the standard deviation over folds of every score; a score that some fold lacks has neither."""
    folds = result[result["run"].str.startswith("fold-")]
    grouped = folds.groupby(["set", "regime", "predictor"], sort=False)
    values = [*kind.titles, "skill"]
    for name, spread in (
        ("mean", grouped[values].agg(lambda v: v.mean(skipna=False))),
        ("sd", grouped[values].agg(lambda v: v.std(ddof=1, skipna=False))),
    ):
        yield spread.assign(run=name, samples=grouped["samples"].sum()).reset_index()


def _summary(result, kind):
    """Return the rows that a reader compares, in words: by set, then by regime."""
    rows = [row for row in result.to_dict("records") if (row["set"], row["run"]) in SHOWN]
    rows = [row for row in rows if row["set"] != "train" or row["predictor"] == "model"]
    regimes = [*HELD_OUT, TRAIN]
    rows.sort(key=lambda row: (list(SETS).index(row["set"]), regimes.index(row["regime"])))
    deviations = result[result["run"] == "sd"].set_index(["set", "regime", "predictor"])
    return pd.DataFrame([_in_words(row, deviations, kind) for row in rows])


def _in_words(row, deviations, kind):
    who = SHOWN[row["set"], row["run"]] if row["predictor"] == "model" else BASELINES[row["predictor"]]
    line = {"set": SETS[row["set"]], "regime": LABELS[row["regime"]], "predictor": who, "samples": row["samples"]}
    for name, title in (kind.titles | {"skill": "skill"}).items():
        key = (row["set"], row["regime"], row["predictor"])
        line[title] = _number(row[name], deviations.at[key, name] if row["run"] == "mean" else None)
    return line


def _number(value, deviation):
    if not np.isfinite(value):
        # A hyphen alone would be a list in the report's text.
        return "–"
    # Over four folds a third digit would say nothing.
    return _fixed(value, 3) if deviation is None else f"{_fixed(value, 2)} ± {_fixed(deviation, 2)}"


def _fixed(value, digits):
    text = f"{value:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text

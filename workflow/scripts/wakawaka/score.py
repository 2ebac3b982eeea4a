"""Scores of every run, regime by regime, beside the two baselines that a model has to beat."""

import logging

import numpy as np
import pandas as pd

from .files import read_table, write_table
from .metrics import NAMES, scores
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
COLUMNS = {
    "mse": "MSE",
    "rmse": "RMSE",
    "r2": "R2",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "pearson_across_genes": "across genes",
    "pearson_across_cells": "across cells",
    "skill": "skill",
}
SETS = {"test": "test", "validation": "validation", "train": "training"}


def score(final, folds, test, table, summary):
    """Write all scores, and a short table of them for the report.

    Baselines are fitted on the run's own training samples: `training_mean` predicts their mean; `gene_mean` a gene's mean
    over the training cells, and the training mean for genes it has not seen. `skill` is 1 - MSE / MSE of the training
    mean on the same samples: 0 is no better than a constant.

    Args:
        final, folds: paths of predictions as `predict` writes them, `folds` a list. test: path as `aggregate` writes it.
        table: output path, long: set (test, validation, train), regime, run (final, ensemble, fold-1 ..., mean and sd
            over the folds), predictor (model, training_mean, gene_mean), samples, the scores of metrics.py, skill.
        summary: output path of the table in words.
    """
    rows = _run_scores(read_table(final), "final", "test")
    rows += _ensemble_scores(read_table(test), rows)
    validation = []
    for number, path in enumerate(folds, start=1):
        validation += _run_scores(read_table(path), f"fold-{number}", "validation")
    result = pd.DataFrame(rows + validation)
    result = pd.concat([result, _over_folds(pd.DataFrame(validation))], ignore_index=True)
    write_table(result, table)
    write_table(_summary(result), summary)
    for row in result[(result["run"] == "final") & (result["predictor"] == "model")].itertuples():
        log.info("final model, %s (%s): MSE %.4f, Pearson %.3f", LABELS[row.regime], row.set, row.mse, row.pearson)


def baselines(predictions):
    """Return the baselines' predictions for every row of a run's table, as a dict of [row] float64 arrays."""
    trained = predictions[(predictions["regime"] == TRAIN) & predictions["truth"].notna()]
    mean = trained["truth"].mean()
    by_gene = predictions["gene_id"].map(trained.groupby("gene_id")["truth"].mean())
    return {"training_mean": np.full(len(predictions), mean), "gene_mean": by_gene.fillna(mean).to_numpy()}


def _run_scores(predictions, run, set_name):
    """Return the rows of one run: model and baselines in every regime, and on its own training samples."""
    predicted = {"model": predictions["prediction"].to_numpy(), **baselines(predictions)}
    known = predictions["truth"].notna().to_numpy()
    rows = []
    for regime in (*HELD_OUT, TRAIN):
        block = known & (predictions["regime"] == regime).to_numpy()
        if block.any():
            where = {"set": "train" if regime == TRAIN else set_name, "regime": regime, "run": run}
            rows += _block_scores(
                predictions[block], {name: values[block] for name, values in predicted.items()}, where
            )
    return rows


def _block_scores(samples, predicted, where):
    constant = np.mean((samples["truth"] - predicted["training_mean"]) ** 2)
    rows = []
    for predictor, values in predicted.items():
        found = scores(samples["truth"], values, samples["cell"].to_numpy(str), samples["gene_id"].to_numpy(str))
        skill = 1 - found["mse"] / constant if constant > 0 else np.nan
        rows.append({**where, "predictor": predictor, "samples": len(samples), **found, "skill": skill})
    return rows


def _ensemble_scores(test, rows):
    """Return the rows of the mean of the fold models; its skill is against the final run's training mean."""
    constant = {
        row["regime"]: row["mse"] for row in rows if row["predictor"] == "training_mean" and row["set"] == "test"
    }
    result = []
    for regime, mse in constant.items():
        block = test[(test["regime"] == regime) & test["truth"].notna()]
        found = scores(
            block["truth"], block["ensemble_mean"], block["cell"].to_numpy(str), block["gene_id"].to_numpy(str)
        )
        skill = 1 - found["mse"] / mse if mse > 0 else np.nan
        where = {"set": "test", "regime": regime, "run": "ensemble", "predictor": "model", "samples": len(block)}
        result.append({**where, **found, "skill": skill})
    return result


def _over_folds(validation):
    """Return the mean and the standard deviation over folds of every score; a score that some fold lacks has neither."""
    values = [*NAMES, "skill"]
    grouped = validation.groupby(["set", "regime", "predictor"], sort=False)
    parts = []
    for name, spread in (
        ("mean", grouped[values].agg(lambda v: v.mean(skipna=False))),
        ("sd", grouped[values].agg(lambda v: v.std(ddof=1, skipna=False))),
    ):
        parts.append(spread.assign(run=name, samples=grouped["samples"].sum()).reset_index())
    return pd.concat(parts)


def _summary(result):
    """Return the rows that a reader compares, in words: by set, then by regime."""
    rows = [row for row in result.to_dict("records") if (row["set"], row["run"]) in SHOWN]
    rows = [row for row in rows if row["set"] != "train" or row["predictor"] == "model"]
    regimes = [*HELD_OUT, TRAIN]
    rows.sort(key=lambda row: (list(SETS).index(row["set"]), regimes.index(row["regime"])))
    deviations = result[result["run"] == "sd"].set_index(["set", "regime", "predictor"])
    return pd.DataFrame([_in_words(row, deviations) for row in rows])


def _in_words(row, deviations):
    who = SHOWN[row["set"], row["run"]] if row["predictor"] == "model" else BASELINES[row["predictor"]]
    line = {"set": SETS[row["set"]], "regime": LABELS[row["regime"]], "predictor": who, "samples": row["samples"]}
    for name, title in COLUMNS.items():
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

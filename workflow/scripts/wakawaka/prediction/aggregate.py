"""The runs put together: the mean of the fold models on the test set, and the out-of-fold predictions."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from wakawaka.core.files import read_table, write_table
from wakawaka.core.parquet import write_parquet
from wakawaka.splits.regimes import HELD_OUT, TEST
from wakawaka.store import targets

log = logging.getLogger(__name__)

NAMES = ["cell", "gene_id", "regime", "run"]


def aggregate(final, folds, baselines, preprocessing, test, out_of_fold, test_parquet, out_of_fold_parquet):
    """Write the test set's and the training set's honest predictions, each as text and as Parquet with the same columns.

    Args:
        final: path of the final model's predictions. folds: list of paths of the fold models' predictions.
        baselines: list of paths as `baselines` writes them, the final run's first, then the folds'; rows as in the predictions.
        preprocessing: list of the paths of what `train` wrote beside these models, the final one's first.
        test, test_parquet: output paths. A row for every sample of a held-out cell or gene: cell, gene_id, regime, run (final),
            truth, final, ensemble_mean, ensemble_sd (mean and sample standard deviation over the fold models, which have seen
            fewer cells and genes than the final one), gene_mean (the baseline of the final run).
        out_of_fold, out_of_fold_parquet: output paths. A row for every prediction of a fold model for a sample it held out: cell,
            gene_id, regime, run, truth, prediction, gene_mean (of the fold). A sample held out by two folds, by the one with its
            gene and the one with its cell, has a row in each regime. There is no standard deviation: each of these predictions
            is that of the one model that held the sample out so.

    Names are strings and all other columns float64. For a binary target predictions are probabilities. For z-scores of each gene
    the models' scales differ, because each is fitted on the training samples of its own run: in `test` all are in the scale of the
    final run (genes that it or the fold does not know apart), in `out_of_fold` truth and prediction are in that of the fold.
    """
    table, *others = [_read(*paths) for paths in zip([final, *folds], baselines, strict=True)]
    about, *abouts = [json.loads(Path(path).read_text(encoding="utf-8")) for path in preprocessing]
    held_out = table["regime"].isin(HELD_OUT)
    members, outside = [], []
    for number, (fold, theirs) in enumerate(zip(others, abouts, strict=True), start=1):
        assert _same_samples(fold, table) and (fold["regime"].eq(TEST) == held_out).all()
        rows = fold[held_out]
        scales = about["target"], theirs["fitted"], about["fitted"]
        members.append(targets.rescale(rows["prediction"], rows["gene_id"], *scales))
        outside.append(fold[fold["regime"].isin(HELD_OUT)].assign(run=f"fold-{number}"))
    ensemble = np.stack(members)
    result = table[held_out].rename(columns={"prediction": "final"}).assign(run="final")
    result = result.assign(ensemble_mean=ensemble.mean(axis=0), ensemble_sd=ensemble.std(axis=0, ddof=1))
    columns = ["truth", "final", "ensemble_mean", "ensemble_sd", "gene_mean"]
    _write(result, columns, test, test_parquet)
    _write(pd.concat(outside), ["truth", "prediction", "gene_mean"], out_of_fold, out_of_fold_parquet)
    log.info("%d test samples, %d out-of-fold predictions", len(result), sum(map(len, outside)))


def _read(predictions, baselines):
    """Return the predictions of a run with the column gene_mean of its baselines."""
    table = read_table(predictions)
    means = read_table(baselines, usecols=["cell", "gene_id", "gene_mean"])
    assert _same_samples(table, means), f"{baselines} and {predictions} are of different samples"
    return table.assign(gene_mean=means["gene_mean"])


def _same_samples(one, other):
    return one["gene_id"].equals(other["gene_id"]) and one["cell"].equals(other["cell"])


def _write(table, columns, path, parquet):
    """Write the names and the given columns of numbers, also where all of these happen to be whole as float64."""
    table = table[NAMES + columns].astype(dict.fromkeys(columns, np.float64))
    write_table(table, path)
    write_parquet(table, parquet)

"""Combine the runs of a network: the mean of the fold models on the test set, and the out-of-fold predictions."""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, write_table
from wakawaka.core.parquet import write_parquet
from wakawaka.network.preprocessing import Preprocessing, read_preprocessing
from wakawaka.prediction.prediction_files import (
    OUT_OF_FOLD_NUMBERS,
    TEST_NUMBERS,
    check_same_samples,
    combined,
    read_run,
)
from wakawaka.splits.regimes import FINAL, HELD_OUT, TEST
from wakawaka.store import targets

log = logging.getLogger(__name__)


class RunFiles(NamedTuple):
    """The files of one run.

    Attributes:
        run: final, fold-1, ...
        predictions: path, as `predict` writes it.
        baselines: path, as `baselines` writes it.
        preprocessing: path of what `train` wrote with the model.
    """

    run: str
    predictions: PathLike
    baselines: PathLike
    preprocessing: PathLike


class Outputs(NamedTuple):
    """Two tables, each as text and as Parquet with the same columns; prediction_files.py lists them.

    Attributes:
        test, test_parquet: a row for every sample of a held-out cell or gene. `final` is the final model's prediction;
            `fold_mean` and `fold_sd` are the mean and the sample standard deviation over the fold models, which have
            seen fewer cells and genes; `gene_mean` is the baseline of the final run.
        out_of_fold, out_of_fold_parquet: a row for every prediction of a fold model for a sample that it held out, with
            the fold's own `gene_mean`. A sample that two folds hold out, one with its gene and one with its cell, has a
            row in each regime. There is no standard deviation, because only one model held the sample out in this way.
    """

    test: PathLike
    out_of_fold: PathLike
    test_parquet: PathLike
    out_of_fold_parquet: PathLike


def aggregate(runs: Sequence[RunFiles], outputs: Outputs) -> None:
    """Write the predictions of samples that the model had not seen.

    The scales of z-scores differ between the models, because each is fitted on the training samples of its own run. In
    `test` all are on the scale of the final run, except those of genes that it or the fold does not know. In
    `out_of_fold` truth and prediction are on the scale of the fold.

    Args:
        runs: the final run and the folds.
        outputs: the files to write.

    Raises:
        AssertionError: if a file is of another run, or if the runs are of different samples or have different test
            sets.
    """
    final = next(files for files in runs if files.run == FINAL)
    folds = [files for files in runs if files.run != FINAL]
    table, about = _read(final), _read_about(final)
    held_out = table["regime"].isin(HELD_OUT)
    of_folds, out_of_fold = [], []
    for files in folds:
        fold, of_fold = _read(files), _read_about(files)
        check_same_samples(fold, files.predictions, table, final.predictions)
        assert (fold["regime"].eq(TEST) == held_out).all(), f"{files.predictions} has another test set"
        rows = fold[held_out]
        scales = about.target, of_fold.fitted, about.fitted
        of_folds.append(targets.rescale(rows["prediction"].to_numpy(), rows["gene_id"].to_numpy(), *scales))
        out_of_fold.append(fold[fold["regime"].isin(HELD_OUT)].assign(run=files.run))
    predicted = np.stack(of_folds)
    test = table[held_out].rename(columns={"prediction": "final"}).assign(run=FINAL)
    test = test.assign(fold_mean=predicted.mean(axis=0), fold_sd=predicted.std(axis=0, ddof=1))
    _write(combined(test, TEST_NUMBERS), outputs.test, outputs.test_parquet)
    others = combined(pd.concat(out_of_fold), OUT_OF_FOLD_NUMBERS)
    _write(others, outputs.out_of_fold, outputs.out_of_fold_parquet)
    log.info("%d test samples, %d out-of-fold predictions", len(test), len(others))


def _read(files: RunFiles) -> pd.DataFrame:
    """Return the predictions of a run with the column gene_mean of its baselines."""
    table, means = read_run(files.predictions), read_run(files.baselines, ["gene_mean"])
    check_same_samples(table, files.predictions, means, files.baselines)
    return table.assign(gene_mean=means["gene_mean"])


def _read_about(files: RunFiles) -> Preprocessing:
    """Return what the model of a run was trained on."""
    about = read_preprocessing(files.preprocessing)
    assert about.run == files.run, f"{files.preprocessing} is of the run {about.run}, but {files.run} is expected"
    return about


def _write(table: pd.DataFrame, path: PathLike, parquet: PathLike) -> None:
    write_table(table, path)
    write_parquet(table, parquet)

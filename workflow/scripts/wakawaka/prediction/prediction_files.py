"""The files of predictions: one place for their columns, their types and their order of samples.

    results/predictions/<network>/<run>.tsv.gz          cell gene_id regime truth prediction
    results/baselines/<run>.tsv.gz                      cell gene_id regime truth, and a column per baseline
    results/predictions/<network>/test.tsv.gz           cell gene_id regime run truth final fold_mean fold_sd gene_mean
    results/predictions/<network>/out_of_fold.tsv.gz    cell gene_id regime run truth prediction gene_mean
    results/predict_new/predictions.tsv.gz              cell gene_id prediction expression

Names are text, all other columns are floats. The first two and the last have a row per sample, in the order of the
store; the other two only rows of held-out samples. A truth is NaN where it is not known. For binary targets predictions
are probabilities.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, read_table, write_table
from wakawaka.splits.regimes import FINAL
from wakawaka.store.store import Store

# The columns of names of the tables that have predictions of several runs.
NAMES = ("cell", "gene_id", "regime", "run")
# Their columns of numbers.
TEST_NUMBERS = ("truth", "final", "fold_mean", "fold_sd", "gene_mean")
OUT_OF_FOLD_NUMBERS = ("truth", "prediction", "gene_mean")


def write_run(
    path: PathLike, store: Store, regimes: np.ndarray, truth: np.ndarray, predicted: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Write predictions of every sample in one run, and return the table.

    Args:
        path: output path.
        store: its cells and genes are the samples.
        regimes, truth: [cell, gene], of the samples in this run.
        predicted: from a column's name to its predictions [cell, gene].
    """
    columns = {"regime": regimes, "truth": truth, **predicted}
    return write_columns(path, store, columns)


def write_columns(path: PathLike, store: Store, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Write arrays [cell, gene] as columns of a table with a row per sample of the store, and return the table."""
    table = pd.DataFrame({**store.sample_names(), **{name: values.ravel() for name, values in columns.items()}})
    write_table(table, path)
    return table


def read_run(path: PathLike, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the table of one run, as `write_run` wrote it.

    Args:
        columns: read only these and cell and gene_id; None reads all.
    """
    return read_table(path, usecols=None if columns is None else ["cell", "gene_id", *columns])


def check_same_samples(table: pd.DataFrame, path: PathLike, other: pd.DataFrame, other_path: PathLike) -> None:
    """Check that two tables have the same samples in the same order.

    Raises:
        AssertionError: naming both files.
    """
    same = table["gene_id"].equals(other["gene_id"]) and table["cell"].equals(other["cell"])
    assert same, f"{path} and {other_path} are of different samples"


def combined(table: pd.DataFrame, numbers: Sequence[str]) -> pd.DataFrame:
    """Return `NAMES` and the given columns of numbers, also those that happen to be whole as float64."""
    return table[[*NAMES, *numbers]].astype(dict.fromkeys(numbers, np.float64))


def read_test(path: PathLike, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the predictions of the test set, as `aggregate` writes them, or only some columns of them."""
    return read_table(path, usecols=columns)


def read_out_of_fold(path: PathLike) -> pd.DataFrame:
    """Return the out-of-fold predictions, as `aggregate` writes them."""
    return read_table(path)


def held_out_predictions(test: PathLike, out_of_fold: PathLike) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the two tables of held-out predictions with equal columns: of the test set, and out of fold.

    Both have a column `prediction`, and a column `run` that names the model.
    """
    return read_test(test).rename(columns={"final": "prediction"}).assign(run=FINAL), read_out_of_fold(out_of_fold)

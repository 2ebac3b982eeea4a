"""The table of a rung: its columns, and how it is read."""

import pandas as pd

from wakawaka.core.files import PathLike, read_table
from wakawaka.splits.regimes import HELD_OUT

# The columns that are not hyperparameters: the rank, results, and the losses by regime.
RANK, LOSS, SD, SECONDS = "rank", "loss", "sd", "seconds"
REGIME_LOSSES = [f"val_{loss}_{regime}" for loss in ("mse", "bce") for regime in HELD_OUT]


def hyperparameters_of(table: pd.DataFrame) -> list[str]:
    """Return the columns of a table of `rank_trials` that are hyperparameters."""
    return [name for name in table.columns if name not in (RANK, LOSS, SD, SECONDS, *REGIME_LOSSES)]


def read_ranks(path: PathLike) -> pd.DataFrame:
    """Return a table of `rank_trials`, with the hyperparameters as texts."""
    # `none` is a value of some hyperparameters. What is missing is written as `-`.
    return read_table(path, dtype=dict.fromkeys(hyperparameters_of(read_table(path, nrows=0)), str))

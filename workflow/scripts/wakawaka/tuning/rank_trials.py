"""The points of one rung of the search, the best one first."""

import logging

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table, write_table
from wakawaka.splits.regimes import HELD_OUT

log = logging.getLogger(__name__)

# The columns of the table that are no knobs: rank, results, and the losses by regime.
RANK, LOSS, SD, SECONDS = "rank", "loss", "sd", "seconds"
_REGIMES = [f"val_{loss}_{regime}" for loss in ("mse", "bce") for regime in HELD_OUT]


def rank_points(histories, before, ranks, order, *, points, folds):
    """Write a table with a row per point, ordered by `loss`; ties stay in the order of the points.

    Columns: rank; the knobs; loss, the mean over the regimes, each with the same weight; sd, the standard deviation (n - 1) over the
    folds of their own means over the regimes, undefined for a single fold; val_<loss>_<regime>, the mean over the folds that have
    the regime, of the last epoch; seconds, of training, all folds together. A point with a fold whose loss is not finite has no
    losses and comes last.

    Args:
        histories: paths as `tune` writes them, of each point in turn all folds. ranks: output path.
        order: output path of a table of the rank and the knobs alone. The next rung reads this one: a point that is trained again takes
            another time, but has the same losses, and nothing further is to be trained again.
        before: path of the order of the rung before, whose first points these are; of the first rung empty.
        points: of the first rung the points, a list of dicts from knobs to texts; else not used.
        folds: number of folds.

    Raises:
        InputError: if there is no loss to rank by.
    """
    if before:
        table = read_ranks(before)
        points = table[knobs_of(table)].head(len(histories) // folds).to_dict("records")
    last = [read_table(path).tail(1) for path in histories]
    rows = [point | _result(last[number * folds : (number + 1) * folds]) for number, point in enumerate(points)]
    table = pd.DataFrame(rows).sort_values(LOSS, kind="stable", ignore_index=True)
    if table[LOSS].isna().all():
        raise InputError(_why_without_loss(last))
    regimes = [name for name in _REGIMES if name in table]
    table = table[[*points[0], LOSS, SD, *regimes, SECONDS]]
    table.insert(0, RANK, np.arange(1, len(table) + 1))
    write_table(table, ranks)
    write_table(table[[RANK, *points[0]]], order)
    failed = int(table[LOSS].isna().sum())
    shown = ", ".join(f"{knob} {table[knob][0]}" for knob in points[0])
    log.info(
        "the best of %d points (%d without a finite loss): %s, loss %.4f", len(table), failed, shown, table[LOSS][0]
    )


def read_ranks(path):
    """Read a table of `rank_points`; knobs are texts."""
    names = read_table(path, nrows=0)
    # Of a decay, or of layers, `none` is a value; what is not known is `-`.
    return read_table(path, dtype=dict.fromkeys(knobs_of(names), str))


def knobs_of(table):
    """Return the columns of a table of `rank_points` that are knobs."""
    return [name for name in table if name not in (RANK, LOSS, SD, SECONDS, *_REGIMES)]


def _result(last):
    """Return the losses of a point from the last epochs of its folds, tables of one row, or none where the training has failed."""
    regimes = [name for name in _REGIMES if any(name in table for table in last)]
    losses = pd.DataFrame(
        [{name: table[name].iloc[0] for name in regimes if name in table} for table in last if len(table)]
    )
    there = [table[name].iloc[0] for table in last for name in regimes if name in table and len(table)]
    if len(losses) < len(last) or not there or not np.isfinite(there).all():
        return {LOSS: np.nan, SD: np.nan, SECONDS: np.nan}
    of_regimes, of_folds = losses.mean(), losses.mean(axis=1)
    seconds = sum(table[SECONDS].iloc[0] for table in last)
    return {LOSS: of_regimes.mean(), SD: of_folds.std(), **of_regimes, SECONDS: seconds}


def _why_without_loss(last):
    if any(len(table) and not any(name in table for name in _REGIMES) for table in last):
        return "no sample that a fold holds out has a known truth, so that nothing ranks the points: check `folds` and the expression file."
    return (
        "no point has a finite validation loss in all folds: put lower values of `learning_rate` into `tuning.space`, or check the scale "
        "of the input (`histone.scale`) and of the target (`expression.transform`)."
    )

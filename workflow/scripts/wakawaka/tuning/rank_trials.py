"""Ranking of the trials of one rung of the search, the best one first."""

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, read_table, write_table
from wakawaka.tuning.trial_table import LOSS, RANK, REGIME_LOSSES, SD, SECONDS, hyperparameters_of, read_ranks

log = logging.getLogger(__name__)

# What a row of `histories` has: trial, fold, path.
History = tuple[str, str, PathLike]


def rank_trials(
    histories: Sequence[History],
    before: PathLike | None,
    ranks: PathLike,
    order: PathLike,
    *,
    trials: Mapping[str, Mapping[str, str]],
) -> None:
    """Write a table with a row per trial, sorted by `loss`. Ties keep the order of the trials.

    Columns: rank; the hyperparameters; loss, the mean over the regimes, each with the same weight; sd, the standard deviation (n - 1)
    over the folds of their means over the regimes, undefined for a single fold; val_<loss>_<regime>, the mean over the folds that have
    the regime, of the last epoch; seconds of training, summed over the folds. A trial with a fold whose loss is not finite has no losses
    and comes last.

    Args:
        histories: (trial, fold, path of a table of `tune`) for all folds of all trials.
        before: path of the order of the rung before, None for the first rung.
        ranks: output path.
        order: output path of a table of the rank and the hyperparameters. The next rung reads this one: it does not depend on the
            seconds, so a trial that is trained again with the same result causes no further training.
        trials: texts of the values of each trial, by its name. Used for the first rung only: trials of further rungs are named by their
            rank in the rung before.

    Raises:
        InputError: if no trial has a loss.
    """
    if before:
        trials = _ranked_trials(before)
    last: dict[str, list[pd.DataFrame]] = {}
    for trial, _, path in histories:
        last.setdefault(trial, []).append(read_table(path).tail(1))
    table = pd.DataFrame([{**trials[name], **_result(folds)} for name, folds in last.items()])
    table = table.sort_values(LOSS, kind="stable", ignore_index=True)
    if table[LOSS].isna().all():
        raise InputError(_why_without_loss([one for folds in last.values() for one in folds]))
    hyperparameters, regimes = list(trials[histories[0][0]]), [name for name in REGIME_LOSSES if name in table]
    table = table[[*hyperparameters, LOSS, SD, *regimes, SECONDS]]
    table.insert(0, RANK, np.arange(1, len(table) + 1))
    write_table(table, ranks)
    write_table(table[[RANK, *hyperparameters]], order)
    failed = int(table[LOSS].isna().sum())
    shown = ", ".join(f"{name} {table[name][0]}" for name in hyperparameters)
    log.info(
        "the best of %d trials (%d without a finite loss): %s, loss %.4f", len(table), failed, shown, table[LOSS][0]
    )


def _ranked_trials(order: PathLike) -> dict[str, dict[str, str]]:
    """Return the hyperparameters of the trials of the rung before, by the names that they have in this one."""
    table = read_ranks(order)
    return {f"rank-{row[RANK]}": {name: row[name] for name in hyperparameters_of(table)} for _, row in table.iterrows()}


def _result(last: Sequence[pd.DataFrame]) -> dict[str, float]:
    """Return the losses of a trial. `last`: per fold a table of the last epoch, without rows if the training has failed."""
    regimes = [name for name in REGIME_LOSSES if any(name in table for table in last)]
    losses = pd.DataFrame(
        [{name: table[name].iloc[0] for name in regimes if name in table} for table in last if len(table)]
    )
    values = [table[name].iloc[0] for table in last for name in regimes if name in table and len(table)]
    if len(losses) < len(last) or not values or not np.isfinite(values).all():
        return {LOSS: np.nan, SD: np.nan, SECONDS: np.nan}
    of_regimes, of_folds = losses.mean(), losses.mean(axis=1)
    seconds = sum(table[SECONDS].iloc[0] for table in last)
    return {LOSS: of_regimes.mean(), SD: of_folds.std(), **of_regimes, SECONDS: seconds}


def _why_without_loss(last: Sequence[pd.DataFrame]) -> str:
    if any(len(table) and not any(name in table for name in REGIME_LOSSES) for table in last):
        return "no sample that a fold holds out has a known target, so the trials cannot be ranked: check `folds` and the expression file."
    return (
        "no trial has a finite validation loss in all folds: put lower values of `learning_rate` into `tuning.search_space`, or check the "
        "scale of the input (`histone.scale`) and of the target (`expression.transform`)."
    )

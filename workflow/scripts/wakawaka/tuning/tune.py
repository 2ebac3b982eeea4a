"""Training of one trial of the search in one fold."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from wakawaka.config.search_space import Space, apply_trial, describe_trial, spec_and_schedule, trial_of
from wakawaka.core.errors import Diverged
from wakawaka.core.files import PathLike, read_table, write_table
from wakawaka.training.train import TrainingFiles, TrainingSettings, train

log = logging.getLogger(__name__)


def tune(store: Sequence[PathLike], samples: PathLike, files: TrainingFiles, settings: TrainingSettings) -> None:
    """Train a trial and write the history of `train`. If the loss is no longer finite, the history has no epochs.

    Such a trial ranks last, and the search continues. All trials have the same seed. They start from the same initial weights where
    their shapes agree, and see the samples in the same order.

    Args:
        store, samples: paths as `drop_test_set` writes them, without the test set.
        files: the history and the checkpoint.
        settings: the settings of the training.
    """
    try:
        train(store, samples, files, settings)
    except Diverged as error:
        log.warning("this trial ranks last: %s", error)
        write_table(pd.DataFrame(columns=["epoch", "seconds"]), files.history)
        Path(files.checkpoint).unlink(missing_ok=True)


def trial_spec(
    model: dict[str, Any], *, space: Space | None, rank: int | None, order: PathLike | None, epochs: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the specification and the schedule of a trial.

    Args:
        model: the settings of the trial or, for a trial that is given by its rank, the settings that the search varies.
        space: values of each hyperparameter. Used with a rank only.
        rank: rank of the trial in the rung before, from 1 on. None for a trial of the first rung.
        order: path of the order of the rung before, as `rank_trials` writes it. Used with a rank only.
        epochs: the epochs of this rung.
    """
    if rank is not None and space is not None and order:
        trial = trial_of(read_table(order, dtype=str).iloc[rank - 1].to_dict(), space)
        log.info("rank %d is the trial %s", rank, describe_trial(trial))
        model = apply_trial(trial, model)
    return spec_and_schedule(model, epochs)

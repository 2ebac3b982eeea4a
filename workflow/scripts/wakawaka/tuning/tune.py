"""One point of the search, trained in one fold."""

import logging
from pathlib import Path

import pandas as pd

from wakawaka.config.search_space import apply, in_words, parts_of, point_of
from wakawaka.core.errors import Diverged
from wakawaka.core.files import read_table, write_table
from wakawaka.training.train import train

log = logging.getLogger(__name__)


def tune(
    store, samples, before, history, checkpoint,
    *, run, model, space, rank, modules, target, epochs, seed, threads, code,
):  # fmt: skip
    """Train a point and write the history of `train`; of a training whose loss is no longer finite a history without epochs.

    Such a point ranks last, and the search goes on. All points have the same seed, so that they begin from the same first weights,
    as far as their shapes are the same, and see the samples in the same order.

    Args:
        store, samples: paths as `withhold` writes them: nothing of the test set. history: output path. checkpoint, run, modules,
            target, seed, threads, code: as of `train`.
        model: dict as `models` has them, with the point's values or, where a rank is given, without them.
        before, space, rank: the path of the order of the rung before (`rank_points`), the space, and the point's rank there; of the first
            rung empty.
        epochs: of this rung.
    """
    if before:
        point = point_of(read_table(before, dtype=str).iloc[rank - 1], space)
        log.info("rank %d is the point %s", rank, in_words(point))
        model = apply(point, model)
    spec, schedule = parts_of(model, epochs)
    try:
        train(
            store, samples, None, None, history, checkpoint, run=run, spec=spec, modules=modules, shuffled_dna=False, target=target,
            schedule=schedule, seed=seed, threads=threads, code=code,
        )  # fmt: skip
    except Diverged as error:
        log.warning("this point ranks last: %s", error)
        write_table(pd.DataFrame(columns=["epoch", "seconds"]), history)
        Path(checkpoint).unlink(missing_ok=True)

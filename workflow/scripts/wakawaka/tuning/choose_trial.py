"""The best trial of the search, in the form that `train` takes."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from wakawaka.config.search_space import Space, apply_trial, describe_trial, spec_and_schedule, trial_of
from wakawaka.core.files import PathLike, atomic, read_table
from wakawaka.tuning.trial_table import LOSS

log = logging.getLogger(__name__)


def choose_trial(ranks: PathLike, chosen: PathLike, *, model: Mapping[str, Any], space: Space, epochs: int) -> None:
    """Write the first trial of a table of ranks as JSON: `trial`, its `loss`, and the `spec` and `schedule` of `train`.

    Args:
        ranks: path of the table of the last rung.
        chosen: output path.
        model: the settings that the search varies, as `models.<name>` of a checked config.
        space: values of each hyperparameter.
        epochs: the epochs of the last rung.
    """
    first = read_table(ranks, dtype=str).iloc[0]
    trial = trial_of(first.to_dict(), space)
    spec, schedule = spec_and_schedule(apply_trial(trial, model), epochs)
    content = {"trial": trial, "loss": float(first[LOSS]), "spec": spec, "schedule": schedule}
    with atomic(chosen) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    log.info("chosen: %s", describe_trial(trial))

"""The best point of the search, as `train` takes it."""

import json
import logging

from wakawaka.config.search_space import apply, in_words, parts_of, point_of
from wakawaka.core.files import atomic, read_table

log = logging.getLogger(__name__)


def choose_point(ranks, chosen, *, model, space, epochs):
    """Write the first point of a table of ranks as JSON: `point`, its loss in `loss`, and `spec` and `schedule` of `train`.

    Args:
        ranks: path of the table of the last rung. chosen: output path. model: dict as `models` has them. space: as in config.yaml.
        epochs: of the last rung.
    """
    first = read_table(ranks, dtype=str).iloc[0]
    point = point_of(first, space)
    spec, schedule = parts_of(apply(point, model), epochs)
    about = {"point": point, "loss": float(first["loss"]), "spec": spec, "schedule": schedule}
    with atomic(chosen) as temporary:
        temporary.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    log.info("chosen: %s", in_words(point))

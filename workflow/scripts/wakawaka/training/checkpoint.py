"""What a killed training goes on from: the state after its last whole epoch."""

import json
import logging

import numpy as np

from wakawaka.core.files import atomic

log = logging.getLogger(__name__)


def save_checkpoint(path, identity, rows, state):
    """Write a checkpoint, in place of an earlier one.

    Args:
        path: of an npz file.
        identity: dict of what the training depends on, of JSON values.
        rows: list of dicts, the history so far.
        state: list of arrays.
    """
    arrays = {f"state_{number}": array for number, array in enumerate(state)}
    with atomic(path) as temporary:
        np.savez(temporary, about=json.dumps({"identity": identity, "rows": rows}), **arrays, allow_pickle=False)


def load_checkpoint(path, identity):
    """Return (rows, state) of a checkpoint, or None where training has to start afresh, and say why in the log."""
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            state = [file[f"state_{number}"] for number in range(len(file.files) - 1)]
        found, rows = dict(about["identity"]), list(about["rows"])
    except FileNotFoundError:
        return None
    # Whatever is wrong with the file, the remedy is the same.
    except Exception as error:
        log.warning("training starts afresh, because the checkpoint %s cannot be read: %s", path, error)
        return None
    other = [name for name in identity if identity[name] != found.get(name)]
    if other:
        log.warning("training starts afresh, because these differ from the checkpoint %s: %s", path, ", ".join(other))
        return None
    return rows, state

"""The checkpoint of a training: the state after its last whole epoch, from which an interrupted run continues."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wakawaka.core.files import PathLike, atomic

log = logging.getLogger(__name__)


def save_checkpoint(
    path: PathLike, identity: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], state: Sequence[np.ndarray]
) -> None:
    """Write a checkpoint, atomically, in place of an earlier one.

    Args:
        path: path of an npz file.
        identity: what the training depends on, of JSON values.
        rows: the history so far, of JSON values.
        state: the arrays that the next step depends on.
    """
    arrays: dict[str, Any] = {f"state_{number}": array for number, array in enumerate(state)}
    with atomic(path) as temporary:
        np.savez(temporary, about=json.dumps({"identity": identity, "rows": rows}), **arrays, allow_pickle=False)


def load_checkpoint(
    path: PathLike, identity: Mapping[str, Any]
) -> tuple[list[dict[str, Any]], list[np.ndarray]] | None:
    """Return the rows and the state of a checkpoint; None if training has to start anew, and the log gives the reason.

    Args:
        path: path of the npz file, which may be missing.
        identity: what the training depends on. A checkpoint of another identity is not used.
    """
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

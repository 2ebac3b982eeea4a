"""The file model.keras, the network of a trained model; preprocessing.py has the file that describes it."""

import zipfile

import keras

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, atomic


def save_model(model: keras.Model, path: PathLike) -> None:
    """Write a model as `.keras`, atomically."""
    with atomic(path) as temporary:
        model.save(temporary)


def load_model(path: PathLike) -> keras.Model:
    """Return a model saved as `.keras`, without ever running code from the file.

    Raises:
        InputError: for a damaged file, or one that holds code.
    """
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{path}: the model cannot be read: the file is damaged or of another kind. Fetch it again; if it was trained here, remove "
            f"it, and it is trained again. Keras says: {reason}"
        ) from error

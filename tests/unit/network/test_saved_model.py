"""Saved models: damaged and hostile files are refused."""

import keras
import pytest

from helpers.forms import build
from wakawaka.core.errors import InputError
from wakawaka.network.saved_model import load_model


def test_a_saved_model_is_loaded_without_running_code(tmp_path):
    """A model with code inside, as a hostile file might hold, is refused."""
    inputs = keras.Input((2,))
    hostile = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs))
    hostile.save(tmp_path / "hostile.keras")
    with pytest.raises(InputError, match="hostile.keras: the model cannot be read: .*([Ll]ambda|unsafe)"):
        load_model(tmp_path / "hostile.keras")


@pytest.mark.parametrize("damage", ["empty", "half", "text", "byte"])
def test_a_damaged_model_is_refused_in_a_sentence(tmp_path, damage):
    path = tmp_path / "model.keras"
    build().save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    damaged = {"empty": b"", "half": content[: len(content) // 2], "text": b"not a model", "byte": content}
    path.write_bytes(damaged[damage])
    with pytest.raises(
        InputError, match="model.keras: the model cannot be read: the file is damaged or of another kind"
    ):
        load_model(path)

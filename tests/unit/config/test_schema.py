"""Validation by the schema: numbers that YAML reads as texts."""

import pytest

from helpers.configs import checked
from wakawaka.core.errors import InputError


@pytest.mark.parametrize(
    ("text", "plain"), [("5e-4", " (write 0.0005)."), ("1e-8", " (write 0.00000001)."), ("1e999", "."), ("here", ".")]
)
def test_a_number_that_yaml_takes_for_a_text_is_written_out(text, plain):
    with pytest.raises(InputError) as caught:
        checked({"training": {"learning_rate": text}})
    assert str(caught.value) == f"config key `training.learning_rate` must be a number, not {text!r}{plain}"

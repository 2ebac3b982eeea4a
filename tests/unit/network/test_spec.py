"""The settings that a specification leaves out."""

from helpers.networks import small_spec
from wakawaka.network.spec import complete


def test_settings_that_are_left_out_get_their_defaults():
    whole = complete(small_spec())
    assert whole["dna"]["crop"] is None and whole["histone"]["bin_average"] == 1
    assert whole["dna"]["global_pooling"] == "none" and whole["joint"]["input_dropout"] == 0
    layer = whole["dna"]["convolutions"][0]
    assert (layer["dilation"], layer["padding"], layer["batch_norm"]) == (1, "valid", False)


def test_settings_that_are_given_stay_and_the_argument_does_not_change():
    spec = small_spec(dna={"crop": 40}, joint={"input_dropout": 0.2})
    before = repr(spec)
    whole = complete(spec)
    assert whole["dna"]["crop"] == 40 and whole["joint"]["input_dropout"] == 0.2
    assert whole["dna"]["convolutions"][0]["pool_size"] == 8
    assert repr(spec) == before and complete(whole) == whole

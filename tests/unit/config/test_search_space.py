"""The search space, its trials, and the models that they give."""

import copy

import pandas as pd
import pytest

from helpers.configs import SCHEMA, checked
from wakawaka.config.search_space import (
    apply_trial,
    draw_trials,
    rung_sizes,
    trial_of,
    trial_texts,
    value_text,
    varied_model,
)
from wakawaka.core.errors import InputError


def draw(space, *, seed=1, count=None):
    return draw_trials({"search_space": space, "trials": count}, seed)


@pytest.fixture
def model():
    return checked({})["models"]["wakawaka"]


def test_all_combinations_in_the_order_of_the_config():
    found = draw({"learning_rate": [0.1, 0.2], "dropout": [0, 0.5]})
    assert [tuple(trial.values()) for trial in found] == [(0.1, 0), (0.1, 0.5), (0.2, 0), (0.2, 0.5)]
    assert list(found[0]) == ["learning_rate", "dropout"]


HUGE = {
    name: list(range(100))
    for name in ("histone_pool_size", "dna_pool_size", "dna_kernel_size", "histone_kernel_size", "dna_filters")
}


def test_trials_are_drawn_without_replacement_with_the_seed():
    space = {"a": list(range(5)), "b": list(range(4))}
    drawn = draw(space, count=15)
    assert len({tuple(trial.values()) for trial in drawn}) == 15
    assert all(trial["a"] in space["a"] and trial["b"] in space["b"] for trial in drawn)
    assert drawn == draw(space, count=15)
    assert drawn != draw(space, count=15, seed=2)
    # All of them, if as many or more are asked for.
    assert draw(space, count=20) == draw(space, count=99) == draw(space)


def test_a_search_of_more_trials_begins_with_those_of_fewer():
    assert draw(HUGE, count=50)[:20] == draw(HUGE, count=20)


def test_every_value_of_a_huge_space_can_be_drawn():
    found = pd.DataFrame(draw(HUGE, count=2000))
    assert (found.nunique() == 100).all()


def test_too_many_trials_are_refused_at_once():
    with pytest.raises(InputError, match="`tuning.trials`: 10000000000 trials are too many .* set it to 2000 or fewer"):
        draw(HUGE)


@pytest.mark.parametrize(
    ("epochs", "keep", "count", "sizes"),
    [
        ([10], 0.33, 12, [12]),
        ([1, 3, 10], 0.33, 27, [27, 9, 3]),
        ([1, 2, 3], 0.1, 3, [3, 1, 1]),
        ([1, 2], 1, 3, [3, 3]),
    ],
)
def test_sizes_of_rungs(epochs, keep, count, sizes):
    assert rung_sizes({"epochs": epochs, "keep_fraction": keep}, count) == sizes


@pytest.mark.parametrize("value", [1e-5, 0.0002, 3, True, "relu", "none", [100, 50], [], None])
def test_a_text_is_a_component_of_a_path_and_gives_its_value_back(value):
    assert "/" not in value_text(value) and value_text(value)
    space = {"hyperparameter": [7, value]}
    assert trial_of({**trial_texts({"hyperparameter": value}), "loss": "1"}, space) == {"hyperparameter": value}


@pytest.mark.parametrize(
    ("hyperparameter", "value", "found"),
    [
        ("histone_dense", 7, lambda m: m["histone"]["dense"] == [7]),
        ("dna_dense", [7, 5], lambda m: m["dna"]["dense"] == [7, 5]),
        ("joint_dense", [], lambda m: m["joint"]["dense"] == []),
        ("histone_filters", 7, lambda m: [one["filters"] for one in m["histone"]["convolutions"]] == [7, 7]),
        ("histone_filters", [7, 5], lambda m: [one["filters"] for one in m["histone"]["convolutions"]] == [7, 5]),
        ("dna_filters", 7, lambda m: m["dna"]["convolutions"][0]["filters"] == 7),
        ("histone_kernel_size", 3, lambda m: [one["kernel_size"] for one in m["histone"]["convolutions"]] == [3, 3]),
        ("dna_kernel_size", 3, lambda m: m["dna"]["convolutions"][0]["kernel_size"] == 3),
        ("histone_dilation", 2, lambda m: [one["dilation"] for one in m["histone"]["convolutions"]] == [2, 2]),
        ("dna_dilation", 2, lambda m: m["dna"]["convolutions"][0]["dilation"] == 2),
        ("histone_pool_size", [2, 1], lambda m: [one["pool_size"] for one in m["histone"]["convolutions"]] == [2, 1]),
        ("dna_pool_size", 8, lambda m: m["dna"]["convolutions"][0]["pool_size"] == 8),
        ("dna_crop", 4000, lambda m: m["dna"]["crop"] == 4000),
        ("dropout", 0.25, lambda m: (m["histone"]["dropout"], m["dna"]["dropout"]) == (0.25, 0.25)),
        ("activation", "tanh", lambda m: {one["activation"] for one in convolutions(m)} == {"tanh"}),
        ("padding", "same", lambda m: {one["padding"] for one in convolutions(m)} == {"same"}),
        ("batch_norm", True, lambda m: {one["batch_norm"] for one in convolutions(m)} == {True}),
        ("learning_rate", 0.1, lambda m: m["training"]["learning_rate"] == 0.1),
        ("batch_size", 7, lambda m: m["training"]["batch_size"] == 7),
        ("weight_decay", 0.1, lambda m: m["training"]["weight_decay"] == 0.1),
        ("lr_schedule", "cosine", lambda m: m["training"]["lr_schedule"] == "cosine"),
    ],
)
def test_hyperparameters(model, hyperparameter, value, found):
    before = copy.deepcopy(model)
    assert not found(model)
    assert found(apply_trial({hyperparameter: value}, model))
    # The model that was given is unchanged.
    assert model == before
    assert apply_trial({hyperparameter: value}, model) != before
    checked({"tuning": {"search_space": {"learning_rate": [0.001]} | {hyperparameter: [value]}}})


def convolutions(model):
    return [*model["histone"]["convolutions"], *model["dna"]["convolutions"]]


def test_every_hyperparameter_of_the_schema_is_tested():
    tested = {case[0] for case in test_hyperparameters.pytestmark[0].args[1]}
    assert tested == set(SCHEMA["properties"]["tuning"]["properties"]["search_space"]["properties"])


@pytest.mark.parametrize(
    ("named", "models", "found"), [(None, "ab", "a"), (None, ["b", "wakawaka"], "wakawaka"), ("b", "ab", "b")]
)
def test_the_model_that_is_varied(named, models, found):
    assert varied_model({"tuning": {"model": named}, "models": dict.fromkeys(models)}) == found

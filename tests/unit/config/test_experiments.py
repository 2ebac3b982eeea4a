"""Experiments: complete settings, and networks that are the same."""

import pytest

from helpers.configs import changed, checked
from wakawaka.core.errors import InputError


def test_an_experiment_is_a_model_with_changes_and_may_build_on_one_above_it():
    first = {"dna": {"crop": 4000}, "joint": {"dense": [5]}, "published_mse": 3.3}
    second = {"model": "one", "joint": {"dropout": 0.2}, "training": {"epochs": 3}}
    found = checked(
        {"training": {"batch_size": 50}, "experiments": {"one": first, "two": second, "three": {"model": "two"}}}
    )
    base, experiments = found["models"]["wakawaka"], found["experiments"]
    assert experiments["one"]["dna"] == base["dna"] | {"crop": 4000}
    assert experiments["two"]["dna"] == experiments["one"]["dna"]
    assert experiments["two"]["joint"] == {"input_dropout": 0, "dense": [5], "dropout": 0.2}
    assert experiments["two"]["training"] == found["training"] | {"epochs": 3} and found["training"]["batch_size"] == 50
    assert {name: one["network"] for name, one in experiments.items()} == {"one": "one", "two": "two", "three": "two"}
    # What is printed of one is not of the other.
    assert [one["published_mse"] for one in experiments.values()] == [3.3, None, None]
    # The model itself stays as it is.
    assert base["dna"]["crop"] is None and base["joint"]["dense"] == [100]


def test_a_description_makes_no_difference():
    changes = {"models": {"m": {"negative_slope": 0.1}}, "experiments": {"a": {"model": "m"}, "b": {"model": "a"}}}
    described = changed(
        changes, {"models": {"m": {"description": "One."}}, "experiments": {"a": {"description": "Two."}}}
    )
    assert checked(described) == checked(changes)
    assert checked(described)["experiments"]["b"]["network"] == "m"
    with pytest.raises(InputError, match="^config key `models.m.description` must be a text, not 3"):
        checked(changed(changes, {"models": {"m": {"description": 3}}}))


def test_experiments_that_are_the_same_network_are_trained_once():
    changes = {
        "dna": {"dna": {"crop": 4000}},
        "nothing": {"negative_slope": 0.05, "training": {}},
        "again": {"model": "dna"},
        "pretrained": {"training": {"pretraining_epochs": 3}},
    }
    both = checked({"experiments": changes})["experiments"]
    assert [both[name]["network"] for name in changes] == ["dna", "wakawaka", "dna", "pretrained"]
    # Without DNA there is neither a window to crop nor a joint module behind frozen ones.
    marks = checked({"experiments": changes, "modules": ["histone"]})["experiments"]
    assert {one["network"] for one in marks.values()} == {"wakawaka"}


def test_what_an_untrainable_experiment_is_the_base_of_is_refused_with_its_reason():
    found = checked({"experiments": {"a": {"model": "nobody"}, "b": {"model": "a"}}})["experiments"]
    assert found["b"]["error"].startswith(
        "config key `experiments.b.model` is a, which cannot be trained: config key `experiments.a.model` is nobody, which is neither"
    )


def test_an_experiment_that_does_not_fit_is_refused_only_when_it_is_asked_for():
    found = checked({"experiments": {"e": {"dna": {"crop": 20000}}}})
    assert found["experiments"]["e"]["error"].startswith("config key `experiments.e.dna.crop` is 20000 bp, wider than")
    assert "error" not in checked({"experiments": {"e": {"dna": {"crop": 2000}}}})["experiments"]["e"]
    found = checked({"experiments": {"e": {"model": "f"}, "f": {}}})
    says = "config key `experiments.e.model` is f, which is neither a model nor an experiment above it: there are wakawaka."
    assert found["experiments"]["e"]["error"] == says and "error" not in found["experiments"]["f"]

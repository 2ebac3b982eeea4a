"""Checks of the search: values and trials that cannot be trained."""

import pytest

from helpers.configs import checked
from wakawaka.core.errors import InputError


def searched(**tuning):
    """Return the section `tuning` of a checked config."""
    return checked({"tuning": tuning})["tuning"]


@pytest.mark.parametrize(
    ("tuning", "says"),
    [
        ({"search_space": {"learnin_rate": [0.1]}}, "unknown key `learnin_rate` in `tuning.search_space` of the config: did you"),
        ({"search_space": {"activation": ["relu", "relux"]}}, "(activation relux).histone.convolutions.1.activation` must be one of relu,"),
        ({"search_space": {"learning_rate": [0.1], "dna_pool_size": [20000]}}, "(learning_rate 0.1, dna_pool_size 20000).dna.conv"),
        ({"search_space": {"dna_pool_size": [0]}}, "(dna_pool_size 0).dna.convolutions.0.pool_size` must be at least 1"),
        # Each fits, but not both.
        (
            {"search_space": {"histone_kernel_size": [5, 40], "histone_pool_size": [2, 3]}},
            "(histone_kernel_size 40, histone_pool_size 2).histone.convolutions`: convolution 2 is 40 wide",
        ),
        ({"search_space": {"dna_crop": [None, 12000]}}, "(dna_crop 12000).dna.crop` is 12000 bp, wider than the window"),
        ({"search_space": {"histone_filters": [[1, 2, 3]]}}, "`tuning.search_space.histone_filters`: [1, 2, 3] is for 3 convolutions, but"),
        ({"search_space": {"joint_dense": [100, [100]]}}, "`tuning.search_space.joint_dense` names 100 twice"),
        ({"search_space": {"dropout": [0.5, 0.5]}}, "`tuning.search_space.dropout` names something twice"),
        ({"search_space": {"dropout": 0.5}}, "`tuning.search_space.dropout` must be a list"),
        ({"search_space": {"dropout": [1]}}, "(dropout 1).histone.dropout` must be less than 1"),
        ({"search_space": {"learning_rate": ["5e-4"]}}, "must be a number, not '5e-4' (write 0.0005)"),
        ({"search_space": {"learning_rate": [float("inf")]}}, "`tuning.search_space.learning_rate.0` is inf: it must be a finite number."),
        ({"search_space": {}}, "`tuning.search_space` needs at least 1 key"),
        ({"epochs": [3, 3]}, "`tuning.epochs` is [3, 3]: each rung must train for more epochs"),
        ({"model": "nobody"}, "`tuning.model` is nobody, which is neither a model nor an experiment: there are wakawaka"),
        ({"keep_fraction": 0}, "`tuning.keep_fraction` must be more than 0"),
    ],
)  # fmt: skip
def test_mistakes(tuning, says):
    with pytest.raises(InputError) as error:
        searched(**tuning)
    assert says in str(error.value)


def test_batches_must_hold_whole_genes_at_every_trial():
    with pytest.raises(InputError, match=r"\(batch_size 30\).training.genes_per_batch` is 20, which does not divide"):
        checked({"training": {"genes_per_batch": 20}, "tuning": {"search_space": {"batch_size": [100, 30]}}})


def test_an_experiment_that_does_not_fit_cannot_be_varied():
    config = {"experiments": {"wide": {"dna": {"crop": 20000}}}, "tuning": {"model": "wide"}}
    with pytest.raises(
        InputError, match="`tuning.model` is wide, which cannot be trained: .*`experiments.wide.dna.crop`"
    ):
        checked(config)


def test_the_space_is_of_the_experiment_that_is_named():
    more = {"histone": {"convolutions": [{"filters": 1, "kernel_size": 2}] * 3}}
    config = {
        "experiments": {"deep": more},
        "tuning": {"model": "deep", "search_space": {"histone_kernel_size": [[2, 3, 4]]}},
    }
    checked(config)


def test_a_hyperparameter_of_a_module_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="`tuning.search_space.dna_pool_size`: `modules` leaves this module out"):
        checked({"modules": ["histone"], "tuning": {"search_space": {"dna_pool_size": [8]}}})


def test_a_hyperparameter_of_a_module_without_convolutions_is_refused():
    config = {"models": {"one": {"dna": {"convolutions": []}}}, "tuning": {"search_space": {"dna_pool_size": [8]}}}
    with pytest.raises(
        InputError, match="`tuning.search_space.dna_pool_size`: the dna module of the model has no convolution"
    ):
        checked(config)


SOME_FIT = {"histone_kernel_size": [3, 5, 40], "histone_pool_size": [2, 3, 4]}


@pytest.mark.parametrize("count", [3, 6, 20])
def test_drawn_trials_that_cannot_be_built_are_skipped(count):
    for seed in range(4):
        drawn = checked({"seed": seed, "tuning": {"search_space": SOME_FIT, "trials": count}})["tuning"]["drawn"]
        assert len(drawn) == min(count, 6) and {trial["histone_kernel_size"] for trial in drawn} <= {3, 5}
        more = checked({"seed": seed, "tuning": {"search_space": SOME_FIT, "trials": 5}})["tuning"]["drawn"]
        assert more[:3] == drawn[:3] or count == 20


def test_a_space_in_which_hardly_anything_fits_is_refused():
    space = {
        "histone_kernel_size": [40],
        "histone_pool_size": list(range(2, 60)),
        "dropout": [number / 100 for number in range(50)],
    }
    with pytest.raises(InputError, match="only 0 of 100 drawn trials can be trained; .* histone_kernel_size 40"):
        searched(search_space=space, trials=5)


def test_each_trial_is_trained_as_long_as_the_model():
    assert searched()["epochs"] == [10]
    config = {"models": {"long": {"training": {"epochs": 30}}}, "training": {"epochs": 7}}
    assert checked(config)["tuning"]["epochs"] == [30]


@pytest.mark.parametrize(
    ("space", "says"),
    [
        (
            {"histone_pool_size": [5, 4, [5, 5]]},
            "`tuning.search_space.histone_pool_size`: 5 and 5-5 are the same model; remove one of them.",
        ),
        ({"dna_crop": [None, 4000, 10000]}, "`tuning.search_space.dna_crop`: none and 10000 are the same model"),
    ],
)
def test_values_that_are_the_same_model_are_refused(space, says):
    with pytest.raises(InputError) as error:
        searched(search_space=space)
    assert says in str(error.value)


def test_a_hyperparameter_of_convolutions_that_only_the_absent_module_has_is_refused():
    model = {"histone": {"convolutions": []}}
    config = {
        "modules": ["histone"],
        "models": {"m": model},
        "tuning": {"search_space": {"padding": ["valid", "same"]}},
    }
    with pytest.raises(InputError, match="`tuning.search_space.padding`: the model has nothing that it sets"):
        checked(config)


def test_a_misspelt_hyperparameter_is_not_taken_out_but_refused():
    with pytest.raises(
        InputError, match="unknown key `dropuot` in `tuning.search_space` of the config: did you mean `dropout`?"
    ):
        searched(search_space={"dropuot": None, "learning_rate": [0.1]})


def test_the_order_of_hyperparameters_is_not_that_of_the_config_file():
    """Snakemake joins the keys of several config files in an order of its own. Paths must not depend on it."""
    found = searched(search_space={"dropout": [0.1], "dna_pool_size": [8], "learning_rate": [0.1]})
    assert list(found["search_space"]) == ["learning_rate", "dropout", "dna_pool_size"]


def test_null_takes_a_hyperparameter_of_config_yaml_out():
    found = searched(search_space={"learning_rate": None, "dropout": [0.1]})
    assert found["search_space"] == {"dropout": [0.1]}

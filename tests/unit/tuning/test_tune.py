"""A trial's specification, and trainings that diverge."""

import pytest

from helpers.configs import checked
from wakawaka.core.errors import Diverged
from wakawaka.core.files import read_table
from wakawaka.training.train import TrainingFiles
from wakawaka.tuning import tune as module
from wakawaka.tuning.tune import trial_spec, tune


@pytest.fixture
def model():
    return checked({})["models"]["wakawaka"]


def test_a_trial_of_the_first_rung_is_the_model_that_is_given(model):
    spec, schedule = trial_spec(model, space=None, rank=None, order=[], epochs=3)
    assert spec == {key: model[key] for key in ("histone", "dna", "joint", "negative_slope")}
    assert schedule == model["training"] | {"epochs": 3}


@pytest.mark.parametrize(("rank", "rate", "dense"), [(1, 0.2, [30, 20]), (2, 0.1, [])])
def test_a_trial_of_a_further_rung_is_found_by_its_rank(tmp_path, model, rank, rate, dense):
    order = tmp_path / "order.tsv"
    order.write_text("rank\tlearning_rate\tjoint_dense\n1\t0.2\t30-20\n2\t0.1\tnone\n")
    space = {"learning_rate": [0.1, 0.2], "joint_dense": [[], [30, 20]]}
    spec, schedule = trial_spec(model, space=space, rank=rank, order=order, epochs=3)
    assert spec["joint"]["dense"] == dense
    assert schedule == model["training"] | {"epochs": 3, "learning_rate": rate}


def test_a_training_that_diverges_leaves_a_history_without_epochs_and_no_checkpoint(tmp_path, monkeypatch):
    files = TrainingFiles(history=tmp_path / "history.tsv", checkpoint=tmp_path / "checkpoint.npz")
    files.checkpoint.touch()

    def diverge(*arguments):
        raise Diverged("fold-1, epoch 1/1: the loss is no longer a finite number")

    monkeypatch.setattr(module, "train", diverge)
    tune([], "samples.tsv.gz", files, None)
    assert read_table(files.history).empty
    assert not files.checkpoint.exists()

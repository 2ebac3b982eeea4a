"""The plan of a training."""

import pytest

from wakawaka.training.schedule import JOINT, MODULES, WHOLE, Epoch, epochs_of, lr_factor, order_seed, run_seed


def test_without_pretraining_the_whole_network_is_trained():
    assert epochs_of({"pretraining_epochs": 0, "epochs": 2}) == [Epoch(WHOLE, 1, 2), Epoch(WHOLE, 2, 2)]


def test_after_pretraining_the_joint_module_is_trained():
    found = epochs_of({"pretraining_epochs": 1, "epochs": 2})
    assert found == [Epoch(MODULES, 1, 1), Epoch(JOINT, 1, 2), Epoch(JOINT, 2, 2)]


def test_the_cosine_schedule_falls_from_1_and_begins_anew_in_each_stage():
    factors = [lr_factor("cosine", epoch) for epoch in epochs_of({"pretraining_epochs": 2, "epochs": 4})]
    assert factors == pytest.approx([1, 0.5, 1, (1 + 0.5**0.5) / 2, 0.5, (1 - 0.5**0.5) / 2])


def test_the_constant_schedule_is_1():
    assert {lr_factor("constant", epoch) for epoch in epochs_of({"pretraining_epochs": 2, "epochs": 4})} == {1.0}


def test_seeds_differ_between_runs_epochs_and_members():
    assert len({run_seed(seed, run) for seed in (1, 2) for run in ("final", "fold-1", "fold-2")}) == 6
    assert run_seed(1, "fold-1") == run_seed(1, "fold-1")
    assert order_seed(7, 0, 0) == [7, 1] and order_seed(7, 3, 2) == [7, 4, 2]

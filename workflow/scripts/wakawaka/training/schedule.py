"""The plan of a training: its stages, epochs, learning rates and seeds."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

# What the steps of an epoch train: the whole network, each module with an output of its own, or the joint module behind frozen modules.
WHOLE, MODULES, JOINT = "whole", "modules", "joint"


class Epoch(NamedTuple):
    """An epoch of a training.

    Attributes:
        stage: WHOLE, MODULES or JOINT.
        number: number of the epoch within its stage, from 1.
        epochs: number of epochs of the stage.
    """

    stage: str
    number: int
    epochs: int


def epochs_of(schedule: Mapping[str, Any]) -> list[Epoch]:
    """Return every epoch of a training, those of the pre-training first."""
    first, then = schedule["pretraining_epochs"], schedule["epochs"]
    stage = JOINT if first else WHOLE
    pretraining = [Epoch(MODULES, number, first) for number in range(1, first + 1)]
    return pretraining + [Epoch(stage, number, then) for number in range(1, then + 1)]


def lr_factor(lr_schedule: str, epoch: Epoch) -> float:
    """Return the factor of the learning rate in an epoch.

    The schedule `cosine` is that of Loshchilov and Hutter, 2017, without restarts; it begins anew in each stage.
    """
    if lr_schedule == "cosine":
        return (1 + math.cos(math.pi * (epoch.number - 1) / epoch.epochs)) / 2
    return 1.0


def run_seed(seed: int, run: str) -> int:
    """Return a seed of its own for every run."""
    return int(np.random.SeedSequence([seed, *run.encode()]).generate_state(1)[0])


def order_seed(seed: int, epoch: int, member: int) -> list[int]:
    """Return the seed of the order of samples, for an epoch (from 0, over all stages) and an ensemble member (from 0)."""
    return [seed, epoch + 1, *([member] if member else [])]

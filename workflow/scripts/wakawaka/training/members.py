"""The ensemble members of a run before their first epoch."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from wakawaka.network.inputs import kmer_index_of, visible_dna
from wakawaka.network.spec import Spec
from wakawaka.training.schedule import run_seed
from wakawaka.training.select_kmers import residual_targets, select_kmers, set_filters
from wakawaka.training.task import Task
from wakawaka.training.trainer import Trainer

# The layer that fixed k-mer filters take the place of.
FIRST_DNA_LAYER = "dna_convolution_1"


def make_trainers(task: Task, spec: Spec, modules: list[str], schedule: Mapping[str, Any], seed: int) -> list[Trainer]:
    """Return a trainer for each ensemble member; they differ in their initial weights.

    Args:
        task: the samples of the run.
        spec, modules: those of the network.
        schedule: the settings of the training. With a `kmer_length`, the first layer of DNA gets fixed k-mer filters.
        seed: seed of the config; it determines, with the run's name, initial weights, dropout and the order of samples.
    """
    seed = run_seed(seed, task.run)
    keras.utils.set_random_seed(seed)
    kmer_index = kmer_index_of(task.store, spec, modules)
    fixed = [FIRST_DNA_LAYER] if schedule["kmer_length"] and "dna" in modules else []
    settings = {"weight_decay": schedule["weight_decay"], "binary": task.binary, "fixed": fixed}
    trainers = [
        Trainer(spec, modules, task.store.sizes, kmer_index, schedule["learning_rate"], **settings)
        for _ in range(schedule["ensemble_size"])
    ]
    if fixed:
        kmers = _kmers_of(task, spec, modules, schedule["kmer_length"], seed)
        for trainer in trainers:
            set_filters(trainer.network.get_layer(FIRST_DNA_LAYER), kmers)
    return trainers


def _kmers_of(task: Task, spec: Spec, modules: list[str], length: int, seed: int) -> list[np.ndarray]:
    """Return the k-mers for the filters, selected on the training samples alone."""
    layer = spec["dna"]["convolutions"][0]
    genes, values = residual_targets(task.store, task.truth, task.trained, modules)
    dna = visible_dna(task.store, spec)
    # The pooling leaves out a last window that is not full.
    dna = dna[genes, : dna.shape[1] // layer["pool_size"] * layer["pool_size"]]
    return select_kmers(dna, values, length, layer["kernel_size"], layer["filters"], seed)

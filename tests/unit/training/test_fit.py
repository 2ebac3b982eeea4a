"""The epochs of a training and its ensemble members, within this process; test_train.py has whole trainings."""

import time

import numpy as np
import pytest

from helpers.networks import small_spec
from helpers.stores import write_store
from wakawaka.core.errors import Diverged
from wakawaka.core.files import read_table
from wakawaka.genome.dna import encode
from wakawaka.network.ensemble import effects_of
from wakawaka.network.inputs import kmer_index_of
from wakawaka.network.preprocessing import read_preprocessing
from wakawaka.network.saved_model import load_model
from wakawaka.splits.samples import write_samples
from wakawaka.store.store import Store
from wakawaka.training import train as module
from wakawaka.training.checkpoint import load_checkpoint
from wakawaka.training.fit import Fit
from wakawaka.training.members import make_trainers
from wakawaka.training.task import Task
from wakawaka.training.train import TrainingFiles, TrainingSettings, train

MODULES = ["histone", "dna"]
VALUE = {"kind": "value", "transform": "none"}
SCHEDULE = {
    "epochs": 2, "batch_size": 10, "genes_per_batch": None, "learning_rate": 0.002, "lr_schedule": "constant", "weight_decay": 0,
    "pretraining_epochs": 1, "ensemble_size": 2, "kmer_length": 0, "gene_effects": True,
}  # fmt: skip
CELLS, GENES = 3, 30
MOTIF = "TGAACG"


@pytest.fixture
def paths(tmp_path):
    """The files of a store; half of the genes have a motif, which raises their expression."""
    rng = np.random.default_rng(1)
    dna = rng.integers(0, 4, (GENES, 100)).astype(np.uint8)
    dna[::2, 40:46] = encode(MOTIF)
    expression = rng.normal(size=(CELLS, GENES)) / 10 + 3.0 * (np.arange(GENES) % 2 == 0)
    return write_store(tmp_path, cells=CELLS, genes=GENES, dna=dna, expression=expression.astype(np.float32))


@pytest.fixture
def task(paths):
    regimes = np.full((CELLS, GENES), "train", object)
    regimes[-1] = "unseen_cell"
    return Task(Store(paths), regimes, "fold-1", VALUE, True, MODULES)


def test_epochs_have_rows_with_the_losses_of_the_watched_regimes(task, tmp_path):
    fit = Fit(task, make_trainers(task, small_spec(), MODULES, SCHEDULE, 1), SCHEDULE, 7)
    rows = fit.run(tmp_path / "checkpoint.npz", {"code": "1"}, time.monotonic())
    assert [list(row) for row in rows] == [["epoch", "seconds", "train_mse", "val_mse_unseen_cell"]] * 2
    assert [row["epoch"] for row in rows] == [1, 2]
    saved, _ = load_checkpoint(tmp_path / "checkpoint.npz", {"code": "1"})
    assert [(row["stage"], row["epoch"]) for row in saved] == [("modules", 1), ("joint", 1), ("joint", 2)]
    assert fit.effects().values.shape == (GENES,) and fit.effects().values.any()
    # The same checkpoint again: nothing is left to train.
    again = Fit(task, make_trainers(task, small_spec(), MODULES, SCHEDULE, 2), SCHEDULE, 7)
    assert again.run(tmp_path / "checkpoint.npz", {"code": "1"}, time.monotonic()) == rows
    assert np.array_equal(again.effects().values, fit.effects().values)


def test_a_loss_that_is_not_finite_ends_the_training(task, tmp_path):
    schedule = SCHEDULE | {"pretraining_epochs": 0, "learning_rate": 1e30}
    fit = Fit(task, make_trainers(task, small_spec(), MODULES, schedule, 1), schedule, 7)
    with pytest.raises(
        Diverged, match=r"fold-1, epoch 1/2: the loss is no longer a finite number.*training.learning_rate"
    ):
        fit.run(tmp_path / "checkpoint.npz", {}, time.monotonic())


def test_members_differ_in_their_initial_weights_and_share_fixed_filters(task):
    one, other = make_trainers(task, small_spec(), MODULES, SCHEDULE | {"kmer_length": 6}, 1)
    kernels = [trainer.network.get_layer("dna_convolution_1").get_weights()[0] for trainer in (one, other)]
    assert np.array_equal(*kernels) and not one.network.get_layer("dna_convolution_1").trainable
    # The first filter is the motif.
    assert kernels[0][..., 0].argmax(axis=1).tolist() == encode(MOTIF).tolist()
    dense = [trainer.network.get_layer("joint_dense_1").get_weights()[0] for trainer in (one, other)]
    assert not np.array_equal(*dense)
    assert one.kmer_index is other.kmer_index is not None
    assert np.array_equal(one.kmer_index.index, kmer_index_of(task.store, small_spec(), MODULES).index)


def test_what_train_writes(paths, tmp_path, monkeypatch):
    # TensorFlow's threads cannot be set once it has computed something.
    monkeypatch.setattr(module, "use_threads", lambda threads: None)
    regimes = np.full((CELLS, GENES), "train", object)
    write_samples(tmp_path / "samples.tsv.gz", Store(paths), {"final": regimes})
    names = {
        "history": "history.tsv",
        "checkpoint": "checkpoint.npz",
        "model": "model.keras",
        "preprocessing": "preprocessing.json",
    }
    files = TrainingFiles(**{name: tmp_path / "out" / file for name, file in names.items()})
    schedule = SCHEDULE | {"pretraining_epochs": 0, "epochs": 1}
    settings = TrainingSettings("final", small_spec(), MODULES, VALUE, schedule, 5, 1, "code", permuted_genes=True)
    train(paths, tmp_path / "samples.tsv.gz", files, settings)
    assert read_table(files.history).columns.tolist() == ["epoch", "seconds", "train_mse"]
    about, model = read_preprocessing(files.preprocessing), load_model(files.model)
    assert about.permuted_genes == 5 and about.samples == CELLS * GENES and about.schedule == schedule
    assert about.parameters == model.count_params() - len(effects_of(model).codes) * (64 * 4 + 1)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        set(names.values()) - {"checkpoint.npz"}
    )

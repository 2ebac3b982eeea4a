"""Training of one run: a fold, or the final model on all training samples."""

import contextlib
import logging
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from .batches import batches
from .checkpoint import load_checkpoint, save_checkpoint
from .errors import InputError
from .files import atomic, remove_leftovers, sha256, write_table
from .model import model_inputs, use_threads, words_of
from .predictor import Predictor
from .progress import Progress, duration
from .regimes import HELD_OUT, TRAIN, read_regimes
from .store import Store
from .trainer import Trainer

log = logging.getLogger(__name__)

# Distributions on whose version the bits of a model may depend.
LIBRARIES = ("keras", "numba", "numpy", "tensorflow-cpu", "tensorflow")


def train(store, samples, model, history, checkpoint, *, run, spec, modules, transform, schedule, seed, threads, code):
    """Train a model and write it with its history.

    The loss is the mean squared error, the optimiser Adam with Keras' other defaults. The model is saved with standard
    Keras layers only. The history has a row per epoch: seconds (since the first began, without interruptions), train_mse (the
    mean over the epoch's batches, while the weights move and with dropout) and val_mse_<regime> for the regimes that
    the run holds out (for `final` none, because its only unseen samples are the test set).

    Args:
        store: paths of the store. samples: path of the table of regimes. model, history: output paths.
        checkpoint: path of the file that is written after each epoch and removed at the end. If it is there at the start, and of
            the same data, settings, code and versions, training goes on from it, to the same bits as without interruption.
        run: column of `samples`. spec, modules: as in config.yaml. transform: of the target.
        schedule: dict as `training` in config.yaml.
        seed: with the run's name it fixes the weights, the order of samples and the dropout, bit for bit on one
            machine with one number of threads.
        threads: of TensorFlow and of the loops of our own.
        code: digest of the code.

    Raises:
        InputError: if the loss is no longer finite, or the target cannot be transformed.
    """
    use_threads(threads)
    settings = {
        "run": run,
        "spec": spec,
        "modules": modules,
        "transform": transform,
        "schedule": schedule,
        "seed": seed,
    }
    identity = {"settings": settings, "code": code, "number of threads": threads, **_files_and_versions(store, samples)}
    store = Store(store)
    regimes, target = read_regimes(samples, store, run), store.target(transform)
    known = np.isfinite(target)
    blocks = _validation_blocks(regimes, known, run)
    cells, genes = np.nonzero((regimes == TRAIN) & known)
    run_seed = _run_seed(seed, run)
    keras.utils.set_random_seed(run_seed)
    words = words_of(store, spec, modules)
    trainer = Trainer(spec, modules, store.sizes, words, schedule["learning_rate"])
    predict = Predictor(trainer.network, modules, words)
    parameters = trainer.network.count_params()
    log.info("%s: %d samples to train on, %d parameters, threads: %d", run, len(cells), parameters, threads)
    rows = _resume(checkpoint, identity, trainer)

    def batch(numbers):
        cell, gene = cells[numbers], genes[numbers]
        return model_inputs(store, modules, cell, gene, words), target[cell, gene, None]

    start = time.monotonic() - (rows[-1]["seconds"] if rows else 0)
    progress = Progress(log, (schedule["epochs"] - len(rows)) * len(cells), "samples")
    for epoch in range(len(rows) + 1, schedule["epochs"] + 1):
        label, begun = f"{run}, epoch {epoch}/{schedule['epochs']}", time.monotonic()
        order = batches(genes, schedule["batch_size"], schedule["genes_per_batch"], [run_seed, epoch])
        scores = {"train_mse": _epoch(trainer, batch, order, progress, label)}
        rate = len(cells) / (time.monotonic() - begun)
        scores |= _validate(predict, store, target, blocks)
        rows.append({"epoch": epoch, "seconds": round(time.monotonic() - start, 2), **scores})
        save_checkpoint(checkpoint, identity, rows, trainer.state)
        shown = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
        log.info("%s: %s, %.0f samples/s, %s left", label, shown, rate, duration(progress.left))
    _finish(trainer, rows, model, history, checkpoint)


def _resume(checkpoint, identity, trainer):
    """Set the trainer to the state of a checkpoint of the same identity; return the history so far, [] without one."""
    found = load_checkpoint(checkpoint, identity)
    if found is None:
        return []
    rows, trainer.state = found
    log.info("training goes on after epoch %d, from the checkpoint of an interrupted run", len(rows))
    return rows


def _finish(trainer, rows, model, history, checkpoint):
    """Write the model and its history; only then remove the checkpoint, and what killed runs have left."""
    with atomic(model) as temporary:
        trainer.standard().save(temporary)
    write_table(pd.DataFrame(rows), history)
    Path(checkpoint).unlink()
    for path in (model, history, checkpoint):
        remove_leftovers(path)


def _files_and_versions(store, samples):
    """Return what the bits of a model depend on beside settings and code, as dicts of strings."""
    files = {str(path): sha256(path) for path in [*store, samples]}
    versions = {}
    for name in LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return {"data": files, "versions": versions}


def _epoch(trainer, batch, order, progress, label):
    """Take one step per batch; return the mean loss over the samples."""
    done, total = 0, 0.0
    for count, loss in trainer.steps(batch, order):
        if not np.isfinite(loss):
            raise InputError(
                f"{label}: the loss is no longer a finite number after {done} samples; lower `training.learning_rate`, "
                "or check the scale of the input (`histone.scale`, `expression.transform`)."
            )
        done, total = done + count, total + loss * count
        progress.advance(count, "%s: loss %.4f", label, total / done)
    return total / done


def _validation_blocks(regimes, known, run):
    """Return the mask [cell, gene] of every regime to watch: none for `final`, whose unseen samples are the test set."""
    if run == "final":
        return {}
    blocks = {name: (regimes == name) & known for name in HELD_OUT}
    return {name: block for name, block in blocks.items() if block.any()}


def _validate(predict, store, target, blocks):
    """Return a dict from val_mse_<regime> to the mean squared error there."""
    if not blocks:
        return {}
    errors = (predict(store, np.logical_or.reduce(list(blocks.values()))) - target) ** 2
    return {f"val_mse_{name}": float(errors[block].mean(dtype=np.float64)) for name, block in blocks.items()}


def _run_seed(seed, run):
    """Return a seed of its own for every run."""
    return int(np.random.SeedSequence([seed, *run.encode()]).generate_state(1)[0])

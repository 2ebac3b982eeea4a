"""Training of one run: a fold, or the final model on all training samples."""

import contextlib
import json
import logging
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from . import metrics, targets
from .batches import batches
from .checkpoint import load_checkpoint, save_checkpoint
from .errors import InputError
from .files import atomic, remove_leftovers, sha256, write_table
from .model import device, model_inputs, use_threads, words_of
from .parts import some
from .predictor import Predictor
from .progress import Progress, duration
from .regimes import HELD_OUT, TRAIN, read_regimes
from .store import Store
from .trainer import Trainer

log = logging.getLogger(__name__)

# Of a target that is not binary, and of one that is; also the names of the columns of the history.
LOSSES = {False: metrics.mse, True: metrics.bce}

# Distributions on whose version the bits of a model may depend.
LIBRARIES = ("keras", "numba", "numpy", "tensorflow-cpu", "tensorflow")


def train(
    store, samples, model, preprocessing, history, checkpoint,
    *, run, spec, modules, shuffled_dna, target, schedule, seed, threads, code,
):  # fmt: skip
    """Train a model and write it with its history, and with all that applying it to other data takes.

    The loss is the mean squared error or, for a binary target, the mean cross-entropy (natural logarithm); the optimiser is Adam
    with Keras' other defaults. The model is saved with standard Keras layers only; for a binary target it predicts probabilities.
    The history has a row per epoch: seconds (since the first began, without interruptions), train_<loss> (mse or bce: the mean
    over the epoch's batches, while the weights move and with dropout) and val_<loss>_<regime> for the regimes that the run holds
    out and has targets of (for `final` none, because its only unseen samples are the test set).

    Args:
        store: paths of the store. samples: path of the table of regimes. model, history: output paths.
        preprocessing: output path, JSON: run; spec, modules, marks, window, bins and binary, as the model was built; oriented,
            scale and counting, as the store says of its inputs; target, and `fitted` on the training samples of this run alone;
            shuffled_dna, the seed of `Store` or null; made_with: versions, seed, threads and device.
        checkpoint: path of the file that is written after each epoch and removed at the end. If it is there at the start, and of
            the same data, settings, code and versions, training goes on from it, to the same bits as without interruption.
        run: column of `samples`. spec, modules: as in config.yaml. shuffled_dna: whether every gene is given the DNA of another one, to
            find out what the sequence itself is worth. target: dict, see targets.py.
        schedule: dict as `training` in config.yaml.
        seed: with the run's name it fixes the weights, the order of samples and the dropout, bit for bit on one
            machine with one number of threads.
        threads: of TensorFlow and of the loops of our own.
        code: digest of the code.

    Raises:
        InputError: if the loss is no longer finite, or the targets cannot be made of the values.
    """
    use_threads(threads)
    settings = {"run": run, "spec": spec, "modules": modules, "target": target, "schedule": schedule, "seed": seed}
    settings["shuffled_dna"] = seed if shuffled_dna else None
    identity = {"settings": settings, "code": code, "number of threads": threads, **_files_and_versions(store, samples)}
    store = Store(store, settings["shuffled_dna"])
    regimes, binary = read_regimes(samples, store, run), targets.is_binary(target)
    fitted = targets.fit(store, target, regimes == TRAIN)
    truth = targets.values(store, target, fitted)
    _warn_of_genes_without_target(store, truth)
    known = np.isfinite(truth)
    blocks = _validation_blocks(regimes, known, run)
    cells, genes = np.nonzero((regimes == TRAIN) & known)
    run_seed = _run_seed(seed, run)
    keras.utils.set_random_seed(run_seed)
    words = words_of(store, spec, modules)
    trainer = Trainer(spec, modules, store.sizes, words, schedule["learning_rate"], binary)
    loss = LOSSES[binary]
    predict = Predictor(trainer.network, modules, words)
    parameters = trainer.network.count_params()
    log.info("%s: %d samples to train on, %d parameters, threads: %d", run, len(cells), parameters, threads)
    rows = _resume(checkpoint, identity, trainer)

    def batch(numbers):
        cell, gene = cells[numbers], genes[numbers]
        return model_inputs(store, modules, cell, gene, words), truth[cell, gene, None]

    start = time.monotonic() - (rows[-1]["seconds"] if rows else 0)
    progress = Progress(log, (schedule["epochs"] - len(rows)) * len(cells), "samples")
    for epoch in range(len(rows) + 1, schedule["epochs"] + 1):
        label, begun = f"{run}, epoch {epoch}/{schedule['epochs']}", time.monotonic()
        order = batches(genes, schedule["batch_size"], schedule["genes_per_batch"], [run_seed, epoch])
        scores = {f"train_{loss.__name__}": _epoch(trainer, batch, order, progress, label)}
        rate = len(cells) / (time.monotonic() - begun)
        scores |= _validate(predict, store, truth, blocks, loss)
        rows.append({"epoch": epoch, "seconds": round(time.monotonic() - start, 2), **scores})
        save_checkpoint(checkpoint, identity, rows, trainer.state)
        shown = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
        log.info("%s: %s, %.0f samples/s, %s left", label, shown, rate, duration(progress.left))
    about = {"run": run, "spec": spec, "modules": modules, "binary": binary, "target": target, "fitted": fitted}
    about |= {"shuffled_dna": settings["shuffled_dna"], **_about_inputs(store)}
    about["made_with"] = {"versions": identity["versions"], "seed": seed, "threads": threads, "device": device()}
    _finish(trainer, rows, model, preprocessing, about, history, checkpoint)


def _resume(checkpoint, identity, trainer):
    """Set the trainer to the state of a checkpoint of the same identity; return the history so far, [] without one."""
    found = load_checkpoint(checkpoint, identity)
    if found is None:
        return []
    rows, trainer.state = found
    log.info("training goes on after epoch %d, from the checkpoint of an interrupted run", len(rows))
    return rows


def _about_inputs(store):
    """Return what a model's inputs are, as a dict of JSON values."""
    return {name: store.info.get(name) for name in ("marks", "window", "bins", "oriented", "scale", "counting")}


def _finish(trainer, rows, model, preprocessing, about, history, checkpoint):
    """Write the model, what it needs and its history; only then remove the checkpoint, and what killed runs have left."""
    with atomic(model) as temporary:
        trainer.standard().save(temporary)
    with atomic(preprocessing) as temporary:
        # Python writes the shortest text that gives the same float64 again.
        temporary.write_text(json.dumps(about, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    write_table(pd.DataFrame(rows), history)
    Path(checkpoint).unlink()
    for path in (model, preprocessing, history, checkpoint):
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
                "or check the scale of the input (`histone.scale`) and of the target (`expression.transform`)."
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


def _validate(predict, store, truth, blocks, loss):
    """Return a dict from val_<loss>_<regime> to the mean loss there."""
    if not blocks:
        return {}
    predicted = predict(store, np.logical_or.reduce(list(blocks.values())))
    return {f"val_{loss.__name__}_{name}": loss(truth[block], predicted[block]) for name, block in blocks.items()}


def _warn_of_genes_without_target(store, truth):
    lost = store.genes[np.isfinite(store.expression).any(axis=0) & ~np.isfinite(truth).any(axis=0)]
    if len(lost):
        log.warning(
            "%d genes with expression have no target, for lack of training values that differ (z-scores) or of a reference "
            "(ratios); they are predicted, but neither trained on nor scored: %s",
            len(lost),
            some(lost),
        )


def _run_seed(seed, run):
    """Return a seed of its own for every run."""
    return int(np.random.SeedSequence([seed, *run.encode()]).generate_state(1)[0])

"""Training of one run: a fold, or the final model on all training samples."""

import logging
import time

import keras
import numpy as np
import pandas as pd

from .files import atomic, write_table
from .model import build_model, copy_weights, model_inputs, use_threads
from .predictor import Predictor
from .regimes import HELD_OUT, TRAIN, read_regimes
from .store import Store

log = logging.getLogger(__name__)

# Seconds between two lines of progress within an epoch.
PROGRESS = 10


def train(
    store, samples, model, history, *, run, spec, modules, transform, epochs, batch_size, learning_rate, seed, threads
):
    """Train a model and write it with its history.

    The loss is the mean squared error, the optimiser Adam with Keras' other defaults. The model is saved with standard
    Keras layers only. The history has a row per epoch: seconds, train_mse (the mean over the epoch's batches, while the
    weights move and with dropout) and val_mse_<regime> for the regimes that the run holds out (for `final` none, because
    its only unseen samples are the test set).

    Args:
        store: paths of the store. samples: path of the table of regimes. model, history: output paths.
        run: column of `samples`. spec, modules: as in config.yaml. transform: of the target.
        seed: with the run's name it fixes the weights, the order of samples and the dropout, bit for bit on one
            machine with one number of threads.
    """
    use_threads(threads)
    store = Store(store)
    regimes = read_regimes(samples, store, run)
    target = store.target(transform)
    known = np.isfinite(target)
    blocks = _validation_blocks(regimes, known, run)
    cells, genes = np.nonzero((regimes == TRAIN) & known)
    run_seed = _run_seed(seed, run)
    keras.utils.set_random_seed(run_seed)
    sizes = {"marks": len(store.info["marks"]), "bins": store.info["bins"], "window": store.info["window"]}
    network = build_model(spec, modules=modules, **sizes, for_training=True)
    network.compile(keras.optimizers.Adam(learning_rate), "mse")
    predict = Predictor(network, modules)
    log.info("%s: %d samples to train on, %d parameters, %d threads", run, len(cells), network.count_params(), threads)
    rows, start = [], time.monotonic()
    for epoch in range(1, epochs + 1):
        order = np.random.default_rng([run_seed, epoch]).permutation(len(cells))
        batches = _batches(cells[order], genes[order], batch_size)
        loss = _epoch(network, store, modules, target, batches, f"{run}, epoch {epoch}/{epochs}")
        scores = _validate(predict, store, target, blocks)
        seconds = time.monotonic() - start
        rows.append({"epoch": epoch, "seconds": round(seconds, 2), "train_mse": loss, **scores})
        _log_epoch(run, rows[-1], epochs)
    with atomic(model) as temporary:
        saved = build_model(spec, modules=modules, **sizes)
        copy_weights(network, saved)
        saved.save(temporary)
    write_table(pd.DataFrame(rows), history)


def _batches(cells, genes, size):
    """Return a list of (cells, genes), at most `size` samples each."""
    return [(cells[first : first + size], genes[first : first + size]) for first in range(0, len(cells), size)]


def _epoch(network, store, modules, target, batches, label):
    """Take one step per batch; return the mean loss over the samples."""
    start = shown = time.monotonic()
    samples, done, total = sum(len(cells) for cells, _ in batches), 0, 0.0
    for cells, genes in batches:
        truth = target[cells, genes, None]
        # A truth of shape [sample] against an output of [sample, 1] would be broadcast without a word.
        assert truth.shape == (len(cells), 1)
        # Without the reset Keras returns the mean over all batches so far, a small last one counting like the others.
        network.reset_metrics()
        total += float(network.train_on_batch(model_inputs(store, modules, cells, genes), truth)) * len(cells)
        done += len(cells)
        now = time.monotonic()
        if now - shown > PROGRESS:
            shown, rate = now, done / (now - start)
            left = (samples - done) / rate
            log.info("%s: loss %.4f, %.0f samples/s, %.0f s left in this epoch", label, total / done, rate, left)
    if not np.isfinite(total):
        log.warning("%s: the loss is not finite; lower `training.learning_rate` or check the input's scale", label)
    return total / samples


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


def _log_epoch(run, row, epochs):
    losses = ", ".join(f"{name} {value:.4f}" for name, value in row.items() if "mse" in name)
    left = row["seconds"] / row["epoch"] * (epochs - row["epoch"])
    log.info("%s, epoch %d/%d: %s, %.0f s left", run, row["epoch"], epochs, losses, left)


def _run_seed(seed, run):
    """Return a seed of its own for every run."""
    return int(np.random.SeedSequence([seed, *run.encode()]).generate_state(1)[0])

"""Training of one run: a fold, or the final model on all training samples."""

import contextlib
import json
import logging
import math
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import numpy as np
import pandas as pd

from wakawaka.core.errors import Diverged
from wakawaka.core.files import atomic, remove_leftovers, sha256, write_table
from wakawaka.core.progress import Progress, duration
from wakawaka.network.build import device, mean_of, model_inputs, seen_dna, use_threads, words_of, z_scores_of
from wakawaka.network.gene_effects import GeneEffects, SeenGenes
from wakawaka.network.inference import predictor_of
from wakawaka.splits.regimes import HELD_OUT, TRAIN, read_regimes
from wakawaka.statistics import metrics
from wakawaka.store import targets
from wakawaka.store.store import Store
from wakawaka.training.batches import batches
from wakawaka.training.checkpoint import load_checkpoint, save_checkpoint
from wakawaka.training.select_kmers import set_filters, telling_words, unexplained
from wakawaka.training.trainer import JOINT, MODULES, WHOLE, Trainer

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
    The history has a row per epoch: seconds (of work so far, without interruptions; those of the first one hold the search for words
    and the pre-training), train_<loss> (mse or bce: the mean over the epoch's batches, while the weights move and with dropout; of several
    members their mean) and val_<loss>_<regime> for the regimes that the run holds out and has targets of (for `final` none, because
    its only unseen samples are the test set); the gene effects of each epoch are a part of these.

    Args:
        store: paths of the store. samples: path of the table of regimes. model, history: output paths.
        preprocessing: output path, JSON: run; spec, modules, marks, window, bins and binary, as the model was built; oriented,
            scale and counting, as the store says of its inputs; target, and `fitted` on the training samples of this run alone;
            shuffled_dna, the seed of `Store` or null; schedule; samples, the number of them that it was trained on; parameters,
            their number in all members, and of gene effects; made_with: versions, seed, threads and device. With None for `model`
            and `preprocessing` only the history is written.
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
        Diverged: if the loss is no longer finite.
        InputError: if the targets cannot be made of the values.
    """
    use_threads(threads)
    settings = {"run": run, "spec": spec, "modules": modules, "target": target, "schedule": schedule, "seed": seed}
    settings["shuffled_dna"] = seed if shuffled_dna else None
    identity = {"settings": settings, "code": code, "number of threads": threads, **_files_and_versions(store, samples)}
    store = Store(store, settings["shuffled_dna"], z_scores_of(spec))
    task = Task(store, read_regimes(samples, store, run), run, target, schedule["gene_effects"], modules)
    start = time.monotonic()
    trainers = _trainers(task, spec, modules, schedule, seed)
    parameters = sum(trainer.network.count_params() for trainer in trainers)
    log.info("%s: %d samples to train on, %d parameters, threads: %d", run, len(task.cells), parameters, threads)
    predict = predictor_of([trainer.network for trainer in trainers], trainers[0].modules, trainers[0].words)
    rows = _fit(task, trainers, predict, schedule, _run_seed(seed, run), checkpoint, identity, start)
    effects, fitted = None, time.monotonic()
    if task.seen_genes:
        effects = GeneEffects(task.seen_genes.codes, _effects(predict, task))
        parameters += len(effects.values)
    rows[-1]["seconds"] = round(rows[-1]["seconds"] + time.monotonic() - fitted, 2)
    if model:
        about = _about(task, settings) | {"samples": len(task.cells), "parameters": parameters}
        about["made_with"] = {"versions": identity["versions"], "seed": seed, "threads": threads, "device": device()}
        _write_model(trainers, effects, model, preprocessing, about)
    _finish(rows, [path for path in (model, preprocessing) if path], history, checkpoint)


class Task:
    """What a run is to learn.

    Args:
        store: `Store`. regimes: [cell, gene] str. run: name of the run. target: dict, see targets.py. gene_effects: whether effects of
            single genes are asked for; without DNA among `modules`, or of a binary target, there are none.

    Attributes:
        trained: [cell, gene] bool, the training samples. cells, genes: [sample] int64, theirs. truth: [cell, gene] float32, NaN where
            not known. fitted: see targets.py.
        seen_genes: `SeenGenes`, or None without effects.
        blocks: dict from regime to the mask [cell, gene] of what to watch: none for `final`, whose unseen samples are the test set.
    """

    def __init__(self, store, regimes, run, target, gene_effects=False, modules=()):
        self.store, self.run, self.binary = store, run, targets.is_binary(target)
        self.fitted = targets.fit(store, target, regimes == TRAIN)
        self.truth = targets.values(store, target, self.fitted)
        _warn_of_genes_without_target(store, self.truth)
        known = np.isfinite(self.truth)
        blocks = {} if run == "final" else {name: (regimes == name) & known for name in HELD_OUT}
        self.blocks = {name: block for name, block in blocks.items() if block.any()}
        self.trained = (regimes == TRAIN) & known
        self.cells, self.genes = np.nonzero(self.trained)
        self.seen_genes = None
        if gene_effects and "dna" in modules and not self.binary:
            self.seen_genes = SeenGenes(store.dna, self.trained.any(axis=0))
        elif gene_effects:
            log.info("without gene effects: they need DNA, by which genes are recognised, and values as the target")


def _trainers(task, spec, modules, schedule, seed):
    """Return the trainer of each member."""
    keras.utils.set_random_seed(_run_seed(seed, task.run))
    words = words_of(task.store, spec, modules)
    fixed = ["dna_convolution_1"] if schedule["dna_words"] and "dna" in modules else []
    settings = {"weight_decay": schedule["weight_decay"], "binary": task.binary, "fixed": fixed}
    trainers = [
        Trainer(spec, modules, task.store.sizes, words, schedule["learning_rate"], **settings)
        for _ in range(schedule["members"])
    ]
    if fixed:
        layer = spec["dna"]["convolutions"][0]
        genes, values = unexplained(task.store, task.truth, task.trained, modules)
        dna = seen_dna(task.store, spec)
        # The pooling leaves out a last stretch that is not full.
        dna = dna[genes, : dna.shape[1] // layer["pool"] * layer["pool"]]
        sizes = schedule["dna_words"], layer["width"], layer["filters"]
        found = telling_words(dna, values, *sizes, _run_seed(seed, task.run))
        for trainer in trainers:
            set_filters(trainer.network.get_layer(*fixed), found)
    return trainers


def _fit(task, trainers, predict, schedule, run_seed, checkpoint, identity, start):
    """Train, from the checkpoint on where there is one; return the rows of the history. `start`: when the work began."""
    stages = _stages(schedule)
    rows = _resume(checkpoint, identity, trainers, stages)
    loss = LOSSES[task.binary]
    start -= rows[-1]["seconds"] if rows else 0
    left = (len(stages) - len(rows)) * len(task.cells) * len(trainers)
    progress = Progress(log, left, "samples")
    for number in range(len(rows), len(stages)):
        stage, epoch, epochs = stages[number]
        label, begun = (
            f"{task.run}, {'pre-training, ' if stage == MODULES else ''}epoch {epoch}/{epochs}",
            time.monotonic(),
        )
        if epoch == 1 and stage != WHOLE:
            for trainer in trainers:
                trainer.begin(stage)
        found = []
        for member, trainer in enumerate(trainers):
            trainer.slow_down(_pace(schedule["decay"], epoch, epochs))
            order = batches(
                task.genes, schedule["batch_size"], schedule["genes_per_batch"], _order_seed(run_seed, number, member)
            )
            found.append(_epoch(trainer, task, order, progress, label))
        scores = {f"train_{loss.__name__}": float(np.mean(found))}
        rate = len(task.cells) * len(trainers) / (time.monotonic() - begun)
        scores |= _validate(predict, task, loss) if stage != MODULES else {}
        seconds = round(time.monotonic() - start, 2)
        rows.append({"stage": stage, "epoch": epoch, "seconds": seconds, **scores})
        save_checkpoint(checkpoint, identity, rows, [array for trainer in trainers for array in trainer.state])
        shown = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
        log.info("%s: %s, %.0f samples/s, %s left", label, shown, rate, duration(progress.left))
    return [{name: value for name, value in row.items() if name != "stage"} for row in rows if row["stage"] != MODULES]


def _stages(schedule):
    """Return the stage, the epoch within it and their number, for every epoch there will be."""
    first, then = schedule["pretraining_epochs"], schedule["epochs"]
    stages = [(MODULES, epoch, first) for epoch in range(1, first + 1)]
    return stages + [(JOINT if first else WHOLE, epoch, then) for epoch in range(1, then + 1)]


def _pace(decay, epoch, epochs):
    """Return the part of the learning rate at which an epoch is trained; cosine: Loshchilov and Hutter, 2017, without restarts."""
    return (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2 if decay == "cosine" else 1.0


def _order_seed(run_seed, number, member):
    return [run_seed, number + 1, *([member] if member else [])]


def _resume(checkpoint, identity, trainers, stages):
    """Set the trainers to the state of a checkpoint of the same identity; return the rows so far, [] without one."""
    found = load_checkpoint(checkpoint, identity)
    if found is None:
        return []
    rows, state = found
    for trainer in trainers:
        if rows[-1]["stage"] != WHOLE:
            trainer.begin(rows[-1]["stage"])
        count = len(trainer.state)
        trainer.state, state = state[:count], state[count:]
    log.info("training goes on after epoch %d, from the checkpoint of an interrupted run", len(rows))
    return rows


def _about(task, settings):
    """Return what was learnt how, and from what inputs, as a dict of JSON values."""
    about = {name: settings[name] for name in ("run", "spec", "modules", "target", "schedule", "shuffled_dna")}
    inputs = ("marks", "window", "bins", "oriented", "scale", "counting")
    return about | {"binary": task.binary, "fitted": task.fitted} | {name: task.store.info.get(name) for name in inputs}


def _write_model(trainers, effects, model, preprocessing, about):
    with atomic(model) as temporary:
        mean_of([trainer.standard() for trainer in trainers], effects).save(temporary)
    with atomic(preprocessing) as temporary:
        # Python writes the shortest text that gives the same float64 again.
        temporary.write_text(json.dumps(about, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def _finish(rows, written, history, checkpoint):
    """Write the history; only then remove the checkpoint, and what killed runs have left."""
    write_table(pd.DataFrame(rows), history)
    Path(checkpoint).unlink()
    for path in (*written, history, checkpoint):
        remove_leftovers(path)


def _files_and_versions(store, samples):
    """Return what the bits of a model depend on beside settings and code, as dicts of strings."""
    files = {str(path): sha256(path) for path in [*store, samples]}
    versions = {}
    for name in LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return {"data": files, "versions": versions}


def _epoch(trainer, task, order, progress, label):
    """Take one step per batch; return the mean loss over the samples."""

    def batch(numbers):
        cell, gene = task.cells[numbers], task.genes[numbers]
        return model_inputs(task.store, trainer.modules, cell, gene, trainer.words), task.truth[cell, gene, None]

    done, total = 0, 0.0
    for count, loss in trainer.steps(batch, order):
        if not np.isfinite(loss):
            raise Diverged(
                f"{label}: the loss is no longer a finite number after {done} samples; lower `training.learning_rate`, "
                "or check the scale of the input (`histone.scale`) and of the target (`expression.transform`)."
            )
        done, total = done + count, total + loss * count
        progress.advance(count, "%s: loss %.4f", label, total / done)
    return total / done


def _validate(predict, task, loss):
    """Return a dict from val_<loss>_<regime> to the mean loss there, with gene effects where there are any."""
    if not task.blocks:
        return {}
    predicted = predict(task.store, np.logical_or.reduce(list(task.blocks.values())))
    if task.seen_genes:
        predicted += task.seen_genes.alike @ _effects(predict, task)
    return {
        f"val_{loss.__name__}_{name}": loss(task.truth[block], predicted[block]) for name, block in task.blocks.items()
    }


def _effects(predict, task):
    """Return the effects [seen gene] float32 of what networks leave of the training samples."""
    return task.seen_genes.values(np.where(task.trained, task.truth - predict(task.store, task.trained), np.nan))


def _warn_of_genes_without_target(store, truth):
    lost = store.genes[np.isfinite(store.expression).any(axis=0) & ~np.isfinite(truth).any(axis=0)]
    if len(lost):
        log.warning(
            "%d genes with expression have no target, for lack of training values that differ (z-scores) or of a reference "
            "(ratios); they are predicted, but neither trained on nor scored; the first: %s",
            len(lost),
            ", ".join(lost[:5]),
        )


def _run_seed(seed, run):
    """Return a seed of its own for every run."""
    return int(np.random.SeedSequence([seed, *run.encode()]).generate_state(1)[0])

"""Training of one run: a fold, or the final model on all training samples."""

import contextlib
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pandas as pd

from wakawaka.core.files import PathLike, remove_leftovers, sha256, write_table
from wakawaka.network.backend import device, use_threads
from wakawaka.network.ensemble import mean_of
from wakawaka.network.preprocessing import Preprocessing, write_preprocessing
from wakawaka.network.saved_model import save_model
from wakawaka.network.spec import z_scores_of
from wakawaka.splits.samples import read_regimes
from wakawaka.store.store import Store
from wakawaka.training.fit import Fit
from wakawaka.training.members import make_trainers
from wakawaka.training.schedule import run_seed
from wakawaka.training.task import Task

log = logging.getLogger(__name__)

# The distributions on whose versions the bits of a model may depend.
LIBRARIES = ("keras", "numba", "numpy", "tensorflow-cpu", "tensorflow")


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of a training.

    Attributes:
        run: final, fold-1, ...; a column of the table of regimes.
        spec: specification of the network, as `models.<name>` in config.yaml.
        modules: the modules of the network.
        target: kind and transform of the target, see store/targets.py.
        schedule: as `training` in config.yaml.
        seed: determines, with the run's name, the initial weights, the order of samples and the dropout; bit for bit on one machine
            with one number of threads.
        threads: the threads of TensorFlow and of the Numba loops.
        code: digest of the code.
        permuted_genes: whether every gene is given the DNA of another one, a control that measures what the sequence is worth.
    """

    run: str
    spec: dict[str, Any]
    modules: list[str]
    target: dict[str, str]
    schedule: dict[str, Any]
    seed: int
    threads: int
    code: str
    permuted_genes: bool = False

    @property
    def permutation_seed(self) -> int | None:
        """The seed of the permutation of genes; None if each gene keeps its own DNA."""
        return self.seed if self.permuted_genes else None


@dataclass(frozen=True)
class TrainingFiles:
    """The paths of the files that a training writes.

    Attributes:
        history: a row per epoch, see `train`.
        checkpoint: an npz file, written after each epoch and removed at the end.
        model: model.keras; None if it is not written.
        preprocessing: preprocessing.json; None if it is not written.
    """

    history: PathLike
    checkpoint: PathLike
    model: PathLike | None = None
    preprocessing: PathLike | None = None


def train(store: Sequence[PathLike], samples: PathLike, files: TrainingFiles, settings: TrainingSettings) -> None:
    """Train a model, and write it with its history and its preprocessing.

    The loss is the mean squared error or, for a binary target, the mean cross-entropy (natural logarithm). The optimiser is Adam
    with Keras' other defaults. The saved model has standard Keras layers only; for a binary target it predicts probabilities.

    The history has the columns epoch; seconds (of work so far, without interruptions; the first epoch includes the selection of
    k-mers and the pre-training); train_<loss> (mse or bce: the mean over the epoch's batches, while the weights change and with
    dropout; the mean over ensemble members); and val_<loss>_<regime> for the regimes that the run holds out and has targets of, with
    gene effects. The run `final` has no such column, because its held-out samples are the test set.

    If there is a checkpoint of the same data, settings, code and versions, training continues from it, to the same bits as without
    interruption.

    Args:
        store: paths of the store.
        samples: path of the table of regimes.
        files: the paths of the outputs.
        settings: the settings.

    Raises:
        Diverged: if the loss is no longer finite.
        InputError: if the values do not have the form that the target needs.
    """
    use_threads(settings.threads)
    identity = _identity(store, samples, settings)
    opened = Store(store, settings.permutation_seed, z_scores_of(settings.spec))
    regimes, schedule, run = read_regimes(samples, opened, settings.run), settings.schedule, settings.run
    task = Task(opened, regimes, run, settings.target, schedule["gene_effects"], settings.modules)
    start = time.monotonic()
    trainers = make_trainers(task, settings.spec, settings.modules, schedule, settings.seed)
    parameters = sum(trainer.network.count_params() for trainer in trainers)
    counts = len(task.cells), parameters, settings.threads
    log.info("%s: %d samples to train on, %d parameters, threads: %d", run, *counts)
    fit = Fit(task, trainers, schedule, run_seed(settings.seed, run))
    rows = fit.run(files.checkpoint, identity, start)
    fitted = time.monotonic()
    effects = fit.effects()
    rows[-1]["seconds"] = round(rows[-1]["seconds"] + time.monotonic() - fitted, 2)
    if files.model:
        save_model(mean_of([trainer.standard() for trainer in trainers], effects), files.model)
    if files.preprocessing:
        parameters += len(effects.values) if effects else 0
        write_preprocessing(_preprocessing(task, settings, parameters, identity["versions"]), files.preprocessing)
    _finish(rows, files)


def _identity(store: Sequence[PathLike], samples: PathLike, settings: TrainingSettings) -> dict[str, Any]:
    """Return all that the bits of a model depend on, as JSON values; a checkpoint of another identity is not used."""
    versions = {}
    for name in LIBRARIES:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    names = ("run", "spec", "modules", "target", "schedule", "seed")
    return {
        "settings": {name: getattr(settings, name) for name in names} | {"permuted_genes": settings.permutation_seed},
        "code": settings.code,
        "number of threads": settings.threads,
        "data": {str(path): sha256(path) for path in [*store, samples]},
        "versions": versions,
    }


def _preprocessing(
    task: Task, settings: TrainingSettings, parameters: int, versions: Mapping[str, str]
) -> Preprocessing:
    """Return the description of the trained model."""
    info = task.store.info
    return Preprocessing(
        run=settings.run,
        spec=settings.spec,
        modules=settings.modules,
        target=settings.target,
        schedule=settings.schedule,
        permuted_genes=settings.permutation_seed,
        binary=task.binary,
        fitted=task.fitted,
        marks=info.marks,
        window=info.window,
        bins=info.bins,
        strand_aware=info.strand_aware,
        scale=info.scale,
        counting=info.counting,
        samples=len(task.cells),
        parameters=parameters,
        made_with={"versions": versions, "seed": settings.seed, "threads": settings.threads, "device": device()},
    )


def _finish(rows: list[dict[str, Any]], files: TrainingFiles) -> None:
    """Write the history; only then remove the checkpoint, and the temporary files of killed runs."""
    write_table(pd.DataFrame(rows), files.history)
    Path(files.checkpoint).unlink()
    for path in (files.model, files.preprocessing, files.history, files.checkpoint):
        if path:
            remove_leftovers(path)

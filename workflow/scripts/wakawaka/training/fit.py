"""The epochs of a training, with a checkpoint after each."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wakawaka.core.errors import Diverged
from wakawaka.core.files import PathLike
from wakawaka.core.progress import Progress, duration
from wakawaka.network.gene_effects import GeneEffects
from wakawaka.network.inference import predictor_of
from wakawaka.network.inputs import model_inputs
from wakawaka.statistics import metrics
from wakawaka.training.batches import batches
from wakawaka.training.checkpoint import load_checkpoint, save_checkpoint
from wakawaka.training.schedule import MODULES, WHOLE, Epoch, epochs_of, lr_factor, order_seed
from wakawaka.training.task import Task
from wakawaka.training.trainer import Trainer

log = logging.getLogger(__name__)

# The loss for a value and for a binary target. The names of these functions are in the columns of the history.
LOSSES = {False: metrics.mse, True: metrics.bce}


class Fit:
    """Trains the ensemble members of a run, one after the other in each epoch.

    Args:
        task: the samples of the run.
        trainers: a trainer for each member.
        schedule: the settings of the training.
        seed: seed of the run.
    """

    def __init__(self, task: Task, trainers: Sequence[Trainer], schedule: Mapping[str, Any], seed: int) -> None:
        self._task, self._trainers, self._schedule, self._seed = task, trainers, schedule, seed
        self._loss = LOSSES[task.binary]
        first = trainers[0]
        self._predict = predictor_of([trainer.network for trainer in trainers], first.modules, first.kmer_index)

    def run(self, checkpoint: PathLike, identity: Mapping[str, Any], start: float) -> list[dict[str, Any]]:
        """Train all epochs, and return the rows of the history, without those of the pre-training.

        Args:
            checkpoint: path of the checkpoint. If it is there and of the same identity, its epochs are not trained again.
            identity: what the training depends on, of JSON values.
            start: when the work began, by `time.monotonic`.

        Raises:
            Diverged: if the loss is no longer finite.
        """
        epochs = epochs_of(self._schedule)
        rows = self._resume(checkpoint, identity)
        start -= rows[-1]["seconds"] if rows else 0
        samples = len(self._task.cells) * len(self._trainers)
        progress = Progress(log, (len(epochs) - len(rows)) * samples, "samples")
        for index in range(len(rows), len(epochs)):
            epoch, begun = epochs[index], time.monotonic()
            label = _label(self._task.run, epoch)
            scores = {f"train_{self._loss.__name__}": self._train(index, epoch, progress, label)}
            rate = samples / (time.monotonic() - begun)
            scores |= self._validate() if epoch.stage != MODULES else {}
            seconds = round(time.monotonic() - start, 2)
            rows.append({"stage": epoch.stage, "epoch": epoch.number, "seconds": seconds, **scores})
            state = [array for trainer in self._trainers for array in trainer.state]
            save_checkpoint(checkpoint, identity, rows, state)
            shown = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
            log.info("%s: %s, %.0f samples/s, %s left", label, shown, rate, duration(progress.left))
        shown_rows = [row for row in rows if row["stage"] != MODULES]
        return [{name: value for name, value in row.items() if name != "stage"} for row in shown_rows]

    def effects(self) -> GeneEffects | None:
        """Return the gene effects of the networks as they are now; None if the run has none."""
        genes = self._task.training_genes
        return GeneEffects(genes.codes, genes.values(self._errors())) if genes else None

    def _resume(self, checkpoint: PathLike, identity: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Set the trainers to the state of a checkpoint of the same identity, and return its rows; [] without one."""
        found = load_checkpoint(checkpoint, identity)
        if found is None:
            return []
        rows, state = found
        for trainer in self._trainers:
            if rows[-1]["stage"] != WHOLE:
                trainer.begin(rows[-1]["stage"])
            count = len(trainer.state)
            trainer.state, state = state[:count], state[count:]
        log.info("training goes on after epoch %d, from the checkpoint of an interrupted run", len(rows))
        return rows

    def _train(self, index: int, epoch: Epoch, progress: Progress, label: str) -> float:
        """Train every member for an epoch, number `index` (from 0) of all; return the mean loss."""
        if epoch.number == 1 and epoch.stage != WHOLE:
            for trainer in self._trainers:
                trainer.begin(epoch.stage)
        losses = []
        for member, trainer in enumerate(self._trainers):
            trainer.scale_learning_rate(lr_factor(self._schedule["lr_schedule"], epoch))
            sizes = self._schedule["batch_size"], self._schedule["genes_per_batch"]
            order = batches(self._task.genes, *sizes, order_seed(self._seed, index, member))
            losses.append(self._train_member(trainer, order, progress, label))
        return float(np.mean(losses))

    def _train_member(self, trainer: Trainer, order: Sequence[np.ndarray], progress: Progress, label: str) -> float:
        """Take one step per batch; return the mean loss over the samples."""
        task = self._task

        def batch(numbers: np.ndarray) -> tuple[list[np.ndarray], np.ndarray]:
            cell, gene = task.cells[numbers], task.genes[numbers]
            return model_inputs(task.store, trainer.modules, cell, gene, trainer.kmer_index), task.truth[
                cell, gene, None
            ]

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

    def _validate(self) -> dict[str, float]:
        """Return the mean loss in every watched regime, as val_<loss>_<regime>; with gene effects if there are any."""
        task = self._task
        if not task.watched:
            return {}
        predicted = self._predict(task.store, np.logical_or.reduce(list(task.watched.values())))
        if task.training_genes:
            predicted += task.training_genes.identities @ task.training_genes.values(self._errors())
        name = f"val_{self._loss.__name__}"
        return {
            f"{name}_{regime}": self._loss(task.truth[mask], predicted[mask]) for regime, mask in task.watched.items()
        }

    def _errors(self) -> np.ndarray:
        """Return truth - prediction of the training samples, [cell, gene] float32, NaN elsewhere."""
        task = self._task
        return np.where(task.trained, task.truth - self._predict(task.store, task.trained), np.nan)


def _label(run: str, epoch: Epoch) -> str:
    stage = "pre-training, " if epoch.stage == MODULES else ""
    return f"{run}, {stage}epoch {epoch.number}/{epoch.epochs}"

"""What a run trains on: its samples, their targets, and the samples that it only watches."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wakawaka.network.gene_effects import TrainingGenes
from wakawaka.splits.regimes import FINAL, HELD_OUT, TRAIN
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)


class Task:
    """The samples and targets of a run.

    Args:
        store: the store.
        regimes: [cell, gene] str, the regimes of the run.
        run: final, fold-1, ...
        target: kind and transform, see store/targets.py.
        gene_effects: whether gene effects are asked for. A network without DNA, or with a binary target, has none.
        modules: the modules of the network.

    Attributes:
        store, run: as given.
        binary: whether the target is 0 or 1.
        fitted: what the target's transform needs of each gene.
        truth: targets [cell, gene] float32, NaN where not known.
        trained: mask [cell, gene] of the training samples.
        cells, genes: indices [sample] int64 of the training samples.
        training_genes: the genes whose effects are estimated, or None.
        watched: masks [cell, gene] of the samples whose loss is in the history, by regime. The run `final` has none, because its
            held-out samples are the test set.
    """

    def __init__(
        self,
        store: Store,
        regimes: np.ndarray,
        run: str,
        target: Mapping[str, Any],
        gene_effects: bool = False,
        modules: Sequence[str] = (),
    ) -> None:
        self.store, self.run, self.binary = store, run, targets.is_binary(target)
        self.fitted = targets.fit(store, target, regimes == TRAIN)
        self.truth = targets.values(store, target, self.fitted)
        _warn_of_genes_without_target(store, self.truth)
        known = np.isfinite(self.truth)
        masks = {} if run == FINAL else {name: (regimes == name) & known for name in HELD_OUT}
        self.watched = {name: mask for name, mask in masks.items() if mask.any()}
        self.trained = (regimes == TRAIN) & known
        self.cells, self.genes = np.nonzero(self.trained)
        self.training_genes = None
        if gene_effects and "dna" in modules and not self.binary:
            self.training_genes = TrainingGenes(store.dna, self.trained.any(axis=0))
        elif gene_effects:
            log.info("no gene effects: they need DNA, by which genes are recognised, and a target that is a value")


def _warn_of_genes_without_target(store: Store, truth: np.ndarray) -> None:
    lost = store.genes[np.isfinite(store.expression).any(axis=0) & ~np.isfinite(truth).any(axis=0)]
    if len(lost):
        log.warning(
            "%d genes with expression have no target, because their training values do not differ (z-scores) or their reference is not "
            "known (ratios); they are predicted, but neither trained on nor scored; the first: %s",
            len(lost),
            ", ".join(lost[:5]),
        )

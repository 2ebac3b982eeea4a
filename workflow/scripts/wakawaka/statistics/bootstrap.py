"""Bootstrap intervals of scores. Cells and genes are resampled, never single samples.

The errors of one gene correlate over all cells, and the errors of one cell over all genes. An interval from resampled samples would
be too narrow. Cells and genes therefore have independent weights, and a sample's weight is the product of the two (Owen, The pigeonhole
bootstrap, Annals of Applied Statistics 2007, 1:386). Genes that share bins or sequence share errors too, so they are resampled as one
group. Two predictors that are scored with the same replicates can be compared in pairs.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# Fewer cells, or fewer groups of genes, are not resampled: an interval over so few does not cover the choice of them.
MIN_GROUPS = 5

# The probability that an interval covers the true score.
CONFIDENCE = 0.95


class Replicates(NamedTuple):
    """The weight of each cell and gene in every bootstrap replicate.

    Row 0 is the original data: every cell and gene in the mask has the weight 1.

    Attributes:
        cells: [1 + replicate, cell] float64.
        genes: [1 + replicate, gene] float64.
        resampled: "genes and cells", "genes", "cells" or "nothing".
    """

    cells: np.ndarray
    genes: np.ndarray
    resampled: str

    def first(self, count: int) -> "Replicates":
        """Return the original data and the first `count` replicates."""
        return Replicates(self.cells[: 1 + count], self.genes[: 1 + count], self.resampled)


def draw_replicates(
    mask: np.ndarray, groups: np.ndarray, count: int, seed: int | Sequence[int], strata: np.ndarray | None = None
) -> Replicates:
    """Return `Replicates` of the cells and genes that have a sample in a mask; fewer than `MIN_GROUPS` are not resampled.

    Args:
        mask: [cell, gene] bool, the samples to score.
        groups: [gene] int. Genes with the same number are resampled together.
        count: number of replicates.
        seed: seed of the random numbers.
        strata: [gene] int, or None. With strata, genes are resampled within each stratum, and cells are not resampled. A mask of
            several regimes needs this: a replicate without the few unseen cells, for instance, would mix the regimes differently.
    """
    rng = np.random.default_rng(seed)
    present = np.logical_or.reduce(mask, axis=0)
    genes, few_groups = np.zeros((1 + count, len(present))), True
    for stratum in np.unique(strata) if strata is not None else (None,):
        inside = present if stratum is None else present & (strata == stratum)
        weights, few = _weights(inside, groups, count, rng)
        genes, few_groups = genes + weights, few_groups and few
    cells, few_cells = _weights(
        np.logical_or.reduce(mask, axis=1), np.arange(len(mask)), 0 if strata is not None else count, rng
    )
    if strata is not None:
        cells, few_cells = np.tile(cells, (1 + count, 1)), True
    resampled = [name for name, few in (("genes", few_groups), ("cells", few_cells)) if not few]
    return Replicates(cells, genes, " and ".join(resampled) or "nothing")


def interval(values: np.ndarray, resampled: str) -> tuple[float, float, float]:
    """Return (score, lower end, upper end) of the percentile interval of scores [1 + replicate].

    The ends are NaN if `resampled` is "nothing", or if the score is undefined in more than half of the replicates.
    """
    value, drawn = float(values[0]), values[1:][np.isfinite(values[1:])]
    if resampled == "nothing" or not np.isfinite(value) or 2 * len(drawn) < len(values) - 1 or not len(drawn):
        return value, np.nan, np.nan
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return value, float(low), float(high)


def _weights(present: np.ndarray, groups: np.ndarray, count: int, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """Return weights [1 + replicate, label] of the labels present, and whether there are too few groups to resample."""
    names, group = np.unique(groups[present], return_inverse=True)
    weights = np.zeros((1 + count, len(present)))
    weights[:, present] = 1
    few = len(names) < MIN_GROUPS
    if not few:
        weights[1:, present] = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)[:, group]
    return weights, few

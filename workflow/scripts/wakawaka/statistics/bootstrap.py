"""Intervals of scores, by drawing genes and cells as blocks.

The errors of one gene resemble each other in all cells, and those of one cell in all genes, so that a sample says less than it seems to.
Therefore not samples are drawn, but cells and genes, each with its own weight; a sample counts as often as the product of the two says
(Owen, The pigeonhole bootstrap, Annals of Applied Statistics 2007, 1:386). Genes that share bins or sequence are one block, because
they share their errors too. Predictors that are scored with the same draws are compared in pairs.
"""

from typing import NamedTuple

import numpy as np

# Of fewer cells, or groups of genes, than this a bootstrap says nothing of those that were not there: they are not drawn.
FEWEST = 5

# The part of the draws that an interval spans.
COVERAGE = 0.95


class Draws(NamedTuple):
    """How often each cell and gene is drawn; the first draw has each of them once.

    Attributes:
        cells: [1 + draw, cell] float64. genes: [1 + draw, gene] float64.
        over: what was drawn: "genes and cells", "genes", "cells" or "nothing".
    """

    cells: np.ndarray
    genes: np.ndarray
    over: str

    def first(self, count):
        """Return the first so many draws, after the one that has each cell and gene once."""
        return Draws(self.cells[: 1 + count], self.genes[: 1 + count], self.over)


def draw(block, groups, count, seed, strata=None):
    """Return `Draws` of the cells and genes that have a sample in a block; of fewer than `FEWEST` cells or groups none are drawn.

    Args:
        block: mask [cell, gene]. groups: [gene] int, the number of the group that each gene is drawn with.
        count: number of draws. seed: int or list of int.
        strata: [gene] int, or None. With them genes are drawn within each stratum and cells not at all, for a block of several
            regimes: a draw without the few unseen cells, say, would be of another mixture of regimes.
    """
    rng = np.random.default_rng(seed)
    present = block.any(axis=0)
    genes, few_groups = np.zeros((1 + count, len(present))), True
    for stratum in np.unique(strata) if strata is not None else (None,):
        inside = present if stratum is None else present & (strata == stratum)
        weights, few = _weights(inside, groups, count, rng)
        genes, few_groups = genes + weights, few_groups and few
    cells, few_cells = _weights(block.any(axis=1), np.arange(len(block)), 0 if strata is not None else count, rng)
    if strata is not None:
        cells, few_cells = np.tile(cells, (1 + count, 1)), True
    drawn = [name for name, few in (("genes", few_groups), ("cells", few_cells)) if not few]
    return Draws(cells, genes, " and ".join(drawn) or "nothing")


def interval(values, over):
    """Return (value without drawing, lower end, upper end) of scores [1 + draw].

    The ends are NaN if nothing was drawn, or if most of the draws have no score.
    """
    value, drawn = float(values[0]), values[1:][np.isfinite(values[1:])]
    if over == "nothing" or not np.isfinite(value) or 2 * len(drawn) < len(values) - 1 or not len(drawn):
        return value, np.nan, np.nan
    low, high = np.quantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return value, float(low), float(high)


def _weights(present, groups, count, rng):
    """Return the weights [1 + draw, label] of those present, drawn by group, and whether the groups are too few to draw."""
    names, group = np.unique(groups[present], return_inverse=True)
    weights = np.zeros((1 + count, len(present)))
    weights[:, present] = 1
    few = len(names) < FEWEST
    if not few:
        weights[1:, present] = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=count)[:, group]
    return weights, few

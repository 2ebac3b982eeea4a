"""Scores with bootstrap intervals, drawn over genes and cells as blocks.

The errors of one gene resemble each other in all cells, and those of one cell in all genes, so that a sample says less than it seems to.
Therefore not samples are drawn, but genes and cells, each with its own weight; a sample counts as often as the product of
the two says (Owen, The pigeonhole bootstrap, Annals of Applied Statistics 2007, 1:386). Predictors that are scored with the same
draws are compared in pairs.
"""

from typing import NamedTuple

import numpy as np

# Of fewer cells than this a bootstrap over cells says nothing: then genes alone are drawn.
FEWEST_CELLS = 5

# The part of the draws that an interval spans.
COVERAGE = 0.95

# Draws that are looked at together, so that memory holds a few arrays of [draw, gene].
_TOGETHER = 50

# Standard deviations below this part of the values' size are noise of float32.
_CONSTANT = 1e-6


class Draws(NamedTuple):
    """How often each cell and gene of a block is drawn; the first draw has each of them once.

    Attributes:
        cells: [1 + draw, cell] float64. genes: [1 + draw, gene] float64. over: "genes and cells" or "genes", what was drawn.
    """

    cells: np.ndarray
    genes: np.ndarray
    over: str


class Moments(NamedTuple):
    """Sums over samples, each an array of the same shape: of ones, truths, predictions, their squares, and their product."""

    count: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    truth_squares: np.ndarray
    predicted_squares: np.ndarray
    products: np.ndarray

    def pearson(self):
        """Return Pearson's correlations, NaN for fewer than three samples or a constant."""
        count = np.maximum(self.count, 1)
        truth = self.truth_squares - self.truth**2 / count
        predicted = self.predicted_squares - self.predicted**2 / count
        defined = (self.count > 2) & _varies(truth, self.truth_squares, count)
        defined &= _varies(predicted, self.predicted_squares, count)
        covariance = self.products - self.truth * self.predicted / count
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(defined, covariance / np.sqrt(truth * predicted), np.nan)


def draw(block, count, seed):
    """Return `Draws` of the cells and genes that have a sample in a block.

    Args:
        block: mask [cell, gene]. count: number of draws. seed: int or list of int.
    """
    rng = np.random.default_rng(seed)
    cells, genes = block.any(axis=1), block.any(axis=0)
    few = cells.sum() < FEWEST_CELLS
    drawn_genes = _weights(genes, count, rng)
    drawn_cells = np.tile(cells.astype(np.float64), (1 + count, 1)) if few else _weights(cells, count, rng)
    return Draws(drawn_cells, drawn_genes, "genes" if few else "genes and cells")


def value_scores(truth, predicted, block, draws):
    """Return the scores of predicted values in a block, as a dict from names to [1 + draw] float64, the first without drawing.

    mse, rmse; r2 = 1 - mse / variance of the truth; pearson over all samples; pearson_across_genes: the mean over cells of the
    correlation across the genes of a cell; pearson_across_cells: the mean over genes of that across the cells of a gene.
    Correlations need three samples that are not constant; a cell or gene that has not is left out of the mean.

    Args:
        truth, predicted: [cell, gene] floats, finite in the block. block: mask [cell, gene]. draws: `Draws` of this block.
    """
    truth, predicted, block, draws = _cropped(truth, predicted, block, draws)
    centre = truth[block].mean()
    truth, predicted = (np.where(block, values - centre, 0.0) for values in (truth, predicted))
    terms = [block, truth, predicted, truth**2, predicted**2, truth * predicted, (truth - predicted) ** 2]
    terms = [term.astype(np.float64) for term in terms]
    found = [_of_draws(terms, cells, genes) for cells, genes in _portions(draws)]
    return {name: np.concatenate([portion[name] for portion in found]) for name in found[0]}


def mean_loss(losses, block, draws):
    """Return the mean of a loss [cell, gene] over the samples of a block, [1 + draw] float64."""
    losses, ones = np.where(block, losses, 0.0), block.astype(np.float64)
    sums = [_pooled([losses, ones], cells, genes) for cells, genes in _portions(draws)]
    return np.concatenate([loss / count for loss, count in sums])


def spearman(truth, predicted, block, draws):
    """Return Spearman's correlation over the samples of a block, [1 + draw] float64; NaN as `Moments.pearson`.

    A sample that is drawn several times has the rank of as many equal ones.
    """
    weights = _sample_weights(block, draws)
    ranks = _Ranks(truth[block]), _Ranks(predicted[block])
    return np.array([_spearman(ranks, weight) for weight in weights])


def auroc(truth, predicted, block, draws):
    """Return the area under the ROC curve over the samples of a block, [1 + draw] float64; NaN if all truths are the same."""
    labels, ranks = truth[block] == 1, _Ranks(predicted[block])
    return np.array([_auroc(labels, ranks, weight) for weight in _sample_weights(block, draws)])


def interval(values):
    """Return (value without drawing, lower end, upper end) of scores [1 + draw]; the ends are NaN if most of the draws have no score."""
    value, drawn = float(values[0]), values[1:][np.isfinite(values[1:])]
    if not np.isfinite(value) or 2 * len(drawn) < len(values) - 1 or not len(drawn):
        return value, np.nan, np.nan
    low, high = np.quantile(drawn, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return value, float(low), float(high)


def _cropped(truth, predicted, block, draws):
    """Return the arguments without the cells and genes that have no sample in the block."""
    cells, genes = block.any(axis=1), block.any(axis=0)
    part = np.ix_(cells, genes)
    draws = Draws(draws.cells[:, cells], draws.genes[:, genes], draws.over)
    return truth[part], predicted[part], block[part], draws


def _weights(present, count, rng):
    number = present.sum()
    weights = np.zeros((1 + count, len(present)))
    weights[0, present] = 1
    weights[1:, present] = rng.multinomial(number, np.full(number, 1 / number), size=count)
    return weights


def _portions(draws):
    """Yield the weights of the cells and of the genes of some draws at a time."""
    for first in range(0, len(draws.cells), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        yield draws.cells[some], draws.genes[some]


def _of_draws(terms, cells, genes):
    """Return the scores of some draws; `terms` are arrays [cell, gene] for `Moments`, and of squared errors."""
    of_genes = [cells @ term for term in terms]
    *pooled, squared_errors = ((of_gene * genes).sum(axis=1) for of_gene in of_genes)
    pooled = Moments(*pooled)
    error = squared_errors / pooled.count
    variance = pooled.truth_squares / pooled.count - (pooled.truth / pooled.count) ** 2
    varies = _varies(variance, pooled.truth_squares / pooled.count, 1)
    of_cells = Moments(*(genes @ term.T for term in terms[:-1]))
    with np.errstate(invalid="ignore", divide="ignore"):
        r2 = np.where(varies, 1 - error / variance, np.nan)
    return {
        "mse": error,
        "rmse": np.sqrt(error),
        "r2": r2,
        "pearson": pooled.pearson(),
        "pearson_across_genes": _mean_of_defined(of_cells.pearson(), cells),
        "pearson_across_cells": _mean_of_defined(Moments(*of_genes[:-1]).pearson(), genes),
    }


def _pooled(terms, cells, genes):
    return [((cells @ term) * genes).sum(axis=1) for term in terms]


def _varies(squares, about_zero, count):
    """Tell whether sums of squares about the mean are more than rounding, given those about zero."""
    size = np.maximum(1.0, np.sqrt(about_zero / count))
    return squares / count > (_CONSTANT * size) ** 2


def _mean_of_defined(scores, weights):
    """Return the weighted means [draw] of scores [draw, label] that are defined, NaN where none is."""
    weights = np.where(np.isfinite(scores), weights, 0)
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nansum(scores * weights, axis=1) / np.where(total > 0, total, np.nan)


def _sample_weights(block, draws):
    """Yield the weights [sample] of a block's samples in each draw."""
    cell, gene = np.nonzero(block)
    for cells, genes in zip(draws.cells, draws.genes, strict=True):
        yield cells[cell] * genes[gene]


class _Ranks:
    """Values [sample] in order, with their ties."""

    def __init__(self, values):
        self.order = np.argsort(values, kind="stable")
        ordered = values[self.order]
        self.first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        self.lengths = np.diff(np.append(self.first, len(values)))

    def of(self, weights):
        """Return the mean ranks [sample], if every sample stands as often as its weight says."""
        tied = np.add.reduceat(weights[self.order], self.first)
        ranks = np.empty(len(weights))
        ranks[self.order] = np.repeat(np.cumsum(tied) - (tied - 1) / 2, self.lengths)
        return ranks


def _spearman(ranks, weights):
    one, other = (rank.of(weights) for rank in ranks)
    centre = weights @ one / weights.sum()
    one, other = one - centre, other - centre
    terms = (np.ones(len(one)), one, other, one**2, other**2, one * other)
    return float(Moments(*(weights @ term for term in terms)).pearson())


def _auroc(labels, ranks, weights):
    true, false = weights[labels].sum(), weights[~labels].sum()
    if not (true and false):
        return np.nan
    # Mann and Whitney's statistic.
    return float((weights[labels] @ ranks.of(weights)[labels] - true * (true + 1) / 2) / (true * false))

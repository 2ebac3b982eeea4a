"""The scores of a block of cells and genes, for every draw of a bootstrap at once.

A sample counts as often as its cell and its gene are drawn; the first draw has all once, and gives the plain scores. A score that is not
defined is NaN. A correlation takes three different samples, neither side of them constant; of what differs by the noise of float32 alone
the correlation means nothing, so that counts as constant. Within cells or genes, one that has no score is left out of the mean.
"""

from typing import NamedTuple

import numpy as np

from wakawaka.statistics.bootstrap import Draws
from wakawaka.statistics.metrics import NOISE

# So many numbers an array of [draw, gene] or [draw, sample] holds at most (2 MB, which caches hold), if it is not of one draw alone.
_TOGETHER = 2**18


class Moments(NamedTuple):
    """Weighted sums over samples, each an array of the same shape: of ones, truths, predictions, their squares, and their product.

    `different` is how many different samples there are. Truths and predictions are those less `centres`, a pair of floats, so
    that sums of squares lose no digits.
    """

    different: np.ndarray
    count: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    truth_squares: np.ndarray
    predicted_squares: np.ndarray
    products: np.ndarray
    centres: tuple = (0.0, 0.0)

    def pearson(self):
        """Return Pearson's correlations."""
        covariance = self.products - self.truth * self.predicted / np.maximum(self.count, 1)
        found = covariance / np.sqrt(self._truth() * self._predicted())
        found[self.different < 3] = np.nan
        return np.clip(found, -1, 1, out=found)

    def sd_ratio(self):
        """Return the standard deviation of the predictions, divided by that of the truths."""
        predicted = self.predicted_squares - self.predicted**2 / np.maximum(self.count, 1)
        return np.sqrt(np.maximum(predicted, 0) / self._truth())

    def r2(self, squared_errors):
        """Return 1 - squared errors / squares of the truths about their mean."""
        return 1 - squared_errors / self._truth()

    def _truth(self):
        return self._about_mean(self.truth, self.truth_squares, self.centres[0])

    def _predicted(self):
        return self._about_mean(self.predicted, self.predicted_squares, self.centres[1])

    def _about_mean(self, values, squares, centre):
        """Return the sums of squares about the mean, NaN where these are noise beside the values as they were before centring."""
        about_mean = squares - values**2 / np.maximum(self.count, 1)
        about_zero = squares + centre * (2 * values + centre * self.count)
        return np.where(about_mean > NOISE**2 * np.maximum(self.count, about_zero), about_mean, np.nan)


def samples(block, draws):
    """Return how many samples of a block [cell, gene] each draw has, [1 + draw] float64."""
    return ((draws.cells @ block.astype(np.float64)) * draws.genes).sum(axis=1)


def mean_loss(losses, block, draws):
    """Return the mean of a loss [cell, gene] over the samples of a block, [1 + draw] float64."""
    total = ((draws.cells @ np.where(block, losses, 0.0)) * draws.genes).sum(axis=1)
    return _ratio(total, samples(block, draws))


def value_scores(truth, predicted, block, draws):
    """Return the scores of predicted values in a block, as a dict from names to [1 + draw] float64.

    mse, rmse; r2 = 1 - mse / variance of the truth (can be negative); pearson over all samples; pearson_across_genes: the mean over cells
    of the correlation across the genes of a cell; pearson_across_cells: the mean over genes of that across the cells of a gene; sd_ratio:
    standard deviation of the predictions / that of the truth.

    Args:
        truth, predicted: [cell, gene] floats, finite in the block. block: mask [cell, gene]. draws: `Draws`.
    """
    truth, predicted, block, draws = _cropped(truth, predicted, block, draws)
    errors = np.where(block, (truth - predicted) ** 2, 0.0)
    centres = truth[block].mean(), predicted[block].mean()
    truth, predicted = (
        np.where(block, values - centre, 0.0) for values, centre in zip((truth, predicted), centres, strict=True)
    )
    terms = [block.astype(np.float64), truth, predicted, truth**2, predicted**2, truth * predicted, errors]
    found = [_of_draws(terms, centres, cells, genes) for cells, genes in _portions(draws, max(block.shape))]
    return {name: np.concatenate([portion[name] for portion in found]) for name in found[0]}


def rank_scores(truth, predicted, block, draws):
    """Return Spearman's correlations in a block: spearman, spearman_across_genes, spearman_across_cells, each [1 + draw] float64.

    A sample that is drawn several times has the mean rank of as many equal ones. The arguments are those of `value_scores`.
    """
    found = {}
    for name, within in _within("spearman", block).items():
        orders = [_Order(values[block][within.order], within) for values in (truth, predicted)]
        found[name] = within.means(
            lambda weights, orders=orders, within=within: _spearman(orders, within, weights), draws
        )
    return found


def label_scores(truth, predicted, block, draws):
    """Return the scores that rank labels 0 and 1 in a block, as a dict from names to [1 + draw] float64.

    auroc: the part of the pairs of a 1 and a 0 in which the 1 is predicted higher, ties half (Mann and Whitney's statistic). aupr:
    the average precision, the mean over the 1s of the precision among all that is predicted as high or higher. Over all samples of
    the block, within cells (_across_genes) and within genes (_across_cells, auroc alone). Where all truths are the same they are
    not defined.

    The arguments are those of `value_scores`; the truth is 0 or 1.
    """
    found = {}
    for score in (_auroc, _aupr):
        name = score.__name__.lstrip("_")
        for title, within in _within(name, block).items():
            if title != "aupr_across_cells":
                known = truth[block][within.order] == 1, _Order(predicted[block][within.order], within), within
                found[title] = within.means(lambda weights, score=score, known=known: score(*known, weights), draws)
    return found


def _cropped(truth, predicted, block, draws):
    """Return the arguments without the cells and genes that have no sample in the block."""
    cells, genes = block.any(axis=1), block.any(axis=0)
    part = np.ix_(cells, genes)
    return truth[part], predicted[part], block[part], Draws(draws.cells[:, cells], draws.genes[:, genes], draws.over)


def _portions(draws, size):
    """Yield the weights of the cells and of the genes of some draws at a time, for arrays of `size` numbers a draw."""
    together = max(1, _TOGETHER // size)
    for first in range(0, len(draws.cells), together):
        some = slice(first, first + together)
        yield draws.cells[some], draws.genes[some]


def _of_draws(terms, centres, cells, genes):
    """Return the scores of some draws; `terms` are arrays [cell, gene] for `Moments`, and of squared errors."""
    block = terms[0]
    of_genes = [cells @ term for term in terms]
    *pooled, squared_errors = ((of_gene * genes).sum(axis=1) for of_gene in of_genes)
    drawn = (cells > 0).astype(np.float64), (genes > 0).astype(np.float64)
    different = drawn[0] @ block
    pooled = Moments((different * drawn[1]).sum(axis=1), *pooled, centres)
    of_cells = Moments(drawn[1] @ block.T, *(genes @ term.T for term in terms[:-1]), centres)
    mse = _ratio(squared_errors, pooled.count)
    return {
        "mse": mse,
        "rmse": np.sqrt(mse),
        "r2": pooled.r2(squared_errors),
        "pearson": pooled.pearson(),
        "pearson_across_genes": _mean_of_defined(of_cells.pearson(), cells),
        "pearson_across_cells": _mean_of_defined(Moments(different, *of_genes[:-1], centres).pearson(), genes),
        "sd_ratio": pooled.sd_ratio(),
    }


def _mean_of_defined(scores, weights):
    """Return the weighted means over the last axis of the scores that are defined, NaN where none is."""
    weights = np.where(np.isfinite(scores), weights, 0)
    return _ratio(np.nansum(scores * weights, axis=-1), weights.sum(axis=-1))


def _ratio(total, count):
    return np.where(count > 0, total / np.where(count > 0, count, 1), np.nan)


class _Within:
    """The samples of a block in runs of one label each, a cell or a gene, or all in one.

    Args:
        cell, gene: [sample] int, the samples of the block. by: "cell", "gene" or None.
    """

    def __init__(self, cell, gene, by=None):
        labels = {"cell": cell, "gene": gene, None: np.zeros_like(cell)}[by]
        self.order = np.argsort(labels, kind="stable")
        self._cell, self._gene, self._by, ordered = cell[self.order], gene[self.order], by, labels[self.order]
        self.starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        self._lengths, self._labels = np.diff(np.append(self.starts, len(ordered))), ordered[self.starts]

    def means(self, score, draws):
        """Return the means [1 + draw] over labels of a score, which makes [draw, label] of the weights [draw, sample]."""
        found = []
        for cells, genes in _portions(draws, len(self._cell)):
            scores = score(cells[:, self._cell] * genes[:, self._gene])
            weights = {"cell": cells, "gene": genes}.get(self._by)
            found.append(scores[:, 0] if weights is None else _mean_of_defined(scores, weights[:, self._labels]))
        return np.concatenate(found)

    def sums(self, values):
        """Return the sums [draw, label] of values [draw, sample]."""
        return np.add.reduceat(values, self.starts, axis=-1)

    def spread(self, of_labels):
        """Return values of labels [..., label] as those of their samples [..., sample]."""
        return np.repeat(of_labels, self._lengths, axis=-1)


def _within(name, block):
    samples = np.nonzero(block)
    return {
        name: _Within(*samples),
        f"{name}_across_genes": _Within(*samples, by="cell"),
        f"{name}_across_cells": _Within(*samples, by="gene"),
    }


class _Order:
    """Values [sample] in ascending order within their labels, with their ties."""

    def __init__(self, values, within):
        low = np.minimum.reduceat(values, within.starts)
        high = np.maximum.reduceat(values, within.starts)
        noise = high - low <= NOISE * np.maximum(1.0, np.maximum(abs(low), abs(high)))
        values = np.where(within.spread(noise), 0, values)
        number = within.spread(np.arange(len(within.starts)))
        self.order = np.lexsort((values, number))
        ordered = values[self.order]
        changes = np.append(True, (ordered[1:] != ordered[:-1]) | (number[1:] != number[:-1]))
        # The first sample of each tie, and the tie that each label begins with.
        self._firsts = np.flatnonzero(changes)
        self._starts = np.searchsorted(self._firsts, within.starts)
        self._lengths = np.diff(np.append(self._firsts, len(values)))
        self._ties = np.diff(np.append(self._starts, len(self._firsts)))

    def below(self, weights):
        """Return the weight of each tie, and that of all below it within its label, [draw, tie], of weights [draw, sample]."""
        tied = np.add.reduceat(weights[:, self.order], self._firsts, axis=-1)
        below = np.cumsum(tied, axis=-1) - tied
        return tied, below - self.spread(below[:, self._starts])

    def ranks(self, weights):
        """Return the mean ranks [draw, sample] within labels, if every sample stands as often as its weight says."""
        tied, below = self.below(weights)
        ranks = np.empty_like(weights)
        ranks[:, self.order] = np.repeat(below + (tied + 1) / 2, self._lengths, axis=-1)
        return ranks

    def sums(self, of_ties):
        """Return the sums [draw, label] of values of ties [draw, tie]."""
        return np.add.reduceat(of_ties, self._starts, axis=-1)

    def spread(self, of_labels):
        """Return values of labels [draw, label] as those of their ties [draw, tie]."""
        return np.repeat(of_labels, self._ties, axis=-1)


def _spearman(orders, within, weights):
    one, other = (order.ranks(weights) for order in orders)
    count = within.sums(weights)
    middle = within.spread((count + 1) / 2)
    one, other = one - middle, other - middle
    terms = weights, weights * one, weights * other, weights * one**2, weights * other**2, weights * one * other
    return Moments(within.sums(weights > 0), *map(within.sums, terms)).pearson()


def _auroc(labels, order, within, weights):
    true, false = within.sums(weights * labels), within.sums(weights * ~labels)
    statistic = within.sums(weights * labels * order.ranks(weights)) - true * (true + 1) / 2
    return _ratio(statistic, true * false)


def _aupr(labels, order, within, weights):
    of_true, below_true = order.below(weights * labels)
    _, below_false = order.below(weights * ~labels)
    true, false = within.sums(weights * labels), within.sums(weights * ~labels)
    # Of all that is predicted as high as the tie or higher.
    found, taken = order.spread(true) - below_true, order.spread(false) - below_false
    precision = np.nan_to_num(_ratio(found, found + taken))
    return np.where(false > 0, _ratio(order.sums(of_true * precision), true), np.nan)

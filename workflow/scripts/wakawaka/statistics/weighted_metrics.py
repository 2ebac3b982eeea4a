"""Scores of the samples in a mask of cells and genes, for all bootstrap replicates at once.

The weight of a sample is the product of the weights of its cell and its gene. In row 0 all weights are 1, so row 0 is the plain score.
Undefined scores are NaN. A correlation needs three different samples, and two sides that are not constant; values that differ by
float32 noise alone count as constant. The mean over cells or genes leaves out those without a score.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from wakawaka.statistics.bootstrap import Replicates
from wakawaka.statistics.metrics import NOISE

# The most numbers in an array [replicate, gene] or [replicate, sample] of several replicates: 2 MB, which caches hold.
_MAX_SIZE = 2**18

Centres = tuple[float, float]


class Moments(NamedTuple):
    """Weighted sums over samples, as arrays of one shape: of ones (`total`), truths, predictions, their squares, and their product.

    `different` is the number of different samples. `centres` is subtracted from truths and predictions, so that sums of squares lose
    no digits.
    """

    different: np.ndarray
    centres: Centres
    total: np.ndarray
    truth: np.ndarray
    predicted: np.ndarray
    truth_squares: np.ndarray
    predicted_squares: np.ndarray
    products: np.ndarray

    def pearson(self) -> np.ndarray:
        """Return Pearson's correlations."""
        covariance = self.products - self.truth * self.predicted / np.maximum(self.total, 1)
        found = covariance / np.sqrt(self._truth() * self._predicted())
        found[self.different < 3] = np.nan
        return np.clip(found, -1, 1, out=found)

    def sd_ratio(self) -> np.ndarray:
        """Return the standard deviation of the predictions divided by the standard deviation of the truths."""
        predicted = self.predicted_squares - self.predicted**2 / np.maximum(self.total, 1)
        return np.sqrt(np.maximum(predicted, 0) / self._truth())

    def r2(self, squared_errors: np.ndarray) -> np.ndarray:
        """Return 1 - sum of squared errors / sum of squares of the truths about their mean."""
        return 1 - squared_errors / self._truth()

    def _truth(self) -> np.ndarray:
        return self._about_mean(self.truth, self.truth_squares, self.centres[0])

    def _predicted(self) -> np.ndarray:
        return self._about_mean(self.predicted, self.predicted_squares, self.centres[1])

    def _about_mean(self, values: np.ndarray, squares: np.ndarray, centre: float) -> np.ndarray:
        """Return the sums of squares about the mean; NaN where they are noise compared with the values before centring."""
        about_mean = squares - values**2 / np.maximum(self.total, 1)
        about_zero = squares + centre * (2 * values + centre * self.total)
        return np.where(about_mean > NOISE**2 * np.maximum(self.total, about_zero), about_mean, np.nan)


def samples(mask: np.ndarray, replicates: Replicates) -> np.ndarray:
    """Return the number of samples in a mask [cell, gene] in each replicate, [1 + replicate] float64."""
    return ((replicates.cells @ mask.astype(np.float64)) * replicates.genes).sum(axis=1)


def mean_loss(losses: np.ndarray, mask: np.ndarray, replicates: Replicates) -> np.ndarray:
    """Return the mean of a loss [cell, gene] over the samples of a mask, [1 + replicate] float64."""
    total = ((replicates.cells @ np.where(mask, losses, 0.0)) * replicates.genes).sum(axis=1)
    return _ratio(total, samples(mask, replicates))


def value_scores(
    truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray, replicates: Replicates
) -> dict[str, np.ndarray]:
    """Return the scores of predicted values, as a dict from names to [1 + replicate] float64.

    mse, rmse: mean squared error, and its root.
    r2: 1 - mse / variance of the truth; it can be negative.
    pearson: over all samples.
    pearson_across_genes: mean over cells of the correlation across the genes of a cell.
    pearson_across_cells: mean over genes of the correlation across the cells of a gene.
    sd_ratio: standard deviation of the predictions / standard deviation of the truth.

    Args:
        truth, predicted: [cell, gene] floats, finite in the mask.
        mask: [cell, gene] bool, the samples to score.
        replicates: weights of cells and genes.
    """
    truth, predicted, mask, replicates = _cropped(truth, predicted, mask, replicates)
    errors = np.where(mask, (truth - predicted) ** 2, 0.0)
    centres = truth[mask].mean(), predicted[mask].mean()
    truth, predicted = (
        np.where(mask, values - centre, 0.0) for values, centre in zip((truth, predicted), centres, strict=True)
    )
    terms = [mask.astype(np.float64), truth, predicted, truth**2, predicted**2, truth * predicted, errors]
    found = [_portion_scores(terms, centres, cells, genes) for cells, genes in _portions(replicates, max(mask.shape))]
    return {name: np.concatenate([portion[name] for portion in found]) for name in found[0]}


def rank_scores(
    truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray, replicates: Replicates
) -> dict[str, np.ndarray]:
    """Return Spearman's correlations: spearman, spearman_across_genes, spearman_across_cells, each [1 + replicate] float64.

    A sample of weight n has the mean rank of n equal samples. The arguments are those of `value_scores`.
    """
    found = {}
    for name, within in _within("spearman", mask).items():
        orders = [_Order(values[mask][within.order], within) for values in (truth, predicted)]
        found[name] = within.means(functools.partial(_spearman, orders, within), replicates)
    return found


def label_scores(
    truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray, replicates: Replicates
) -> dict[str, np.ndarray]:
    """Return the scores that rank labels 0 and 1, as a dict from names to [1 + replicate] float64.

    auroc: the share of the pairs of a 1 and a 0 in which the 1 has the higher prediction; ties count half (Mann and Whitney).
    aupr: average precision, the mean over the 1s of the precision among all samples with an equal or higher prediction.
    Both are over all samples and within cells (_across_genes); auroc is also within genes (_across_cells). They are undefined where
    all truths are equal.

    The arguments are those of `value_scores`; the truth is 0 or 1.
    """
    found = {}
    for function in (_auroc, _aupr):
        name = function.__name__.lstrip("_")
        for title, within in _within(name, mask).items():
            if title != "aupr_across_cells":
                labels, order = truth[mask][within.order] == 1, _Order(predicted[mask][within.order], within)
                found[title] = within.means(functools.partial(function, labels, order, within), replicates)
    return found


def _cropped(
    truth: np.ndarray, predicted: np.ndarray, mask: np.ndarray, replicates: Replicates
) -> tuple[np.ndarray, np.ndarray, np.ndarray, Replicates]:
    """Return the arguments without the cells and genes that have no sample in the mask."""
    cells, genes = mask.any(axis=1), mask.any(axis=0)
    part = np.ix_(cells, genes)
    cropped = Replicates(replicates.cells[:, cells], replicates.genes[:, genes], replicates.resampled)
    return truth[part], predicted[part], mask[part], cropped


def _portions(replicates: Replicates, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the weights of cells and genes of some replicates at a time, for arrays of `size` numbers per replicate."""
    together = max(1, _MAX_SIZE // size)
    for first in range(0, len(replicates.cells), together):
        some = slice(first, first + together)
        yield replicates.cells[some], replicates.genes[some]


def _portion_scores(
    terms: list[np.ndarray], centres: Centres, cells: np.ndarray, genes: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the scores of some replicates; `terms` [cell, gene] are those of `Moments`, then the squared errors."""
    mask = terms[0]
    of_genes = [cells @ term for term in terms]
    *pooled_sums, squared_errors = ((of_gene * genes).sum(axis=1) for of_gene in of_genes)
    drawn = (cells > 0).astype(np.float64), (genes > 0).astype(np.float64)
    different = drawn[0] @ mask
    pooled = Moments((different * drawn[1]).sum(axis=1), centres, *pooled_sums)
    of_cells = Moments(drawn[1] @ mask.T, centres, *(genes @ term.T for term in terms[:-1]))
    mse = _ratio(squared_errors, pooled.total)
    return {
        "mse": mse,
        "rmse": np.sqrt(mse),
        "r2": pooled.r2(squared_errors),
        "pearson": pooled.pearson(),
        "pearson_across_genes": _mean_of_defined(of_cells.pearson(), cells),
        "pearson_across_cells": _mean_of_defined(Moments(different, centres, *of_genes[:-1]).pearson(), genes),
        "sd_ratio": pooled.sd_ratio(),
    }


def _mean_of_defined(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted means over the last axis of the defined scores; NaN where none is defined."""
    weights = np.where(np.isfinite(scores), weights, 0)
    return _ratio(np.nansum(scores * weights, axis=-1), weights.sum(axis=-1))


def _ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    return np.where(count > 0, total / np.where(count > 0, count, 1), np.nan)


class _Within:
    """The samples of a mask, sorted by a label: the cell, the gene, or one label for all.

    Args:
        cell, gene: [sample] int, the samples of the mask.
        by: "cell", "gene" or None.
    """

    def __init__(self, cell: np.ndarray, gene: np.ndarray, by: str | None = None) -> None:
        labels = {"cell": cell, "gene": gene, None: np.zeros_like(cell)}[by]
        self.order = np.argsort(labels, kind="stable")
        self._cell, self._gene, self._by, ordered = cell[self.order], gene[self.order], by, labels[self.order]
        self.starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        self._lengths, self._labels = np.diff(np.append(self.starts, len(ordered))), ordered[self.starts]

    def means(self, score: Callable[[np.ndarray], np.ndarray], replicates: Replicates) -> np.ndarray:
        """Return the means [1 + replicate] over labels of a score, which maps weights [replicate, sample] to [replicate, label]."""
        found = []
        for cells, genes in _portions(replicates, len(self._cell)):
            scores = score(cells[:, self._cell] * genes[:, self._gene])
            weights = {"cell": cells, "gene": genes}.get(self._by or "")
            found.append(scores[:, 0] if weights is None else _mean_of_defined(scores, weights[:, self._labels]))
        return np.concatenate(found)

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Return the sums [replicate, label] of values [replicate, sample]."""
        return np.add.reduceat(values, self.starts, axis=-1)

    def spread(self, of_labels: np.ndarray) -> np.ndarray:
        """Return values of labels [..., label] as values of their samples [..., sample]."""
        return np.repeat(of_labels, self._lengths, axis=-1)


def _within(name: str, mask: np.ndarray) -> dict[str, _Within]:
    """Return the names of a score over all samples, within cells and within genes, and the samples sorted for each."""
    cell, gene = np.nonzero(mask)
    return {
        name: _Within(cell, gene),
        f"{name}_across_genes": _Within(cell, gene, by="cell"),
        f"{name}_across_cells": _Within(cell, gene, by="gene"),
    }


class _Order:
    """Values [sample] in ascending order within their labels, with ties."""

    def __init__(self, values: np.ndarray, within: _Within) -> None:
        low = np.minimum.reduceat(values, within.starts)
        high = np.maximum.reduceat(values, within.starts)
        noise = high - low <= NOISE * np.maximum(1.0, np.maximum(abs(low), abs(high)))
        values = np.where(within.spread(noise), 0, values)
        number = within.spread(np.arange(len(within.starts)))
        self.order = np.lexsort((values, number))
        ordered = values[self.order]
        changes = np.append(True, (ordered[1:] != ordered[:-1]) | (number[1:] != number[:-1]))
        # The first sample of each tie, and the first tie of each label.
        self._firsts = np.flatnonzero(changes)
        self._starts = np.searchsorted(self._firsts, within.starts)
        self._lengths = np.diff(np.append(self._firsts, len(values)))
        self._ties = np.diff(np.append(self._starts, len(self._firsts)))

    def below(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the weight of each tie, and the weight below it within its label, [replicate, tie], of weights [replicate, sample]."""
        tied = np.add.reduceat(weights[:, self.order], self._firsts, axis=-1)
        below = np.cumsum(tied, axis=-1) - tied
        return tied, below - self.spread(below[:, self._starts])

    def ranks(self, weights: np.ndarray) -> np.ndarray:
        """Return the mean ranks [replicate, sample] within labels; a sample of weight n counts as n samples."""
        tied, below = self.below(weights)
        ranks = np.empty_like(weights)
        ranks[:, self.order] = np.repeat(below + (tied + 1) / 2, self._lengths, axis=-1)
        return ranks

    def sums(self, of_ties: np.ndarray) -> np.ndarray:
        """Return the sums [replicate, label] of values of ties [replicate, tie]."""
        return np.add.reduceat(of_ties, self._starts, axis=-1)

    def spread(self, of_labels: np.ndarray) -> np.ndarray:
        """Return values of labels [replicate, label] as values of their ties [replicate, tie]."""
        return np.repeat(of_labels, self._ties, axis=-1)


def _spearman(orders: Sequence[_Order], within: _Within, weights: np.ndarray) -> np.ndarray:
    """Return Spearman's correlations [replicate, label] of two orders."""
    one, other = (order.ranks(weights) for order in orders)
    count = within.sums(weights)
    middle = within.spread((count + 1) / 2)
    one, other = one - middle, other - middle
    terms = weights, weights * one, weights * other, weights * one**2, weights * other**2, weights * one * other
    return Moments(within.sums(weights > 0), (0.0, 0.0), *[within.sums(term) for term in terms]).pearson()


def _auroc(labels: np.ndarray, order: _Order, within: _Within, weights: np.ndarray) -> np.ndarray:
    """Return the areas under the ROC curve [replicate, label] of labels [sample] bool."""
    true, false = within.sums(weights * labels), within.sums(weights * ~labels)
    statistic = within.sums(weights * labels * order.ranks(weights)) - true * (true + 1) / 2
    return _ratio(statistic, true * false)


def _aupr(labels: np.ndarray, order: _Order, within: _Within, weights: np.ndarray) -> np.ndarray:
    """Return the average precisions [replicate, label] of labels [sample] bool."""
    of_true, below_true = order.below(weights * labels)
    _, below_false = order.below(weights * ~labels)
    true, false = within.sums(weights * labels), within.sums(weights * ~labels)
    # The 1s and the 0s with a prediction as high as the tie's or higher.
    found, taken = order.spread(true) - below_true, order.spread(false) - below_false
    precision = np.nan_to_num(_ratio(found, found + taken))
    return np.where(false > 0, _ratio(order.sums(of_true * precision), true), np.nan)

"""Scores of predictions. A score that is not defined is NaN, which tables show as `-`."""

import numpy as np
import pandas as pd

NAMES = ("mse", "rmse", "r2", "pearson", "spearman", "pearson_across_genes", "pearson_across_cells")
# Of probabilities, where the truth is 0 or 1.
BINARY_NAMES = ("bce", "auroc", "aupr", "auroc_across_genes", "aupr_across_genes", "auroc_across_cells")

# Below this spread, relative to the size of the values, float32 noise is all there is, and a correlation with it means nothing.
_CONSTANT = 1e-6
# A probability of 0 for what is true would be infinitely wrong.
_CERTAIN = 1e-7


def scores(truth, predicted, cells, genes):
    """Return a dict of the scores in NAMES.

    Args:
        truth, predicted: [sample] floats, finite.
        cells, genes: [sample] labels, for the two scores that take one cell or one gene at a time.

    mse, rmse; r2 = 1 - sum of squared errors / sum of squares about the mean of the truth (can be negative); pearson
    and spearman over all samples; pearson_across_genes: the mean over cells of the correlation across the genes of a
    cell; pearson_across_cells: the mean over genes of the correlation across the cells of a gene. Correlations need three
    samples that are not constant; a cell or gene that has not is left out of the mean. R2 needs two different truths.
    """
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    if not len(truth):
        return dict.fromkeys(NAMES, np.nan)
    error = mse(truth, predicted)
    return {
        "mse": error,
        "rmse": np.sqrt(error),
        "r2": np.nan if _constant(truth) else 1 - error / np.var(truth),
        "pearson": pearson(truth, predicted),
        "spearman": pearson(_ranks(truth), _ranks(predicted)) if not _constant(predicted) else np.nan,
        "pearson_across_genes": _mean_within(pearson, truth, predicted, cells),
        "pearson_across_cells": _mean_within(pearson, truth, predicted, genes),
    }


def binary_scores(truth, predicted, cells, genes):
    """Return a dict of the scores in BINARY_NAMES.

    Args:
        truth: [sample] 0 or 1. predicted: [sample] probabilities of a 1.
        cells, genes: as for `scores`.

    bce; auroc and aupr over all samples; auroc_across_genes and aupr_across_genes: the mean over cells of those of the genes of a
    cell; auroc_across_cells: the mean over genes of that of the cells of a gene. Where all truths are the same, auroc and aupr
    are not defined; such a cell or gene is left out of the mean.
    """
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    if not len(truth):
        return dict.fromkeys(BINARY_NAMES, np.nan)
    return {
        "bce": bce(truth, predicted),
        "auroc": auroc(truth, predicted),
        "aupr": aupr(truth, predicted),
        "auroc_across_genes": _mean_within(auroc, truth, predicted, cells),
        "aupr_across_genes": _mean_within(aupr, truth, predicted, cells),
        "auroc_across_cells": _mean_within(auroc, truth, predicted, genes),
    }


def mse(truth, predicted):
    """Return the mean squared error."""
    return float(np.mean((np.asarray(truth, np.float64) - predicted) ** 2))


def bce(truth, predicted):
    """Return the mean cross-entropy (log loss, natural logarithm) of probabilities, which count as 1e-7 from 0 and 1 at least."""
    return float(np.mean(cross_entropies(truth, predicted)))


def cross_entropies(truth, predicted):
    """Return the cross-entropy of every sample, of which `bce` is the mean."""
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    return -np.log(np.clip(np.where(truth == 1, predicted, 1 - predicted), _CERTAIN, 1 - _CERTAIN))


def auroc(truth, predicted):
    """Return the area under the ROC curve: the part of the pairs of a 1 and a 0 in which the 1 is predicted higher, ties half."""
    true, false = roc_curve(truth, predicted)
    return float(np.trapezoid(true, false))


def aupr(truth, predicted):
    """Return the average precision: the mean, over the 1s, of the precision among all that is predicted as high or higher.

    That is the area under the precision-recall curve in steps, without interpolation between its points.
    """
    true, false = _counts(truth, predicted)
    if not (true[-1] and false[-1]):
        return np.nan
    return float(np.sum(np.diff(true) * true[1:] / (true[1:] + false[1:])) / true[-1])


def roc_curve(truth, predicted):
    """Return the true and false positive rates [point], from (0, 0) to (1, 1), of all thresholds; NaN if all truths are the same."""
    true, false = _counts(truth, predicted)
    if not (true[-1] and false[-1]):
        return np.full(2, np.nan), np.full(2, np.nan)
    return true / true[-1], false / false[-1]


def pearson(one, other):
    """Return Pearson's correlation of two [sample] arrays, NaN for fewer than three samples or a constant."""
    if len(one) < 3 or _constant(one) or _constant(other):
        return np.nan
    return float(np.corrcoef(one, other)[0, 1])


def _ranks(values):
    return pd.Series(values).rank().to_numpy()


def _constant(values):
    return np.ptp(values) <= _CONSTANT * max(1.0, np.abs(values).max())


def _counts(truth, predicted):
    """Return the numbers of 1s and of 0s [threshold] that are predicted at or above each threshold, from none to all of them.

    Equal predictions, and all that differ by float32 noise alone, are one threshold.
    """
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    order = np.argsort(-predicted, kind="stable")
    last = np.append(np.diff(predicted[order]) != 0, True)
    if _constant(predicted):
        last[:-1] = False
    true = np.append(0, np.cumsum(truth[order])[last])
    return true, np.append(0, np.flatnonzero(last) + 1) - true


def _mean_within(score, truth, predicted, labels):
    """Return the mean of a score of the samples of each label."""
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.asarray(labels)[order][1:] != np.asarray(labels)[order][:-1]) + 1
    within = [score(truth[rows], predicted[rows]) for rows in np.split(order, ends)]
    within = [value for value in within if np.isfinite(value)]
    return float(np.mean(within)) if within else np.nan

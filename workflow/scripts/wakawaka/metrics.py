"""Scores of predictions. A score that is not defined is NaN, which tables show as `-`."""

import numpy as np
from scipy import stats

NAMES = ("mse", "rmse", "r2", "pearson", "spearman", "pearson_across_genes", "pearson_across_cells")

# Below this spread, relative to the size of the values, float32 noise is all there is, and a correlation with it means nothing.
_CONSTANT = 1e-6


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
    mse = np.mean((truth - predicted) ** 2)
    return {
        "mse": mse,
        "rmse": np.sqrt(mse),
        "r2": np.nan if _constant(truth) else 1 - mse / np.var(truth),
        "pearson": pearson(truth, predicted),
        "spearman": pearson(stats.rankdata(truth), stats.rankdata(predicted)) if not _constant(predicted) else np.nan,
        "pearson_across_genes": _mean_within(truth, predicted, cells),
        "pearson_across_cells": _mean_within(truth, predicted, genes),
    }


def pearson(one, other):
    """Return Pearson's correlation of two [sample] arrays, NaN for fewer than three samples or a constant."""
    if len(one) < 3 or _constant(one) or _constant(other):
        return np.nan
    return float(np.corrcoef(one, other)[0, 1])


def _constant(values):
    return np.ptp(values) <= _CONSTANT * max(1.0, np.abs(values).max())


def _mean_within(truth, predicted, labels):
    """Return the mean of Pearson's correlations within the samples of each label."""
    order = np.argsort(labels, kind="stable")
    ends = np.flatnonzero(np.asarray(labels)[order][1:] != np.asarray(labels)[order][:-1]) + 1
    within = [pearson(truth[rows], predicted[rows]) for rows in np.split(order, ends)]
    within = [value for value in within if np.isfinite(value)]
    return float(np.mean(within)) if within else np.nan

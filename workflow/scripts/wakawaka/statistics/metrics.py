"""Losses and simple scores of predictions [sample]; those of blocks of cells and genes are in block_scores.py."""

import numpy as np

# Below this spread, relative to the size of the values, float32 noise is all there is, and a correlation with it means nothing.
NOISE = 1e-6
# A probability of 0 for what is true would be infinitely wrong.
_CERTAIN = 1e-7


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


def roc_curve(truth, predicted):
    """Return the true and false positive rates [point], from (0, 0) to (1, 1), of all thresholds; NaN if all truths are the same.

    Equal predictions, and all that differ by float32 noise alone, are one threshold.
    """
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    order = np.argsort(-predicted, kind="stable")
    last = np.append(np.diff(predicted[order]) != 0, True)
    if _constant(predicted):
        last[:-1] = False
    true = np.append(0, np.cumsum(truth[order])[last])
    false = np.append(0, np.flatnonzero(last) + 1) - true
    if not (true[-1] and false[-1]):
        return np.full(2, np.nan), np.full(2, np.nan)
    return true / true[-1], false / false[-1]


def pearson(one, other):
    """Return Pearson's correlation of two [sample] arrays, NaN for fewer than three samples or a constant."""
    if len(one) < 3 or _constant(one) or _constant(other):
        return np.nan
    return float(np.corrcoef(one, other)[0, 1])


def _constant(values):
    return np.ptp(values) <= NOISE * max(1.0, np.abs(values).max())

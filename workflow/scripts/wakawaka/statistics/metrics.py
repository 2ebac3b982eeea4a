"""Losses and simple scores of predictions [sample]; weighted_metrics.py scores masks of cells and genes."""

import numpy as np

# A spread below this part of the values is float32 noise, and a correlation with it is undefined.
NOISE = 1e-6
# Probabilities keep this distance from 0 and 1, because the loss of a certain wrong prediction is infinite.
_MIN_DISTANCE = 1e-7


def mse(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean squared error."""
    return float(np.mean((np.asarray(truth, np.float64) - predicted) ** 2))


def bce(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the mean cross-entropy (log loss, natural logarithm) of probabilities, clipped to 1e-7 and 1 - 1e-7."""
    return float(np.mean(cross_entropies(truth, predicted)))


def cross_entropies(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the cross-entropy of every sample as float64; `bce` is their mean."""
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    return -np.log(np.clip(np.where(truth == 1, predicted, 1 - predicted), _MIN_DISTANCE, 1 - _MIN_DISTANCE))


def roc_curve(truth: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the true and false positive rates [point] of all thresholds, from (0, 0) to (1, 1).

    Equal predictions share a threshold, and so do all predictions that differ by float32 noise alone. Both arrays are two NaN if all
    truths are equal.
    """
    truth, predicted = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    order = np.argsort(-predicted, kind="stable")
    last = np.append(np.diff(predicted[order]) != 0, True)
    if _is_constant(predicted):
        last[:-1] = False
    true = np.append(0, np.cumsum(truth[order])[last])
    false = np.append(0, np.flatnonzero(last) + 1) - true
    if not (true[-1] and false[-1]):
        return np.full(2, np.nan), np.full(2, np.nan)
    return true / true[-1], false / false[-1]


def pearson(one: np.ndarray, other: np.ndarray) -> float:
    """Return Pearson's correlation of two [sample] arrays; NaN for fewer than three samples or a constant."""
    if len(one) < 3 or _is_constant(one) or _is_constant(other):
        return np.nan
    return float(np.corrcoef(one, other)[0, 1])


def _is_constant(values: np.ndarray) -> bool:
    return bool(np.ptp(values) <= NOISE * max(1.0, np.abs(values).max()))

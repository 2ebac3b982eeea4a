"""Ridge regression from sums of products: memory does not grow with the number of samples."""

import functools
from collections.abc import Sequence

import numpy as np

# Penalties to choose from, per sample and in units of a standardised feature's variance.
PENALTIES = 10.0 ** np.arange(-6, 3)

# A feature is constant if its standard deviation is below this part of its mean: float32 holds seven digits.
ROUNDING = 1e-6


class Ridge:
    """Least squares with a penalty on the squared weights of standardised features (Hoerl and Kennard, Technometrics 1970, 12:55).

    Cross-validation over blocks of samples chooses the penalty from `PENALTIES`: all other blocks are fitted, and the squared error of
    the left-out block is added up. The sums of each block are enough for that. If all samples are in one block, the largest penalty is
    taken, and predictions stay near the mean.

    Memory is (blocks + about 7) * (features + 2)**2 * 8 bytes: 1.5 GB for 4,000 features and 5 blocks.

    Args:
        features: number of features.
        blocks: number of blocks.

    Attributes:
        penalty: the chosen penalty, after `fit`.
        weights: [feature] float64, after `fit`.
        offset: float, after `fit`.
    """

    penalty: float
    weights: np.ndarray
    offset: float

    def __init__(self, features: int, blocks: int) -> None:
        # Sums of all products of (1, features, target), each less its origin.
        self._sums = np.zeros((blocks, features + 2, features + 2))
        self._origin: np.ndarray | None = None

    def add(self, features: np.ndarray, target: np.ndarray, block: np.ndarray) -> None:
        """Add samples.

        Args:
            features: [sample, feature] floats.
            target: [sample] floats.
            block: [sample] int, the block of each sample.
        """
        if not len(features):
            return
        rows = np.column_stack([np.ones(len(features)), features, target])
        if self._origin is None:
            # Squares of features far from 0 would lose the digits that their differences need.
            self._origin = np.append(0, rows[:, 1:].mean(axis=0))
        rows -= self._origin
        for number in np.unique(block):
            some = rows[block == number]
            self._sums[number] += some.T @ some

    def fit(self) -> "Ridge":
        """Choose the penalty, fit all samples and return self; there must be at least one sample."""
        assert self._origin is not None, "no sample was added"
        # No copies, because these matrices are large.
        blocks = [sums for sums in self._sums if sums[0, 0] > 0]
        self.penalty = float(_best_penalty(blocks, self._origin))
        solution = _solutions(_total(blocks), self._origin, [self.penalty])[0]
        self.weights = solution[1:]
        self.offset = float(solution[0] + self._origin[-1] - self._origin[1:-1] @ self.weights)
        return self

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the predictions [sample] float64 for features [sample, feature]."""
        return features @ self.weights + self.offset


def _best_penalty(blocks: list[np.ndarray], origin: np.ndarray) -> float:
    """Return the penalty with the least squared error on left-out blocks; the largest penalty if there is one block."""
    if len(blocks) < 2:
        return PENALTIES[-1]
    errors = np.zeros(len(PENALTIES))
    for number, block in enumerate(blocks):
        # Added up again, because the difference from the total would lose digits.
        solutions = _solutions(_total(blocks[:number] + blocks[number + 1 :]), origin, PENALTIES)
        errors += [_squared_error(block, solution) for solution in solutions]
    return PENALTIES[np.argmin(errors)]


def _total(blocks: list[np.ndarray]) -> np.ndarray:
    return functools.reduce(np.add, blocks)


def _solutions(sums: np.ndarray, origin: np.ndarray, penalties: Sequence[float] | np.ndarray) -> list[np.ndarray]:
    """Return (offset, weights) [penalty, 1 + feature] for sums of products of (1, features, target), less the origin."""
    count, means = sums[0, 0], sums[0] / sums[0, 0]
    covariance = sums / count - np.outer(means, means)
    scale = np.sqrt(np.maximum(np.diag(covariance)[1:-1], 0))
    # A constant feature has no weight. Sums less the origin are rounded too.
    size = np.maximum(np.abs(means + origin), np.abs(means))[1:-1]
    scale[scale <= ROUNDING * size] = np.inf
    values, vectors = np.linalg.eigh(covariance[1:-1, 1:-1] / np.outer(scale, scale))
    projected = vectors.T @ (covariance[1:-1, -1] / scale)
    weights = [vectors @ (projected / (np.maximum(values, 0) + penalty)) / scale for penalty in penalties]
    return [np.append(means[-1] - weight @ means[1:-1], weight) for weight in weights]


def _squared_error(sums: np.ndarray, solution: np.ndarray) -> float:
    """Return the sum of squared errors of a solution on the samples of these sums."""
    contrast = np.append(solution, -1.0)
    return contrast @ sums @ contrast

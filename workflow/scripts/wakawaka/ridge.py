"""Ridge regression from sums alone: however many samples there are, memory holds a few matrices of [feature, feature]."""

import numpy as np

# Penalties to choose from, per sample and in units of a standardised feature's variance.
PENALTIES = 10.0 ** np.arange(-6, 3)


class Ridge:
    """Least squares with a penalty on the squared weights of standardised features (Hoerl and Kennard, Technometrics 1970, 12:55).

    The penalty is the one of `PENALTIES` with the least squared error on left-out blocks of the samples: all other blocks are fitted,
    and their weights tried on the block left out. For this the sums of each block are enough.

    Args:
        features: number of features. blocks: number of blocks, at least 2.

    Attributes:
        penalty: the one chosen. weights: [feature] float64. offset: float. They are there after `fit`.
    """

    def __init__(self, features, blocks):
        # Of (1, features, target): sums of all products.
        self._sums = np.zeros((blocks, features + 2, features + 2))

    def add(self, features, target, block):
        """Add samples: features [sample, feature], target [sample], and the numbers of their blocks [sample]."""
        rows = np.column_stack([np.ones(len(features)), features, target]).astype(np.float64)
        for number in np.unique(block):
            some = rows[block == number]
            self._sums[number] += some.T @ some

    def fit(self):
        """Choose the penalty and fit all samples; return self."""
        whole = self._sums.sum(axis=0)
        present = self._sums[self._sums[:, 0, 0] > 0]
        errors = np.zeros(len(PENALTIES))
        for block in present if len(present) > 1 else ():
            solutions = _solutions(whole - block)
            errors += [_squared_error(block, weights) for weights in solutions]
        self.penalty = float(PENALTIES[np.argmin(errors)])
        solution = _solutions(whole)[np.argmin(errors)]
        self.offset, self.weights = float(solution[0]), solution[1:]
        return self

    def predict(self, features):
        """Return the predictions [sample] float64 for features [sample, feature]."""
        return features @ self.weights + self.offset


def _solutions(sums):
    """Return (offset, weights) [penalty, 1 + feature] for the sums of products of (1, features, target)."""
    count, means = sums[0, 0], sums[0] / sums[0, 0]
    covariance = sums / count - np.outer(means, means)
    scale = np.sqrt(np.maximum(np.diag(covariance)[1:-1], 0))
    # A feature that never changes has no weight.
    scale[scale <= 1e-9 * np.maximum(1, np.abs(means[1:-1]))] = np.inf
    values, vectors = np.linalg.eigh(covariance[1:-1, 1:-1] / np.outer(scale, scale))
    projected = vectors.T @ (covariance[1:-1, -1] / scale)
    weights = [vectors @ (projected / (np.maximum(values, 0) + penalty)) / scale for penalty in PENALTIES]
    return [np.append(means[-1] - weight @ means[1:-1], weight) for weight in weights]


def _squared_error(sums, solution):
    """Return the sum of squared errors of a solution on the samples of these sums."""
    contrast = np.append(solution, -1.0)
    return contrast @ sums @ contrast

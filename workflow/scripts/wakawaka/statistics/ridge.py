"""Ridge regression from sums alone: however many samples there are, memory holds a few matrices of [feature, feature]."""

import numpy as np

# Penalties to choose from, per sample and in units of a standardised feature's variance.
PENALTIES = 10.0 ** np.arange(-6, 3)

# A feature whose standard deviation is a smaller part of its mean is constant but for rounding: a float32 holds seven digits.
ROUNDING = 1e-6


class Ridge:
    """Least squares with a penalty on the squared weights of standardised features (Hoerl and Kennard, Technometrics 1970, 12:55).

    The penalty is the one of `PENALTIES` with the least squared error on left-out blocks of the samples: all other blocks are fitted,
    and their weights tried on the block left out. For this the sums of each block are enough. Where all samples are in one block,
    nothing says how far the features can be trusted, and the penalty is the largest: predictions stay near the mean.

    Memory is (blocks + about 7) * (features + 2)**2 * 8 bytes: 1.5 GB for 4,000 features and 5 blocks.

    Args:
        features: number of features. blocks: number of blocks.

    Attributes:
        penalty: the one chosen. weights: [feature] float64. offset: float. They are there after `fit`.
    """

    def __init__(self, features, blocks):
        # Of (1, features, target), less the origin: sums of all products.
        self._sums = np.zeros((blocks, features + 2, features + 2))
        self._origin = None

    def add(self, features, target, block):
        """Add samples.

        Args:
            features: [sample, feature] floats. target: [sample] floats. block: [sample] int, the numbers of their blocks.
        """
        if not len(features):
            return
        rows = np.column_stack([np.ones(len(features)), features, target])
        if self._origin is None:
            # Squares of features far from 0 would use up the digits that their differences need.
            self._origin = np.append(0, rows[:, 1:].mean(axis=0))
        rows -= self._origin
        for number in np.unique(block):
            some = rows[block == number]
            self._sums[number] += some.T @ some

    def fit(self):
        """Choose the penalty and fit all samples, of which there must be one; return self."""
        # No copies: they are large.
        blocks = [sums for sums in self._sums if sums[0, 0] > 0]
        self.penalty = float(_best_penalty(blocks, self._origin))
        solution = _solutions(sum(blocks), self._origin, [self.penalty])[0]
        self.weights = solution[1:]
        self.offset = float(solution[0] + self._origin[-1] - self._origin[1:-1] @ self.weights)
        return self

    def predict(self, features):
        """Return the predictions [sample] float64 for features [sample, feature]."""
        return features @ self.weights + self.offset


def _best_penalty(blocks, origin):
    """Return the penalty with the least squared error on left-out blocks, a list of sums; the largest if there is one block alone."""
    if len(blocks) < 2:
        return PENALTIES[-1]
    errors = np.zeros(len(PENALTIES))
    for number, block in enumerate(blocks):
        # Added up anew: the difference from the sum of all would lose digits.
        solutions = _solutions(sum(blocks[:number] + blocks[number + 1 :]), origin, PENALTIES)
        errors += [_squared_error(block, solution) for solution in solutions]
    return PENALTIES[np.argmin(errors)]


def _solutions(sums, origin, penalties):
    """Return (offset, weights) [penalty, 1 + feature] for the sums of products of (1, features, target), less the origin."""
    count, means = sums[0, 0], sums[0] / sums[0, 0]
    covariance = sums / count - np.outer(means, means)
    scale = np.sqrt(np.maximum(np.diag(covariance)[1:-1], 0))
    # A feature that never changes has no weight. Sums less the origin are rounded too.
    size = np.maximum(np.abs(means + origin), np.abs(means))[1:-1]
    scale[scale <= ROUNDING * size] = np.inf
    values, vectors = np.linalg.eigh(covariance[1:-1, 1:-1] / np.outer(scale, scale))
    projected = vectors.T @ (covariance[1:-1, -1] / scale)
    weights = [vectors @ (projected / (np.maximum(values, 0) + penalty)) / scale for penalty in penalties]
    return [np.append(means[-1] - weight @ means[1:-1], weight) for weight in weights]


def _squared_error(sums, solution):
    """Return the sum of squared errors of a solution on the samples of these sums."""
    contrast = np.append(solution, -1.0)
    return contrast @ sums @ contrast

import numpy as np
import pytest

from wakawaka.ridge import PENALTIES, Ridge


def samples(count=120, features=6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, features)) * [1, 2, 0.1, 5, 1, 1] + [0, 50, 3, 0, -2, 0]
    return x, x @ [1, 0.5, 4, 0, 0, -1] + rng.normal(size=count), rng.integers(3, size=count)


def fitted(x, y, block):
    ridge = Ridge(x.shape[1], 3)
    for rows in np.array_split(np.arange(len(x)), 4):
        ridge.add(x[rows], y[rows], block[rows])
    return ridge.fit()


def by_definition(x, y, penalty):
    """The minimum of mean squared error + penalty * squared weights of standardised features, by stacking rows."""
    mean, scale = x.mean(axis=0), x.std(axis=0)
    z = np.vstack([(x - mean) / scale, np.sqrt(penalty * len(x)) * np.eye(x.shape[1])])
    weights = np.linalg.lstsq(z, np.append(y - y.mean(), np.zeros(x.shape[1])))[0] / scale
    return weights, y.mean() - mean @ weights


def test_it_is_the_minimum_of_its_definition():
    x, y, block = samples()
    ridge = fitted(x, y, block)
    weights, offset = by_definition(x, y, ridge.penalty)
    assert ridge.weights == pytest.approx(weights, rel=1e-6) and ridge.offset == pytest.approx(offset, rel=1e-6)
    assert ridge.predict(x) == pytest.approx(x @ weights + offset)


def test_the_penalty_is_the_best_on_left_out_blocks():
    # Nothing but noise in most features: some penalty is better than almost none.
    rng = np.random.default_rng(1)
    x, block = rng.normal(size=(40, 30)), np.arange(40) % 4
    y = x[:, 0] + 2 * rng.normal(size=40)
    errors = []
    for penalty in PENALTIES:
        left_out = 0
        for number in range(4):
            inside = block != number
            weights, offset = by_definition(x[inside], y[inside], penalty)
            left_out += ((x[~inside] @ weights + offset - y[~inside]) ** 2).sum()
        errors.append(left_out)
    ridge = Ridge(30, 4)
    ridge.add(x, y, block)
    assert ridge.fit().penalty == PENALTIES[np.argmin(errors)] > PENALTIES[0]


def test_constant_features_have_no_weight():
    x, y, block = samples()
    x[:, 2] = 7
    ridge = fitted(x, y, block)
    assert ridge.weights[2] == 0 and np.isfinite(ridge.weights).all()


def test_one_block_is_fitted_with_the_least_penalty():
    x, y, _ = samples()
    assert fitted(x, y, np.zeros(len(x), int)).penalty == PENALTIES[0]

"""Ridge regression against its definition and scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge as TheirRidge
from sklearn.preprocessing import StandardScaler

from wakawaka.statistics.ridge import PENALTIES, Ridge


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
    """Return the minimum of mean squared error + penalty * squared weights of standardised features, by stacking rows."""
    mean, scale = x.mean(axis=0), x.std(axis=0)
    z = np.vstack([(x - mean) / scale, np.sqrt(penalty * len(x)) * np.eye(x.shape[1])])
    weights = np.linalg.lstsq(z, np.append(y - y.mean(), np.zeros(x.shape[1])))[0] / scale
    return weights, y.mean() - mean @ weights


def test_the_fit_is_the_minimum_of_the_penalised_error():
    x, y, block = samples()
    ridge = fitted(x, y, block)
    weights, offset = by_definition(x, y, ridge.penalty)
    assert ridge.weights == pytest.approx(weights, rel=1e-6) and ridge.offset == pytest.approx(offset, rel=1e-6)
    assert ridge.predict(x) == pytest.approx(x @ weights + offset)


@pytest.mark.parametrize("features", [1, 6, 80])
def test_the_fit_is_that_of_scikit_learn(features):
    rng = np.random.default_rng(features)
    x = rng.normal(size=(60, features)) * rng.uniform(0.1, 5, features) + rng.normal(size=features)
    y, block = x[:, 0] + 2 * rng.normal(size=60), rng.integers(3, size=60)
    ours, standard = fitted(x, y, block), StandardScaler().fit(x)
    theirs = TheirRidge(alpha=ours.penalty * len(x)).fit(standard.transform(x), y)
    other = rng.normal(size=(20, features))
    assert ours.predict(other) == pytest.approx(theirs.predict(standard.transform(other)), rel=1e-8)


def test_the_penalty_is_the_best_on_left_out_blocks():
    # Most features are noise, so some penalty is better than almost none.
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


def test_features_constant_but_for_rounding_have_no_weight():
    x, y, block = samples()
    # Two neighbouring float32 numbers.
    x[:, 2] = np.where(y > np.median(y), np.float32(0.3), np.nextafter(np.float32(0.3), np.float32(1)))
    assert fitted(x, y, block).weights[2] == 0
    # Small values may vary much relative to their size.
    x[:, 2] = 1e-12 * y
    assert fitted(x, y, block).weights[2] > 0


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_samples_does_not_matter_where_a_feature_is_0_in_all_but_one_block(seed):
    x, y, block = samples(seed=seed)
    x[:, 2] = np.where(block == 1, np.random.default_rng(seed).uniform(size=len(x)), 0)
    ridges = []
    for first in (block == 1, block != 1):
        ridge = Ridge(x.shape[1], 3)
        for rows in (first, ~first):
            ridge.add(x[rows], y[rows], block[rows])
        ridges.append(ridge.fit())
    # Less the mean of the first samples, the other blocks hold one constant, and its squares are rounded.
    assert ridges[0].penalty == ridges[1].penalty and ridges[0].weights == pytest.approx(ridges[1].weights)


@pytest.mark.parametrize("first", [1, 50])
def test_features_far_from_zero_lose_no_digits(first):
    x, y, block = samples()
    x, y = x - x.mean(axis=0), y - y.mean()
    near, far = fitted(x, y, block), Ridge(x.shape[1], 3)
    # The origin may come from few samples.
    for rows in (slice(first), slice(first, None)):
        far.add(x[rows] + 1e4, y[rows] + 1e6, block[rows])
    far.fit()
    assert far.penalty == near.penalty and far.weights == pytest.approx(near.weights, rel=3e-10, abs=1e-12)
    assert far.predict(x + 1e4) - 1e6 == pytest.approx(near.predict(x), abs=1e-8)


def test_with_one_block_the_penalty_is_the_largest():
    x, y, _ = samples()
    ridge = fitted(x, y, np.ones(len(x), int))
    assert ridge.penalty == PENALTIES[-1] and np.ptp(ridge.predict(x)) < 0.1 * np.ptp(y)


def test_empty_blocks_are_left_out():
    x, y, block = samples()
    few, many = fitted(x, y, block % 2), Ridge(x.shape[1], 9)
    many.add(x, y, 4 * (block % 2))
    assert many.fit().penalty == few.penalty and many.weights == pytest.approx(few.weights)


def test_a_single_sample_is_its_own_prediction():
    ridge = Ridge(2, 5)
    ridge.add(np.zeros((0, 2)), np.zeros(0), np.zeros(0, int))
    ridge.add(np.array([[1.0, 2]]), np.array([3.0]), np.array([4]))
    assert ridge.fit().predict(np.array([[1.0, 2], [5, 6]])).tolist() == [3, 3]

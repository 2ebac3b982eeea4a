"""Losses and simple scores against their definitions and scikit-learn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import log_loss, mean_squared_error

from wakawaka.statistics.metrics import bce, mse, pearson, roc_curve

# Few different probabilities, so that many are tied; no closer to each other than float32 noise.
labelled = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])), min_size=1, max_size=20
).map(lambda pairs: [np.array(column, float) for column in zip(*pairs, strict=True)])


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_scipy_and_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    truth, predicted = rng.normal(3, 2, size=(2, 50))
    assert mse(truth, predicted) == pytest.approx(mean_squared_error(truth, predicted))
    assert pearson(truth, predicted) == pytest.approx(stats.pearsonr(truth, predicted).statistic)
    labels, chances = truth > 3, rng.uniform(0.01, 0.99, size=50)
    assert bce(labels, chances) == pytest.approx(log_loss(labels, chances))


def test_float_noise_has_no_correlation():
    """A DNA-only model predicts equal values for a gene in all cells, except for the last bits of float32."""
    truth = np.array([1.0, 2.0, 3.0, 2.0, 4.0, 6.0])
    assert np.isnan(pearson(truth, 3.0 + np.array([0, 1, -1, 0, 1, -1]) * 1e-7))
    assert np.isnan(pearson(truth[:2], truth[:2]))


@settings(deadline=None, max_examples=200)
@given(labelled)
def test_every_threshold_is_a_point_of_the_roc_curve(samples):
    truth, predicted = samples
    true, false = roc_curve(truth, predicted)
    if not 0 < truth.sum() < len(truth):
        assert np.isnan(true).all() and np.isnan(false).all()
        return
    expected = [(0.0, 0.0)]
    for threshold in sorted(set(predicted.tolist()), reverse=True):
        called = predicted >= threshold
        expected.append((called[truth == 1].mean(), called[truth == 0].mean()))
    assert np.allclose(np.stack([true, false], axis=1), expected)


def test_cross_entropy():
    assert bce([1, 0], [0.5, 0.75]) == pytest.approx((np.log(2) + np.log(4)) / 2)
    # A certain wrong prediction counts as 1e-7, in float32 too.
    for dtype in (np.float32, np.float64):
        assert bce([1, 0], np.array([0, 1], dtype)) == pytest.approx(-np.log(1e-7))
        assert bce([1, 0], np.array([1, 0], dtype)) == pytest.approx(1e-7)

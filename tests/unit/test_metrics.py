import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakawaka.metrics import BINARY_NAMES, NAMES, aupr, auroc, bce, binary_scores, pearson, roc_curve, scores

CELLS = np.array(["a", "a", "a", "b", "b", "b"])
GENES = np.array(["x", "y", "z", "x", "y", "z"])
TRUTH = np.array([1.0, 2.0, 3.0, 2.0, 4.0, 6.0])


def test_literal_scores():
    found = scores(TRUTH, TRUTH + [1, -1, 1, -1, 1, -1], CELLS, GENES)
    assert found["mse"] == pytest.approx(1.0)
    assert found["rmse"] == pytest.approx(1.0)
    # The truth's variance is 16/6: R2 = 1 - 1 / (16/6).
    assert found["r2"] == pytest.approx(1 - 6 / 16)
    # Predictions 2 1 4 1 5 5: covariance 14/6, variances 16/6 and 18/6.
    assert found["pearson"] == pytest.approx(14 / np.sqrt(16 * 18))


def test_across_genes_is_the_mean_within_cells():
    predicted = np.array([1.0, 2.0, 3.0, -2.0, -4.0, -6.0])
    assert scores(TRUTH, predicted, CELLS, GENES)["pearson_across_genes"] == pytest.approx(0.0)


def test_spearman_takes_ranks_alone():
    assert scores(TRUTH, np.exp(TRUTH), CELLS, GENES)["spearman"] == pytest.approx(1.0)


def test_undefined_scores_are_nan():
    constant = scores(TRUTH, np.full(6, 2.0), CELLS, GENES)
    assert constant["mse"] > 0
    assert all(np.isnan(constant[name]) for name in NAMES if "pearson" in name or name == "spearman")
    # Two cells are too few for a correlation across the cells of a gene.
    assert np.isnan(scores(TRUTH, TRUTH, CELLS, GENES)["pearson_across_cells"])
    assert np.isnan(scores(np.ones(6), TRUTH, CELLS, GENES)["r2"])
    assert all(np.isnan(value) for value in scores([], [], [], []).values())


def test_float_noise_is_no_correlation():
    """A DNA-only model predicts the same for a gene in every cell, but for the last bits of float32."""
    noisy = 3.0 + np.array([0, 1, -1, 0, 1, -1]) * 1e-7
    assert np.isnan(pearson(TRUTH, noisy))


# Labels. Few different probabilities, so that many are tied; no closer to each other than float32 noise.

labelled = st.lists(
    st.tuples(st.sampled_from([0, 1]), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])), min_size=1, max_size=20
).map(lambda pairs: [np.array(column, float) for column in zip(*pairs, strict=True)])


@settings(deadline=None, max_examples=200)
@given(labelled)
def test_auroc_is_the_part_of_the_pairs_in_order(samples):
    truth, predicted = samples
    pairs = [(one > zero) + (one == zero) / 2 for one in predicted[truth == 1] for zero in predicted[truth == 0]]
    expected = np.mean(pairs) if pairs else np.nan
    assert auroc(truth, predicted) == pytest.approx(expected, nan_ok=True)


@settings(deadline=None, max_examples=200)
@given(labelled)
def test_aupr_is_the_mean_over_the_thresholds(samples):
    """As scikit-learn defines it: the sum over thresholds of (recall - recall before) x precision."""
    truth, predicted = samples
    expected, before = 0.0, 0.0
    if not 0 < truth.sum() < len(truth):
        assert np.isnan(aupr(truth, predicted))
        return
    for threshold in sorted(set(predicted.tolist()), reverse=True):
        called = predicted >= threshold
        precision, recall = truth[called].mean(), truth[called].sum() / truth.sum()
        expected += (recall - before) * precision
        before = recall
    assert aupr(truth, predicted) == pytest.approx(expected)


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
    # Certain and wrong: 1e-7 stands for nothing, in float32 too.
    for dtype in (np.float32, np.float64):
        assert bce([1, 0], np.array([0, 1], dtype)) == pytest.approx(-np.log(1e-7))
        assert bce([1, 0], np.array([1, 0], dtype)) == pytest.approx(1e-7)


def test_scores_of_labels_within_cells_and_genes():
    truth = np.array([0, 1, 1, 1, 1, 1])
    predicted = np.array([0.5, 0.9, 0.2, 0.6, 0.1, 0.3])
    found = binary_scores(truth, predicted, CELLS, GENES)
    assert list(found) == list(BINARY_NAMES)
    # Above 0.5 are two of the five 1s: precisions 1, 1, then 3/4, 4/5 and 5/6.
    assert found["auroc"] == pytest.approx(2 / 5)
    assert found["aupr"] == pytest.approx((1 + 1 + 3 / 4 + 4 / 5 + 5 / 6) / 5)
    # Cell b has nothing but 1s; in cell a one of the two pairs is in order.
    assert found["auroc_across_genes"] == pytest.approx(1 / 2)
    assert found["aupr_across_genes"] == pytest.approx((1 + 2 / 3) / 2)
    # Gene x alone has both: 0.5 in cell a, 0.6 in b.
    assert found["auroc_across_cells"] == 1
    nothing = binary_scores(np.ones(6), predicted, CELLS, GENES)
    assert nothing.pop("bce") > 0 and all(np.isnan(value) for value in nothing.values())
    assert all(np.isnan(value) for value in binary_scores([], [], [], []).values())


def test_a_constant_guesses_and_float_noise_is_a_constant():
    truth = np.array([0, 1, 0, 1, 1, 0, 1, 1])
    for predicted in (np.full(8, 0.625), 0.625 + truth * 1e-8):
        assert auroc(truth, predicted) == 0.5 and aupr(truth, predicted) == 5 / 8

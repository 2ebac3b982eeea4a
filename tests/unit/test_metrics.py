import numpy as np
import pytest

from wakawaka.metrics import NAMES, pearson, scores

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

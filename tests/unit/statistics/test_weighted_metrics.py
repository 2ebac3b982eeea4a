"""Weighted scores against scipy and scikit-learn, on samples that are repeated as often as their weight."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, mean_squared_error, r2_score, roc_auc_score

from wakawaka.statistics import weighted_metrics
from wakawaka.statistics.bootstrap import Replicates, draw_replicates

CELLS, GENES, REPLICATES = 7, 40, 15


def random_mask(seed, cells=CELLS, genes=GENES, density=0.7):
    """Return truth, prediction and mask [cell, gene]; the truth has effects of genes and of cells, predictions have ties."""
    rng = np.random.default_rng(seed)
    truth = 50 + 3 * rng.normal(size=genes) + rng.normal(size=(cells, 1)) + rng.normal(size=(cells, genes))
    predicted = np.round(truth + rng.normal(size=truth.shape) + rng.normal(size=genes), 1)
    mask = rng.random(truth.shape) < density
    truth[~mask] = np.nan
    return truth, predicted, mask


def replicates_of(mask, seed=0):
    return draw_replicates(mask, np.arange(mask.shape[1]), REPLICATES, seed)


def copies(mask, replicates, number):
    """Return the cells and the genes of the samples of a replicate, each sample repeated by its weight."""
    cell, gene = np.nonzero(mask)
    times = (replicates.cells[number, cell] * replicates.genes[number, gene]).astype(int)
    return np.repeat(cell, times), np.repeat(gene, times)


def mean_of_copies(score, truth, predicted, mask, outer, inner):
    """Return the mean score within rows; `outer` are the weights of rows, `inner` those of the samples in them."""
    found = []
    for row, weight in enumerate(outer.astype(int)):
        columns = np.repeat(np.flatnonzero(mask[row]), inner[mask[row]].astype(int))
        found += [score(truth[row, columns], predicted[row, columns], len(set(columns)))] * weight
    return np.nanmean(found)


def correlation(function):
    """Return a score function: a correlation of three different samples or more."""

    def score(truth, predicted, different):
        varied = different > 2 and np.ptp(truth) > 0 and np.ptp(predicted) > 0
        return function(truth, predicted).statistic if varied else np.nan

    return score


def of_labels(function):
    return lambda truth, predicted, different: function(truth, predicted) if 0 < truth.sum() < len(truth) else np.nan


def check_within(found, name, score, truth, predicted, mask, replicates, number):
    """Compare the scores within cells and within genes of one replicate."""
    cells, genes = replicates.cells[number], replicates.genes[number]
    expected = {
        f"{name}_across_genes": mean_of_copies(score, truth, predicted, mask, cells, genes),
        f"{name}_across_cells": mean_of_copies(score, truth.T, predicted.T, mask.T, genes, cells),
    }
    for title in set(expected) & set(found):
        assert found[title][number] == pytest.approx(expected[title], rel=1e-9), title


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_values_are_those_of_repeated_samples(seed):
    truth, predicted, mask = random_mask(seed)
    replicates = replicates_of(mask, seed)
    found = weighted_metrics.value_scores(truth, predicted, mask, replicates)
    found |= weighted_metrics.rank_scores(truth, predicted, mask, replicates)
    for number in range(1 + REPLICATES):
        rows = copies(mask, replicates, number)
        one, other = truth[rows], predicted[rows]
        expected = {
            "mse": mean_squared_error(one, other),
            "rmse": np.sqrt(mean_squared_error(one, other)),
            "r2": r2_score(one, other),
            "pearson": stats.pearsonr(one, other).statistic,
            "spearman": stats.spearmanr(one, other).statistic,
            "sd_ratio": other.std() / one.std(),
        }
        for name, value in expected.items():
            assert found[name][number] == pytest.approx(value, rel=1e-9), name
        for name, function in (("pearson", stats.pearsonr), ("spearman", stats.spearmanr)):
            check_within(found, name, correlation(function), truth, predicted, mask, replicates, number)


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_labels_are_those_of_repeated_samples(seed):
    truth, predicted, mask = random_mask(seed)
    truth = np.where(mask, truth > 50, np.nan)
    replicates = replicates_of(mask, seed)
    found = weighted_metrics.label_scores(truth, predicted, mask, replicates)
    assert list(found) == ["auroc", "auroc_across_genes", "auroc_across_cells", "aupr", "aupr_across_genes"]
    losses = weighted_metrics.mean_loss((truth - predicted) ** 2, mask, replicates)
    for number in range(1 + REPLICATES):
        rows = copies(mask, replicates, number)
        labels, chances = truth[rows], predicted[rows]
        assert losses[number] == pytest.approx(mean_squared_error(labels, chances))
        for name, function in (("auroc", roc_auc_score), ("aupr", average_precision_score)):
            assert found[name][number] == pytest.approx(function(labels, chances), rel=1e-9)
            check_within(found, name, of_labels(function), truth, predicted, mask, replicates, number)


def unweighted(mask):
    return Replicates(np.ones((1, len(mask))), np.ones((1, mask.shape[1])), "nothing")


def test_literal_scores():
    truth = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0]])
    mask = np.ones(truth.shape, bool)
    found = weighted_metrics.value_scores(truth, truth + [[1, -1, 1], [-1, 1, -1]], mask, unweighted(mask))
    # The truth's variance is 16/6; predictions 2 1 4 1 5 5 have 18/6 and a covariance of 14/6.
    assert found["mse"] == pytest.approx([1.0]) and found["r2"] == pytest.approx([1 - 6 / 16])
    assert found["pearson"] == pytest.approx([14 / np.sqrt(16 * 18)])
    assert found["sd_ratio"] == pytest.approx([np.sqrt(18 / 16)])
    # One cell in ascending order, one in descending order.
    turned = np.array([[1.0, 2.0, 3.0], [-2.0, -4.0, -6.0]])
    assert weighted_metrics.value_scores(truth, turned, mask, unweighted(mask))[
        "pearson_across_genes"
    ] == pytest.approx([0.0])
    assert weighted_metrics.rank_scores(truth, np.exp(truth), mask, unweighted(mask))["spearman"] == pytest.approx(
        [1.0]
    )


def test_constants_and_float_noise_have_no_correlation():
    truth, _, mask = random_mask(0)
    replicates = replicates_of(mask)
    noise = np.random.default_rng(0).normal(size=truth.shape) * 1e-4
    near = np.float32(np.nanmean(truth)) + np.random.default_rng(0).choice([-4e-6, 0, 4e-6], size=truth.shape)
    for constant in (np.full(truth.shape, 1e4), 1e4 + noise, near):
        found = weighted_metrics.value_scores(truth, constant, mask, replicates)
        found |= weighted_metrics.rank_scores(truth, constant, mask, replicates)
        for name in ("pearson", "spearman"):
            for within in ("", "_across_genes", "_across_cells"):
                assert np.isnan(found[name + within]).all(), name + within
        assert np.isfinite(found["mse"]).all()
        assert found["sd_ratio"] == pytest.approx(0, abs=1e-3)
    for flat in (np.full(truth.shape, 7.0), 1e6 + 1e3 * noise):
        assert np.isnan(
            weighted_metrics.value_scores(np.where(mask, flat, np.nan), truth, mask, replicates)["r2"]
        ).all()
    labels = np.where(mask, truth > 50, np.nan)
    # A constant is a guess.
    assert weighted_metrics.label_scores(labels, np.full(truth.shape, 0.3), mask, replicates)["auroc"] == pytest.approx(
        0.5
    )
    certain = weighted_metrics.label_scores(np.where(mask, 1.0, np.nan), truth, mask, replicates)
    assert all(np.isnan(values).all() for values in certain.values())


def test_large_offsets_lose_no_digits():
    truth, predicted, mask = random_mask(2)
    replicates = replicates_of(mask)
    plain, far = (
        weighted_metrics.value_scores(truth, values, mask, replicates) for values in (predicted, 1e4 + predicted)
    )
    for name in ("pearson", "pearson_across_genes", "pearson_across_cells", "sd_ratio"):
        assert far[name] == pytest.approx(plain[name], rel=1e-7), name
    same = weighted_metrics.value_scores(truth, 1e4 + 3 * truth, mask, replicates)["pearson"]
    assert (same <= 1).all() and same == pytest.approx(1)


def test_a_prediction_equal_in_all_cells_has_no_score_across_cells():
    truth, _, mask = random_mask(1)
    equal = (
        np.broadcast_to(np.arange(GENES) + 0.0, truth.shape) + np.random.default_rng(0).normal(size=truth.shape) * 1e-8
    )
    for scores in (weighted_metrics.value_scores, weighted_metrics.rank_scores):
        found = scores(truth, equal, mask, replicates_of(mask))
        assert all(np.isnan(values).all() for name, values in found.items() if name.endswith("across_cells"))
        assert all(np.isfinite(values).all() for name, values in found.items() if name.endswith("across_genes"))


def test_two_different_samples_have_no_correlation_whatever_their_weights():
    truth = np.array([[1.0, 5.0, 2.0, 7.0]])
    mask = np.ones((1, 4), bool)
    replicates = Replicates(np.ones((3, 1)), np.array([[1.0, 1, 1, 1], [2, 2, 0, 0], [2, 1, 1, 0]]), "genes")
    for scores in (weighted_metrics.value_scores, weighted_metrics.rank_scores):
        for name, values in scores(truth, -truth, mask, replicates).items():
            if name.startswith(("pearson", "spearman")) and not name.endswith("across_cells"):
                assert values == pytest.approx([-1, np.nan, -1], nan_ok=True), name

"""Intervals from resampled genes and cells."""

import numpy as np
import pytest

from wakawaka.statistics import weighted_metrics
from wakawaka.statistics.bootstrap import MIN_GROUPS, draw_replicates, interval


def test_only_cells_and_genes_in_the_mask_are_resampled():
    mask = np.zeros((8, 30), bool)
    mask[1:7, 5:25] = True
    replicates = draw_replicates(mask, np.arange(30), 50, 0)
    assert replicates.resampled == "genes and cells"
    assert (replicates.cells[:, [0, 7]] == 0).all() and (replicates.genes[:, 25:] == 0).all()
    assert (replicates.cells.sum(axis=1) == 6).all() and (replicates.genes.sum(axis=1) == 20).all()
    assert (replicates.cells[0] == [0, 1, 1, 1, 1, 1, 1, 0]).all()


def test_genes_of_a_group_are_resampled_together():
    groups = np.array([0, 0, 0, 1, 2, 2, 3, 4, 5, 5])
    replicates = draw_replicates(np.ones((6, 10), bool), groups, 100, 0)
    assert (replicates.genes[:, 0] == replicates.genes[:, 1]).all() and (
        replicates.genes[:, 4] == replicates.genes[:, 5]
    ).all()
    assert (replicates.genes[1:, 3] != replicates.genes[1:, 4]).any()
    # Six groups are drawn, whatever their numbers of genes.
    assert (replicates.genes[:, [0, 3, 4, 6, 7, 8]].sum(axis=1) == 6).all()


@pytest.mark.parametrize(
    ("cells", "genes", "resampled"),
    [
        (MIN_GROUPS, MIN_GROUPS, "genes and cells"),
        (MIN_GROUPS - 1, 30, "genes"),
        (30, MIN_GROUPS - 1, "cells"),
        (MIN_GROUPS - 1, MIN_GROUPS - 1, "nothing"),
    ],
)
def test_few_cells_or_genes_are_not_resampled(cells, genes, resampled):
    replicates = draw_replicates(np.ones((cells, genes), bool), np.arange(genes), 50, 0)
    assert replicates.resampled == resampled
    assert (replicates.cells == 1).all() == ("cells" not in resampled) and (replicates.genes == 1).all() == (
        "genes" not in resampled
    )
    values = weighted_metrics.mean_loss(
        np.random.default_rng(0).random((cells, genes)), np.ones((cells, genes)), replicates
    )
    assert np.isfinite(interval(values, resampled)[1:]).all() == (resampled != "nothing")


def test_many_genes_in_few_groups_are_not_resampled():
    assert draw_replicates(np.ones((3, 100), bool), np.arange(100) % (MIN_GROUPS - 1), 50, 0).resampled == "nothing"


def test_strata_keep_their_numbers_of_genes():
    """Cells are not resampled, because a regime may have few of them."""
    strata = np.repeat([0, 1, 2], [20, 10, 3])
    replicates = draw_replicates(np.ones((9, 33), bool), np.arange(33), 50, 0, strata)
    assert replicates.resampled == "genes" and (replicates.cells == 1).all() and replicates.cells.shape == (51, 9)
    for stratum, count in enumerate((20, 10, 3)):
        assert (replicates.genes[:, strata == stratum].sum(axis=1) == count).all()
    # Three are too few to resample.
    assert (replicates.genes[:, strata == 2] == 1).all() and (replicates.genes[1:, strata == 1] != 1).any()


def test_equal_seeds_give_equal_replicates():
    mask = np.ones((9, 40), bool)
    one, other, another = (draw_replicates(mask, np.arange(40), 5, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.genes, other.genes) and not np.array_equal(one.genes, another.genes)


@pytest.mark.parametrize("of_group", [1, 4])
def test_intervals_cover_the_truth_at_their_nominal_rate(of_group):
    """Losses with effects of cells and of groups. Resampling samples, or single genes, would cover the mean less often."""
    rng = np.random.default_rng(0)
    groups = np.arange(40) // of_group
    covered = []
    for trial in range(200):
        losses = rng.normal(size=(20, 1)) + rng.normal(size=(1, 40))[:, groups] + rng.normal(size=(20, 40))
        mask = np.ones(losses.shape, bool)
        values = weighted_metrics.mean_loss(losses, mask, draw_replicates(mask, groups, 300, trial))
        _, low, high = interval(values, "genes and cells")
        covered.append(low < 0 < high)
    # Percentile intervals of 20 cells, or 10 groups, are too short: 0.92 or 0.89 are expected, with a standard error of 0.02.
    assert 0.84 <= np.mean(covered) < 0.99


def test_an_interval_needs_half_of_the_replicates():
    assert interval(np.array([1.0, 2.0, 3.0, np.nan]), "genes") == pytest.approx((1, 2.025, 2.975))
    for values, resampled in ((np.array([1.0, 2.0, np.nan, np.nan]), "genes"), (np.array([1.0, 2.0, 3.0]), "nothing")):
        value, low, high = interval(values, resampled)
        assert value == 1 and np.isnan(low) and np.isnan(high)

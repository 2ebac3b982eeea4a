"""Intervals by drawing genes and cells as blocks."""

import numpy as np
import pytest

from wakawaka.statistics import weighted_metrics
from wakawaka.statistics.bootstrap import FEWEST, draw, interval


def test_cells_and_genes_of_the_block_alone_are_drawn():
    block = np.zeros((8, 30), bool)
    block[1:7, 5:25] = True
    draws = draw(block, np.arange(30), 50, 0)
    assert draws.over == "genes and cells"
    assert (draws.cells[:, [0, 7]] == 0).all() and (draws.genes[:, 25:] == 0).all()
    assert (draws.cells.sum(axis=1) == 6).all() and (draws.genes.sum(axis=1) == 20).all()
    assert (draws.cells[0] == [0, 1, 1, 1, 1, 1, 1, 0]).all()


def test_genes_of_a_group_are_drawn_together():
    groups = np.array([0, 0, 0, 1, 2, 2, 3, 4, 5, 5])
    draws = draw(np.ones((6, 10), bool), groups, 100, 0)
    assert (draws.genes[:, 0] == draws.genes[:, 1]).all() and (draws.genes[:, 4] == draws.genes[:, 5]).all()
    assert (draws.genes[1:, 3] != draws.genes[1:, 4]).any()
    # Six groups are drawn, however many genes these have.
    assert (draws.genes[:, [0, 3, 4, 6, 7, 8]].sum(axis=1) == 6).all()


@pytest.mark.parametrize(
    ("cells", "genes", "over"),
    [
        (FEWEST, FEWEST, "genes and cells"),
        (FEWEST - 1, 30, "genes"),
        (30, FEWEST - 1, "cells"),
        (FEWEST - 1, FEWEST - 1, "nothing"),
    ],
)
def test_of_few_cells_or_genes_none_are_drawn(cells, genes, over):
    draws = draw(np.ones((cells, genes), bool), np.arange(genes), 50, 0)
    assert draws.over == over
    assert (draws.cells == 1).all() == ("cells" not in over) and (draws.genes == 1).all() == ("genes" not in over)
    values = weighted_metrics.mean_loss(np.random.default_rng(0).random((cells, genes)), np.ones((cells, genes)), draws)
    assert np.isfinite(interval(values, over)[1:]).all() == (over != "nothing")


def test_many_genes_of_few_groups_are_few():
    assert draw(np.ones((3, 100), bool), np.arange(100) % (FEWEST - 1), 50, 0).over == "nothing"


def test_within_strata_the_mixture_of_genes_stays():
    """And cells are not drawn: of those that make a regime there may be few."""
    strata = np.repeat([0, 1, 2], [20, 10, 3])
    draws = draw(np.ones((9, 33), bool), np.arange(33), 50, 0, strata)
    assert draws.over == "genes" and (draws.cells == 1).all() and draws.cells.shape == (51, 9)
    for stratum, count in enumerate((20, 10, 3)):
        assert (draws.genes[:, strata == stratum].sum(axis=1) == count).all()
    # Three are too few to draw.
    assert (draws.genes[:, strata == 2] == 1).all() and (draws.genes[1:, strata == 1] != 1).any()


def test_the_same_seed_gives_the_same_draws():
    block = np.ones((9, 40), bool)
    one, other, another = (draw(block, np.arange(40), 5, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.genes, other.genes) and not np.array_equal(one.genes, another.genes)


@pytest.mark.parametrize("of_group", [1, 4])
def test_intervals_cover_the_truth_as_often_as_they_say(of_group):
    """The mean loss of samples with effects of cells and of groups; drawing samples, or single genes, would cover it less often."""
    rng = np.random.default_rng(0)
    groups = np.arange(40) // of_group
    covered = []
    for trial in range(200):
        losses = rng.normal(size=(20, 1)) + rng.normal(size=(1, 40))[:, groups] + rng.normal(size=(20, 40))
        block = np.ones(losses.shape, bool)
        values = weighted_metrics.mean_loss(losses, block, draw(block, groups, 300, trial))
        _, low, high = interval(values, "genes and cells")
        covered.append(low < 0 < high)
    # Percentile intervals of 20 cells, or 10 groups, are a little short: 0.92 or 0.89 are expected, with a standard error of 0.02.
    assert 0.84 <= np.mean(covered) < 0.99


def test_an_interval_needs_half_of_the_draws():
    assert interval(np.array([1.0, 2.0, 3.0, np.nan]), "genes") == pytest.approx((1, 2.025, 2.975))
    for values, over in ((np.array([1.0, 2.0, np.nan, np.nan]), "genes"), (np.array([1.0, 2.0, 3.0]), "nothing")):
        value, low, high = interval(values, over)
        assert value == 1 and np.isnan(low) and np.isnan(high)

"""Intervals by drawing genes and cells; every draw is compared with the scores of samples that stand there as often as they are drawn."""

import numpy as np
import pytest

from wakawaka import bootstrap, metrics

CELLS, GENES, DRAWS = 7, 40, 20


def random_block(seed, cells=CELLS, genes=GENES, density=0.7):
    """Return truth, prediction and mask [cell, gene]; the truth has effects of genes and of cells."""
    rng = np.random.default_rng(seed)
    truth = 50 + 3 * rng.normal(size=genes) + rng.normal(size=(cells, 1)) + rng.normal(size=(cells, genes))
    predicted = truth + rng.normal(size=truth.shape) + rng.normal(size=genes)
    return truth, np.round(predicted, 1), rng.random(truth.shape) < density


def repeated(truth, predicted, block, draws, number):
    """Return the samples of a draw, each as often as it was drawn, with the names of cells and genes."""
    cell, gene = np.nonzero(block)
    times = (draws.cells[number, cell] * draws.genes[number, gene]).astype(int)
    rows = np.repeat(np.arange(len(cell)), times)
    return truth[block][rows], predicted[block][rows], cell[rows], gene[rows]


def mean_of_copies(truth, predicted, block, outer, inner):
    """The mean correlation within the rows, a row counting as often as `outer` says and a sample in it as often as `inner`."""
    found = []
    for row, weight in enumerate(outer.astype(int)):
        columns = np.repeat(np.flatnonzero(block[row]), inner[block[row]].astype(int))
        found += [metrics.pearson(truth[row, columns], predicted[row, columns])] * weight
    return np.nanmean(found)


@pytest.mark.parametrize("seed", range(3))
def test_every_draw_is_the_score_of_its_samples(seed):
    truth, predicted, block = random_block(seed)
    truth[~block] = np.nan
    draws = bootstrap.draw(block, DRAWS, seed)
    found = bootstrap.value_scores(truth, predicted, block, draws)
    found["spearman"] = bootstrap.spearman(truth, predicted, block, draws)
    for number in range(1 + DRAWS):
        expected = metrics.scores(*repeated(truth, predicted, block, draws, number))
        cells, genes = draws.cells[number], draws.genes[number]
        expected["pearson_across_genes"] = mean_of_copies(truth, predicted, block, cells, genes)
        expected["pearson_across_cells"] = mean_of_copies(truth.T, predicted.T, block.T, genes, cells)
        assert {name: values[number] for name, values in found.items()} == pytest.approx(expected, rel=1e-9)


def test_the_first_draw_is_the_score():
    truth, predicted, block = random_block(5)
    draws = bootstrap.draw(block, 3, 0)
    found = bootstrap.value_scores(truth, predicted, block, draws)
    cell, gene = np.nonzero(block)
    expected = metrics.scores(truth[block], predicted[block], cell, gene)
    assert {name: values[0] for name, values in found.items()} == pytest.approx(
        {name: expected[name] for name in found}, rel=1e-9
    )


def test_every_draw_of_labels_is_the_score_of_its_samples():
    truth, predicted, block = random_block(1)
    truth = (truth > 50).astype(float)
    draws = bootstrap.draw(block, DRAWS, 1)
    found = bootstrap.auroc(truth, predicted, block, draws)
    losses = bootstrap.mean_loss((truth - predicted) ** 2, block, draws)
    for number in range(1 + DRAWS):
        labels, scores, *_ = repeated(truth, predicted, block, draws, number)
        assert found[number] == pytest.approx(metrics.auroc(labels, scores), rel=1e-9)
        assert losses[number] == pytest.approx(metrics.mse(labels, scores), rel=1e-9)


def test_cells_and_genes_of_the_block_alone_are_drawn():
    block = np.zeros((8, 30), bool)
    block[1:7, 5:25] = True
    draws = bootstrap.draw(block, 50, 0)
    assert draws.over == "genes and cells"
    assert (draws.cells[:, [0, 7]] == 0).all() and (draws.genes[:, 25:] == 0).all()
    assert (draws.cells.sum(axis=1) == 6).all() and (draws.genes.sum(axis=1) == 20).all()
    assert (draws.cells[0] == [0, 1, 1, 1, 1, 1, 1, 0]).all()


def test_of_few_cells_genes_alone_are_drawn():
    draws = bootstrap.draw(np.ones((bootstrap.FEWEST_CELLS - 1, 30), bool), 50, 0)
    assert draws.over == "genes" and (draws.cells == 1).all() and (draws.genes[1:] != 1).any()


def test_the_same_seed_gives_the_same_draws():
    block = random_block(0)[2]
    one, other, another = (bootstrap.draw(block, 5, seed) for seed in (3, 3, 4))
    assert np.array_equal(one.genes, other.genes) and not np.array_equal(one.genes, another.genes)


def test_constants_have_no_correlation():
    truth, _, block = random_block(0)
    draws = bootstrap.draw(block, 5, 0)
    found = bootstrap.value_scores(truth, np.full(truth.shape, 1e4), block, draws)
    for name in ("pearson", "pearson_across_genes", "pearson_across_cells"):
        assert np.isnan(found[name]).all()
    assert np.isfinite(found["mse"]).all() and np.isnan(bootstrap.spearman(truth, truth * 0, block, draws)).all()
    assert np.isnan(bootstrap.value_scores(truth * 0 + 7, truth, block, draws)["r2"]).all()


def test_intervals_cover_the_truth_as_often_as_they_say():
    """The mean loss of samples with effects of genes and cells; drawing samples would cover it far less often."""
    rng = np.random.default_rng(0)
    covered = []
    for trial in range(200):
        losses = rng.normal(size=(20, 1)) + rng.normal(size=(1, 40)) + rng.normal(size=(20, 40))
        block = np.ones(losses.shape, bool)
        _, low, high = bootstrap.interval(bootstrap.mean_loss(losses, block, bootstrap.draw(block, 300, trial)))
        covered.append(low < 0 < high)
    # Percentile intervals of 20 cells are a little short: 0.92 is expected, with a standard error of 0.02; and not all may cover.
    assert 0.86 <= np.mean(covered) < 0.99


def test_an_interval_needs_half_of_the_draws():
    assert bootstrap.interval(np.array([1.0, 2.0, 3.0, np.nan])) == pytest.approx((1, 2.025, 2.975))
    value, low, high = bootstrap.interval(np.array([1.0, 2.0, np.nan, np.nan]))
    assert value == 1 and np.isnan(low) and np.isnan(high)

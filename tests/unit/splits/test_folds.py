"""Every fold holds out what it is said to hold out, and every training cell and gene is held out once."""

import numpy as np
import pytest

from helpers.splits import CELLS, OUTPUTS, check_blocks, make_split, make_store
from wakawaka.core.errors import InputError


def test_folds_hold_out_cells_and_genes_together(store, tmp_path):
    genes, cells, _, regimes = make_split(tmp_path, store, ["c1"], ["G3", "G7"])
    assert set(genes.loc[genes["set"] == "held_out", "gene_id"]) == {"G3", "G7"}
    assert set(cells.loc[cells["set"] == "held_out", "cell"]) == {"c1"}
    final = regimes["final"]
    check_blocks(final)
    assert (final == "train").sum() == 5 * 38
    assert (final[1] == "unseen_cell").sum() == 38 and (final[1] == "both_unseen").sum() == 2
    assert (final == "unseen_gene").sum() == 5 * 2
    for number in range(1, 4):
        fold = regimes[f"fold-{number}"]
        # The test set is left aside, all of it and nothing else.
        assert np.array_equal(fold == "test", final != "train")
        check_blocks(fold)
        assert set(np.unique(fold)) == {"train", "test", "unseen_cell", "unseen_gene", "both_unseen"}
        # The tables of cells and genes say the same.
        held_cells, held_genes = cells["fold"] == str(number), genes["fold"] == str(number)
        held = np.ix_(held_cells, held_genes)
        assert (fold[held] == "both_unseen").all() and (fold == "both_unseen").sum() == fold[held].size


def test_every_training_cell_and_gene_is_held_out_once(store, tmp_path):
    genes, cells, _, regimes = make_split(tmp_path, store, ["c1"], ["G3", "G7"])
    both = sum((regimes[f"fold-{number}"] == "both_unseen").astype(int) for number in (1, 2, 3))
    assert both.max() == 1
    assert cells["fold"].tolist().count("-") == 1 and genes["fold"].tolist().count("-") == 2
    assert sorted(cells["fold"].value_counts()[["1", "2", "3"]]) == [1, 2, 2]
    assert sorted(genes["fold"].value_counts()[["1", "2", "3"]]) == [12, 13, 13]


def test_folds_of_genes_hold_out_genes_in_all_cells(store, tmp_path):
    genes, cells, _, regimes = make_split(tmp_path, store, ["c1"], ["G3"], folds=5, hold_out="genes")
    assert cells["fold"].tolist() == ["-"] * 6
    check_blocks(regimes["final"])
    for number in range(1, 6):
        fold = regimes[f"fold-{number}"]
        check_blocks(fold)
        assert set(np.unique(fold)) == {"train", "test", "unseen_gene"}
        assert np.array_equal(fold == "test", regimes["final"] != "train")
    held = sum((regimes[f"fold-{number}"] == "unseen_gene").astype(int) for number in range(1, 6))
    assert np.array_equal(held, regimes["final"] == "train")


def test_folds_of_samples_are_random_and_called_leaking(store, tmp_path):
    genes, cells, audit, regimes = make_split(tmp_path, store, ["c1"], ["G3"], folds=4, hold_out="samples")
    assert set(genes["fold"]) == set(cells["fold"]) == {"-"}
    final = regimes["final"]
    check_blocks(final)
    held = np.zeros(final.shape, int)
    for number in range(1, 5):
        fold = regimes[f"fold-{number}"]
        assert set(np.unique(fold)) == {"train", "test", "leaking"}
        assert np.array_equal(fold == "test", final != "train")
        # About a quarter, and nearly every gene and cell of it is in the training samples, too.
        assert 0.15 < (fold == "leaking").mean() < 0.3
        held += fold == "leaking"
    assert np.array_equal(held, final == "train")
    leaking = audit[(audit["regime"] == "leaking") & (audit["run"] == "fold-1")].iloc[0]
    assert f"{leaking['genes_also_trained_on']} genes are trained on too (G0, " in leaking["leak"]
    assert leaking["leak"].endswith("; 5 cells are trained on too (c0, c2, c3, c4, c5)")
    assert audit.loc[audit["regime"] != "leaking", "leak"].unique().tolist() == ["-"]
    assert leaking["genes_also_trained_on"] > 0.9 * leaking["genes"] and leaking["cells_also_trained_on"] == 5


def test_without_held_out_cells_and_genes_all_is_trained_on(store, tmp_path):
    *_, regimes = make_split(tmp_path, store)
    assert (regimes["final"] == "train").all()


@pytest.mark.parametrize("hold_out", ["cells_and_genes", "genes", "samples"])
def test_the_seed_alone_decides(store, tmp_path, hold_out):
    written = {}
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        make_split(tmp_path, store, ["c1"], ["G3"], hold_out=hold_out, seed=seed)
        written[name] = [(tmp_path / output).read_bytes() for output in OUTPUTS.values()]
    assert written["first"] == written["again"]
    assert written["first"][2] != written["other"][2]


def test_large_groups_are_spread_over_the_folds(tmp_path):
    store = make_store(
        tmp_path, 30, tss=[-1] * 30, chrom=[""] * 30, group=["a"] * 10 + ["b"] * 8 + ["c"] * 7 + [""] * 5
    )
    genes, *_ = make_split(tmp_path, store, hold_out="genes")
    assert genes["fold"].value_counts().tolist() == [10, 10, 10]


def test_fewer_cells_than_folds_are_refused_and_genes_suggested(store, tmp_path):
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store, held_out_cells=CELLS[2:])
    assert str(caught.value) == (
        "config key `folds.number` is 3, but only 2 training cells have expression: "
        "set `folds.hold_out: genes`, which holds out genes in all cells, or lower `folds.number`."
    )
    for hold_out in ("genes", "samples"):
        make_split(tmp_path, store, held_out_cells=CELLS[2:], hold_out=hold_out)


def test_fewer_groups_than_folds_are_refused(tmp_path):
    store = make_store(tmp_path, 10, tss=[*range(0, 500, 100), *range(9000, 9500, 100)])
    with pytest.raises(InputError) as caught:
        make_split(tmp_path, store)
    assert str(caught.value).startswith(
        "config key `folds.number` is 3, but the training genes form only 2 groups that must stay together; lower it"
    )
    make_split(tmp_path, store, hold_out="samples")
    make_split(tmp_path, store, folds=2)

import json

import numpy as np
import pytest

from wakawaka.core.files import save_array
from wakawaka.store.store import Store


def store_of(folder, scale="counts", histone=None, expression=None):
    (folder / "store.json").write_text(json.dumps({"scale": scale}))
    (folder / "genes.tsv").write_text("gene_id\tchrom\ttss\tstrand\tgroup\n01\t1\t5\t-\t-\nNA\t-\t-\t+\tr1\n")
    (folder / "cells.tsv").write_text("cell\n001\nNA\n")
    save_array(np.zeros((2, 2, 3, 1), np.uint16) if histone is None else histone, folder / "histone.npy")
    save_array(np.zeros((2, 2), np.float32) if expression is None else expression, folder / "expression.npy")
    return Store([folder / name for name in ("store.json", "genes.tsv", "cells.tsv", "histone.npy", "expression.npy")])


def test_names_stay_text_and_a_minus_strand_is_no_gap(tmp_path):
    store = store_of(tmp_path)
    assert store.genes.tolist() == ["01", "NA"] and store.cells.tolist() == ["001", "NA"]
    table = store.gene_table
    assert table["strand"].tolist() == ["-", "+"]
    assert table.notna().to_numpy().tolist() == [[True, True, True, True, False], [True, False, False, True, True]]
    assert table.at[0, "chrom"] == "1" and table.at[0, "tss"] == 5 and table.at[1, "group"] == "r1"
    assert store.modules == ["histone"]


def test_shuffled_dna_is_that_of_another_gene_and_the_same_every_time(tmp_path):
    dna = np.random.default_rng(0).integers(0, 4, (50, 12)).astype(np.uint8)
    assert len(np.unique(dna, axis=0)) == 50
    save_array(dna, tmp_path / "dna.npy")
    paths = [tmp_path / "dna.npy"]
    assert np.array_equal(Store(paths).dna, dna)
    shuffled, again, other = (Store(paths, seed).dna for seed in (0, 0, 7))
    assert np.array_equal(shuffled, again) and not np.array_equal(shuffled, other)
    for found in (shuffled, other):
        assert (found != dna).any(axis=1).all()
        assert np.array_equal(np.unique(found, axis=0), np.unique(dna, axis=0))


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_counts_become_logarithms(tmp_path, dtype):
    counts = np.arange(12, dtype=dtype).reshape(2, 2, 3, 1) * 5000
    found = store_of(tmp_path, histone=counts).histone_input(np.array([1, 0, 1]), np.array([0, 1, 1]))
    assert found.dtype == np.float32 and found.shape == (3, 3, 1)
    assert np.allclose(found[:, :, 0], np.log1p([[30000, 35000, 40000], [15000, 20000, 25000], [45000, 50000, 55000]]))


@pytest.mark.parametrize("scale", ["log1p", "signal"])
def test_other_scales_are_taken_as_they_are(tmp_path, scale):
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 2, 3, 1)
    found = store_of(tmp_path, scale, values).histone_input(np.array([1]), np.array([0]))
    assert found.dtype == np.float32 and np.array_equal(found, values[[1], [0]])


def test_z_scores_are_over_the_genes_of_a_cell(tmp_path):
    """A cell of twice the depth has the same; a bin in which all genes are alike is 0."""
    signal = np.random.default_rng(1).normal(5, 2, (2, 30, 3, 2)).astype(np.float32)
    signal[1] = 2 * signal[0] + 1
    signal[:, :, 2, 1] = 7
    paths = store_of(tmp_path, "signal", signal)._paths.values()
    store, cells, genes = Store(paths, z_scores=True), *np.indices((2, 30)).reshape(2, -1)
    found = store.histone_input(cells, genes).reshape(signal.shape)
    assert found.dtype == np.float32 and np.allclose(found[0], found[1], atol=1e-5)
    expected = (signal[0] - signal[0].mean(axis=0)) / np.where(signal[0].std(axis=0) > 0, signal[0].std(axis=0), 1)
    assert np.allclose(found[0], expected, atol=1e-5) and not found[:, :, 2, 1].any()
    # One cell, and a slice of its genes.
    assert np.array_equal(store.histone_input(1, slice(3, 9)), found[1, 3:9])


def test_the_arrays_cannot_be_changed(tmp_path):
    with pytest.raises(ValueError, match="read-only"):
        store_of(tmp_path).histone[0] = 1


def test_expression_and_reference_are_the_files(tmp_path):
    store_of(tmp_path, expression=np.array([[0, 1], [7, np.nan]], np.float32))
    save_array(np.array([2, np.nan], np.float32), tmp_path / "reference.npy")
    store = Store([tmp_path / "expression.npy", tmp_path / "reference.npy"])
    assert np.array_equal(store.expression, [[0, 1], [7, np.nan]], equal_nan=True)
    assert np.array_equal(store.reference, [2, np.nan], equal_nan=True)

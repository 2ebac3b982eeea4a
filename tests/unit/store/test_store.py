"""What `Store` gives of its files: names as text, inputs on the model's scale, permuted genes, and store.json."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers.stores import store_of, write_store
from wakawaka.core.files import save_array
from wakawaka.store.store import Store, StoreInfo, read_gene_table, write_gene_table

INFO = StoreInfo(
    cells=2, genes=3, marks=["a"], window=8, bins=4, bin_size=2, strand_aware=True, scale="counts", depth={"c": {"a": 9}, "d": None},
    counting={"rule": "overlap"}, medians={"c": 1.5}, sources=[{"path": "x.tsv", "sha256": "00"}],
)  # fmt: skip


def test_names_stay_text_and_a_minus_strand_is_no_gap(tmp_path):
    table = {"chrom": ["1", ""], "tss": [5, -1], "strand": ["-", "+"], "group": ["", "r1"]}
    store = store_of(tmp_path, genes=["01", "NA"], cells=["001", "NA"], table=table)
    assert store.genes.tolist() == ["01", "NA"] and store.cells.tolist() == ["001", "NA"]
    assert store.shape == (2, 2)
    table = store.gene_table
    assert table["strand"].tolist() == ["-", "+"]
    assert table.notna().to_numpy().tolist() == [[True, True, True, True, False], [True, False, False, True, True]]
    assert table.at[0, "chrom"] == "1" and table.at[0, "tss"] == 5 and table.at[1, "group"] == "r1"


def test_modules_are_those_with_an_array(tmp_path):
    assert store_of(tmp_path).modules == ["histone", "dna"]
    assert store_of(tmp_path, dna=None).modules == ["histone"]
    assert store_of(tmp_path, histone=None).modules == ["dna"]
    assert store_of(tmp_path, marks=["m"], bins=5, window=40).sizes == {"marks": 1, "bins": 5, "window": 40}


def test_samples_are_named_cell_by_cell(tmp_path):
    names = store_of(tmp_path, cells=["b", "a"], genes=["2", "1", "3"]).sample_names()
    assert names["cell"].tolist() == ["b"] * 3 + ["a"] * 3
    assert names["gene_id"].tolist() == ["2", "1", "3"] * 2


def test_permuted_genes_get_the_dna_of_another_gene_and_the_same_every_time(tmp_path):
    dna = np.random.default_rng(0).integers(0, 4, (50, 12)).astype(np.uint8)
    assert len(np.unique(dna, axis=0)) == 50
    paths = write_store(tmp_path, genes=50, window=12, bins=3, dna=dna)
    assert np.array_equal(Store(paths).dna, dna)
    permuted, again, other = (Store(paths, seed).dna for seed in (0, 0, 7))
    assert np.array_equal(permuted, again) and not np.array_equal(permuted, other)
    for found in (permuted, other):
        assert (found != dna).any(axis=1).all()
        assert np.array_equal(np.unique(found, axis=0), np.unique(dna, axis=0))


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32])
def test_counts_become_logarithms(tmp_path, dtype):
    counts = np.arange(12, dtype=dtype).reshape(2, 2, 3, 1) * 5000
    store = store_of(tmp_path, cells=2, genes=2, marks=1, bins=3, histone=counts)
    found = store.histone_input(np.array([1, 0, 1]), np.array([0, 1, 1]))
    assert found.dtype == np.float32 and found.shape == (3, 3, 1)
    assert np.allclose(found[:, :, 0], np.log1p([[30000, 35000, 40000], [15000, 20000, 25000], [45000, 50000, 55000]]))


@pytest.mark.parametrize("scale", ["log1p", "signal"])
def test_other_scales_are_taken_as_they_are(tmp_path, scale):
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(2, 2, 3, 1)
    store = store_of(tmp_path, cells=2, genes=2, marks=1, bins=3, scale=scale, histone=values)
    found = store.histone_input(np.array([1]), np.array([0]))
    assert found.dtype == np.float32 and np.array_equal(found, values[[1], [0]])


def test_z_scores_are_over_the_genes_of_a_cell(tmp_path):
    """A cell of twice the depth has the same z-scores; a bin in which all genes are equal is 0."""
    signal = np.random.default_rng(1).normal(5, 2, (2, 30, 3, 2)).astype(np.float32)
    signal[1] = 2 * signal[0] + 1
    signal[:, :, 2, 1] = 7
    paths = write_store(tmp_path, cells=2, genes=30, bins=3, scale="signal", histone=signal)
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
    expression = np.array([[0, 1], [7, np.nan]], np.float32)
    reference = np.array([2, np.nan], np.float32)
    store = store_of(tmp_path, cells=2, genes=2, expression=expression, reference=reference)
    assert np.array_equal(store.expression, expression, equal_nan=True)
    assert np.array_equal(store.reference, reference, equal_nan=True)


# store.json


def test_store_json_is_written_and_read_back(tmp_path):
    INFO.write(tmp_path / "store.json")
    assert StoreInfo.read(tmp_path / "store.json") == INFO
    text = (tmp_path / "store.json").read_text()
    assert text.startswith('{\n  "cells": 2,\n') and text.endswith("}\n")
    assert list(json.loads(text)) == [
        "cells", "genes", "marks", "window", "bins", "bin_size", "strand_aware", "scale", "depth", "counting", "medians", "sources"
    ]  # fmt: skip


def test_what_a_source_that_is_not_used_would_say_is_left_out(tmp_path):
    info = StoreInfo(2, 3, [], 8, 4, 2, strand_aware=False, scale=None)
    info.write(tmp_path / "store.json")
    assert json.loads((tmp_path / "store.json").read_text()).keys() & {"depth", "counting", "medians"} == set()
    assert StoreInfo.read(tmp_path / "store.json") == info


def test_a_subset_keeps_what_is_known_of_its_cells_alone():
    subset = INFO.subset(["d"], 2)
    assert (subset.cells, subset.genes, subset.depth, subset.medians) == (1, 2, {"d": None}, {})
    assert subset.sources == [] and subset.counting == INFO.counting
    assert INFO.sources


# genes.tsv


def test_unknown_places_are_dashes_and_whole_numbers_stay_whole(tmp_path):
    columns = {"gene_id": ["1", "2"], "chrom": ["1", ""], "tss": [5, -1], "strand": ["-", "."], "group": ["", "r"]}
    write_gene_table(pd.DataFrame(columns), tmp_path / "genes.tsv")
    text = "gene_id\tchrom\ttss\tstrand\tgroup\n1\t1\t5\t-\t-\n2\t-\t-\t.\tr\n"
    assert (tmp_path / "genes.tsv").read_text() == text
    # Read and written again, it is the same.
    write_gene_table(read_gene_table(tmp_path / "genes.tsv"), tmp_path / "genes.tsv")
    assert (tmp_path / "genes.tsv").read_text() == text


def test_arrays_are_opened_on_first_use(tmp_path):
    paths = write_store(tmp_path)
    for path in paths:
        path.unlink()
    store = Store(paths)
    with pytest.raises(FileNotFoundError):
        _ = store.genes
    save_array(np.zeros((3, 4), np.float32), tmp_path / "expression.npy")
    assert store.expression.shape == (3, 4)

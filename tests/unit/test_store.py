import json

import numpy as np
import pytest

from wakawaka.errors import InputError
from wakawaka.files import save_array
from wakawaka.store import Store


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


def test_the_arrays_cannot_be_changed(tmp_path):
    with pytest.raises(ValueError, match="read-only"):
        store_of(tmp_path).histone[0] = 1


def test_targets(tmp_path):
    store = store_of(tmp_path, expression=np.array([[0, 1], [7, np.nan]], np.float32))
    assert np.array_equal(store.target("none"), [[0, 1], [7, np.nan]], equal_nan=True)
    assert np.array_equal(store.target("log2p1"), [[0, 1], [3, np.nan]], equal_nan=True)
    assert store.target("log2p1").dtype == np.float32


def test_logarithms_of_negative_values_are_refused(tmp_path):
    store = store_of(tmp_path, expression=np.array([[0, 1], [-0.5, np.nan]], np.float32))
    with pytest.raises(InputError) as caught:
        store.target("log2p1")
    assert str(caught.value) == (
        "config key `expression.transform` is log2p1, but the expression of gene 01 in cell NA is -0.5: "
        "negative values look like logarithms already, so set the key to none."
    )

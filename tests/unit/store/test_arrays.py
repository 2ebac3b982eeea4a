"""Blocks of rows: what is written or copied block by block is the whole."""

import numpy as np
import pytest

from wakawaka.store import arrays
from wakawaka.store.arrays import copy_rows, row_blocks, save_blocks

VALUES = np.arange(60, dtype=np.float32).reshape(10, 3, 2)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Two rows of `VALUES` in a block."""
    monkeypatch.setattr(arrays, "BLOCK", 2 * VALUES[:1].nbytes)


def test_blocks_are_copies_of_the_wanted_rows():
    rows = np.array([7, 0, 0, 9, 3])
    blocks = list(row_blocks(VALUES, rows))
    assert [taken for taken, _ in blocks] == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert np.array_equal(np.concatenate([block for _, block in blocks]), VALUES[rows])
    assert not any(np.shares_memory(block, VALUES) for _, block in blocks)
    assert list(row_blocks(VALUES, rows[:0])) == []


def test_blocks_are_written_as_one_array(tmp_path):
    save_blocks([VALUES[:4], VALUES[4:]], VALUES.shape, np.dtype(np.uint16), tmp_path / "x.npy")
    found = np.load(tmp_path / "x.npy")
    assert found.dtype == np.uint16 and np.array_equal(found, VALUES)
    save_blocks([VALUES[:, ::-1]], VALUES.shape, VALUES.dtype, tmp_path / "x.npy")
    assert np.array_equal(np.load(tmp_path / "x.npy"), VALUES[:, ::-1])


def test_some_genes_of_some_cells_are_copied(tmp_path):
    values = np.random.default_rng(0).integers(0, 9, (4, 10, 3)).astype(np.uint16)
    np.save(tmp_path / "x.npy", values)
    genes, cells = np.array([8, 1, 2, 5]), np.array([3, 0])
    copy_rows(tmp_path / "x.npy", tmp_path / "y.npy", genes, cells)
    found = np.load(tmp_path / "y.npy")
    assert found.dtype == values.dtype and np.array_equal(found, values[cells][:, genes])
    copy_rows(tmp_path / "x.npy", tmp_path / "y.npy", np.array([2, 0]))
    assert np.array_equal(np.load(tmp_path / "y.npy"), values[[2, 0]])

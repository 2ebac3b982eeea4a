"""The store without the test set holds the training cells and genes as they are, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from helpers.stores import write_store
from wakawaka.core.files import write_table
from wakawaka.splits.samples import read_regimes
from wakawaka.store import arrays
from wakawaka.store.store import Store
from wakawaka.tuning.drop_test_set import drop_test_set

CELLS, GENES, BINS, WINDOW = ["01", "C1", "SECRETCELL", "C3"], [f"G{number}" for number in range(30)], 4, 40
GENES[3:6] = ["SECRETGENE1", "SECRETGENE2", "SECRETGENE3"]
KEPT_CELLS, KEPT_GENES = [0, 1, 3], [0, 1, 2, *range(6, 30)]
ARRAYS = ("histone.npy", "dna.npy", "expression.npy", "reference.npy")
# In everything that is held out, and nowhere else.
SECRET = 222


@pytest.fixture
def paths(tmp_path):
    """Paths of a store, of its table of regimes, and of the outputs, as keyword arguments of `drop_test_set`."""
    folder = tmp_path / "store"
    folder.mkdir()
    rng = np.random.default_rng(1)
    shapes = {"histone": (4, 30, BINS, 2), "dna": (30, WINDOW), "expression": (4, 30), "reference": (30,)}
    dtypes = {"histone": np.uint16, "dna": np.uint8, "expression": np.float32, "reference": np.float32}
    arrays = {}
    for name, shape in shapes.items():
        arrays[name] = array = rng.integers(0, 5, shape).astype(dtypes[name])
        genes = array if shape[0] == 30 else array.swapaxes(0, 1)
        genes[3:6] = SECRET
        if shape[0] == 4:
            array[2] = SECRET
    medians = {cell: float(place) for place, cell in enumerate(CELLS)}
    info = {"medians": medians, "depth": dict.fromkeys(CELLS), "sources": [{"path": "SECRETCELL.tsv"}]}
    table = {"tss": [-1, *range(29)], "strand": "-", "group": "a"}
    names = {"cells": CELLS, "genes": GENES, "marks": ["a", "b"]}
    write_store(folder, **names, bins=BINS, window=WINDOW, table=table, info=info, **arrays)
    final = np.full((4, 30), "train", object)
    final[:, 3:6], final[2], final[2, 3:6] = "unseen_gene", "unseen_cell", "both_unseen"
    fold = np.where(final == "train", rng.choice(["train", "unseen_cell"], (4, 30)), "test")
    names = {"cell": np.repeat(CELLS, 30), "gene_id": np.tile(GENES, 4)}
    write_table(pd.DataFrame({**names, "final": final.ravel(), "fold-1": fold.ravel()}), tmp_path / "samples.tsv.gz")
    files = [path.name for path in sorted(folder.iterdir())]
    return {
        "store": [folder / name for name in files],
        "samples": tmp_path / "samples.tsv.gz",
        "reduced_store": [tmp_path / "reduced" / name for name in files],
        "reduced_samples": tmp_path / "reduced" / "samples.tsv.gz",
    }


def test_training_cells_and_genes_are_copied_as_they_are(paths, monkeypatch):
    # Several genes at a time, but not all.
    monkeypatch.setattr(arrays, "BLOCK", 7 * BINS * 2 * 2)
    drop_test_set(**paths)
    whole, reduced = Store(paths["store"]), Store(paths["reduced_store"])
    assert reduced.cells.tolist() == [CELLS[place] for place in KEPT_CELLS]
    assert reduced.genes.tolist() == [GENES[place] for place in KEPT_GENES]
    for name in ("histone", "expression"):
        before, after = getattr(whole, name), getattr(reduced, name)
        assert after.dtype == before.dtype
        np.testing.assert_array_equal(after, before[KEPT_CELLS][:, KEPT_GENES])
    for name in ("dna", "reference"):
        np.testing.assert_array_equal(getattr(reduced, name), getattr(whole, name)[KEPT_GENES])
    pd.testing.assert_frame_equal(reduced.gene_table, whole.gene_table.iloc[KEPT_GENES].reset_index(drop=True))
    lines = paths["store"][[path.name for path in paths["store"]].index("genes.tsv")].read_text().splitlines()
    kept = next(path for path in paths["reduced_store"] if path.name == "genes.tsv").read_text().splitlines()
    assert kept == [lines[0], *(lines[1 + place] for place in KEPT_GENES)]


def test_nothing_of_the_test_set_is_left(paths):
    drop_test_set(**paths)
    for path in (*paths["reduced_store"], paths["reduced_samples"]):
        if path.name in ARRAYS:
            assert not (np.load(path) == SECRET).any()
        assert b"SECRET" not in path.read_bytes()
    regimes = pd.read_csv(paths["reduced_samples"], sep="\t", dtype=str)
    assert list(regimes) == ["cell", "gene_id", "fold-1"]
    assert not regimes.isin([CELLS[2], *GENES[3:6], "test"]).to_numpy().any()


def test_the_store_is_one_that_training_reads(paths):
    drop_test_set(**paths)
    store = Store(paths["reduced_store"])
    assert (store.info.cells, store.info.genes) == (3, 27)
    assert store.info.medians == {"01": 0.0, "C1": 1.0, "C3": 3.0}
    regimes = read_regimes(paths["reduced_samples"], store, "fold-1")
    np.testing.assert_array_equal(
        regimes, read_regimes(paths["samples"], Store(paths["store"]), "fold-1")[KEPT_CELLS][:, KEPT_GENES]
    )


def test_the_same_files_give_the_same_bytes(paths):
    drop_test_set(**paths)
    before = [path.read_bytes() for path in (*paths["reduced_store"], paths["reduced_samples"])]
    drop_test_set(**paths)
    assert [path.read_bytes() for path in (*paths["reduced_store"], paths["reduced_samples"])] == before

"""The table of samples: written and read back, and refused where it is of another store."""

import numpy as np
import pandas as pd
import pytest

from helpers.stores import store_of
from wakawaka.core.files import read_table, write_table
from wakawaka.splits.regimes import TEST
from wakawaka.splits.samples import read_groups, read_regimes, read_samples, read_similarity, write_samples

FINAL = np.array([["train", "train", "unseen_gene"], ["unseen_cell", "unseen_cell", "both_unseen"]])
REGIMES = {"final": FINAL, "fold-1": np.full((2, 3), TEST)}


@pytest.fixture
def store(tmp_path):
    store = store_of(tmp_path, cells=["01", "02"], genes=["1", "2", "3"])
    write_samples(tmp_path / "samples.tsv.gz", store, REGIMES)
    return store


def test_a_row_per_cell_and_gene_in_the_order_of_the_store(store, tmp_path):
    table = read_table(tmp_path / "samples.tsv.gz")
    assert table.columns.tolist() == ["cell", "gene_id", "final", "fold-1"]
    assert table["cell"].tolist() == ["01"] * 3 + ["02"] * 3 and table["gene_id"].tolist() == ["1", "2", "3"] * 2
    assert table["final"].tolist() == FINAL.ravel().tolist()


def test_regimes_are_read_back(store, tmp_path):
    for run, expected in REGIMES.items():
        assert np.array_equal(read_regimes(tmp_path / "samples.tsv.gz", store, run), expected)
    found = read_samples(tmp_path / "samples.tsv.gz", store)
    assert list(found) == list(REGIMES)
    assert all(np.array_equal(found[run], REGIMES[run]) for run in REGIMES)


@pytest.mark.parametrize("change", [lambda table: table[:-1], lambda table: table.replace({"gene_id": {"3": "4"}})])
def test_a_table_of_another_store_is_refused(store, tmp_path, change):
    path = tmp_path / "samples.tsv.gz"
    write_table(change(read_table(path)), path)
    with pytest.raises(AssertionError, match="is of another store"):
        read_regimes(path, store, "final")
    with pytest.raises(AssertionError, match="is of another store"):
        read_samples(path, store)


def test_groups_and_similarities_are_by_gene(tmp_path):
    write_table(pd.DataFrame({"gene_id": ["1", "2", "3"], "group": [2, 1, 2]}), tmp_path / "genes.tsv")
    assert read_groups(tmp_path / "genes.tsv").tolist() == [2, 1, 2]
    table = {"run": ["final", "fold-1", "fold-1"], "gene_id": ["1", "3", "1"], "similarity": [0.5, 0.25, np.nan]}
    write_table(pd.DataFrame(table), tmp_path / "similarity.tsv")
    found = read_similarity(tmp_path / "similarity.tsv", "fold-1", np.array(["1", "2", "3"]))
    assert np.array_equal(found, [np.nan, np.nan, 0.25], equal_nan=True)

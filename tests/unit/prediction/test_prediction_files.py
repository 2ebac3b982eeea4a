"""The tables of predictions: what is written is read back, and tables of different samples are found."""

import numpy as np
import pandas as pd
import pytest

from helpers.stores import store_of
from wakawaka.core.files import write_table
from wakawaka.prediction.prediction_files import check_same_samples, combined, held_out_predictions, read_run, write_run

REGIMES = np.array([["train", "unseen_gene"], ["unseen_cell", "both_unseen"]])


@pytest.fixture
def store(tmp_path):
    return store_of(tmp_path, cells=["02", "01"], genes=["1e3", "7"])


def test_a_run_has_a_row_per_sample_in_the_order_of_the_store(store, tmp_path):
    truth = np.array([[1, np.nan], [3, 4]], np.float32)
    write_run(tmp_path / "run.tsv.gz", store, REGIMES, truth, {"prediction": truth + 1})
    table = read_run(tmp_path / "run.tsv.gz")
    assert table.columns.tolist() == ["cell", "gene_id", "regime", "truth", "prediction"]
    assert table["cell"].tolist() == ["02", "02", "01", "01"] and table["gene_id"].tolist() == ["1e3", "7"] * 2
    assert table["regime"].tolist() == REGIMES.ravel().tolist()
    assert np.array_equal(table["truth"], truth.ravel(), equal_nan=True)
    some = read_run(tmp_path / "run.tsv.gz", ["prediction"])
    pd.testing.assert_frame_equal(some, table[["cell", "gene_id", "prediction"]])


def test_tables_of_different_samples_are_named():
    table = pd.DataFrame({"cell": ["a", "b"], "gene_id": ["1", "2"]})
    check_same_samples(table, "one.tsv", table.assign(truth=1), "two.tsv")
    for other in (table[::-1].reset_index(drop=True), table[:1], table.assign(cell="a")):
        with pytest.raises(AssertionError, match=r"one\.tsv and two\.tsv are of different samples"):
            check_same_samples(table, "one.tsv", other, "two.tsv")


def test_whole_numbers_are_floats_in_combined_tables():
    names = {"cell": ["01"], "gene_id": ["1"], "regime": ["train"], "run": ["final"]}
    table = combined(pd.DataFrame(names | {"truth": [1], "extra": [2]}), ["truth"])
    assert table.columns.tolist() == ["cell", "gene_id", "regime", "run", "truth"]
    assert table["truth"].dtype == np.float64


def test_held_out_predictions_have_equal_columns(tmp_path):
    names = {"cell": ["01"], "gene_id": ["1"], "regime": ["unseen_cell"]}
    write_table(pd.DataFrame(names | {"run": ["final"], "truth": [1.0], "final": [2.0]}), tmp_path / "test.tsv")
    write_table(pd.DataFrame(names | {"run": ["fold-2"], "truth": [1.0], "prediction": [3.0]}), tmp_path / "oof.tsv")
    test, out_of_fold = held_out_predictions(tmp_path / "test.tsv", tmp_path / "oof.tsv")
    assert test.columns.tolist() == out_of_fold.columns.tolist()
    assert test[["run", "prediction"]].values.tolist() == [["final", 2.0]]
    assert out_of_fold[["run", "prediction"]].values.tolist() == [["fold-2", 3.0]]

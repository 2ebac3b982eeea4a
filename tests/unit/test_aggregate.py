import json

import numpy as np
import pandas as pd
import pytest

from wakawaka.aggregate import aggregate
from wakawaka.files import read_table, write_table

CELL = ["01", "01", "01", "02", "02", "02"]
GENE = ["1", "2", "003", "1", "2", "003"]
TRUTH = [1.0, 2.0, np.nan, 4.0, 5.0, 6.0]


def write_run(path, regimes, predictions):
    table = {"cell": CELL, "gene_id": GENE, "regime": regimes, "truth": TRUTH, "prediction": predictions}
    write_table(pd.DataFrame(table), path)
    return path


def write_preprocessing(tmp_path, *fitted, transform="none"):
    """What lies beside the final model and those of the folds."""
    files = [tmp_path / f"{number}.json" for number in range(len(fitted))]
    for path, one in zip(files, fitted, strict=True):
        path.write_text(json.dumps({"target": {"kind": "value", "transform": transform}, "fitted": one}))
    return files


def paths(tmp_path):
    """Gene 003 is the test set; two folds hold out a gene each, in the cell 02 and in both."""
    held = "unseen_gene"
    final = write_run(tmp_path / "final.tsv.gz", ["train", "train", held] * 2, [1, 2, 3, 4, 5, 6])
    first = write_run(
        tmp_path / "1.tsv.gz", [held, "train", "test", "both_unseen", "unseen_cell", "test"], [10, 0, 1, 40, 50, 3]
    )
    second = write_run(tmp_path / "2.tsv.gz", ["train", held, "test"] * 2, [0, 20, 3, 0, 70, 7])
    preprocessing = write_preprocessing(tmp_path, {}, {}, {})
    return final, [first, second], preprocessing, tmp_path / "test.tsv.gz", tmp_path / "out_of_fold.tsv.gz"


def test_the_test_set_has_the_final_model_and_the_mean_of_the_folds(tmp_path):
    *_, test, _ = arguments = paths(tmp_path)
    aggregate(*arguments)
    expected = {
        "cell": ["01", "02"],
        "gene_id": ["003", "003"],
        "regime": ["unseen_gene", "unseen_gene"],
        "truth": [np.nan, 6.0],
        "final": [3, 6],
        "ensemble_mean": [2, 5],
        # Of the sample 1 and 3, and of 3 and 7.
        "ensemble_sd": [np.sqrt(2), np.sqrt(8)],
        # Of the final run's training samples 1, 2, 4 and 5; it has not seen this gene.
        "gene_mean": [3, 3],
    }
    found = read_table(test, dtype={"cell": str, "gene_id": str})
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected), check_dtype=False)


def test_out_of_fold_predictions_name_their_run(tmp_path):
    *_, out_of_fold = arguments = paths(tmp_path)
    aggregate(*arguments)
    found = read_table(out_of_fold, dtype={"cell": str, "gene_id": str})
    assert found.columns.tolist() == ["cell", "gene_id", "regime", "run", "truth", "prediction", "gene_mean"]
    # fold-1 is trained on 2 alone, of gene 2; fold-2 on 1 and 4, of gene 1.
    assert found.to_numpy().tolist() == [
        ["01", "1", "unseen_gene", "fold-1", 1, 10, 2],
        ["02", "1", "both_unseen", "fold-1", 4, 40, 2],
        ["02", "2", "unseen_cell", "fold-1", 5, 50, 2],
        ["01", "2", "unseen_gene", "fold-2", 2, 20, 2.5],
        ["02", "2", "unseen_gene", "fold-2", 5, 70, 2.5],
    ]


def test_random_rows_are_out_of_fold_too(tmp_path):
    final, folds, preprocessing, test, out_of_fold = paths(tmp_path)
    write_run(folds[0], ["leaking", "train", "test", "train", "leaking", "test"], range(6))
    aggregate(final, folds, preprocessing, test, out_of_fold)
    found = read_table(out_of_fold, dtype=str)
    assert found.loc[found["run"] == "fold-1", "prediction"].tolist() == ["0", "4"]


def test_without_held_out_cells_and_genes_the_test_table_is_empty(tmp_path):
    final, folds, preprocessing, test, out_of_fold = paths(tmp_path)
    write_run(final, ["train"] * 6, range(6))
    for path in folds:
        write_run(path, ["unseen_gene", "train", "train"] * 2, range(6))
    aggregate(final, folds, preprocessing, test, out_of_fold)
    assert read_table(test).columns.tolist() == [
        "cell",
        "gene_id",
        "regime",
        "truth",
        "final",
        "ensemble_mean",
        "ensemble_sd",
        "gene_mean",
    ]
    assert len(read_table(test)) == 0 and len(read_table(out_of_fold)) == 4


def test_tables_of_different_samples_are_no_ensemble(tmp_path):
    final, folds, preprocessing, test, out_of_fold = paths(tmp_path)
    write_table(read_table(folds[1], dtype=str).iloc[::-1], folds[1])
    with pytest.raises(AssertionError):
        aggregate(final, folds, preprocessing, test, out_of_fold)
    assert not test.exists()


def test_z_scores_of_the_folds_are_put_into_the_final_runs_scale(tmp_path):
    final, folds, _, test, out_of_fold = paths(tmp_path)
    write_run(final, ["unseen_cell"] * 3 + ["train"] * 3, [0, 0, 0, 0, 0, 0])
    for path in folds:
        write_run(path, ["test"] * 3 + ["unseen_gene"] * 3, [1, 2, 3, 0, 0, 0])
    genes = ["1", "2", "003"]
    fitted = [
        {"gene_id": genes, "mean": [10, 20, 30], "sd": [2, 4, 1]},
        # Gene 003 was held out, so that nothing is known of it.
        {"gene_id": ["2", "1"], "mean": [20, 16], "sd": [8, 4]},
        {"gene_id": genes, "mean": [10, 20, 30], "sd": [2, 4, 1]},
    ]
    aggregate(final, folds, write_preprocessing(tmp_path, *fitted, transform="zscore_per_gene"), test, out_of_fold)
    # Gene 1: 16 + 1 x 4 is 5 deviations of 2 above 10. Gene 2: 20 + 2 x 8 is 4 of 4 above 20.
    assert read_table(test)["ensemble_mean"].tolist() == [(5 + 1) / 2, (4 + 2) / 2, 3]
    assert read_table(out_of_fold)["prediction"].tolist() == [0] * 6

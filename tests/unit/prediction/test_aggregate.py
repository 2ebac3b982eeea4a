import numpy as np
import pandas as pd
import polars as pl
import pytest

from helpers.preprocessing import write_preprocessing_of
from wakawaka.core.files import read_table, write_table
from wakawaka.prediction.aggregate import Outputs, RunFiles, aggregate

CELL = ["01", "01", "01", "02", "02", "02"]
GENE = ["1", "2", "003", "1", "2", "003"]
RUNS = ["final", "fold-1", "fold-2"]
TRUTH = [1.0, 2.0, np.nan, 4.0, 5.0, 6.0]


def write_run(path, regimes, predictions):
    table = {"cell": CELL, "gene_id": GENE, "regime": regimes, "truth": TRUTH, "prediction": predictions}
    write_table(pd.DataFrame(table), path)
    return path


def write_baselines(tmp_path, *means):
    """What the baselines of each run say of every sample's gene; the other baselines are not looked at."""
    files = [tmp_path / f"baselines-{number}.tsv.gz" for number in range(len(means))]
    for path, one in zip(files, means, strict=True):
        write_table(pd.DataFrame({"cell": CELL, "gene_id": GENE, "training_mean": -1.0, "gene_mean": one}), path)
    return files


def write_preprocessing(tmp_path, *fitted, transform="none"):
    """Write what `train` writes with the final model and those of the folds; return the paths."""
    files = [tmp_path / f"{number}.json" for number in range(len(fitted))]
    for run, path, one in zip(RUNS, files, fitted, strict=True):
        write_preprocessing_of(path, run=run, target={"kind": "value", "transform": transform}, fitted=one)
    return files


@pytest.fixture
def files(tmp_path):
    """Gene 003 is the test set; two folds hold out a gene each, in the cell 02 and in both."""
    held = "unseen_gene"
    final = write_run(tmp_path / "final.tsv.gz", ["train", "train", held] * 2, [1, 2, 3, 4, 5, 6])
    first = write_run(
        tmp_path / "1.tsv.gz", [held, "train", "test", "both_unseen", "unseen_cell", "test"], [10, 0, 1, 40, 50, 3]
    )
    second = write_run(tmp_path / "2.tsv.gz", ["train", held, "test"] * 2, [0, 20, 3, 0, 70, 7])
    baselines = write_baselines(tmp_path, [2.5, 3.5, 3] * 2, [2, 2, 2] * 2, [2.5, 2.25, 2.5] * 2)
    preprocessing = write_preprocessing(tmp_path, {}, {}, {})
    runs = zip(RUNS, [final, first, second], baselines, preprocessing, strict=True)
    names = ["test.tsv.gz", "out_of_fold.tsv.gz", "test.parquet", "out_of_fold.parquet"]
    return [RunFiles(*files) for files in runs], Outputs(*(tmp_path / name for name in names))


TEST_COLUMNS = [
    "cell", "gene_id", "regime", "run", "truth", "final", "fold_mean", "fold_sd", "gene_mean",
]  # fmt: skip


def test_the_test_set_has_the_final_model_and_the_mean_of_the_folds(files):
    runs, outputs = files
    aggregate(*files)
    expected = {
        "cell": ["01", "02"],
        "gene_id": ["003", "003"],
        "regime": ["unseen_gene", "unseen_gene"],
        "run": ["final", "final"],
        "truth": [np.nan, 6.0],
        "final": [3, 6],
        "fold_mean": [2, 5],
        # Of the sample 1 and 3, and of 3 and 7.
        "fold_sd": [np.sqrt(2), np.sqrt(8)],
        # Of the final run's baselines.
        "gene_mean": [3, 3],
    }
    found = read_table(outputs.test)
    pd.testing.assert_frame_equal(found, pd.DataFrame(expected), check_dtype=False)


def test_out_of_fold_predictions_name_their_run(files):
    runs, outputs = files
    aggregate(*files)
    found = read_table(outputs.out_of_fold)
    assert found.columns.tolist() == ["cell", "gene_id", "regime", "run", "truth", "prediction", "gene_mean"]
    # The gene mean is that of the fold's own baselines.
    assert found.to_numpy().tolist() == [
        ["01", "1", "unseen_gene", "fold-1", 1, 10, 2],
        ["02", "1", "both_unseen", "fold-1", 4, 40, 2],
        ["02", "2", "unseen_cell", "fold-1", 5, 50, 2],
        ["01", "2", "unseen_gene", "fold-2", 2, 20, 2.25],
        ["02", "2", "unseen_gene", "fold-2", 5, 70, 2.25],
    ]


@pytest.mark.parametrize("name", ["test", "out_of_fold"])
def test_parquet_holds_the_same_table(files, name):
    runs, outputs = files
    aggregate(*files)
    found, text = pl.read_parquet(getattr(outputs, f"{name}_parquet")), read_table(getattr(outputs, name))
    assert found.columns == text.columns.tolist() and len(found) == len(text)
    for column, kind in found.schema.items():
        # Whole numbers too: what type a column has does not depend on the values.
        assert kind == (pl.String if column in ("cell", "gene_id", "regime", "run") else pl.Float64)
        if kind == pl.String:
            assert found[column].to_list() == text[column].tolist()
        else:
            # Null where text has a dash; text has seven digits.
            assert found[column].is_null().to_list() == text[column].isna().tolist()
            assert found[column].to_numpy() == pytest.approx(text[column].to_numpy(float), rel=1e-6, nan_ok=True)
    assert found["truth"].null_count() == (1 if name == "test" else 0)


def test_equal_inputs_give_equal_bytes(files):
    runs, outputs = files
    aggregate(*files)
    first = [path.read_bytes() for path in outputs]
    aggregate(*files)
    assert [path.read_bytes() for path in outputs] == first


def test_random_rows_are_out_of_fold_too(files):
    runs, outputs = files
    write_run(runs[1].predictions, ["leaking", "train", "test", "train", "leaking", "test"], range(6))
    aggregate(*files)
    found = read_table(outputs.out_of_fold, dtype=str)
    assert found.loc[found["run"] == "fold-1", "prediction"].tolist() == ["0", "4"]


def test_without_held_out_cells_and_genes_the_test_table_is_empty(files):
    runs, outputs = files
    write_run(runs[0].predictions, ["train"] * 6, range(6))
    for fold in runs[1:]:
        write_run(fold.predictions, ["unseen_gene", "train", "train"] * 2, range(6))
    aggregate(*files)
    test, parquet = read_table(outputs.test), pl.read_parquet(outputs.test_parquet)
    assert test.columns.tolist() == parquet.columns == TEST_COLUMNS
    assert len(test) == len(parquet) == 0 and parquet["truth"].dtype == pl.Float64
    assert len(read_table(outputs.out_of_fold)) == 4


@pytest.mark.parametrize("name", ["predictions", "baselines"])
def test_tables_of_different_samples_are_not_put_together(files, name):
    runs, outputs = files
    path = getattr(runs[1], name)
    write_table(read_table(path, dtype=str).iloc[::-1], path)
    with pytest.raises(AssertionError):
        aggregate(*files)
    assert not outputs.test.exists()


def test_z_scores_of_the_folds_are_put_into_the_final_runs_scale(tmp_path, files):
    runs, outputs = files
    write_run(runs[0].predictions, ["unseen_cell"] * 3 + ["train"] * 3, [0, 0, 0, 0, 0, 0])
    for fold in runs[1:]:
        write_run(fold.predictions, ["test"] * 3 + ["unseen_gene"] * 3, [1, 2, 3, 0, 0, 0])
    genes = ["1", "2", "003"]
    fitted = [
        {"gene_id": genes, "mean": [10, 20, 30], "sd": [2, 4, 1]},
        # Gene 003 was held out, so that nothing is known of it.
        {"gene_id": ["2", "1"], "mean": [20, 16], "sd": [8, 4]},
        {"gene_id": genes, "mean": [10, 20, 30], "sd": [2, 4, 1]},
    ]
    preprocessing = write_preprocessing(tmp_path, *fitted, transform="zscore_per_gene")
    runs = [of_run._replace(preprocessing=path) for of_run, path in zip(runs, preprocessing, strict=True)]
    aggregate(runs, outputs)
    # Gene 1: 16 + 1 x 4 is 5 deviations of 2 above 10. Gene 2: 20 + 2 x 8 is 4 of 4 above 20.
    assert read_table(outputs.test)["fold_mean"].tolist() == [(5 + 1) / 2, (4 + 2) / 2, 3]
    assert read_table(outputs.out_of_fold)["prediction"].tolist() == [0] * 6


def test_files_of_another_run_are_refused(files):
    (final, first, second), outputs = files
    with pytest.raises(AssertionError, match=r"2\.json is of the run fold-2, but fold-1 is expected"):
        aggregate([final, first._replace(preprocessing=second.preprocessing), second], outputs)


def test_the_order_of_the_runs_does_not_matter_to_the_test_set(files):
    runs, outputs = files
    aggregate(runs, outputs)
    before = outputs.test.read_bytes()
    aggregate([runs[1], runs[0], runs[2]], outputs)
    assert outputs.test.read_bytes() == before

"""The small example from raw files to the report: what a run leaves behind."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

RUNS = ["final", "fold-1", "fold-2"]
FIGURES = ["learning_curves", "predictions", "architecture", "histone_best", "dna_best"]


def test_every_model_loads_with_plain_keras(example):
    """In a process that cannot import this project."""
    program = """
import sys, keras
for path in sys.argv[1:]:
    model = keras.saving.load_model(path, safe_mode=True)
    assert not any(type(layer).__module__.split(".")[0] != "keras" for layer in model.layers)
    print(model.count_params())
"""
    paths = [str(example / f"results/models/wakawaka/{run}/model.keras") for run in RUNS]
    process = subprocess.run(
        [sys.executable, "-c", program, *paths], cwd="/", capture_output=True, text=True, check=True
    )
    assert process.stdout.split() == ["3428653"] * 3


@pytest.mark.parametrize("run", RUNS)
def test_history_has_a_column_per_regime(example, run):
    history = pd.read_csv(example / f"results/models/wakawaka/{run}/history.tsv", sep="\t")
    regimes = [] if run == "final" else ["unseen_cell", "unseen_gene", "both_unseen"]
    assert list(history.columns) == ["epoch", "seconds", "train_mse", *(f"val_mse_{name}" for name in regimes)]
    assert np.isfinite(history.to_numpy(float)).all()
    assert history["epoch"].tolist() == [1]


def test_the_history_agrees_with_the_scores_of_the_saved_model(example):
    """The fused layers that train and the standard layers that are saved predict the same."""
    scores = pd.read_csv(example / "results/scores/wakawaka/scores.tsv", sep="\t")
    for run in RUNS[1:]:
        history = pd.read_csv(example / f"results/models/wakawaka/{run}/history.tsv", sep="\t").iloc[-1]
        rows = scores[(scores["run"] == run) & (scores["set"] == "validation") & (scores["predictor"] == "model")]
        assert len(rows) == 3
        for row in rows.itertuples():
            assert float(row.mse) == pytest.approx(history[f"val_mse_{row.regime}"], rel=1e-4)


def test_predictions_cover_every_cell_and_gene_once(example):
    for run in RUNS:
        table = pd.read_csv(example / f"results/predictions/wakawaka/{run}.tsv.gz", sep="\t")
        assert len(table) == 8 * 80
        assert not table.duplicated(["cell", "gene_id"]).any()
        assert np.isfinite(table["prediction"]).all()
    test = pd.read_csv(example / "results/predictions/wakawaka/test.tsv.gz", sep="\t")
    assert len(test) == 8 * 80 - 6 * 72
    assert test["regime"].value_counts().to_dict() == {
        "unseen_cell": 2 * 72,
        "unseen_gene": 6 * 8,
        "both_unseen": 2 * 8,
    }
    folds = [pd.read_csv(example / f"results/predictions/wakawaka/{run}.tsv.gz", sep="\t") for run in RUNS[1:]]
    members = np.stack([fold.loc[fold["regime"] == "test", "prediction"] for fold in folds])
    assert np.allclose(test["ensemble_mean"], members.mean(axis=0), rtol=1e-5)
    assert np.allclose(test["ensemble_sd"], members.std(axis=0, ddof=1), rtol=1e-3, atol=1e-6)


def test_baselines_stand_beside_the_model_in_every_regime(example):
    scores = pd.read_csv(example / "results/scores/wakawaka/scores.tsv", sep="\t")
    final = scores[(scores["set"] == "test") & (scores["run"] == "final")]
    assert set(map(tuple, final[["regime", "predictor"]].to_numpy())) == {
        (regime, predictor)
        for regime in ("unseen_cell", "unseen_gene", "both_unseen")
        for predictor in ("model", "training_mean", "gene_mean")
    }
    assert "train" in set(scores["set"])
    mse = final.set_index(["regime", "predictor"])["mse"].astype(float)
    # Of an unseen gene the per-gene mean knows nothing; of a seen one it knows much.
    assert mse["unseen_gene", "gene_mean"] == mse["unseen_gene", "training_mean"]
    assert mse["unseen_cell", "gene_mean"] < mse["unseen_cell", "training_mean"]


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_has_its_table(example, figure):
    assert (example / f"results/figures/wakawaka/{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert len(pd.read_csv(example / f"results/figures/wakawaka/{figure}.tsv", sep="\t")) > 0


def test_the_report_is_one_file_with_scores_and_figures(example):
    report = (example / "results/report.html").read_text()
    assert "per-gene training mean" in report
    for figure in FIGURES:
        assert f"{figure}.png" in report
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', report)


def test_every_step_has_a_log_and_a_benchmark(example):
    for folder in ("logs", "benchmarks"):
        names = {path.name for path in (example / folder).iterdir()}
        scripts = {path.stem for path in (example / "workflow/scripts").glob("*.py")}
        used = {"read_gtf", "read_counts", "read_fasta", "read_matrix"}
        others = {name for name in scripts if name.startswith("read_")} - used
        assert names == scripts - others - {"simulate_reads", "predict_new"}
    assert "epoch 1/1" in (example / "logs/train/wakawaka/fold-1.log").read_text()


def test_nothing_is_written_elsewhere(example):
    found = {str(path.relative_to(example.folder)) for path in example.folder.rglob("*") if path.is_file()}
    made = {name for name in found if "__pycache__" not in name} - set(example.files)
    assert {name.split("/")[0] for name in made} == {"results", "logs", "benchmarks", ".snakemake"}


def test_a_dry_run_imports_no_tensorflow(example):
    program = "import sys, runpy\nsys.argv = ['snakemake', '-n', '--quiet', '--cores', '1']\n"
    program += "try:\n    runpy.run_module('snakemake', run_name='__main__')\nexcept SystemExit as end:\n    assert not end.code\n"
    program += "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\nprint('light')"
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=example.folder, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip().endswith("light")

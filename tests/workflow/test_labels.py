"""Labels instead of values: the whole way with a binary target."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers.project import SMALL, Project, scores_of, table


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A copy in which the small example has run with labels; with marks, bins and a window of other numbers than everywhere else."""
    project = Project.fresh(tmp_path_factory.mktemp("labels"))
    config = yaml.safe_load((project / SMALL).read_text())
    config |= {"expression": {"target": "above_median"}, "training": {"epochs": 3}, "window": 4000, "bins": 50}
    config["histone"] = {"marks": ["H3K9me3", "H3K27ac", "H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3"]}
    histone = {"convolutions": [{"filters": 20, "kernel_size": 5, "pool_size": 4}]}
    config["models"] = {"wakawaka": {"histone": histone}, "wakawaka-plus": {"training": {"epochs": 2}}}
    (project / "my.yaml").write_text(yaml.safe_dump(config))
    project.snakemake(configfile="my.yaml")
    project.snakemake("--report", "results/report.html", configfile="my.yaml")
    return project


def test_truth_is_whether_a_gene_is_at_or_above_the_median_of_its_cell(labelled):
    expression = pd.read_csv(labelled / "results/example/expression.tsv", sep="\t", index_col="gene_id")
    expected = (expression >= expression.median()).astype(int)
    found = table(labelled, "predictions/wakawaka/final.tsv.gz").pivot(index="gene_id", columns="cell", values="truth")
    assert found.astype(int).equals(expected.loc[found.index, found.columns].rename_axis(columns="cell"))
    medians = json.loads((labelled / "results/store/store.json").read_text())["medians"]
    assert medians == pytest.approx(expression.median().to_dict(), rel=1e-6)


def test_the_loss_is_the_cross_entropy_and_the_scores_are_auroc_and_aupr(labelled):
    history = table(labelled, "models/wakawaka/fold-1/history.tsv")
    assert list(history.columns)[2:4] == ["train_bce", "val_bce_unseen_cell"]
    scores = scores_of(labelled)
    metrics = {"bce", "auroc", "aupr", "auroc_across_genes", "aupr_across_genes", "calibration_error"}
    assert metrics <= set(scores["metric"]) and not {"mse", "coverage"} & set(scores["metric"])
    assert np.load(labelled / "results/store/histone.npy", mmap_mode="r").shape == (8, 80, 50, 6)
    assert np.load(labelled / "results/store/dna.npy", mmap_mode="r").shape == (80, 4000)
    # The base rate ranks nothing.
    chances = scores_of(labelled, set="test", run="final", predictor="training_mean", metric="auroc")["value"]
    assert len(chances) == 4 and (chances == 0.5).all()
    report = (labelled / "results/report.html").read_text()
    assert "AUROC" in report and "log loss" in report


def test_the_saved_model_gives_probabilities_to_plain_keras(labelled):
    program = """
import sys, keras, numpy as np
model = keras.saving.load_model(sys.argv[1], safe_mode=True)
histone, dna = np.log1p(np.load(sys.argv[2])[0, :5].astype("float32")), np.load(sys.argv[3])[:5]
print(*model.predict([histone, np.eye(5, 4, dtype="float32")[dna]], verbose=0)[:, 0])
"""
    paths = ["models/wakawaka/final/model.keras", "store/histone.npy", "store/dna.npy"]
    paths = [str(labelled / "results" / path) for path in paths]
    said = subprocess.run([sys.executable, "-c", program, *paths], cwd="/", capture_output=True, text=True, check=True)
    probabilities = np.array(said.stdout.split(), float)
    known = table(labelled, "predictions/wakawaka/final.tsv.gz")["prediction"][:5]
    assert ((probabilities > 0) & (probabilities < 1)).all()
    assert np.allclose(probabilities, known, atol=1e-5)


def test_wakawaka_plus_predicts_labels_too(labelled):
    assert {"wakawaka", "wakawaka-plus"} < set(
        scores_of(labelled, set="test", run="final", metric="auroc")["predictor"]
    )
    predicted = table(labelled, "predictions/wakawaka-plus/final.tsv.gz")["prediction"]
    assert ((predicted > 0) & (predicted < 1)).all()
    about = json.loads((labelled / "results/models/wakawaka-plus/final/preprocessing.json").read_text())
    assert about["binary"] and about["schedule"]["ensemble_size"] == 2
    assert np.load(labelled / "results/attributions/wakawaka-plus/best.npz", allow_pickle=False)["fixed_kmers"]
    assert "wakawaka-plus" in (labelled / "results/compare/compare.html").read_text()

"""The small example from raw files to the report: what a run leaves behind."""

import re
import subprocess
import sys
from hashlib import sha256
from importlib.metadata import version

import numpy as np
import pandas as pd
import polars as pl
import pytest

from helpers.project import scores_of, table, tracked_files

RUNS = ["final", "fold-1", "fold-2"]
REGIMES = ["unseen_cell", "unseen_gene", "both_unseen"]
BASELINES = ["training_mean", "gene_mean", "nearest_cell", "ridge_bins", "ridge_summaries", "trees_summaries"]
FIGURES = ["learning_curves", "predictions", "calibration", "architecture", "histone_best", "dna_best"]


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
    regimes = [] if run == "final" else REGIMES
    assert list(history.columns) == ["epoch", "seconds", "train_mse", *(f"val_mse_{name}" for name in regimes)]
    assert np.isfinite(history.to_numpy(float)).all()
    assert history["epoch"].tolist() == [1]


def test_the_history_agrees_with_the_scores_of_the_saved_model(example):
    """The fused layers that train and the standard layers that are saved predict the same."""
    for run in RUNS[1:]:
        history = pd.read_csv(example / f"results/models/wakawaka/{run}/history.tsv", sep="\t").iloc[-1]
        scores = scores_of(example, set="validation", run=run, predictor="wakawaka", metric="mse")
        scores = scores.set_index("regime")["value"]
        assert set(scores.index) == {*REGIMES, "pool"}
        for regime in REGIMES:
            assert scores[regime] == pytest.approx(history[f"val_mse_{regime}"], rel=1e-4)


def test_predictions_cover_every_cell_and_gene_once(example):
    for run in RUNS:
        found = table(example, f"predictions/wakawaka/{run}.tsv.gz")
        assert len(found) == 8 * 80
        assert not found.duplicated(["cell", "gene_id"]).any()
        assert np.isfinite(found["prediction"]).all()
    test = pd.read_csv(example / "results/predictions/wakawaka/test.tsv.gz", sep="\t")
    assert len(test) == 8 * 80 - 6 * 72
    assert test["regime"].value_counts().to_dict() == {
        "unseen_cell": 2 * 72,
        "unseen_gene": 6 * 8,
        "both_unseen": 2 * 8,
    }
    folds = [pd.read_csv(example / f"results/predictions/wakawaka/{run}.tsv.gz", sep="\t") for run in RUNS[1:]]
    members = np.stack([fold.loc[fold["regime"] == "test", "prediction"] for fold in folds])
    assert np.allclose(test["fold_mean"], members.mean(axis=0), rtol=1e-5)
    assert np.allclose(test["fold_sd"], members.std(axis=0, ddof=1), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", ["test", "out_of_fold"])
def test_parquet_holds_what_the_text_holds(example, name):
    text = table(example, f"predictions/wakawaka/{name}.tsv.gz")
    stored = pl.read_parquet(example / f"results/predictions/wakawaka/{name}.parquet")
    assert stored.columns == list(text) and stored.height == len(text) > 0
    for column in text:
        kind = pl.String if column in ("cell", "gene_id", "regime", "run") else pl.Float64
        assert stored[column].dtype == kind
        if kind == pl.String:
            assert stored[column].to_list() == text[column].tolist()
        else:
            # Text has seven digits.
            assert np.allclose(stored[column].to_numpy(), text[column], rtol=1e-6, atol=1e-6)


def test_every_predictor_is_scored_in_every_regime(example):
    predictors = ["wakawaka", *BASELINES]
    scores = scores_of(example)
    assert not scores.duplicated(["set", "regime", "run", "predictor", "metric", "baseline"]).any()
    mse = scores[scores["metric"] == "mse"]
    assert mse["value"].notna().all()
    expected = {
        *(("test", regime, "final", predictor) for regime in (*REGIMES, "pool") for predictor in predictors),
        *(("test", regime, "fold_mean", "wakawaka") for regime in (*REGIMES, "pool")),
        *(
            ("validation", regime, run, predictor)
            for regime in (*REGIMES, "pool")
            for run in (*RUNS[1:], "mean")
            for predictor in predictors
        ),
        *(("train", "train", run, predictor) for run in (*RUNS, "mean") for predictor in predictors),
    }
    assert set(mse[["set", "regime", "run", "predictor"]].itertuples(index=False, name=None)) == expected
    # Each compared with all others, in pairs, under the same draws.
    skills = scores[(scores["metric"] == "skill") & (scores["run"] == "final") & (scores["set"] == "test")]
    for _, rows in skills.groupby(["regime", "predictor"]):
        assert set(rows["baseline"]) == set(predictors) - set(rows["predictor"])
    mse = mse[(mse["set"] == "test") & (mse["run"] == "final")].set_index(["regime", "predictor"])["value"]
    # Of an unseen gene the per-gene mean knows nothing; of a seen one it knows much.
    assert mse["unseen_gene", "gene_mean"] == mse["unseen_gene", "training_mean"]
    assert mse["unseen_cell", "gene_mean"] < mse["unseen_cell", "training_mean"]


def test_scores_are_those_of_the_predictions_and_say_of_how_many(example):
    for run, set_name in (("final", "test"), ("fold-2", "validation")):
        rows = table(example, f"predictions/wakawaka/{run}.tsv.gz")
        scores = scores_of(example, set=set_name, run=run, predictor="wakawaka", metric="mse").set_index("regime")
        for regime in (*REGIMES, "pool"):
            known = rows[rows["regime"].isin(REGIMES if regime == "pool" else [regime])]
            error = (known["truth"] - known["prediction"]) ** 2
            assert scores.at[regime, "value"] == pytest.approx(error.mean(), rel=1e-4)
            sizes = scores.loc[regime, ["cells", "genes", "samples"]].tolist()
            assert sizes == [known["cell"].nunique(), known["gene_id"].nunique(), len(known)]


def test_intervals_say_what_was_drawn_for_them(example):
    scores = scores_of(example, predictor="wakawaka", metric="mse").set_index(["set", "regime", "run"])
    drawn = {
        # Two held-out cells are too few to draw from.
        ("test", "unseen_cell", "final"): "genes",
        ("test", "unseen_gene", "final"): "genes and cells",
        ("test", "both_unseen", "final"): "genes",
        # Of several regimes, whose mixture a draw of cells would change.
        ("test", "pool", "final"): "genes",
        ("test", "unseen_gene", "fold_mean"): "genes and cells",
        ("validation", "unseen_cell", "mean"): "genes and cells",
        ("validation", "unseen_cell", "fold-1"): "nothing",
        ("train", "train", "final"): "genes and cells",
        ("train", "train", "mean"): "nothing",
    }
    for key, over in drawn.items():
        row = scores.loc[key]
        assert row["resampled"] == over, key
        assert (
            np.isnan(row["ci_low"]) and np.isnan(row["ci_high"])
            if over == "nothing"
            else row["ci_low"] < row["ci_high"]
        ), key


def test_every_held_out_gene_has_its_most_similar_training_gene(example):
    genes = table(example, "splits/genes.tsv").set_index("gene_id")
    similar = table(example, "splits/similarity.tsv")
    held_out = {"final": set(genes.index[genes["set"] == "held_out"])}
    held_out |= {f"fold-{fold}": set(genes.index[genes["fold"] == fold]) for fold in (1, 2)}
    assert len(held_out["final"]) == 8
    for run, names in held_out.items():
        rows = similar[similar["run"] == run]
        assert sorted(rows["gene_id"]) == sorted(names)
        others = set(rows["similar_to"].dropna())
        assert not others & names and not others & held_out["final"]
    # Drawn at random, so that the windows of no two genes but neighbours have much in common, and those are held out together.
    assert similar["similarity"].between(0, 0.05).all()
    # All are in one bin, so that its scores are those of all.
    for regime in ("unseen_gene", "both_unseen"):
        which = {"set": "test", "run": "final", "predictor": "wakawaka", "metric": "mse", "regime": regime}
        bins = [scores_of(example, similarity=name, **which) for name in ("below 0.01", "0.01 to 0.05")]
        assert sum(part["genes"].sum() for part in bins) == 8
    # Of seen genes there is no similarity.
    assert scores_of(example, similarity="below 0.01", regime="unseen_cell").empty


def test_the_audit_finds_no_leak(example):
    audit = table(example, "splits/audit.tsv")
    assert audit["leak"].isna().all()
    expected = [(run, regime) for run in RUNS for regime in ("train", *REGIMES)]
    assert sorted(audit[["run", "regime"]].itertuples(index=False, name=None)) == sorted(expected)
    held_out = audit[audit["regime"] == "both_unseen"]
    also = ["cells_also_trained_on", "genes_also_trained_on", "gene_groups_also_trained_on"]
    assert (held_out[also] == 0).all(axis=None)


def test_the_fingerprint_tells_data_settings_software_and_models(example):
    found = pd.read_csv(example / "results/provenance/provenance.tsv", sep="\t", dtype=str).set_index("topic")
    rows = {topic: part.set_index("item")["value"] for topic, part in found.groupby(level=0)}
    sources = {f"results/example/{name}" for name in ("genes.gtf", "genome.fa", "expression.tsv")}
    sources |= {f"results/example/counts/C{number:02}.tsv.gz" for number in range(1, 9)}
    assert set(rows["source"].index) == sources
    for path, digest in rows["source"].items():
        assert digest == sha256((example / path).read_bytes()).hexdigest()
    for name, digest in rows["store"].items():
        assert digest == sha256((example / "results/store" / name).read_bytes()).hexdigest()
    assert rows["settings"]["seed"] == "1" and len(rows["settings"]["config_sha256"]) == 64
    assert rows["samples"].to_dict() == {
        "train": "432", "unseen_cell": "144", "unseen_gene": "48", "both_unseen": "16", "test": "208"
    }  # fmt: skip
    expression = table(example, "example/expression.tsv").set_index("gene_id")
    trained = table(example, "splits/genes.tsv").set_index("gene_id")["set"] == "train"
    known = expression.loc[trained.index[trained], [f"C0{number}" for number in range(1, 7)]].to_numpy()
    assert float(rows["target mean"]["train"]) == pytest.approx(known.mean(), rel=1e-5)
    assert float(rows["target variance"]["train"]) == pytest.approx(known.var(), rel=1e-5)
    for name in ("numpy", "snakemake", "scikit-learn"):
        assert rows["software"][name] == version(name)
    for run in RUNS:
        made = rows[f"made_with wakawaka/{run}"]
        assert made["seed"] == "1" and made["threads"] == "1" and made["keras"] == version("keras")
        assert made["device"] not in ("-", "")
    for topic in ("seconds", "max_rss_mb"):
        assert {f"train/wakawaka/{run}" for run in RUNS} | {"build_store/build_store"} <= set(rows[topic].index)


def test_verdicts_are_of_scores_and_thresholds(example):
    verdicts = table(example, "verdicts/verdicts.tsv")
    assert set(verdicts["verdict"]) <= {"holds", "falls short", "undecided"}
    assert verdicts["sentence"].notna().all()
    assert verdicts.loc[verdicts["verdict"] == "falls short", "what_to_do"].notna().all()
    # After one epoch there is much that does not hold, and of a seen gene its average is not beaten.
    memory = verdicts[verdicts["check"] == "memorising, per-gene mean"]
    assert memory["regime"].tolist() == ["unseen_cell"] and memory["verdict"].item() == "falls short"
    skill = scores_of(
        example, set="test", run="final", regime="unseen_cell", predictor="wakawaka", metric="skill", baseline="gene_mean"
    )  # fmt: skip
    assert memory[["value", "ci_low", "ci_high"]].to_numpy() == pytest.approx(
        skill[["value", "ci_low", "ci_high"]].to_numpy()
    )


@pytest.mark.parametrize("figure", FIGURES)
def test_every_figure_has_its_table(example, figure):
    assert (example / f"results/figures/wakawaka/{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert len(table(example, f"figures/wakawaka/{figure}.tsv")) > 0


def test_the_figure_of_all_predictors_has_its_table(example):
    assert (example / "results/figures/scores.png").read_bytes().startswith(b"\x89PNG")
    drawn = table(example, "figures/scores.tsv")
    assert set(drawn["predictor"]) == {"wakawaka", *BASELINES} and set(drawn["regime"]) == {*REGIMES, "train"}


def test_calibration_bins_hold_all_test_samples(example):
    bins = table(example, "figures/wakawaka/calibration.tsv").set_index("regime")
    rows = table(example, "predictions/wakawaka/test.tsv.gz").groupby("regime")
    for regime in REGIMES:
        found, known = bins.loc[regime], rows.get_group(regime)
        assert found["samples"].sum() == len(known)
        assert np.average(found["mean_sd"], weights=found["samples"]) == pytest.approx(known["fold_sd"].mean())
        error = ((known["truth"] - known["fold_mean"]) ** 2).mean()
        assert np.average(found["rmse"] ** 2, weights=found["samples"]) == pytest.approx(error, rel=1e-5)
        coverage = scores_of(example, set="test", run="fold_mean", metric="coverage", regime=regime)["value"].item()
        assert np.average(found["coverage"], weights=found["samples"]) == pytest.approx(coverage, rel=1e-5)


def test_the_report_is_one_file_with_scores_and_figures(example):
    report = (example / "results/report.html").read_text()
    assert "per-gene training mean" in report
    for figure in (*FIGURES, "scores"):
        assert f"{figure}.png" in report
    for name in (
        "scores/scores.tsv",
        "verdicts/verdicts.tsv",
        "check_example/example.tsv",
        "provenance/provenance.tsv",
    ):
        assert f"results/{name}" in report
    assert not re.search(r'<(script|link|img)[^>]+(src|href)="https?:', report)


def test_the_first_page_has_five_sentences_and_a_table(example):
    page = (example / "results/verdicts/summary.rst").read_text()
    topics = ["Seen genes, unseen cells", "Unseen genes", "DNA", "Simple models", "Trust"]
    numbered = re.findall(r"^(\d)\. \*(.+?):\*", page, re.MULTILINE)
    assert numbered == [(str(number), topic) for number, topic in enumerate(topics, start=1)]
    report = (example / "results/report.html").read_text()
    shown = re.search("What the scores say about wakawaka</h1>(.*?)How to read this", report)[1]
    assert re.findall("<li><em>(.+?):</em>", shown) == topics
    scores = scores_of(example, set="test", run="final", metric="mse").set_index(["predictor", "regime"])
    for predictor, words in (("wakawaka", "wakawaka"), ("gene_mean", "per-gene training mean")):
        cells = re.search(rf"<td>{words}</td>(.*?)</tr>", shown)[1].replace("\\n", "")
        for cell, regime in zip(re.findall("<td>(.*?)</td>", cells), REGIMES, strict=False):
            row = scores.loc[predictor, regime]
            assert cell.startswith(f"{row['value']:.2f} ({row['ci_low']:.2f} to {row['ci_high']:.2f}) / "), (
                cell,
                regime,
            )
    # Nothing leaks here.
    assert not re.search(r'class=\\?"red', report)


def test_every_step_has_a_log_and_a_benchmark(example):
    for folder in ("logs", "benchmarks"):
        names = {path.name for path in (example / folder).iterdir()}
        scripts = {path.stem for path in (example / "workflow/scripts").glob("*.py")}
        used = {"read_gtf", "read_counts", "read_fasta", "read_matrix"}
        others = {name for name in scripts if name.startswith("read_")} - used | {"stack_marks"}
        on_request = {"simulate_reads", "predict_new", "score_experiments", "plot_experiments", "drop_test_set", "tune"}
        on_request |= {"rank_trials", "choose_trial", "score_tuned", "plot_tuning", "stack_marks"}
        assert names == scripts - others - on_request
    assert "epoch 1/1" in (example / "logs/train/wakawaka/fold-1.log").read_text()


def test_nothing_is_written_elsewhere(example):
    found = {str(path.relative_to(example.folder)) for path in example.folder.rglob("*") if path.is_file()}
    made = {name for name in found if "__pycache__" not in name} - set(tracked_files())
    assert {name.split("/")[0] for name in made} == {"results", "logs", "benchmarks", ".snakemake"}


def test_a_dry_run_imports_no_tensorflow(example):
    program = "import sys, runpy\nsys.argv = ['snakemake', '-n', '--quiet', '--cores', '1']\n"
    program += "try:\n    runpy.run_module('snakemake', run_name='__main__')\nexcept SystemExit as end:\n    assert not end.code\n"
    program += "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules\nprint('light')"
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=example.folder, capture_output=True, text=True, check=True
    )
    assert process.stdout.strip().endswith("light")

"""`snakemake experiments`: variants of a model, trained, scored and drawn."""

import json

import pytest
import yaml

from helpers.project import SMALL, scores_of, table

# Without the other ones that the config has.
TWO = {"experiments": {f"experiment-{number}": None for number in (2, 3, 4, 5, 6)}}
RUNS = ("final", "fold-1", "fold-2")


@pytest.fixture(scope="module")
def done(example, tmp_path_factory):
    """A copy of the small example in which two experiments were run, and a report of them was made."""
    project = example.copy(tmp_path_factory.mktemp("experiments") / "project")
    (project / "two.yaml").write_text(yaml.safe_dump(TWO))
    # The model is there, and experiment-8 is nothing else.
    planned = {"train": 3, "predict": 3, "score_experiments": 1, "plot_experiments": 1, "experiments": 1}
    assert project.planned("experiments", configfile=[SMALL, "two.yaml"]) == planned
    project.snakemake("experiments", configfile=[SMALL, "two.yaml"])
    project.snakemake("all", "experiments", "--report", "results/report.html", configfile=[SMALL, "two.yaml"])
    return project


def test_the_one_that_changes_nothing_is_not_trained_again(example, done):
    before, after = ({path.name for path in (one / "results/models").iterdir()} for one in (example, done))
    assert after - before == {"experiment-1"} and "wakawaka" in before
    assert sorted(path.name for path in (done / "results/models/experiment-1").iterdir()) == sorted(RUNS)
    assert done.planned("experiments", configfile=[SMALL, "two.yaml"]) == {}


def test_what_is_trained_is_what_the_experiment_says(done):
    abouts = [
        json.loads((done / f"results/models/{network}/final/preprocessing.json").read_text())
        for network in ("experiment-1", "wakawaka")
    ]
    assert [about["spec"]["joint"]["dense"] for about in abouts] == [[50, 10], [100]]
    assert [len(about["spec"]["histone"]["convolutions"]) for about in abouts] == [3, 2]


def test_the_figure_has_a_row_per_experiment_in_the_order_of_the_config(done):
    assert (done / "results/figures/experiments.png").read_bytes().startswith(b"\x89PNG")
    shown = table(done, "figures/experiments.tsv")
    regimes = ["unseen_cell", "unseen_gene", "both_unseen", "pool"]
    assert list(shown["experiment"]) == ["experiment-1"] * 4 + ["experiment-8"] * 4
    assert list(shown["network"]) == ["experiment-1"] * 4 + ["wakawaka"] * 4
    assert list(shown["regime"]) == regimes * 2
    assert list(shown["published_mse"]) == [3.298] * 4 + [3.15] * 4
    assert set(shown["set"]) == {"test"} and shown["ci_low"].notna().all()
    # In pairs with the model; the model itself is compared with nothing.
    ours, base = shown["value"][:4].to_numpy(), shown["value"][4:].to_numpy()
    assert shown["skill"][:4].to_numpy() == pytest.approx(1 - ours / base, abs=1e-5)
    assert shown["skill_ci_low"][:4].notna().all() and shown["skill"][4:].isna().all()


def test_the_scores_are_of_experiments_models_and_baselines(done):
    scores = table(done, "score_experiments/scores.tsv")
    networks = {"experiment-1", "wakawaka"}
    assert networks < set(scores["predictor"]) and {"training_mean", "ridge_bins"} < set(scores["predictor"])
    assert set(scores["run"]) == {*RUNS, "mean"}
    compared = scores[(scores["predictor"] == "experiment-1") & (scores["metric"] == "pearson_difference")]
    assert "wakawaka" in set(compared["baseline"])
    # They are no part of the usual table.
    assert "experiment-1" not in set(table(done, "scores/scores.tsv")["predictor"])


def test_the_comparison_of_models_is_of_the_scores_and_of_what_training_took(example):
    compared = table(example, "compare/compare.tsv")
    costs = compared[compared["set"].isna() & (compared["predictor"] == "wakawaka")].set_index("metric")["value"]
    # 6 cells and 72 genes, once.
    assert (costs["parameters"], costs["training_samples"], costs["epochs"]) == (3428653, 6 * 72, 1)
    scores = scores_of(example, set="test", run="final", metric="mse")
    assert set(scores["regime"]) == {"unseen_cell", "unseen_gene", "both_unseen", "pool"}
    shown = compared[(compared["run"] == "final") & (compared["metric"] == "mse")].set_index(["predictor", "regime"])[
        "value"
    ]
    assert shown.to_dict() == scores.set_index(["predictor", "regime"])["value"].to_dict()
    assert "3,428,653" in (example / "results/compare/compare.html").read_text()
    markdown = (example / "results/compare/compare.md").read_text()
    # The losses of the model and six baselines, then its skill compared with each of these.
    assert len(markdown.splitlines()) == (2 + 7) + 1 + (2 + 6)


def test_all_of_the_report_s_experiments_are_trained_once_and_only_if_asked_for(project):
    # Six that differ from the model, and the model, which is the eighth.
    assert project.planned("experiments", configfile=SMALL)["train"] == 7 * 3
    assert not {"score_experiments", "plot_experiments"} & set(project.planned(configfile=SMALL))

"""`snakemake tuning`: trials, folds and rungs, the chosen trial, and what the search must not read."""

import json

import pandas as pd
import pytest
import yaml

from helpers.project import SMALL, table

# The second trial cannot be trained: its weights overflow in the first step.
RATES = [0.0005, 1e30]
SEARCH = {"tuning": {"search_space": {"learning_rate": RATES, "dropout": None}, "epochs": [1, 2], "keep_fraction": 0.5}}
CONFIG = [SMALL, "search.yaml"]
FOLDS = ("fold-1", "fold-2")
TRIALS = ("learning_rate~0.0005", "learning_rate~1e+30")
LAST = "results/rank_trials/rung-2.tsv"


@pytest.fixture(scope="module")
def searched(example, tmp_path_factory):
    """A copy of the small example in which the search has run while nothing was there but what `drop_test_set` writes."""
    project = example.copy(tmp_path_factory.mktemp("tuning") / "project")
    (project / "search.yaml").write_text(yaml.safe_dump(SEARCH))
    project.snakemake("drop_test_set", configfile=CONFIG)
    for folder in ("store", "splits", "example", "read_counts"):
        (project / f"results/{folder}").rename(project / folder)
    project.snakemake(LAST, configfile=CONFIG)
    for folder in ("store", "splits", "example", "read_counts"):
        assert not (project / f"results/{folder}").exists()
        (project / folder).rename(project / f"results/{folder}")
    return project


@pytest.fixture(scope="module")
def done(searched):
    """The same when `snakemake tuning` has run to its end."""
    planned = searched.planned("tuning", configfile=CONFIG)
    # The model itself is there.
    assert planned == {
        "choose_trial": 1, "train": 3, "predict": 3, "aggregate": 1, "plot_tuning": 1, "score_tuned": 1, "tuning": 1,
    }  # fmt: skip
    searched.snakemake("tuning", configfile=CONFIG)
    return searched


def test_no_held_out_cell_or_gene_is_in_what_the_search_reads(searched):
    for name, column in (("cells", "cell"), ("genes", "gene_id")):
        whole = table(searched, f"splits/{name}.tsv")
        kept = table(searched, f"drop_test_set/{name}.tsv")[column].tolist()
        assert kept == whole[column][whole["set"] == "train"].tolist()
        assert len(kept) < len(whole)
    samples = table(searched, "drop_test_set/samples.tsv.gz")
    assert list(samples) == ["cell", "gene_id", *FOLDS]
    assert set(samples["fold-1"]) == {"train", "unseen_cell", "unseen_gene", "both_unseen"}


@pytest.mark.parametrize("fold", FOLDS)
def test_a_trial_with_the_settings_of_the_model_is_trained_as_the_model_is(searched, fold):
    """The samples of the test set, which are not there, change nothing; but on some processors the rounding of products of matrices
    depends on how many rows they have, and fewer genes have fewer k-mers with N.
    """
    found = table(searched, f"tune/rung-1/{TRIALS[0]}/{fold}.tsv")
    model = table(searched, f"models/wakawaka/{fold}/history.tsv")
    pd.testing.assert_frame_equal(found.drop(columns="seconds"), model.drop(columns="seconds"), rtol=1e-4)
    assert [column for column in found if column.startswith("val_")]


def test_a_trial_that_diverges_ranks_last_and_ends_nothing(searched):
    ranks = table(searched, "rank_trials/rung-1.tsv")
    assert ranks["learning_rate"].tolist() == RATES
    assert ranks["loss"].notna().tolist() == [True, False]
    log = (searched / f"logs/tune/rung-1/{TRIALS[1]}/fold-1.log").read_text()
    assert "this trial ranks last: fold-1, epoch 1/1: the loss is no longer a finite number" in log
    assert not list((searched / "results/tune").rglob("*checkpoint*"))


def test_the_next_rung_trains_the_best_trial_for_longer(searched):
    assert sorted(path.name for path in (searched / "results/tune/rung-2").iterdir()) == ["rank-1"]
    assert "rank 1 is the trial learning_rate 0.0005" in (searched / "logs/tune/rung-2/rank-1/fold-1.log").read_text()
    history = table(searched, "tune/rung-2/rank-1/fold-1.tsv")
    assert history["epoch"].tolist() == [1, 2]
    # From the same first weights.
    first = table(searched, f"tune/rung-1/{TRIALS[0]}/fold-1.tsv")
    assert history["train_mse"][0] == first["train_mse"][0]
    assert table(searched, "rank_trials/rung-2.tsv")["learning_rate"].tolist() == [0.0005]


def test_the_chosen_trial_is_trained_on_everything_and_scored_with_the_model(done):
    chosen = json.loads((done / "results/choose_trial/chosen.json").read_text())
    assert chosen["trial"] == {"learning_rate": 0.0005} and chosen["schedule"]["epochs"] == 2
    for run in ("final", *FOLDS):
        about = json.loads((done / f"results/models/tuned/{run}/preprocessing.json").read_text())
        assert (about["spec"], about["schedule"]) == (chosen["spec"], chosen["schedule"])
    scores = table(done, "score_tuned/scores.tsv")
    networks = set(scores[scores["metric"] == "pearson_difference"]["predictor"])
    assert networks == {"tuned", "wakawaka"}
    skill = scores[(scores["metric"] == "skill") & (scores["predictor"] == "tuned") & (scores["set"] == "test")]
    assert {"wakawaka", "gene_mean"} <= set(skill["baseline"]) and skill["value"].notna().any()
    assert (done / "results/figures/tuning.png").is_file()


def test_a_finished_search_is_not_run_again(done):
    assert done.planned("tuning", configfile=CONFIG) == {}


def test_one_trial_is_trained_again_by_its_path(done):
    planned = done.planned("-f", f"results/tune/rung-1/{TRIALS[0]}/fold-2.tsv", configfile=CONFIG)
    assert planned == {"tune": 1}


def test_a_trial_that_took_another_time_trains_nothing_else(done):
    """What the next rung reads has no seconds."""
    history = done / f"results/tune/rung-1/{TRIALS[0]}/fold-2.tsv"
    before, changed = history.read_text(), table(done, history)
    changed["seconds"] += 100
    changed.to_csv(history, sep="\t", index=False, na_rep="-")
    done.snakemake("results/rank_trials/rung-1.tsv", configfile=CONFIG)
    assert done.planned(LAST, configfile=CONFIG) == {}
    history.write_text(before)
    done.snakemake("results/rank_trials/rung-1.tsv", configfile=CONFIG)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (
            f"rung-2/{TRIALS[0]}",
            "Rung 2 of the search has no trial learning_rate~0.0005: there, trials are called by their rank",
        ),
        ("rung-2/rank-7", "Rung 2 of the search has no trial rank-7"),
        (
            "rung-1/rank-1",
            "The first rung of the search has no trial rank-1: there, trials are called like learning_rate~0.0005.",
        ),
    ],
)
def test_a_path_that_is_no_trial_is_refused(done, path, says):
    run = done.snakemake("-n", f"results/tune/{path}/fold-1.tsv", configfile=CONFIG, check=False)
    assert run.returncode and says in run.stdout and "Traceback" not in run.stdout


def test_further_values_train_only_further_trials(done):
    more = {"tuning": {"search_space": {"learning_rate": [*RATES, 0.001]}}}
    (done / "more.yaml").write_text(yaml.safe_dump(more))
    planned = done.planned("results/rank_trials/rung-1.tsv", configfile=[*CONFIG, "more.yaml"])
    assert planned == {"tune": 2, "rank_trials": 1}


def test_a_trial_that_cannot_be_built_is_refused_before_anything_runs(project):
    wrong = {"tuning": {"search_space": {"learning_rate": [0.1], "dna_pool_size": [32, 20000], "dropout": None}}}
    (project / "wrong.yaml").write_text(yaml.safe_dump(wrong))
    run = project.snakemake("-n", configfile=[SMALL, "wrong.yaml"], check=False)
    assert run.returncode and "Traceback" not in run.stdout
    assert (
        "`tuning.search_space (learning_rate 0.1, dna_pool_size 20000).dna.convolutions`: convolution 1 has a pool of 20000"
        in run.stdout
    )

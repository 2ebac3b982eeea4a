"""Scores and baselines of a run, by hand on a few samples."""

import json

import numpy as np
import pandas as pd
import pytest

from wakawaka.aggregate import aggregate
from wakawaka.check_example import check_example
from wakawaka.files import read_table, write_table
from wakawaka.score import _number, baselines, score

# Two training cells and one unseen, two training genes and one unseen.
FINAL = pd.DataFrame(
    [
        ("c1", "g1", "train", 1.0, 1.5),
        ("c1", "g2", "train", 3.0, 2.5),
        ("c1", "g3", "unseen_gene", 4.0, 3.0),
        ("c2", "g1", "train", 2.0, 1.5),
        ("c2", "g2", "train", 6.0, 5.5),
        ("c2", "g3", "unseen_gene", np.nan, 3.0),
        ("c3", "g1", "unseen_cell", 2.5, 2.0),
        ("c3", "g2", "unseen_cell", 4.5, 5.5),
        ("c3", "g3", "both_unseen", 5.0, 3.0),
    ],
    columns=["cell", "gene_id", "regime", "truth", "prediction"],
)


def fold(held_out_cell):
    """A fold that holds out one of the training cells, and predicts one more than the final model."""
    regime = FINAL["regime"].where(FINAL["regime"] == "train", "test")
    regime = regime.mask((regime == "train") & (FINAL["cell"] == held_out_cell), "unseen_cell")
    return FINAL.assign(regime=regime, prediction=FINAL["prediction"] + 1)


@pytest.fixture
def scored(tmp_path):
    paths = {
        name: tmp_path / f"{name}.tsv" for name in ("final", "fold-1", "fold-2", "test", "oof", "scores", "summary")
    }
    for name, table in (("final", FINAL), ("fold-1", fold("c1")), ("fold-2", fold("c2"))):
        write_table(table, paths[name])
    folds = [paths["fold-1"], paths["fold-2"]]
    aggregate(paths["final"], folds, paths["test"], paths["oof"])
    score(paths["final"], folds, paths["test"], paths["scores"], paths["summary"])
    return paths


def test_baselines_are_fitted_on_training_samples_alone():
    found = baselines(FINAL)
    assert found["training_mean"].tolist() == [3.0] * 9
    assert found["gene_mean"].tolist() == [1.5, 4.5, 3.0] * 3


def test_each_regime_by_hand(scored):
    table = read_table(scored["scores"]).set_index(["set", "regime", "run", "predictor"]).sort_index()
    cell = table.loc[("test", "unseen_cell", "final")]
    assert cell["samples"].to_list() == [2, 2, 2]
    assert cell.at["model", "mse"] == pytest.approx((0.25 + 1) / 2)
    assert cell.at["training_mean", "mse"] == pytest.approx((0.25 + 2.25) / 2)
    assert cell.at["gene_mean", "mse"] == pytest.approx((1 + 0) / 2)
    assert cell.at["model", "skill"] == pytest.approx(0.5)
    # A sample without a truth is not scored.
    assert table.at[("test", "unseen_gene", "final", "model"), "samples"] == 1
    assert table.at[("test", "unseen_gene", "final", "gene_mean"), "mse"] == pytest.approx(1.0)
    assert table.at[("train", "train", "final", "model"), "mse"] == pytest.approx(0.25)


def test_the_mean_of_the_fold_models_is_scored_on_the_test_set(scored):
    table = read_table(scored["scores"]).set_index(["set", "regime", "run", "predictor"])
    assert table.at[("test", "both_unseen", "ensemble", "model"), "mse"] == pytest.approx((5 - 4) ** 2)


def test_mean_and_deviation_over_folds(scored):
    table = read_table(scored["scores"]).set_index(["set", "regime", "run", "predictor"])
    first, second = (table.at[("validation", "unseen_cell", run, "model"), "mse"] for run in ("fold-1", "fold-2"))
    # fold-1 holds out c1: errors 1.5 and 0.5; fold-2 holds out c2: 0.5 and 0.5.
    assert (first, second) == pytest.approx((1.25, 0.25))
    assert table.at[("validation", "unseen_cell", "mean", "model"), "mse"] == pytest.approx(0.75)
    assert table.at[("validation", "unseen_cell", "sd", "model"), "mse"] == pytest.approx(1 / np.sqrt(2))


def test_a_rounded_zero_has_no_sign():
    assert _number(-0.0001, None) == "0.000"
    assert _number(-0.001, 0.001) == "0.00 ± 0.00"
    assert _number(-0.25, 0.5) == "-0.25 ± 0.50"


def test_the_summary_has_dashes_for_what_is_not_defined(scored):
    summary = read_table(scored["summary"], dtype=str)
    row = summary[(summary["set"] == "test") & (summary["regime"] == "both unseen")].iloc[0]
    assert row["predictor"] == "final model"
    assert row["MSE"] == "4.000"
    assert row["Pearson"] == "–"


@pytest.mark.parametrize(("prediction", "verdict"), [(4.0, "yes"), (9.0, "no")])
def test_the_example_is_checked_against_its_truth(scored, tmp_path, prediction, verdict):
    write_table(
        FINAL.assign(prediction=FINAL["prediction"].where(FINAL["regime"] == "train", prediction)), scored["final"]
    )
    score(scored["final"], [scored["fold-1"], scored["fold-2"]], scored["test"], scored["scores"], scored["summary"])
    expected = dict.fromkeys(("oracle", "gene_mean", "training_mean"), 1.0)
    regimes = ("unseen_cell", "unseen_gene", "both_unseen")
    (tmp_path / "truth.json").write_text(json.dumps({"expected_mse": dict.fromkeys(regimes, expected)}))
    check_example(scored["scores"], tmp_path / "truth.json", tmp_path / "example.tsv")
    found = read_table(tmp_path / "example.tsv")
    assert len(found) == 3
    assert found["model_beats_training_mean"].iloc[-1] == verdict

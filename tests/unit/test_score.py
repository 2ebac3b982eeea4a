"""Scores and baselines of a run, by hand on a few samples."""

import json

import numpy as np
import pandas as pd
import pytest

from wakawaka.aggregate import aggregate
from wakawaka.check_example import check_example
from wakawaka.files import read_table, write_table
from wakawaka.metrics import BINARY_NAMES
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


def write_preprocessing(final):
    """What lies beside every model."""
    path = final.with_name("preprocessing.json")
    path.write_text(json.dumps({"target": {"kind": "value", "transform": "none"}, "fitted": {}}))
    return path


@pytest.fixture
def scored(tmp_path):
    paths = {
        name: tmp_path / f"{name}.tsv" for name in ("final", "fold-1", "fold-2", "test", "oof", "scores", "summary")
    }
    for name, table in (("final", FINAL), ("fold-1", fold("c1")), ("fold-2", fold("c2"))):
        write_table(table, paths[name])
    folds = [paths["fold-1"], paths["fold-2"]]
    aggregate(
        paths["final"], folds, [write_preprocessing(paths["final"])] * (len(folds) + 1), paths["test"], paths["oof"]
    )
    score(paths["final"], folds, paths["test"], paths["scores"], paths["summary"], binary=False)
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
    ensemble = table.loc[("test", "both_unseen", "ensemble", "model")]
    assert ensemble["mse"] == pytest.approx((5 - 4) ** 2) and ensemble["samples"] == 1
    # Against the mean of the final run's training samples, 3.
    assert ensemble["skill"] == pytest.approx(1 - 1 / (5 - 3) ** 2)


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
    folds = [scored["fold-1"], scored["fold-2"]]
    score(scored["final"], folds, scored["test"], scored["scores"], scored["summary"], binary=False)
    expected = dict.fromkeys(("oracle", "gene_mean", "training_mean"), 1.0)
    regimes = ("unseen_cell", "unseen_gene", "both_unseen")
    (tmp_path / "truth.json").write_text(json.dumps({"expected_mse": dict.fromkeys(regimes, expected)}))
    check_example(scored["scores"], tmp_path / "truth.json", tmp_path / "example.tsv")
    found = read_table(tmp_path / "example.tsv")
    assert len(found) == 3
    assert found["model_beats_training_mean"].iloc[-1] == verdict


def scored_again(paths, binary, *tables):
    """Score the tables of the final run and of the folds; return the scores and the summary."""
    names = ["final", *(f"fold-{number}" for number in range(1, len(tables)))]
    for name, table in zip(names, tables, strict=True):
        write_table(table, paths[name])
    folds = [paths[name] for name in names[1:]]
    aggregate(
        paths["final"], folds, [write_preprocessing(paths["final"])] * (len(folds) + 1), paths["test"], paths["oof"]
    )
    score(paths["final"], folds, paths["test"], paths["scores"], paths["summary"], binary=binary)
    return read_table(paths["scores"]), read_table(paths["summary"], dtype=str)


def labelled(table):
    """The same samples with labels and probabilities."""
    labels = (table["truth"] > 2.75).astype(float).where(table["truth"].notna())
    return table.assign(truth=labels, prediction=table["prediction"] / 10)


def test_regimes_without_any_truth_are_left_out(scored):
    """As z-scores have it: none of genes that a run has not seen."""
    tables = [
        table.assign(truth=table["truth"].mask(table["gene_id"] == "g3")) for table in (FINAL, fold("c1"), fold("c2"))
    ]
    table, summary = scored_again(scored, False, *tables)
    assert set(table["regime"]) == {"unseen_cell", "train"}
    assert set(table.loc[table["set"] == "test", "run"]) == {"final", "ensemble"}
    assert set(summary["regime"]) == {"seen genes, unseen cells", "training samples"}


def test_without_any_truth_of_what_is_held_out_the_training_samples_are_scored(scored):
    tables = [
        table.assign(truth=table["truth"].where(table["regime"] == "train"))
        for table in (FINAL, fold("c1"), fold("c2"))
    ]
    table, summary = scored_again(scored, False, *tables)
    assert set(table["set"]) == {"train"} and set(table["run"]) == {"final", "fold-1", "fold-2", "mean", "sd"}
    assert summary["predictor"].tolist() == ["final model", "model, mean over folds"]
    table, _ = scored_again(scored, True, *map(labelled, tables))
    assert set(table["set"]) == {"train"}


def test_labels_have_scores_of_their_own(scored):
    table, summary = scored_again(scored, True, labelled(FINAL), labelled(fold("c1")), labelled(fold("c2")))
    names = ["set", "regime", "run", "predictor", "samples"]
    assert table.columns.tolist() == [*names, *BINARY_NAMES, "skill"]
    rows = table.set_index(names[:4]).sort_index()
    cell = rows.loc[("test", "unseen_cell", "final")]
    # Truths 0 and 1, predicted 0.2 and 0.55; of the training samples g1 has two 0s and g2 two 1s.
    expected = -(np.log(0.8) + np.log(0.55)) / 2
    assert cell.at["model", "bce"] == pytest.approx(expected, rel=1e-6) and cell.at["model", "auroc"] == 1
    assert (
        cell.at["training_mean", "bce"] == pytest.approx(np.log(2), rel=1e-6)
        and cell.at["training_mean", "auroc"] == 0.5
    )
    assert cell.at["gene_mean", "bce"] == pytest.approx(0, abs=1e-6)
    assert cell.at["model", "skill"] == pytest.approx(1 - expected / np.log(2), rel=1e-6)
    # One sample: no AUROC.
    assert np.isnan(rows.at[("test", "both_unseen", "final", "model"), "auroc"])
    assert summary.columns[4:].tolist() == [
        "log loss", "AUROC", "AUPR", "AUROC across genes", "AUPR across genes", "AUROC across cells", "skill",
    ]  # fmt: skip
    shown = summary[(summary["set"] == "test") & (summary["regime"] == "both unseen")].iloc[0]
    assert shown["AUROC"] == "–" and shown["log loss"] == f"{-np.log(0.3):.3f}"

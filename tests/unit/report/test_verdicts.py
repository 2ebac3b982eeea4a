"""Verdicts on scores that are written by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.judged import RUNS, judged, network_rows, row, verdict
from wakawaka.report.checks import CHECKS, OF_SPREAD


@pytest.mark.parametrize(("value", "half", "expected", "words"), [
    (0.3, 0.1, "holds", "R² is 0.30 (0.20 to 0.40), above 0."),
    (-0.3, 0.1, "falls short", "R² is -0.30 (-0.40 to -0.20), not above 0."),
    (0.05, 0.1, "undecided", "R² is 0.05 (-0.05 to 0.15), not certainly above 0."),
    (-0.05, 0.1, "undecided", "not certainly above 0."),
    (0.9, None, "undecided", "R² is 0.90, not certainly above 0."),
])  # fmt: skip
def test_a_score_is_judged_by_its_whole_interval(tmp_path, value, half, expected, words):
    table, _ = judged(tmp_path, [*network_rows(), row("wakawaka", "r2", value, "unseen_gene", half=half)])
    found = verdict(table, "R2", "unseen_gene")
    assert found["verdict"] == expected and found["threshold"] == "above 0"
    assert found["sentence"].startswith("Unseen genes, seen cells: R² is ") and words in found["sentence"]
    assert pd.isna(found["what_to_do"]) == (expected != "falls short")


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_every_check_holds_and_falls_short(tmp_path, check):
    regime = "unseen_gene" if "unseen_gene" in check.regimes else "unseen_cell"
    baseline = f"wakawaka{check.baseline}" if (check.baseline or "").startswith(".") else check.baseline
    run = "fold_mean" if check.metric in OF_SPREAD else "final"
    top = min(check.most, check.least + 1)
    others = [
        one
        for one in network_rows()
        if (one["metric"], one["baseline"], one["regime"]) != (check.metric, baseline, regime)
    ]
    low = check.least - 1 if top == check.least + 1 else top + 1
    for value, expected in (((check.least + top) / 2, "holds"), (low, "falls short")):
        table, page = judged(tmp_path, [*others, row("wakawaka", check.metric, value, regime, baseline, run=run)])
        found = verdict(table, check.name, regime)
        assert found["verdict"] == expected and check.means in found["sentence"]
        assert (f"falls short in *{check.name}*" in page) == (expected == "falls short")


def test_checks_have_different_names():
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize(
    ("resampled", "half", "words"),
    [
        ("genes and cells", 0.05, "which uses no input."),
        ("genes", 0.05, "With 2 cells, the interval covers the choice of genes only, not the choice of cells."),
        ("cells", 0.05, "With 100 genes, the interval covers the choice of cells only, not the choice of genes."),
        ("nothing", None, "With 2 cells and 100 genes, there is no interval."),
    ],
)
def test_sentences_name_what_the_interval_does_not_cover(tmp_path, resampled, half, words):
    table, _ = judged(tmp_path, network_rows(resampled=resampled, cells=2, half=half))
    assert verdict(table, "memorising, per-gene mean", "unseen_cell")["sentence"].endswith(words)


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize(
    ("curve", "expected"), [([3, 2, 1], "holds"), ([3, 1, 1.04], "holds"), ([3, 1, 2], "falls short")]
)
def test_overfitting_is_a_validation_loss_that_rises_again(tmp_path, curve, expected, binary):
    rows = [one | {"metric": "bce"} if binary and one["metric"] == "mse" else one for one in network_rows()]
    table, _ = judged(tmp_path, rows, curves=(curve, curve), binary=binary)
    found = verdict(table, "overfitting", "unseen_gene")
    assert found["verdict"] == expected and found["value"] == pytest.approx(curve[-1] / min(curve))
    if expected != "holds":
        assert "set `training.epochs` to about 2;" in found["what_to_do"]
        assert "after epoch 2, the best one" in found["sentence"]


@pytest.mark.parametrize(("skills", "expected"), [((0.5, 0.55), "holds"), ((0.5, 0.7), "falls short")])
def test_folds_may_disagree(tmp_path, skills, expected):
    folds = [
        row("wakawaka", "skill", skill, "unseen_gene", "training_mean", set="validation", run=run)
        for skill, run in zip(skills, RUNS[1:], strict=True)
    ]
    table, _ = judged(tmp_path, [*network_rows(), *folds])
    found = verdict(table, "disagreement between folds", "unseen_gene")
    assert found["verdict"] == expected and "over 2 folds" in found["sentence"]
    assert found["value"] == pytest.approx(np.std(skills, ddof=1))


@pytest.mark.parametrize(("loss", "expected"), [(0.9, "holds"), (1.1, "falls short")])
def test_a_gap_to_the_training_samples(tmp_path, loss, expected):
    folds = [
        row("wakawaka", "mse", 0.5, "train", set="train", run="mean"),
        row("wakawaka", "mse", loss, "unseen_gene", set="validation", run="mean"),
    ]
    table, _ = judged(tmp_path, [*network_rows(), *folds])
    found = verdict(table, "gap to training samples", "unseen_gene")
    assert found["verdict"] == expected and f"is {2 * loss:.2f} times their training loss" in found["sentence"]


def test_regimes_without_a_test_set_are_judged_by_the_folds(tmp_path):
    """Held-out cells without held-out genes are common."""
    test = [one for one in network_rows() if one["regime"] in ("unseen_cell", "train")]
    folds = [
        one | {"set": "validation", "run": "mean"}
        for one in network_rows(permuted=0.5)
        if one["regime"] == "unseen_gene"
    ]
    table, _ = judged(tmp_path, [*test, *folds])
    found = verdict(table, "memorising, DNA", "unseen_gene")
    assert found["set"] == "validation" and found["verdict"] == "holds"
    assert verdict(table, "memorising, per-gene mean", "unseen_cell")["set"] == "test"


def test_verdicts_that_fall_short_are_logged(tmp_path, caplog):
    judged(tmp_path, [*network_rows(), row("wakawaka", "r2", -0.3, "unseen_gene")])
    assert (
        "wakawaka: Unseen genes, seen cells: R² is -0.30" in caplog.text and "What to do: train for more" in caplog.text
    )

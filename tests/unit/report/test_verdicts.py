"""Verdicts on scores, and the report's first page, on tables of scores written by hand."""

import docutils.core
import numpy as np
import pandas as pd
import pytest

from wakawaka.core.files import read_table, write_table
from wakawaka.report.verdicts import CHECKS, verdicts

RUNS = ["final", "fold-1", "fold-2"]
REGIMES = ("unseen_cell", "unseen_gene", "both_unseen")


def row(
    predictor,
    metric,
    value,
    regime,
    baseline=None,
    half=0.05,
    set_name="test",
    run="final",
    cells=6,
    over="genes and cells",
    **more,
):
    """A row of the table of scores; the interval reaches `half` to both sides."""
    ends = {"low": value - half, "high": value + half} if half is not None else {"low": np.nan, "high": np.nan}
    return {
        "set": set_name, "regime": regime, "similarity": "all", "run": run, "predictor": predictor, "metric": metric,
        "baseline": baseline, "value": value, **ends, "over": over, "cells": cells, "genes": 100, "samples": 100 * cells, **more,
    }  # fmt: skip


def network(name="wakawaka", shuffled=0.0, shuffled_seen=0.0, memory=0.4, unseen=0.6, ridge=0.3, trained=0.5, **more):
    """The rows of a network, of its ablations and of the baselines, with the skills given."""
    rows = []
    for regime in REGIMES:
        rows.append(row("training_mean", "mse", 4.0, regime, **more))
        rows.append(row(name, "mse", 1.0, regime, **more))
        rows.append(row(name, "sd_ratio", 0.8, regime, **more))
        rows.append(row(name, "skill", unseen, regime, "training_mean", **more))
        for simple in ("ridge_bins", "trees_summaries"):
            rows.append(row(simple, "mse", 2.0 if simple == "ridge_bins" else 1.5, regime, **more))
            rows.append(row(name, "skill", ridge, regime, simple, **more))
        seen = regime == "unseen_cell"
        rows.append(row(f"{name}.shuffled_dna", "mse", 1.5, regime, **more))
        rows.append(row(name, "skill", shuffled_seen if seen else shuffled, regime, f"{name}.shuffled_dna", **more))
        if seen:
            rows.append(row("gene_mean", "mse", 2.0, regime, **more))
            rows.append(row("gene_mean", "skill", 0.5, regime, "training_mean", **more))
            rows.append(row(name, "skill", memory, regime, "gene_mean", **more))
    rows += [row(one, "mse", 0.5, "train", set_name="train", **more) for one in ("training_mean", name)]
    rows.append(row(f"{name}.shuffled_dna", "mse", trained, "train", set_name="train", **more))
    return rows


@pytest.fixture
def judge(tmp_path):
    """A function that judges rows of scores, and returns the verdicts and the first page."""

    def make(
        rows,
        curves=([3, 2, 1], [3, 2, 1]),
        leaks=(),
        binary=False,
        models=("wakawaka",),
        modules=("histone", "dna"),
        truth=None,
    ):
        write_table(pd.DataFrame(rows), tmp_path / "scores.tsv")
        histories = []
        for model in models:
            for run, curve in zip(RUNS, [curves[0], *curves], strict=True):
                column = {} if run == "final" else {"val_mse_unseen_gene": curve}
                histories.append(tmp_path / f"{model}-{run}.tsv")
                write_table(
                    pd.DataFrame({"epoch": range(1, len(curve) + 1), "train_mse": curve, **column}), histories[-1]
                )
        audit = pd.DataFrame({"run": "final", "regime": REGIMES, "leak": [*leaks, *[np.nan] * (3 - len(leaks))]})
        write_table(audit, tmp_path / "audit.tsv")
        if truth:
            (tmp_path / "truth.json").write_text(truth)
        verdicts(
            tmp_path / "scores.tsv", histories, tmp_path / "audit.tsv", tmp_path / "truth.json" if truth else None,
            tmp_path / "verdicts.tsv", tmp_path / "first_page.rst",
            models=list(models), runs=RUNS, modules=list(modules), binary=binary,
        )  # fmt: skip
        return read_table(tmp_path / "verdicts.tsv"), (tmp_path / "first_page.rst").read_text()

    return make


def verdict(table, check, regime):
    """The one verdict of a check in a regime."""
    found = table[(table["check"] == check) & (table["regime"] == regime)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize(("value", "half", "expected"), [
    (0.3, 0.1, "holds"), (-0.3, 0.1, "falls short"), (0.05, 0.1, "undecided"), (-0.05, 0.1, "undecided"), (0.9, None, "undecided"),
])  # fmt: skip
def test_a_skill_is_judged_by_its_whole_interval(judge, value, half, expected):
    table, _ = judge(
        [
            *network(),
            row("wakawaka", "skill", value, "unseen_gene", "nearest_cell"),
            row("wakawaka", "r2", value, "unseen_gene", half=half),
        ]
    )
    found = verdict(table, "R2", "unseen_gene")
    assert found["verdict"] == expected
    assert pd.isna(found["what_to_do"]) == (expected != "falls short")


def test_every_check_is_met_by_a_row_of_its_own(judge):
    """Of each check one row that holds and one that falls short, in a regime that it asks for."""
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        regime = "unseen_gene" if "unseen_gene" in check.regimes else "unseen_cell"
        baseline = f"wakawaka{check.baseline}" if (check.baseline or "").startswith(".") else check.baseline
        run = "ensemble" if check.metric in ("coverage", "spread_error_rank", "calibration_error") else "final"
        top = min(check.most, check.least + 1)
        for value, expected in (
            ((check.least + top) / 2, "holds"),
            (check.least - 1 if top == check.least + 1 else top + 1, "falls short"),
        ):
            base = [
                one
                for one in network()
                if (one["metric"], one["baseline"], one["regime"]) != (check.metric, baseline, regime)
            ]
            table, page = judge([*base, row("wakawaka", check.metric, value, regime, baseline, run=run)])
            found = verdict(table, check.name, regime)
            assert found["verdict"] == expected, check.name
            assert (f"falls short in *{check.name}*" in page) == (expected == "falls short")


def test_few_cells_are_said_so(judge):
    table, page = judge(network(over="genes", cells=2))
    sentence = verdict(table, "memorising, per-gene mean", "unseen_cell")["sentence"]
    assert "with 2 cells the interval is over genes alone, and says nothing of other cells" in sentence
    assert "wins, for these 2 cells" in page
    assert "are over genes alone: 2 cells are too few to draw, so that they say nothing of other cells." in page
    table, _ = judge(network(over="nothing", cells=2, half=None))
    assert (
        "2 cells and 100 genes are too few for an interval"
        in verdict(table, "training mean", "unseen_cell")["sentence"]
    )


@pytest.mark.parametrize(
    ("curve", "expected"), [([3, 2, 1], "holds"), ([3, 1, 1.04], "holds"), ([3, 1, 2], "falls short")]
)
def test_overfitting_is_a_validation_loss_that_rises_again(judge, curve, expected):
    table, _ = judge(network(), curves=(curve, curve))
    found = verdict(table, "overfitting", "unseen_gene")
    assert found["verdict"] == expected and found["value"] == pytest.approx(curve[-1] / min(curve))
    if expected != "holds":
        assert "to about 2;" in found["what_to_do"]


@pytest.mark.parametrize(("skills", "expected"), [((0.5, 0.55), "holds"), ((0.5, 0.7), "falls short")])
def test_folds_may_disagree(judge, skills, expected):
    folds = [
        row("wakawaka", "skill", skill, "unseen_gene", "training_mean", set_name="validation", run=run)
        for skill, run in zip(skills, RUNS[1:], strict=True)
    ]
    table, _ = judge([*network(), *folds])
    found = verdict(table, "disagreement between folds", "unseen_gene")
    assert found["verdict"] == expected
    assert found["value"] == pytest.approx(np.std(skills, ddof=1))


def sentences(page):
    """The numbered sentences of a page."""
    return [line for line in page.splitlines() if line[:1].isdigit()]


@pytest.mark.parametrize(("seen", "unseen", "trained", "lesson"), [
    (0.0, 0.5, 0.5, "a seen gene is remembered by the DNA of another one nearly as well as by its own"),
    (0.1, 0.5, 0.6, "a seen gene is remembered by the DNA of another one nearly as well as by its own"),
    (0.1, 0.5, 0.7, "the network did not come to fit its training samples"),
    (0.4, 0.5, 0.5, "the sequence itself is worth something, of seen genes too"),
    (0.4, 0.0, 0.5, "carries over to genes that were not trained on is not certain"),
    (0.0, 0.0, 0.5, "carries over to genes that were not trained on is not certain"),
])  # fmt: skip
def test_what_shuffled_dna_teaches(judge, seen, unseen, trained, lesson):
    rows = network(shuffled=unseen, shuffled_seen=seen, trained=trained)
    table, page = judge(rows, truth='{"expected_loss": {"motif": 1.0, "interaction": 0.25}}')
    assert lesson in sentences(page)[2]
    assert "MSE +0.50, where the planted motif carries 1.00" in sentences(page)[2]
    assert (verdict(table, "memorising, DNA", "unseen_gene")["verdict"] == "holds") == (unseen > 0)


def test_without_an_interval_nothing_is_certain_of_the_sequence(judge):
    _, page = judge(network(shuffled=0.6, half=None, over="nothing", cells=2))
    assert "is not certain, so what it is worth for seen ones may be the memory of a name" in sentences(page)[2]


def test_regimes_that_the_test_set_lacks_are_judged_by_what_the_folds_held_out(judge):
    """Held-out cells and no held-out genes, as is common."""
    test = [one for one in network() if one["regime"] in ("unseen_cell", "train")]
    folds = [
        one | {"set": "validation", "run": "mean"}
        for one in network(shuffled=0.5, unseen=0.3)
        if one["regime"] == "unseen_gene"
    ]
    table, page = judge([*test, *folds])
    rendered(page)
    found = verdict(table, "memorising, DNA", "unseen_gene")
    assert found["set"] == "validation" and found["verdict"] == "holds"
    assert verdict(table, "memorising, per-gene mean", "unseen_cell")["set"] == "test"
    assert "skill 0.30 (0.25 to 0.35) for unseen genes, seen cells (of what the folds held out)" in sentences(page)[1]


def test_only_the_hardest_regime_or_random_rows_may_be_there(judge):
    for regime in ("both_unseen", "leaking"):
        rows = [one | {"regime": regime} for one in network(shuffled=0.5) if one["regime"] == "both_unseen"]
        rows += [one for one in network() if one["regime"] == "train"]
        _, page = judge(rows)
        rendered(page)
        assert "beside the same network with the DNA of other genes wakawaka has skill 0.50" in sentences(page)[2]


@pytest.mark.parametrize(
    ("skill", "words"), [(0.3, "learns more than a weighted sum of them"), (-0.3, "nothing that is certainly more")]
)
def test_more_than_a_weighted_sum_is_said_of_a_network_that_is(judge, skill, words):
    rows = [*network(), row("wakawaka.histone_only", "mse", 1.2, "unseen_gene")]
    _, page = judge([*rows, row("wakawaka.histone_only", "skill", skill, "unseen_gene", "ridge_bins")])
    assert words in sentences(page)[3]
    _, page = judge(network(ridge=skill), modules=("histone",))
    assert words in sentences(page)[3]


def test_collapse_is_said_in_words(judge):
    rows = [one | ({"value": 0.02} if one["metric"] == "sd_ratio" else {}) for one in network()]
    _, page = judge(rows)
    assert "vary by 2% of the truth's standard deviation: almost a constant" in sentences(page)[4]
    assert "near 0 the model predicts almost a constant" in page


@pytest.mark.parametrize(("loss", "expected"), [(0.9, "holds"), (1.1, "falls short")])
def test_a_gap_to_the_training_samples_is_overfitting_too(judge, loss, expected):
    folds = [
        row("wakawaka", "mse", 0.5, "train", set_name="train", run="mean"),
        row("wakawaka", "mse", loss, "unseen_gene", set_name="validation", run="mean"),
    ]
    table, _ = judge([*network(), *folds])
    assert verdict(table, "gap to training samples", "unseen_gene")["verdict"] == expected


def test_the_page_has_five_sentences_a_model_and_a_table_of_all(judge):
    rows = network() + [one for one in network("other_") if one["predictor"].startswith("other_")]
    rows.append(row("wakawaka.histone_only", "mse", 1.2, "unseen_gene"))
    rows.append(row("wakawaka.histone_only", "skill", 0.4, "unseen_gene", "ridge_bins"))
    _, page = judge(rows, models=("wakawaka", "other_"))
    assert len(sentences(page)) == 10 and sentences(page)[5].startswith("1. *Seen genes, unseen cells:*")
    assert "skill 0.40 (0.35 to 0.45) beside it (MSE +0.80 for the ridge)" in sentences(page)[3]
    assert "boosted trees on summaries of marks, has MSE 1.50" in sentences(page)[3]
    table = [line.strip() for line in page.splitlines() if "|" in line]
    assert (
        "wakawaka|1.00 (0.95 to 1.05) / 0.60|1.00 (0.95 to 1.05) / 0.60|1.00 (0.95 to 1.05) / 0.60|0.50 (0.45 to 0.55) / –"
        in table
    )
    assert (
        "training mean|4.00 (3.95 to 4.05) / 0|4.00 (3.95 to 4.05) / 0|4.00 (3.95 to 4.05) / 0|0.50 (0.45 to 0.55) / 0"
        in table
    )
    assert any(line.startswith("other\\_, DNA of other genes|") for line in table)


def rendered(page):
    """The page as HTML; docutils must have nothing to say of it."""
    settings = {"report_level": 1, "halt_level": 1, "raw_enabled": False}
    return docutils.core.publish_string(page, writer="html5", settings_overrides=settings).decode()


def test_the_page_is_valid_and_leaks_are_red(judge):
    rows = [one | ({"value": 0.01} if one["metric"] == "sd_ratio" else {}) for one in network("my_model_")]
    _, page = judge(rows, models=("my_model_",), leaks=["2 genes are trained on too (A_, B`)"])
    html = rendered(page)
    assert (
        '<span class="red">Leakage, allowed by allow_leakage: final, seen genes, unseen cells: 2 genes are trained on too (A_, B`)</span>'
        in html
    )
    assert "my_model_" in html and "falls short in" in html
    assert 'class="red"' not in rendered(judge(network())[1])


def test_with_nothing_held_out_that_has_a_truth_the_page_says_so(judge):
    rows = [row(name, "mse", 1.0, "train", set_name="train") for name in ("training_mean", "wakawaka")]
    rows += [one | {"run": "mean"} for one in rows]
    table, page = judge(rows, modules=("dna",))
    rendered(page)
    assert len(sentences(page)) == 5 and "nothing that was held out has a known truth" in page
    assert set(table["check"]) <= {"overfitting"}


def test_without_a_test_set_what_the_folds_held_out_is_shown(judge):
    rows = [one | {"set": "validation" if one["set"] == "test" else one["set"], "run": "mean"} for one in network()]
    table, page = judge(rows)
    rendered(page)
    assert set(table.loc[table["check"] == "collapse", "set"]) == {"validation"}
    assert "Of what the folds held out (mean over the folds): MSE" in page


def test_similar_genes_have_rows_of_their_own(judge):
    similar = [
        row("wakawaka", "mse", 0.5, "unseen_gene", similarity="0.2 and above", genes=7),
        row("wakawaka", "skill", 0.9, "unseen_gene", "training_mean", similarity="0.2 and above", genes=7),
    ]
    similar += [one | {"similarity": "below 0.01"} for one in similar]
    _, page = judge([*network(), *similar])
    rendered(page)
    assert "wakawaka|unseen genes, seen cells|0.2 and above|7|0.50 (0.45 to 0.55)|0.90 (0.85 to 0.95)" in page
    assert "similarity" not in judge(network())[1]

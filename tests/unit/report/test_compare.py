"""The comparison of models, on scores that are written by hand."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from helpers.preprocessing import write_preprocessing_of
from helpers.score_rows import score_row
from wakawaka.core.files import read_table, write_table
from wakawaka.report.compare import compare

NETWORKS = ["wakawaka", "big", "wakawaka.dna_only"]
REGIMES = {"unseen_cell": 1.0, "both_unseen": 2.0, "pool": 1.5}


def row(predictor, metric, value, regime, baseline=None, ends=None, **more):
    """Return a row of scores of 2 cells and 1,200 genes; `ends` are those of the interval."""
    low, high = ends or (np.nan, np.nan)
    sizes = {"cells": 2, "genes": 1200, "samples": 2400}
    return score_row(predictor, metric, value, regime, baseline, ci_low=low, ci_high=high, **sizes | more)


def rows_of(regime, factor, **more):
    """Yield the rows of one regime, whose losses are multiplied by `factor`."""
    losses = {"wakawaka": 0.5, "big": 0.4, "wakawaka.dna_only": 0.75, "training_mean": 1.0, "gene_mean": 0.25}
    for name, loss in losses.items():
        yield row(name, "mse", loss * factor, regime, ends=(loss * factor - 0.1, loss * factor + 0.1), **more)
        if name != "training_mean":
            yield row(name, "skill", 1 - loss, regime, "training_mean", (0.9 - loss, 1.1 - loss), **more)
    yield row("wakawaka", "pearson", 0.8125, regime, **more)
    yield row("training_mean", "pearson", np.nan, regime, **more)
    yield row("wakawaka", "skill", -1.0, regime, "gene_mean", (-1.2, -0.8), **more)
    # Not shown: other metrics, pairs, runs and bins of similarity.
    yield row("wakawaka", "sd_ratio", 0.123, regime, **more)
    yield row("big", "skill", 0.456, regime, "wakawaka.dna_only", **more)
    yield row("wakawaka", "mse", 77.0, regime, **more | {"similarity": "below 0.01"})
    yield row("wakawaka", "mse", 88.0, regime, **more | {"run": "fold-1"})
    yield row("wakawaka", "skill", -0.25, regime, "big", (-0.3, -0.2), **more)
    # The second model is better, worse, and undecided.
    ends = {"unseen_cell": (0.1, 0.3), "both_unseen": (-0.3, -0.1), "pool": (-0.1, 0.3)}[regime]
    yield row("big", "skill", sum(ends) / 2, regime, "wakawaka", ends, **more)


def table(**more):
    return [one for regime, factor in REGIMES.items() for one in rows_of(regime, factor, **more)]


@pytest.fixture
def compared(tmp_path):
    """Return a function that compares the networks of a table of scores; it returns the page, the tidy table and the Markdown."""

    def make(rows, models=("wakawaka", "big"), networks=NETWORKS, seconds=(60.0, 120.0), members=1):
        write_table(pd.DataFrame(rows), tmp_path / "scores.tsv")
        histories = [tmp_path / f"{number}.tsv" for number in range(len(networks))]
        about = [tmp_path / f"{number}.json" for number in range(len(networks))]
        for number in range(len(networks)):
            history = pd.DataFrame({"epoch": [1, 2], "seconds": seconds, "train_mse": [3.0, 2.0]})
            write_table(history, histories[number])
            schedule = {"epochs": 2, "ensemble_size": members, "pretraining_epochs": 1}
            write_preprocessing_of(about[number], parameters=12345678 + number, samples=6000, schedule=schedule)
        out = [tmp_path / name for name in ("c.html", "c.tsv", "c.md")]
        compare(tmp_path / "scores.tsv", list(zip(networks, histories, about, strict=True)), *out, models=list(models))
        return out[0].read_text(), read_table(out[1], dtype=str), out[2].read_text()

    return make


class Grids(HTMLParser):
    """The tables of a page by the heading above them, as lists of rows of texts; elements must be closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.grids, self.strong, self.heading = [], {}, [], None
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag == "meta":
            return
        self.open.append(tag)
        if tag == "tr":
            self.grids.setdefault(self.heading, []).append([])
        if tag in ("td", "th"):
            self.grids[self.heading][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if self.open and self.open[-1] == "h2":
            self.heading = text
        if "td" in self.open or "th" in self.open:
            self.grids[self.heading][-1][-1] += text
        if self.open and self.open[-1] == "strong":
            self.strong.append(text)


def test_costs_of_networks(compared):
    page, tidy, _ = compared(table(), members=3)
    grid = Grids(page).grids["Cost"]
    assert grid[0] == ["", "parameters", "ensemble members", "training samples", "epochs", "minutes", "samples/s"]
    # 6,000 samples, two epochs and one of pre-training, three members, 120 seconds.
    assert grid[1] == ["wakawaka", "12,345,678", "3", "6,000", "2", "2.0", "450"]
    assert [line[0] for line in grid[1:]] == ["wakawaka", "big", "wakawaka, DNA only"]
    costs = tidy[(tidy["predictor"] == "wakawaka.dna_only") & tidy["set"].isna()].set_index("metric")["value"]
    assert costs.to_dict() == {
        "parameters": "12345680", "ensemble_size": "3", "training_samples": "6000", "epochs": "2", "minutes": "2.0",
        "samples_per_second": "450.0",
    }  # fmt: skip


def test_a_training_too_short_to_time_has_no_rate(compared):
    page, tidy, _ = compared(table(), seconds=(0.0, 0.0))
    assert Grids(page).grids["Cost"][1][-2:] == ["0.0", "–"]
    assert tidy.loc[tidy["metric"] == "samples_per_second", "value"].isna().all()


def test_a_table_per_regime_with_the_pool_last(compared):
    page, _, _ = compared(table())
    grids = Grids(page)
    names = ["Cost", "Models in pairs", "Seen genes, unseen cells", "Both unseen", "All held-out samples"]
    assert list(grids.grids) == names
    assert grids.grids["Seen genes, unseen cells"] == [
        ["", "MSE", "skill compared with training mean", "Pearson"],
        ["wakawaka", "0.500 (0.400 to 0.600)", "0.500 (0.400 to 0.600)", "0.812"],
        ["big", "0.400 (0.300 to 0.500)", "0.600 (0.500 to 0.700)", "–"],
        ["wakawaka, DNA only", "0.750 (0.650 to 0.850)", "0.250 (0.150 to 0.350)", "–"],
        ["training mean", "1.00 (0.900 to 1.10)", "–", "–"],
        ["per-gene training mean", "0.250 (0.150 to 0.350)", "0.750 (0.650 to 0.850)", "–"],
    ]
    assert grids.grids["Both unseen"][1][1] == "1.00 (0.900 to 1.10)"
    assert grids.strong == ["0.250 (0.150 to 0.350)", "0.500 (0.400 to 0.600)", "0.375 (0.275 to 0.475)"]
    assert "2,400 samples of 1,200 genes in 2 cells, intervals over genes." in page
    assert page.count("Only for comparison with published numbers.") == 1
    assert "Scores on the test set, regime by regime" in page


def test_each_model_is_compared_with_the_models_before_it_and_the_baselines(compared):
    page, tidy, _ = compared(table())
    head, *lines = Grids(page).grids["Models in pairs"]
    assert head == ["", "seen genes, unseen cells", "both unseen", "all held-out samples"]
    assert lines == [
        ["wakawaka compared with training mean", *["0.500 (0.400 to 0.600)\nbetter"] * 3],
        ["wakawaka compared with per-gene training mean", *["−1.000 (−1.200 to −0.800)\nworse"] * 3],
        [
            "big compared with wakawaka", "0.200 (0.100 to 0.300)\nbetter", "−0.200 (−0.300 to −0.100)\nworse",
            "0.100 (−0.100 to 0.300)\nundecided",
        ],
        ["big compared with training mean", *["0.600 (0.500 to 0.700)\nbetter"] * 3],
        ["big compared with per-gene training mean", "–", "–", "–"],
    ]  # fmt: skip
    pairs = tidy[tidy["baseline"].notna() & (tidy["baseline"] != "training_mean")]
    assert set(zip(pairs["predictor"], pairs["baseline"], strict=True)) == {
        ("big", "wakawaka"), ("wakawaka", "big"), ("wakawaka", "gene_mean"),
    }  # fmt: skip


def test_without_an_interval_no_model_is_better(compared):
    page, _, _ = compared([one | {"ci_low": np.nan, "ci_high": np.nan, "resampled": "nothing"} for one in table()])
    grids = Grids(page).grids
    assert grids["Models in pairs"][3][1] == "0.200\nno interval"
    assert grids["Seen genes, unseen cells"][1][1] == "0.500"
    assert "2 cells, too few for intervals." in page


def test_one_model_is_compared_with_the_baselines(compared):
    page, _, markdown = compared(table(), models=["wakawaka"])
    lines = Grids(page).grids["Models in pairs"][1:]
    assert [line[0] for line in lines] == [
        "wakawaka compared with training mean",
        "wakawaka compared with per-gene training mean",
    ]
    assert "compared with wakawaka" not in page + markdown


def test_every_model_is_compared_with_every_one_above_it(compared):
    page, _, _ = compared(table(), models=["wakawaka", "big", "third"])
    lines = {line[0]: line[1:] for line in Grids(page).grids["Models in pairs"][1:]}
    assert [name for name in lines if "mean" not in name] == [
        "big compared with wakawaka", "third compared with wakawaka", "third compared with big",
    ]  # fmt: skip
    assert lines["third compared with wakawaka"] == ["–", "–", "–"]


def test_the_table_has_the_numbers_of_the_page(compared):
    _, tidy, _ = compared(table())
    assert list(tidy) == [
        "set", "regime", "run", "predictor", "metric", "baseline", "value", "ci_low", "ci_high", "resampled", "cells", "genes", "samples",
    ]  # fmt: skip
    scores = tidy[tidy["set"].notna()]
    # Five losses, four skills compared with the training mean and one with the gene mean, two Pearsons, both directions of the pair.
    assert len(scores) == 3 * (5 + 4 + 1 + 2 + 2) and not set(scores["value"]) & {"77.0", "88.0", "0.123", "0.456"}
    one = scores[(scores["predictor"] == "big") & (scores["metric"] == "mse") & (scores["regime"] == "both_unseen")]
    assert one[["value", "ci_low", "ci_high", "samples"]].to_numpy().tolist() == [["0.8", "0.7", "0.9", "2400"]]


def test_markdown_has_losses_and_skills_by_regime(compared):
    _, _, markdown = compared(table())
    regimes = "seen genes, unseen cells | both unseen | all held-out samples |\n| --- | --- | --- | --- |\n"
    assert markdown == (
        f"| MSE on the test set | {regimes}"
        "| wakawaka | 0.500 (0.400 to 0.600) | 1.00 (0.900 to 1.10) | 0.750 (0.650 to 0.850) |\n"
        "| big | 0.400 (0.300 to 0.500) | 0.800 (0.700 to 0.900) | 0.600 (0.500 to 0.700) |\n"
        "| training mean | 1.00 (0.900 to 1.10) | 2.00 (1.90 to 2.10) | 1.50 (1.40 to 1.60) |\n"
        "| per-gene training mean | 0.250 (0.150 to 0.350) | 0.500 (0.400 to 0.600) | 0.375 (0.275 to 0.475) |\n"
        "\n"
        f"| skill of wakawaka compared with | {regimes}"
        "| training mean | 0.500 (0.400 to 0.600) | 0.500 (0.400 to 0.600) | 0.500 (0.400 to 0.600) |\n"
        "| per-gene training mean | −1.000 (−1.200 to −0.800) | −1.000 (−1.200 to −0.800) | −1.000 (−1.200 to −0.800) |\n"
        "\n"
        f"| skill of big compared with | {regimes}"
        "| wakawaka | 0.200 (0.100 to 0.300) | −0.200 (−0.300 to −0.100) | 0.100 (−0.100 to 0.300) |\n"
        "| training mean | 0.600 (0.500 to 0.700) | 0.600 (0.500 to 0.700) | 0.600 (0.500 to 0.700) |\n"
        "| per-gene training mean | – | – | – |\n"
    )


def test_without_known_truths_of_the_test_set_the_folds_are_shown(compared):
    page, tidy, markdown = compared(table(set="validation", run="mean"))
    assert "Scores on the samples that the folds hold out (mean over folds)," in page
    assert markdown.startswith(
        "| MSE on the samples that the folds hold out (mean over folds) | seen genes, unseen cells |"
    )
    assert set(tidy["run"]) == {"final", "mean"} and set(tidy["set"].dropna()) == {"validation"}
    assert Grids(page).grids["Both unseen"][1][1] == "1.00 (0.900 to 1.10)"


def test_without_known_held_out_truths_only_costs_are_shown(compared):
    page, tidy, markdown = compared([row("wakawaka", "mse", 0.5, "train", set="train")])
    assert list(Grids(page).grids) == ["Cost", "Models in pairs"]
    assert set(tidy["run"]) == {"final"} and tidy["set"].isna().all()


def test_the_mean_of_the_fold_models_follows_its_model(compared):
    ensemble = [row("wakawaka", "mse", 0.0625, regime, run="fold_mean") for regime in REGIMES]
    page, _, markdown = compared(ensemble + table())
    grids = Grids(page)
    assert [line[0] for line in grids.grids["Both unseen"][1:3]] == ["wakawaka", "wakawaka, mean of the folds"]
    assert grids.strong == ["0.0625"] * 3
    assert "0.0625" not in markdown


def test_labels_have_a_log_loss(compared):
    page, _, markdown = compared([one | {"metric": "bce"} if one["metric"] == "mse" else one for one in table()])
    assert Grids(page).grids["Both unseen"][0][1] == "log loss" and "The lowest log loss" in page and "MSE" not in page
    assert markdown.startswith("| log loss on the test set |")


def test_the_page_needs_no_other_file_and_escapes_names(compared):
    named = [{key: "<b>&" if value == "big" else value for key, value in one.items()} for one in table()]
    networks = ["wakawaka", "<b>&", "wakawaka.dna_only"]
    page, _, _ = compared(named, models=networks[:2], networks=networks)
    assert page.count("&lt;b&gt;&amp;") == 1 + 2 + 1 + 3 and "<b>" not in page
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import", page)
    assert page.startswith("<!DOCTYPE html>") and '<meta charset="utf-8">' in page

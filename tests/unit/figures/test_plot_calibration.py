"""Spread over error, and reliability."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures import draw, last_figure
from wakawaka.figures.plot_calibration import plot_calibration

SPREAD = {"target_label": "expression", "binary": False}
PROBABILITY = {"target_label": "probability", "binary": True}


def fold_means(folder, **regimes):
    """Write the columns of `aggregate` that the figure reads: [(truth, fold_mean, fold_sd)] of every regime."""
    rows = [(regime, *row) for regime, rows in regimes.items() for row in rows]
    table = pd.DataFrame(rows, columns=["regime", "truth", "fold_mean", "fold_sd"])
    table.to_csv(folder / "test.tsv.gz", sep="\t", index=False, na_rep="-")
    return folder / "test.tsv.gz"


# Errors of 1 with a spread of 1, errors of 4 with a spread of 2, and one unknown truth.
SPREADS = [(1.0, 0.0, 1.0)] * 5 + [(0.0, 4.0, 2.0)] * 5 + [(np.nan, 0.0, 9.0)]


def test_spread_over_error(tmp_path, monkeypatch):
    path = fold_means(tmp_path, unseen_gene=SPREADS, both_unseen=[(1.5, 1.0, 0.25)])
    lines, picture = draw(plot_calibration, tmp_path, path, **SPREAD)
    assert lines == [
        "regime\tbin\tsamples\tmean_sd\trmse\tcoverage",
        "unseen_gene\t1\t5\t1\t1\t1",
        "unseen_gene\t2\t5\t2\t4\t0",
        "both_unseen\t1\t1\t0.25\t0.5\t0",
    ]
    assert picture.shape == (880, 1360, 4)
    figure = last_figure(monkeypatch, plot_calibration, tmp_path, path, **SPREAD)
    first, second = figure.axes
    # 4 / (1.96 x 2) and 0.5 / (1.96 x 0.25); one sample has no correlation.
    assert first.get_title() == (
        "unseen genes, seen cells\n10 samples, 50% in the 95% interval\nrank r = 1.00, spread × 1.02 for 95%"
    )
    assert second.get_title() == "both unseen\n1 samples, 0% in the 95% interval\nrank r = –, spread × 1.02 for 95%"
    assert (first.get_xlabel(), first.get_ylabel()) == ("spread (SD), expression", "error (RMSE), expression")
    diagonal, points = first.lines
    assert list(zip(*points.get_data(), strict=True)) == [(1, 1), (2, 4)]
    assert diagonal.get_xdata().tolist() == diagonal.get_ydata().tolist()
    assert first.get_xlim()[1] > 2 and first.get_ylim()[1] > 4


# matplotlib warns of an axis without an extent.
@pytest.mark.filterwarnings("error")
def test_a_spread_of_zero_is_drawn(tmp_path):
    lines, _ = draw(plot_calibration, tmp_path, fold_means(tmp_path, leaking=[(1.0, 1.0, 0.0)] * 20), **SPREAD)
    assert lines[1:] == ["leaking\t1\t20\t0\t0\t1"]


def test_reliability_of_probabilities(tmp_path, monkeypatch):
    rows = [(0, 0.125, 0.1), (0, 0.125, 0.1), (1, 0.75, 0.2), (0, 0.75, 0.2), (1, 1.0, 0.0), (np.nan, 0.5, 0.1)]
    path = fold_means(tmp_path, unseen_cell=rows)
    lines, picture = draw(plot_calibration, tmp_path, path, **PROBABILITY)
    assert lines == [
        "regime\tbin\tsamples\tmean_predicted\tpart_of_1s",
        "unseen_cell\t1\t2\t0.125\t0",
        "unseen_cell\t2\t2\t0.75\t0.5",
        "unseen_cell\t3\t1\t1\t1",
    ]
    assert picture.shape == (880, 800, 4)
    (panel,) = last_figure(monkeypatch, plot_calibration, tmp_path, path, **PROBABILITY).axes
    # 2/5 of 0.125 and 2/5 of 0.25.
    assert panel.get_title() == "seen genes, unseen cells\n5 samples\ncalibration error (ECE) 0.150"
    assert list(zip(*panel.lines[1].get_data(), strict=True)) == [(0.125, 0), (0.75, 0.5), (1, 1)]


@pytest.mark.parametrize("settings", [SPREAD, PROBABILITY])
@pytest.mark.parametrize(
    ("regimes", "words"),
    [
        ({}, "The test set is empty"),
        ({"unseen_gene": [(np.nan, 0.5, 0.1)]}, "The truth of the test set is not known"),
    ],
)
def test_without_known_truths_the_figure_says_so(tmp_path, monkeypatch, settings, regimes, words):
    path = fold_means(tmp_path, **regimes)
    lines, _ = draw(plot_calibration, tmp_path, path, **settings)
    assert len(lines) == 1 and lines[0].startswith("regime\tbin\tsamples")
    figure = last_figure(monkeypatch, plot_calibration, tmp_path, path, **settings)
    assert figure.get_suptitle().startswith(f"{words}, so the calibration cannot be shown.") and not figure.axes

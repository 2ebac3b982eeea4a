"""The figure of the search, on tables of trials that are written by hand."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures import draw, last_figure
from wakawaka.core.files import write_table
from wakawaka.figures.plot_tuning import plot_tuning

ONE = {"dropout": ["0.1", "0.5"]}
TWO = ONE | {"lr_schedule": ["constant", "cosine"], "batch_size": ["10"]}


def ranks(folder, values, losses):
    """Write a table of trials for each list of losses, all combinations of values in turn; return the paths."""
    paths = []
    trials = pd.MultiIndex.from_product(values.values(), names=values).to_frame(index=False)
    for number, of_rung in enumerate(losses):
        table = trials.head(len(of_rung)).assign(loss=of_rung, sd=0.1, val_mse_unseen_gene=of_rung, seconds=1.0)
        table.insert(0, "rank", np.arange(1, len(table) + 1))
        paths.append(folder / f"rung-{number + 1}.tsv")
        write_table(table, paths[-1])
    return paths


@pytest.mark.parametrize(
    ("values", "losses"), [(ONE, [[1.0, 2.0], [1.0]]), (TWO, [[1.0, 2.0, 3.0, np.nan], [0.5, 0.5]])]
)
def test_every_trial_of_every_rung_is_in_the_table(tmp_path, values, losses):
    paths = ranks(tmp_path, values, losses)
    lines, _ = draw(plot_tuning, tmp_path, paths, values=values, epochs=[1, 4])
    assert lines[0].split("\t")[:4] == ["rung", "epochs", "rank", "dropout"]
    assert [line.split("\t")[:2] for line in lines[1:]] == [["1", "1"]] * len(losses[0]) + [["2", "4"]] * len(losses[1])


def test_a_line_per_trial_and_a_map_of_two_hyperparameters(tmp_path, monkeypatch):
    paths = ranks(tmp_path, TWO, [[1.0, 2.0, 3.0, np.nan]])
    figure = last_figure(monkeypatch, plot_tuning, tmp_path, paths, values=TWO, epochs=[2])
    lines, heat = figure.axes[:2]
    assert lines.get_title() == "rung 1: 4 trials, 2 epochs; thick: the chosen trial"
    assert [label.get_text() for label in lines.get_xticklabels()] == ["dropout", "lr_schedule", "loss"]
    # The trial without a loss ends before the last axis; the best trial is drawn last, with the lowest loss.
    assert [len(line.get_xdata()) for line in lines.get_lines()] == [2, 3, 3, 3]
    assert lines.get_lines()[-1].get_ydata()[-1] == 0
    found = heat.images[0].get_array().filled(np.nan)
    assert np.array_equal(found, [[1, 3], [2, np.nan]], equal_nan=True)
    assert (heat.get_xlabel(), heat.get_ylabel()) == ("dropout", "lr_schedule")


def test_one_hyperparameter_has_no_map(tmp_path, monkeypatch):
    paths = ranks(tmp_path, ONE, [[1.0, 1.0]])
    figure = last_figure(monkeypatch, plot_tuning, tmp_path, paths, values=ONE, epochs=[1])
    # The lines, and the colour bar.
    assert len(figure.axes) == 2 and "2 trials, 1 epoch;" in figure.axes[0].get_title()

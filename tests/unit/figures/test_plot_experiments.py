"""The figure of the experiments, on scores that are written by hand."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from matplotlib.image import imread

from helpers.score_rows import score_row
from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table, write_table
from wakawaka.figures import plot_experiments as module
from wakawaka.figures.plot_experiments import plot_experiments
from wakawaka.figures.style import BLUE, VERMILION

# Neither in alphabetical order nor in the order of the scores.
NETWORKS = {"deep": "deep", "again": "wakawaka", "crop": "crop"}
BASES = dict.fromkeys(NETWORKS, "wakawaka")
PUBLISHED = {"deep": 3.25, "again": 3.15, "crop": None}
LOSSES = {"wakawaka": 2.0, "crop": 2.5, "deep": 1.5, "training_mean": 4.0}


def row(predictor, metric, value, regime, baseline=None, **more):
    return score_row(predictor, metric, value, regime, baseline, half=0.25, **more)


def rows_of(regime, **more):
    for name, loss in LOSSES.items():
        yield row(name, "mse", loss, regime, **more)
        yield row(name, "pearson", 0.5, regime, **more)
        others = (other for other in LOSSES if other != name)
        yield from (row(name, "skill", 1 - loss / LOSSES[other], regime, other, **more) for other in others)
    yield row("deep", "mse", 99.0, regime, **more | {"similarity": "below 0.01"})
    yield row("deep", "mse", 88.0, regime, **more | {"run": "fold-1"})


TEST = [one for regime in ("unseen_cell", "unseen_gene", "pool") for one in rows_of(regime)]


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Return a function that draws; it returns the figure and the table."""
    saved, save = [], module.save
    monkeypatch.setattr(module, "save", lambda figure, path: (saved.append(figure), save(figure, path)))

    def make(rows=TEST, networks=NETWORKS, draw_published=True, bases=BASES):
        write_table(pd.DataFrame(rows), tmp_path / "scores.tsv")
        plot_experiments(
            tmp_path / "scores.tsv", tmp_path / "e.png", tmp_path / "e.tsv", networks=networks, bases=bases, published_mse=PUBLISHED,
            draw_published=draw_published,
        )  # fmt: skip
        return saved[-1], read_table(tmp_path / "e.tsv")

    return make


def points(panel, colour):
    """Return the points of a colour in a panel, as pairs of value and row."""
    lines = [line for line in panel.get_lines() if same_color(line.get_color(), colour)]
    return [(line.get_xdata()[0], line.get_ydata()[0]) for line in lines if np.isfinite(line.get_xdata()[0])]


def test_the_table(drawn):
    _, table = drawn()
    assert list(table) == [
        "experiment", "network", "set", "regime", "run", "metric", "value", "ci_low", "ci_high", "resampled", "cells", "genes", "samples",
        "published_mse", "base", "base_value", "skill", "skill_ci_low", "skill_ci_high",
    ]  # fmt: skip
    assert list(table["experiment"]) == ["deep"] * 3 + ["again"] * 3 + ["crop"] * 3
    assert list(table["regime"]) == ["unseen_cell", "unseen_gene", "pool"] * 3
    assert list(table["value"][::3]) == [1.5, 2.0, 2.5] and list(table["ci_low"][::3]) == [1.25, 1.75, 2.25]
    # 1 - 1.5 / 2 and 1 - 2.5 / 2; the base itself has none.
    assert table["skill"][::3].tolist()[::2] == [0.25, -0.25] and table["skill"][3:6].isna().all()
    assert table["skill_ci_low"][0] == 0 and table["skill_ci_high"][0] == 0.5
    assert table["published_mse"][::3].tolist()[:2] == [3.25, 3.15] and table["published_mse"][6:].isna().all()
    assert set(table["base"]) == {"wakawaka"} and set(table["base_value"]) == {2.0}


def test_a_panel_per_regime_and_a_row_per_experiment(drawn, tmp_path):
    figure, _ = drawn()
    titles = ["seen genes, unseen cells", "unseen genes, seen cells", "all held-out samples"]
    assert [panel.get_title() for panel in figure.axes] == titles
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["deep", "again = wakawaka", "crop"]
    assert figure.axes[0].yaxis_inverted()
    for panel in figure.axes:
        assert points(panel, BLUE) == [(1.5, 0), (2.0, 1), (2.5, 2)]
        segments = [lines.get_segments()[0].tolist() for lines in panel.collections]
        assert [[start[0], end[0]] for start, end in segments[::2]] == [[1.25, 1.75], [1.75, 2.25], [2.25, 2.75]]
        # The base, dashed, in each row.
        assert segments[1::2] == [[[2, row - 0.5], [2, row + 0.5]] for row in range(3)]
    assert imread(tmp_path / "e.png").std() > 0


def test_published_losses_are_drawn_in_the_pool_only(drawn):
    figure, _ = drawn()
    assert [points(panel, VERMILION) for panel in figure.axes] == [[], [], [(3.25, 0), (3.15, 1)]]
    assert "diamonds: published MSE" in figure.get_supxlabel()


def test_a_single_regime_is_the_pool(drawn):
    figure, _ = drawn(list(rows_of("leaking", set="validation", run="mean")))
    assert [points(panel, VERMILION) for panel in figure.axes] == [[(3.25, 0), (3.15, 1)]]
    assert figure.axes[0].get_title() == "random rows (leaking)"


def test_published_losses_are_not_drawn_for_other_data(drawn):
    figure, table = drawn(draw_published=False)
    assert [points(panel, VERMILION) for panel in figure.axes] == [[], [], []]
    assert "published MSE" not in figure.get_supxlabel()
    assert table["published_mse"].notna().sum() == 6


def test_without_known_truths_of_the_test_set_the_folds_are_drawn(drawn):
    rows = [one for regime in ("unseen_cell", "pool") for one in rows_of(regime, set="validation", run="mean")]
    figure, table = drawn(rows)
    assert set(table["set"]) == {"validation"} and set(table["run"]) == {"mean"}
    assert "out of fold, mean over folds" in figure.get_supxlabel()


def test_only_experiments_are_drawn(drawn):
    figure, table = drawn(networks={"crop": "crop"})
    assert list(table["experiment"]) == ["crop"] * 3 and table["skill"].tolist() == [-0.25] * 3
    # The loss of the base is drawn as a line.
    assert figure.axes[0].collections[1].get_segments()[0].tolist() == [[2, -0.5], [2, 0.5]]


def test_without_experiments_there_is_nothing_to_draw(drawn):
    with pytest.raises(InputError) as caught:
        drawn(networks={})
    assert str(caught.value).startswith("config key `experiments` is empty")

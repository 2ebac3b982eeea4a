"""The figure of all predictors' losses, on scores that are written by hand."""

import pandas as pd
import pytest
from matplotlib.colors import same_color

from helpers.figures import draw, last_figure
from helpers.score_rows import score_row
from wakawaka.core.files import write_table
from wakawaka.figures.plot_scores import plot_scores
from wakawaka.figures.style import BLUE, INK, ORANGE

LOSSES = {"wakawaka": 1.0, "wakawaka.dna_only": 2.0, "training_mean": 3.0}
COLOURS = {"wakawaka": BLUE, "wakawaka.dna_only": ORANGE, "training_mean": INK}


def scores(folder, metric="mse", **more):
    """Write the losses of three predictors and of the fold models' mean, and rows that are not drawn; return the path."""
    rows = [score_row(name, metric, loss, "unseen_cell", **more) for name, loss in LOSSES.items()]
    rows += [score_row(name, metric, loss / 2, "train", **more | {"set": "train"}) for name, loss in LOSSES.items()]
    rows.append(score_row("wakawaka", metric, 0.5, "unseen_cell", **more | {"run": "fold_mean"}))
    rows += [
        score_row("wakawaka", metric, 77.0, "pool", **more),
        score_row("wakawaka", metric, 77.0, "unseen_cell", **more | {"similarity": "below 0.01"}),
        score_row("wakawaka", metric, 77.0, "unseen_cell", **more | {"run": "fold-1"}),
        score_row("wakawaka", "pearson", 77.0, "unseen_cell", **more),
    ]
    write_table(pd.DataFrame(rows), folder / "scores.tsv")
    return folder / "scores.tsv"


def test_the_table_has_the_drawn_rows(tmp_path):
    lines, _ = draw(plot_scores, tmp_path, scores(tmp_path))
    assert lines[0].split("\t")[:6] == ["set", "regime", "run", "predictor", "metric", "value"]
    assert len(lines) == 1 + 3 + 3 + 1 and not any("\t77\t" in line for line in lines)


def test_a_panel_per_regime_and_a_row_per_predictor(tmp_path, monkeypatch):
    figure = last_figure(monkeypatch, plot_scores, tmp_path, scores(tmp_path))
    assert [panel.get_title() for panel in figure.axes] == ["seen genes, unseen cells", "training samples"]
    names = ["wakawaka", "wakawaka, mean of the folds", "wakawaka, DNA only", "training mean"]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == names
    values = {line.get_ydata()[0]: line for line in figure.axes[0].get_lines()[:4]}
    assert [values[place].get_xdata()[0] for place in range(4)] == [1.0, 0.5, 2.0, 3.0]
    for place, name in ((0, "wakawaka"), (2, "wakawaka.dna_only"), (3, "training_mean")):
        assert same_color(values[place].get_color(), COLOURS[name])
        assert values[place].get_marker() == ("s" if name == "training_mean" else "o")
    assert figure.get_supxlabel().startswith("mean squared error of the final models; ")


@pytest.mark.parametrize(("metric", "words"), [("mse", "mean squared error"), ("bce", "mean cross-entropy (log loss)")])
def test_without_known_truths_of_the_test_set_the_folds_are_drawn(tmp_path, monkeypatch, metric, words):
    path = scores(tmp_path, metric, set="validation", run="mean")
    figure = last_figure(monkeypatch, plot_scores, tmp_path, path)
    assert figure.get_supxlabel().startswith(f"{words} out of fold, mean over folds; ")

"""Learning curves, their table and their panels."""

import matplotlib
import numpy as np
import pandas as pd
import pytest

from helpers.figures import draw, last_figure
from wakawaka.figures import style
from wakawaka.figures.plot_learning_curves import plot_learning_curves


def histories(folder, *tables):
    paths = [folder / f"history-{index}.tsv" for index in range(len(tables))]
    for path, columns in zip(paths, tables, strict=True):
        epochs = len(next(iter(columns.values())))
        pd.DataFrame({"epoch": range(1, 1 + epochs), "seconds": 1.0} | columns).to_csv(path, sep="\t", index=False)
    return paths


def test_learning_curves_table(tmp_path):
    paths = histories(
        tmp_path,
        {"train_mse": [4.0, 2.0], "val_mse_unseen_gene": [5.0, 3.0]},
        {"train_mse": [6.0, 3.0], "val_mse_unseen_gene": [7.0, 3.0]},
        {"train_mse": [5.0, 1.23456789]},
    )
    lines, picture = draw(plot_learning_curves, tmp_path, paths, ["fold-1", "fold-2", "final"])
    assert lines == [
        "run\tepoch\tcurve\tmse",
        "fold-1\t1\ttrain\t4",
        "fold-1\t2\ttrain\t2",
        "fold-1\t1\tunseen_gene\t5",
        "fold-1\t2\tunseen_gene\t3",
        "fold-2\t1\ttrain\t6",
        "fold-2\t2\ttrain\t3",
        "fold-2\t1\tunseen_gene\t7",
        "fold-2\t2\tunseen_gene\t3",
        "final\t1\ttrain\t5",
        "final\t2\ttrain\t1.234568",
        "mean\t1\ttrain\t5",
        "mean\t2\ttrain\t2.5",
        "mean\t1\tunseen_gene\t6",
        "mean\t2\tunseen_gene\t3",
        "sd\t1\ttrain\t1.414214",
        "sd\t2\ttrain\t0.7071068",
        "sd\t1\tunseen_gene\t1.414214",
        "sd\t2\tunseen_gene\t0",
    ]
    assert picture.shape == (780, 1040, 4)


def test_learning_curves_of_one_epoch_and_a_regime_that_one_fold_lacks(tmp_path):
    paths = histories(
        tmp_path,
        {"train_mse": [4.0], "val_mse_unseen_cell": [5.0], "val_mse_both_unseen": [6.0]},
        {"train_mse": [4.0], "val_mse_unseen_cell": [7.0]},
        {"train_mse": [4.0]},
    )
    lines, picture = draw(plot_learning_curves, tmp_path, paths, ["fold-1", "fold-2", "final"])
    assert "mean\t1\tunseen_cell\t6" in lines
    assert "mean\t1\tboth_unseen\t6" in lines
    assert "sd\t1\tboth_unseen\t-" in lines
    # Two panels, and points in the colour of the validation in each (a line through one epoch would leave none).
    assert picture.shape == (780, 1280, 4)
    orange = np.abs(picture[:600, :, :3] - matplotlib.colors.to_rgb(style.ORANGE)).max(axis=2) < 0.02
    assert orange[:, :640].sum() > 50 and orange[:, 640:].sum() > 50


def test_learning_curves_of_a_binary_target(tmp_path, monkeypatch):
    paths = histories(
        tmp_path, {"train_bce": [0.7, 0.5], "val_bce_unseen_gene": [0.8, 0.6]}, {"train_bce": [0.75, 0.25]}
    )
    figure = last_figure(monkeypatch, plot_learning_curves, tmp_path, paths, ["fold-1", "final"])
    assert figure.axes[0].get_ylabel() == "mean cross-entropy (log loss)"
    assert (tmp_path / "x.tsv").read_text().splitlines()[:2] == ["run\tepoch\tcurve\tbce", "fold-1\t1\ttrain\t0.7"]


@pytest.mark.parametrize("epochs", [1, 2])
def test_learning_curves_without_validation_are_those_of_training(tmp_path, monkeypatch, epochs):
    paths = histories(tmp_path, *({"train_mse": [start, 1.0][:epochs]} for start in (4.0, 6.0, 5.0)))
    runs = ["fold-1", "fold-2", "final"]
    lines, _ = draw(plot_learning_curves, tmp_path, paths, runs)
    assert "mean\t1\ttrain\t5" in lines and not any("unseen" in line for line in lines)
    (panel,) = last_figure(monkeypatch, plot_learning_curves, tmp_path, paths, runs).axes
    assert panel.get_title() == "training samples\n2 folds"
    assert [line.get_ydata().tolist() for line in panel.lines] == [[5.0, 1.0][:epochs]] * 2

"""Predictions over truths, and ROC curves."""

import numpy as np
import pandas as pd
import pytest

from helpers.figures import draw, last_figure
from wakawaka.figures.plot_predictions import plot_predictions

FOLDS = [
    ("E001", "g1", "unseen_cell", "fold-1", 1.0, 1.25, 0.5),
    ("E001", "g2", "unseen_gene", "fold-1", np.nan, 3.5, 0.5),
    ("E002", "g2", "both_unseen", "fold-2", 4.0, 3.123456789, 0.5),
]
# cell, gene, regime, truth, probability, mean of the gene
LABELS = [
    ("E003", "g1", "unseen_cell", 1.0, 0.9, 0.5),
    ("E003", "g2", "unseen_cell", 0.0, 0.2, 0.5),
    ("E003", "g3", "unseen_cell", 1.0, 0.1, 1.0),
    ("E003", "g4", "unseen_cell", np.nan, 0.3, 1.0),
    ("E003", "g5", "both_unseen", 1.0, 0.6, 0.5),
    ("E003", "g6", "both_unseen", 0.0, 0.7, 0.5),
]


VALUE = {"model": "deep", "target_label": "expression", "binary": False}
LABEL = {"model": "deep", "target_label": "probability", "binary": True}


def write_scores(path, rows, metrics):
    """Write scores as `score` does, as far as the figure reads them, among rows that are not those of the panels.

    Args:
        rows: tuples of set, regime, run, predictor and a value for each of `metrics`.
    """
    names = ["set", "regime", "run", "predictor"]
    table = pd.DataFrame(rows, columns=[*names, *metrics]).melt(names, var_name="metric")
    table = table.assign(similarity="all", baseline=np.nan)
    # Of some of the genes, beside a baseline, and of another network.
    others = [
        table.assign(similarity="below 0.01", value=11.0),
        table[table["predictor"] == "deep"].assign(metric="skill", baseline="gene_mean", value=12.0),
        table[table["predictor"] == "deep"].assign(predictor="deep.permuted_genes", value=13.0),
        table[table["predictor"] == "deep"].assign(predictor="model", value=14.0),
    ]
    pd.concat([others[0], table, *others[1:]]).to_csv(path, sep="\t", index=False, na_rep="-")
    return path


def predictions(folder, rows, folds=FOLDS):
    rows = [row if len(row) == 6 else (*row, 0.5) for row in rows]
    pd.DataFrame(rows, columns=["cell", "gene_id", "regime", "truth", "final", "gene_mean"]).to_csv(
        folder / "test.tsv.gz", sep="\t", index=False, na_rep="-"
    )
    pd.DataFrame(folds, columns=["cell", "gene_id", "regime", "run", "truth", "prediction", "gene_mean"]).to_csv(
        folder / "out_of_fold.tsv.gz", sep="\t", index=False, na_rep="-"
    )
    values = [
        (set_name, regime, run, predictor, mse * factor, pearson, mse / 4, mse / 10)
        for set_name, run, factor in (("test", "final", 1), ("validation", "fold-1", 2), ("validation", "mean", 3))
        for regime in ("unseen_cell", "both_unseen")
        for predictor, mse, pearson in (("deep", 0.5, 0.9), ("training_mean", 2.0, np.nan), ("gene_mean", 1.0, 0.5))
    ]
    write_scores(folder / "scores.tsv", values, ["mse", "pearson", "auroc", "aupr"])
    return folder / "test.tsv.gz", folder / "out_of_fold.tsv.gz", folder / "scores.tsv"


def test_unknown_truths_are_left_out(tmp_path):
    inputs = predictions(
        tmp_path,
        [
            ("E003", "g1", "unseen_cell", 1.0, 1.5),
            ("E003", "g2", "unseen_cell", np.nan, 2.5),
            ("E004", "003", "both_unseen", -3.0, -2.123456789),
        ],
    )
    lines, picture = draw(plot_predictions, tmp_path, *inputs, **VALUE)
    assert lines == [
        "cell\tgene_id\tregime\ttruth\tprediction",
        "E003\tg1\tunseen_cell\t1\t1.5",
        "E004\t003\tboth_unseen\t-3\t-2.123457",
    ]
    assert picture.shape == (880, 1360, 4)


def test_many_samples_are_drawn_as_density_with_a_colour_bar(tmp_path):
    truth = np.random.default_rng(0).normal(size=1500)
    inputs = predictions(tmp_path, [("E003", f"g{i}", "unseen_cell", value, value) for i, value in enumerate(truth)])
    lines, picture = draw(plot_predictions, tmp_path, *inputs, **VALUE)
    assert len(lines) == 1501
    assert picture.shape == (880, 900, 4)


def test_equal_predictions_are_drawn(tmp_path):
    inputs = predictions(tmp_path, [("E003", "g1", "unseen_cell", 2.0, 2.0)] * 1200)
    draw(plot_predictions, tmp_path, *inputs, **VALUE)


def test_titles_have_the_numbers_of_the_scores(tmp_path):
    from wakawaka.figures.plot_predictions import OUT_OF_FOLD, TEST_SET, VALUE_SCORES, _scores, _title

    rows = [
        ("validation", "unseen_gene", "fold-1", "deep", 9.0, 0.1),
        ("validation", "unseen_gene", "mean", "training_mean", 3.0, np.nan),
        ("validation", "unseen_gene", "mean", "deep", 1.5, 0.7),
        ("train", "unseen_gene", "mean", "deep", 7.0, 0.3),
        ("test", "unseen_gene", "fold_mean", "deep", 8.0, 0.2),
        ("test", "unseen_gene", "final", "training_mean", 4.0, np.nan),
        ("test", "unseen_gene", "final", "deep", 0.61, np.nan),
    ]
    path = write_scores(tmp_path / "scores.tsv", rows, ["mse", "pearson"])
    group = pd.DataFrame({"regime": ["unseen_gene"] * 1234})
    title = _title(group, _scores(path, TEST_SET, "deep"), VALUE_SCORES)
    assert title == "unseen genes, seen cells\n1,234 samples, Pearson –\nMSE 0.610 (training mean 4.00)"
    title = _title(group[:20], _scores(path, OUT_OF_FOLD, "deep"), VALUE_SCORES)
    assert title == (
        "unseen genes, seen cells\n20 samples, mean over folds:\nPearson 0.700\nMSE 1.50 (training mean 3.00)"
    )


UNKNOWN = ("E003", "g1", "unseen_gene", np.nan, 1.5)


@pytest.mark.parametrize("rows", [[], [UNKNOWN]])
def test_without_known_truths_out_of_fold_predictions_are_drawn(tmp_path, rows):
    lines, picture = draw(plot_predictions, tmp_path, *predictions(tmp_path, rows), **VALUE)
    assert lines == [
        "cell\tgene_id\tregime\ttruth\tprediction",
        "E001\tg1\tunseen_cell\t1\t1.25",
        "E002\tg2\tboth_unseen\t4\t3.123457",
    ]
    # Two panels and, above them, a title in two lines.
    assert picture.shape == (1020, 1360, 4)


@pytest.mark.parametrize(
    ("rows", "title", "numbers"),
    [
        ([], "The test set is empty: these are the fold models' predictions", "MSE 1.50 (training mean 6.00)"),
        ([UNKNOWN], "The truth of the test set is not known: these are the fold", "MSE 1.50 (training mean 6.00)"),
        ([UNKNOWN, ("E003", "g1", "unseen_cell", 1, 2)], "", "MSE 0.500 (training mean 2.00)"),
    ],
)
def test_the_title_names_the_models(tmp_path, monkeypatch, rows, title, numbers):
    inputs = predictions(tmp_path, rows)
    figure = last_figure(monkeypatch, plot_predictions, tmp_path, *inputs, **VALUE)
    found = figure.get_suptitle().replace("\n", " ")
    assert found.startswith(title) and bool(found) == bool(title)
    panel = figure.axes[0].get_title()
    assert panel.endswith(numbers) and ("mean over folds" in panel) == bool(title)


def test_labels_have_roc_curves(tmp_path, monkeypatch):
    inputs = predictions(tmp_path, LABELS)
    lines, picture = draw(plot_predictions, tmp_path, *inputs, **LABEL)
    head = ["regime", "run", "predictor", "false_positive_rate", "true_positive_rate"]
    points = {
        ("unseen_cell", "model"): [(0, 0), (0, 0.5), (1, 0.5), (1, 1)],
        ("unseen_cell", "gene_mean"): [(0, 0), (0, 0.5), (1, 1)],
        ("both_unseen", "model"): [(0, 0), (1, 0), (1, 1)],
        ("both_unseen", "gene_mean"): [(0, 0), (1, 1)],
    }
    rows = [(regime, "final", who, *point) for (regime, who), curve in points.items() for point in curve]
    found = pd.read_csv(tmp_path / "once.tsv", sep="\t")
    assert found.columns.tolist() == head and sorted(found.itertuples(index=False, name=None)) == sorted(rows)
    assert picture.shape == (880, 1360, 4)
    figure = last_figure(monkeypatch, plot_predictions, tmp_path, *inputs, **LABEL)
    assert figure.axes[0].get_title() == (
        "seen genes, unseen cells\n3 samples, AUROC 0.125 (gene mean 0.250)\nAUPR 0.0500 (gene mean 0.100)"
    )
    model, gene_mean, diagonal = figure.axes[0].lines
    assert list(zip(*model.get_data(), strict=True)) == points["unseen_cell", "model"]
    assert list(zip(*gene_mean.get_data(), strict=True)) == points["unseen_cell", "gene_mean"]
    assert list(zip(*diagonal.get_data(), strict=True)) == [(0, 0), (1, 1)]


def test_roc_curves_out_of_fold_are_drawn_fold_by_fold(tmp_path, monkeypatch):
    """The probabilities of each fold are in order, those of both folds together are not."""
    folds = [
        ("E001", "g1", "unseen_cell", "fold-1", 1.0, 0.3, 0.5),
        ("E001", "g2", "unseen_cell", "fold-1", 0.0, 0.2, 0.5),
        ("E002", "g1", "unseen_cell", "fold-2", 1.0, 0.9, 0.5),
        ("E002", "g2", "unseen_cell", "fold-2", 0.0, 0.8, 0.5),
        # One label: no curve.
        ("E002", "g2", "both_unseen", "fold-2", 0.0, 0.8, 0.5),
    ]
    figure = last_figure(monkeypatch, plot_predictions, tmp_path, *predictions(tmp_path, [], folds), **LABEL)
    assert figure.get_suptitle().startswith("The test set is empty")
    assert "mean over folds:\nAUROC" in figure.axes[0].get_title()
    first, _, second, _, _ = figure.axes[0].lines
    for line in (first, second):
        assert list(zip(*line.get_data(), strict=True)) == [(0, 0), (0, 1), (1, 1)]
    assert len(figure.axes[1].lines) == 1
    assert set(pd.read_csv(tmp_path / "x.tsv", sep="\t")["run"]) == {"fold-1", "fold-2"}


def test_long_roc_curves_have_few_points(tmp_path):
    rng = np.random.default_rng(0)
    rows = [("E003", f"g{number}", "unseen_cell", number % 2, rng.random()) for number in range(3000)]
    lines, _ = draw(plot_predictions, tmp_path, *predictions(tmp_path, rows), **LABEL)
    model = [line.split("\t")[3:] for line in lines if "model" in line]
    assert len(model) == 500 and model[0] == ["0", "0"] and model[-1] == ["1", "1"]


@pytest.mark.parametrize("settings", [VALUE, LABEL])
def test_without_any_known_truth_the_figure_says_so(tmp_path, monkeypatch, settings):
    folds = [(*row[:4], np.nan, *row[5:]) for row in FOLDS]
    inputs = predictions(tmp_path, [UNKNOWN], folds)
    lines, _ = draw(plot_predictions, tmp_path, *inputs, **settings)
    assert len(lines) == 1 and lines[0].split("\t")[0] == ("regime" if settings["binary"] else "cell")
    figure = last_figure(monkeypatch, plot_predictions, tmp_path, *inputs, **settings)
    assert "there is nothing to draw" in figure.get_suptitle().replace("\n", " ") and not figure.axes

import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from wakawaka.core.errors import InputError
from wakawaka.figures import style
from wakawaka.figures.plot_calibration import plot_calibration
from wakawaka.figures.plot_dna_gene import plot_dna_gene
from wakawaka.figures.plot_histone_gene import plot_histone_gene
from wakawaka.figures.plot_learning_curves import plot_learning_curves
from wakawaka.figures.plot_predictions import plot_predictions

SCRIPTS = Path(style.__file__).parents[2]


def draw(function, folder, *inputs, **settings):
    """Draw twice; return the lines of the table and the picture, which must not be blank and equal in every byte."""
    for name in ("once", "again"):
        function(*inputs, figure=folder / f"{name}.png", table=folder / f"{name}.tsv", **settings)
    assert (folder / "once.png").read_bytes() == (folder / "again.png").read_bytes()
    picture = imread(folder / "once.png")
    assert picture.ndim == 3 and picture.std() > 0
    return (folder / "once.tsv").read_text().splitlines(), picture


def last_figure(monkeypatch, function, folder, *inputs, **settings):
    """Return the matplotlib figure that `function` would have saved."""
    saved = []
    monkeypatch.setattr(f"{function.__module__}.save", lambda figure, path: saved.append(figure))
    function(*inputs, figure=folder / "x.png", table=folder / "x.tsv", **settings)
    return saved[-1]


# The shared parts


def test_save_writes_200_dots_per_inch_and_no_version(tmp_path):
    style.save(Figure(figsize=(2, 1)), tmp_path / "x.png")
    assert imread(tmp_path / "x.png").shape == (200, 400, 4)
    assert b"matplotlib" not in (tmp_path / "x.png").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_style_ignores_the_settings_of_the_user_and_restores_them():
    with matplotlib.rc_context({"font.size": 31, "lines.linewidth": 17}):
        with style.style():
            assert matplotlib.rcParams["font.size"] == 9
            assert matplotlib.rcParams["lines.linewidth"] == matplotlib.rcParamsDefault["lines.linewidth"]
        assert matplotlib.rcParams["font.size"] == 31
        assert matplotlib.rcParams["lines.linewidth"] == 17


@pytest.mark.parametrize(
    ("value", "text"), [(0.6, "0.600"), (123.4, "123"), (-1.25, "−1.25"), (float("nan"), "–"), (12345, "1.23e+04")]
)
def test_number(value, text):
    assert style.number(value) == text


def test_the_light_modules_import_no_tensorflow():
    modules = ["learning_curves", "predictions", "calibration", "histone_gene", "dna_gene"]
    imports = "; ".join(f"import wakawaka.figures.plot_{module}" for module in modules)
    check = "import sys; print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    code = f"{imports}; {check}"
    done = subprocess.run([sys.executable, "-c", code], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# Learning curves


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


# Predictions


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
        table[table["predictor"] == "deep"].assign(predictor="deep.shuffled_dna", value=13.0),
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


def test_predictions_table_leaves_out_unknown_truth(tmp_path):
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


def test_predictions_of_many_samples_are_drawn_as_density_with_a_colour_bar(tmp_path):
    truth = np.random.default_rng(0).normal(size=1500)
    inputs = predictions(tmp_path, [("E003", f"g{i}", "unseen_cell", value, value) for i, value in enumerate(truth)])
    lines, picture = draw(plot_predictions, tmp_path, *inputs, **VALUE)
    assert len(lines) == 1501
    assert picture.shape == (880, 900, 4)


def test_predictions_that_are_all_equal_are_drawn(tmp_path):
    inputs = predictions(tmp_path, [("E003", "g1", "unseen_cell", 2.0, 2.0)] * 1200)
    draw(plot_predictions, tmp_path, *inputs, **VALUE)


def test_predictions_title_takes_the_numbers_from_the_scores(tmp_path):
    from wakawaka.figures.plot_predictions import OUT_OF_FOLD, TEST_SET, VALUE_SCORES, _scores, _title

    rows = [
        ("validation", "unseen_gene", "fold-1", "deep", 9.0, 0.1),
        ("validation", "unseen_gene", "mean", "training_mean", 3.0, np.nan),
        ("validation", "unseen_gene", "mean", "deep", 1.5, 0.7),
        ("train", "unseen_gene", "mean", "deep", 7.0, 0.3),
        ("test", "unseen_gene", "ensemble", "deep", 8.0, 0.2),
        ("test", "unseen_gene", "final", "training_mean", 4.0, np.nan),
        ("test", "unseen_gene", "final", "deep", 0.61, np.nan),
    ]
    path = write_scores(tmp_path / "scores.tsv", rows, ["mse", "pearson"])
    group = pd.DataFrame({"regime": ["unseen_gene"] * 1234})
    title = _title(group, _scores(path, TEST_SET, "deep"), VALUE_SCORES)
    assert title == "unseen genes, seen cells\n1,234 samples, Pearson r = –\nMSE 0.610 (training mean 4.00)"
    title = _title(group[:20], _scores(path, OUT_OF_FOLD, "deep"), VALUE_SCORES)
    assert title == (
        "unseen genes, seen cells\n20 samples, mean over folds:\nPearson r = 0.700\nMSE 1.50 (training mean 3.00)"
    )


UNKNOWN = ("E003", "g1", "unseen_gene", np.nan, 1.5)


@pytest.mark.parametrize("rows", [[], [UNKNOWN]])
def test_predictions_without_truth_are_those_out_of_fold(tmp_path, rows):
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
def test_predictions_say_whose_they_are(tmp_path, monkeypatch, rows, title, numbers):
    inputs = predictions(tmp_path, rows)
    figure = last_figure(monkeypatch, plot_predictions, tmp_path, *inputs, **VALUE)
    found = figure.get_suptitle().replace("\n", " ")
    assert found.startswith(title) and bool(found) == bool(title)
    panel = figure.axes[0].get_title()
    assert panel.endswith(numbers) and ("mean over folds" in panel) == bool(title)


def test_of_labels_roc_curves_are_drawn(tmp_path, monkeypatch):
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
    """Ranked together, the two folds' probabilities would not be in order; each fold's are."""
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


def test_long_roc_curves_are_drawn_through_some_of_their_points(tmp_path):
    rng = np.random.default_rng(0)
    rows = [("E003", f"g{number}", "unseen_cell", number % 2, rng.random()) for number in range(3000)]
    lines, _ = draw(plot_predictions, tmp_path, *predictions(tmp_path, rows), **LABEL)
    model = [line.split("\t")[3:] for line in lines if "model" in line]
    assert len(model) == 500 and model[0] == ["0", "0"] and model[-1] == ["1", "1"]


@pytest.mark.parametrize("settings", [VALUE, LABEL])
def test_without_any_truth_the_figure_says_so(tmp_path, monkeypatch, settings):
    folds = [(*row[:4], np.nan, *row[5:]) for row in FOLDS]
    inputs = predictions(tmp_path, [UNKNOWN], folds)
    lines, _ = draw(plot_predictions, tmp_path, *inputs, **settings)
    assert len(lines) == 1 and lines[0].split("\t")[0] == ("regime" if settings["binary"] else "cell")
    figure = last_figure(monkeypatch, plot_predictions, tmp_path, *inputs, **settings)
    assert "there is nothing to draw" in figure.get_suptitle().replace("\n", " ") and not figure.axes


# Calibration


SPREAD = {"target_label": "expression", "binary": False}
PROBABILITY = {"target_label": "probability", "binary": True}


def ensembles(folder, **regimes):
    """Write [(truth, ensemble_mean, ensemble_sd)] of every regime as aggregate does, as far as the figure reads it."""
    rows = [(regime, *row) for regime, rows in regimes.items() for row in rows]
    table = pd.DataFrame(rows, columns=["regime", "truth", "ensemble_mean", "ensemble_sd"])
    table.to_csv(folder / "test.tsv.gz", sep="\t", index=False, na_rep="-")
    return folder / "test.tsv.gz"


# Errors of 1 with a spread of 1, and of 4 with one of 2; the truth of one sample is not known.
SPREADS = [(1.0, 0.0, 1.0)] * 5 + [(0.0, 4.0, 2.0)] * 5 + [(np.nan, 0.0, 9.0)]


def test_spread_beside_error(tmp_path, monkeypatch):
    path = ensembles(tmp_path, unseen_gene=SPREADS, both_unseen=[(1.5, 1.0, 0.25)])
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
def test_spread_of_models_that_agree_exactly_is_drawn(tmp_path):
    lines, _ = draw(plot_calibration, tmp_path, ensembles(tmp_path, leaking=[(1.0, 1.0, 0.0)] * 20), **SPREAD)
    assert lines[1:] == ["leaking\t1\t20\t0\t0\t1"]


def test_reliability_of_probabilities(tmp_path, monkeypatch):
    rows = [(0, 0.125, 0.1), (0, 0.125, 0.1), (1, 0.75, 0.2), (0, 0.75, 0.2), (1, 1.0, 0.0), (np.nan, 0.5, 0.1)]
    path = ensembles(tmp_path, unseen_cell=rows)
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
def test_without_any_truth_of_the_test_set_calibration_says_so(tmp_path, monkeypatch, settings, regimes, words):
    path = ensembles(tmp_path, **regimes)
    lines, _ = draw(plot_calibration, tmp_path, path, **settings)
    assert len(lines) == 1 and lines[0].startswith("regime\tbin\tsamples")
    figure = last_figure(monkeypatch, plot_calibration, tmp_path, path, **settings)
    assert figure.get_suptitle().startswith(f"{words}: there is nothing") and not figure.axes


# Attributions of a gene


def attribution(folder, **arrays):
    gene = {
        "gene_id": np.array("ENSG1"),
        "cell": np.array("E003"),
        "regime": np.array("both_unseen"),
        "strand": np.array("-"),
        "run": np.array("final"),
        "truth": np.array(2.5),
        "prediction": np.array(2.0),
        "binary": np.array(False),
        "marks": np.array(["H3K4me3", "H3K27me3"]),
        "histone": np.array([[1.0, 2.0], [0.0, 4.0]], np.float32),
        "histone_gradient": np.array([[0.5, -0.25], [3.0, 0.1]], np.float32),
        "histone_agreement": np.array(0.75),
        "dna": np.array([0, 4, 3, 1], np.uint8),
        "dna_gradient": np.array(
            [[0.3, -0.1, -0.1, -0.1], [0, 0, 0, 0], [0.25, 0.25, 0.25, -0.75], [0, 0, 0, 0]], np.float32
        ),
        "dna_agreement": np.array(0.5),
        "window": np.array(4),
        "bin_size": np.array(2),
    }
    np.savez(folder / "gene.npz", **gene | arrays)
    return folder / "gene.npz"


def test_histone_table(tmp_path):
    lines, picture = draw(plot_histone_gene, tmp_path, attribution(tmp_path))
    assert lines == [
        "bin\tstart_bp\tmark\tinput\tgradient\tgradient_x_input",
        "1\t-2\tH3K4me3\t1\t0.5\t0.5",
        "1\t-2\tH3K27me3\t2\t-0.25\t-0.5",
        "2\t0\tH3K4me3\t0\t3\t0",
        "2\t0\tH3K27me3\t4\t0.1\t0.4",
    ]
    assert picture.shape == (680, 1720, 4)


def test_histone_of_one_mark_and_without_agreement(tmp_path):
    one = {name: np.ones((2, 1)) for name in ("histone", "histone_gradient")}
    one["histone_gradient"][0] = 2
    path = attribution(tmp_path, marks=np.array(["H3K4me3"]), histone_agreement=np.array(np.nan), **one)
    lines, _ = draw(plot_histone_gene, tmp_path, path)
    assert len(lines) == 3


def one_number(folder, gradient):
    values = {"histone": np.full((1, 1), 2.0), "histone_gradient": np.full((1, 1), gradient)}
    return attribution(folder, marks=np.array(["H3K4me3"]), bin_size=np.array(4), **values)


def test_histone_of_one_bin_and_one_mark(tmp_path):
    lines, _ = draw(plot_histone_gene, tmp_path, one_number(tmp_path, -0.5))
    assert lines[1:] == ["1\t-2\tH3K4me3\t2\t-0.5\t-1"]


@pytest.mark.parametrize(
    ("gradient", "words"),
    [(0.0, "is 0 everywhere"), (np.nan, "is not finite in places"), (np.inf, "is not finite in places")],
)
def test_one_number_that_says_nothing_is_refused(tmp_path, gradient, words):
    with pytest.raises(InputError, match=f"ENSG1 in E003 is constant: histone_gradient {words}"):
        plot_histone_gene(one_number(tmp_path, gradient), tmp_path / "x.png", tmp_path / "x.tsv")
    assert [file.name for file in tmp_path.iterdir()] == ["gene.npz"]


def test_dna_table(tmp_path):
    lines, picture = draw(plot_dna_gene, tmp_path, attribution(tmp_path))
    assert lines == [
        "position\tbase\tgradient_A\tgradient_C\tgradient_G\tgradient_T",
        "-2\tA\t0.3\t-0.1\t-0.1\t-0.1",
        "-1\tN\t0\t0\t0\t0",
        "0\tT\t0.25\t0.25\t0.25\t-0.75",
        "1\tC\t0\t0\t0\t0",
    ]
    assert picture.shape == (1720, 1920, 4)


@pytest.mark.parametrize("function", [plot_histone_gene, plot_dna_gene])
@pytest.mark.parametrize(
    ("strand", "direction"),
    [
        ("+", "in the direction of transcription"),
        ("-", "in the direction of transcription"),
        (".", "as in the input files: the strand is not known"),
    ],
)
def test_position_axis_claims_no_direction_of_transcription_without_a_strand(
    tmp_path, monkeypatch, function, strand, direction
):
    figure = last_figure(monkeypatch, function, tmp_path, attribution(tmp_path, strand=np.array(strand)))
    labels = [panel.get_xlabel() for panel in figure.axes if panel.get_xlabel()]
    units = ["kb"] if function is plot_histone_gene else ["kb", "bp"]
    assert labels == [f"position relative to the TSS ({unit}), {direction}" for unit in units]


@pytest.mark.parametrize(
    ("truth", "regime", "run", "words"),
    [
        (2.5, "both_unseen", "final", "(both unseen), final model\ntruth 2.50"),
        (2.5, "unseen_cell", "fold-2", "(seen genes, unseen cells), model of fold-2\ntruth 2.50"),
        (np.nan, "-", "final", "(of unknown expression), final model\ntruth –"),
    ],
)
def test_gene_title(tmp_path, truth, regime, run, words):
    path = attribution(tmp_path, truth=np.array(truth), regime=np.array(regime), run=np.array(run))
    assert style.gene_title(style.read_attribution(path, "dna_gradient"), "dna_agreement") == (
        f"ENSG1 in E003 {words}, prediction 2.00, mean correlation between the fold models' gradients 0.500"
    )


def test_gene_title_of_a_probability(tmp_path):
    path = attribution(tmp_path, binary=np.array(True), truth=np.array(1.0), prediction=np.array(0.93))
    assert style.gene_title(style.read_attribution(path, "dna_gradient"), "dna_agreement") == (
        "ENSG1 in E003 (both unseen), final model\ntruth 1.00, predicted probability 0.930, "
        "mean correlation between the fold models' gradients of the log odds 0.500"
    )


@pytest.mark.parametrize(
    ("function", "gradient", "shape"),
    [(plot_histone_gene, "histone_gradient", (2, 2)), (plot_dna_gene, "dna_gradient", (4, 4))],
)
@pytest.mark.parametrize(("value", "words"), [(0.0, "is 0 everywhere"), (np.nan, "is not finite in places")])
def test_constant_attributions_are_refused(tmp_path, function, gradient, shape, value, words):
    path = attribution(tmp_path, **{gradient: np.full(shape, value, np.float32)})
    with pytest.raises(InputError, match=f"gene.npz: the attribution of ENSG1 in E003 is constant: {gradient} {words}"):
        function(path, tmp_path / "x.png", tmp_path / "x.tsv")
    assert [file.name for file in tmp_path.iterdir()] == ["gene.npz"]


# The architecture, which needs Keras


@pytest.fixture
def architecture():
    pytest.importorskip("keras")
    from wakawaka.figures import plot_architecture

    return plot_architecture


def report_model():
    """Return the model of the report, 3,428,653 parameters."""
    from keras import Input, Model
    from keras.layers import Concatenate, Conv1D, Dense, Dropout, Flatten, LeakyReLU, MaxPooling1D

    histone, dna = Input((100, 5), name="histone"), Input((10000, 4), name="dna")
    left = MaxPooling1D(5)(Conv1D(50, 10, activation=LeakyReLU(negative_slope=0.05))(histone))
    left = MaxPooling1D(3)(Conv1D(50, 5, activation=LeakyReLU(negative_slope=0.05))(left))
    left = Dense(82, activation=LeakyReLU(negative_slope=0.05))(Dropout(0.5)(Flatten()(left)))
    right = MaxPooling1D(32)(Conv1D(132, 6, activation="relu")(dna))
    right = Dense(82, activation=LeakyReLU(negative_slope=0.05))(Dropout(0.5)(Flatten()(right)))
    joint = Dense(100, activation=LeakyReLU(negative_slope=0.05))(Concatenate()([left, right]))
    return Model([histone, dna], Dense(1)(Dropout(0.1)(joint)))


def test_architecture_of_the_report(tmp_path, architecture):
    report_model().save(tmp_path / "model.keras")
    draw(architecture.plot_architecture, tmp_path, tmp_path / "model.keras")
    layers = pd.read_csv(tmp_path / "once.tsv", sep="\t", keep_default_na=False)
    assert layers["parameters"].sum() == 3428653
    inputs = layers.set_index("layer")["inputs"]
    assert list(inputs[["histone", "dna"]]) == ["", ""]
    assert len(inputs[layers.loc[layers["type"] == "Concatenate", "layer"].item()].split(",")) == 2


def small_model():
    from keras import Input, Model
    from keras.layers import Add, Conv1D, Dense, Flatten, LeakyReLU, MaxPooling1D

    histone = Input((8, 2), name="histone")
    first = Conv1D(3, 5, dilation_rate=2, padding="same", activation="relu", name="first")(histone)
    second = Conv1D(3, 1, activation=LeakyReLU(negative_slope=0.05), name="second")(first)
    pooled = MaxPooling1D(4, strides=2, name="pool")(Add(name="add")([first, second]))
    bent = LeakyReLU(negative_slope=0.1, name="bent")(Flatten(name="flat")(pooled))
    return Model(histone, Dense(1, name="out")(bent))


def test_architecture_with_one_module_and_a_skip(tmp_path, architecture):
    small_model().save(tmp_path / "model.keras")
    lines, picture = draw(architecture.plot_architecture, tmp_path, tmp_path / "model.keras")
    assert lines == [
        "layer\ttype\tsettings\toutput_shape\tparameters\tinputs",
        "histone\tInput\t\t8 × 2\t0\t",
        "first\tConv1D\t3 filters × 5, dilation 2, padding same, ReLU\t8 × 3\t33\thistone",
        "second\tConv1D\t3 filters × 1, LeakyReLU(0.05)\t8 × 3\t12\tfirst",
        "add\tAdd\t\t8 × 3\t0\tfirst,second",
        "pool\tMaxPooling1D\tpool 4, stride 2\t3 × 3\t0\tadd",
        "flat\tFlatten\t\t9\t0\tpool",
        "bent\tLeakyReLU\tslope 0.1\t9\t0\tflat",
        "out\tDense\t1 unit\t1\t10\tbent",
    ]
    assert picture.shape == (998, 800, 4)


def test_architecture_of_a_binary_network_ends_in_its_sigmoid(tmp_path, architecture):
    from keras import Input, Model
    from keras.layers import Activation, Dense

    histone = Input((3,), name="histone")
    odds = Dense(1, name="expression")(histone)
    Model([histone], Activation("sigmoid", name="probability")(odds)).save(tmp_path / "model.keras")
    lines, _ = draw(architecture.plot_architecture, tmp_path, tmp_path / "model.keras")
    assert lines[2:] == [
        "expression\tDense\t1 unit\t1\t4\thistone",
        "probability\tActivation\tsigmoid\t1\t0\texpression",
    ]


def test_layers_are_placed_below_their_inputs_and_never_on_each_other(architecture):
    layers = pd.DataFrame(
        {
            "layer": ["a", "b", "a1", "a2", "b1", "join", "twin", "out"],
            "inputs": ["", "", "a", "a1", "b", "a2,b1", "a2,b1", "join,twin"],
        }
    )
    assert architecture.place_layers(layers) == {
        "a": (0, 0),
        "b": (1, 0),
        "a1": (0, 1),
        "a2": (0, 2),
        "b1": (1, 1),
        "join": (0.5, 3),
        "twin": (1.5, 3),
        "out": (1, 4),
    }

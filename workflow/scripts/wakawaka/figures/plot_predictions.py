"""Predicted over true expression, one panel per regime: on the test set, or out of fold if its truth is unknown."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from wakawaka.core.files import PathLike, read_table, write_table
from wakawaka.evaluation.labels import ALL, BASELINES, MEAN, METRICS, REGIMES
from wakawaka.figures.style import BLUE, DASHED, INK, ORANGE, number, save, style
from wakawaka.prediction.prediction_files import held_out_predictions
from wakawaka.splits.regimes import FINAL, HELD_OUT
from wakawaka.statistics.metrics import roc_curve

# With more samples in a panel, points would hide each other, so their density is drawn.
MOST_POINTS = 1000
# The set and the run, in scores.tsv, of the predictions that are drawn.
TEST_SET = ("test", FINAL)
OUT_OF_FOLD = ("validation", MEAN)
# The letters of the figure's title that are as wide as one panel.
PANEL_LETTERS = 38
# The columns of predictions that have a ROC curve, and their looks.
CURVES = {
    "prediction": {"color": BLUE, "linewidth": 1.6, "label": "model"},
    "gene_mean": {"color": ORANGE, "linewidth": 1.2, "label": BASELINES["gene_mean"]},
}
# A panel has fewer pixels than a curve has steps, so a curve is drawn through this number of its points.
POINTS = 500
NOTHING = "No truth of a held-out sample is known, so there is nothing to draw."


class TitleScore(NamedTuple):
    """A score in the title of a panel: its metric, and a baseline whose score is shown with it, with its short name."""

    metric: str
    baseline: str | None = None
    name: str = ""


VALUE_SCORES = (TitleScore("pearson"), TitleScore("mse", "training_mean", "training mean"))
LABEL_SCORES = (TitleScore("auroc", "gene_mean", "gene mean"), TitleScore("aupr", "gene_mean", "gene mean"))


@style()
def plot_predictions(
    predictions: PathLike,
    out_of_fold: PathLike,
    scores: PathLike,
    figure: PathLike,
    table: PathLike,
    *,
    model: str,
    target_label: str,
    binary: bool,
) -> None:
    """Draw the final model's predictions for the test set over the truth or, for a binary target, ROC curves.

    If the test set is empty, or none of its truths is known, the predictions of the fold models for their held-out samples are drawn,
    and the title says so. ROC curves are then drawn fold by fold, because probabilities of different models have no common order.

    Args:
        predictions: path of `test.tsv.gz`: cell, gene_id, regime, truth, final, gene_mean.
        out_of_fold: path of `out_of_fold.tsv.gz`: cell, gene_id, regime, run, truth, prediction, gene_mean.
        scores: path of `scores.tsv`, which has the numbers in the titles.
        figure: path of the PNG to write.
        table: path of the TSV to write: cell, gene_id, regime, truth, prediction of every drawn sample. For a binary target: regime,
            run, predictor (model or gene_mean), false_positive_rate, true_positive_rate of every point of the curves.
        model: name of the model in `scores`.
        target_label: the target with its unit, for the axes: "log2(RPKM + 1)".
        binary: whether the truth is 0 or 1 and predictions are probabilities.
    """
    samples, folds = held_out_predictions(predictions, out_of_fold)
    drawn, source, words = samples.dropna(subset=["truth"]), TEST_SET, ""
    if drawn.empty:
        drawn, source = folds.dropna(subset=["truth"]), OUT_OF_FOLD
        why = "The truth of the test set is not known" if len(samples) else "The test set is empty"
        words = f"{why}: these are the fold models' predictions for their held-out samples"
    rows = _roc_curves(drawn) if binary else drawn[["cell", "gene_id", "regime", "truth", "prediction"]]
    write_table(rows, table)
    if drawn.empty:
        canvas = Figure(figsize=(6, 2), layout="constrained")
        canvas.suptitle("\n".join(textwrap.wrap(NOTHING, 2 * PANEL_LETTERS)))
    else:
        draw = _draw_roc if binary else _draw
        canvas = draw(drawn, _scores(scores, source, model), words, target_label)
    save(canvas, figure)


def _draw(known: pd.DataFrame, scores: pd.DataFrame, words: str, target_label: str) -> Figure:
    """Return the figure of values.

    Args:
        known: the samples.
        scores: the scores in the titles, as `_scores` returns them.
        words: title of the figure, or an empty text.
        target_label: label of the axes.
    """
    dense = known["regime"].value_counts().max() > MOST_POINTS
    low, high = _limits(known[["truth", "prediction"]].to_numpy())
    canvas, panels, groups = _panels(known, words, dense)
    if dense:
        _draw_density(canvas, panels, groups, (low, high, low, high))
    else:
        for panel, group in zip(panels, groups, strict=True):
            panel.scatter(group["truth"], group["prediction"], s=9, color=BLUE, alpha=0.5, linewidth=0)
    for panel, group in zip(panels, groups, strict=True):
        diagonal = panel.plot([low, high], [low, high], color=INK, linewidth=0.9, linestyle=DASHED)
        panel.set(xlim=(low, high), ylim=(low, high), aspect="equal", title=_title(group, scores, VALUE_SCORES))
        panel.set_xlabel(f"true {target_label}")
    panels[0].set_ylabel(f"predicted {target_label}")
    canvas.legend(diagonal, ["prediction = truth"], loc="outside lower center")
    return canvas


def _draw_roc(known: pd.DataFrame, scores: pd.DataFrame, words: str, target_label: str) -> Figure:
    """Return the figure of ROC curves; the arguments are those of `_draw`."""
    canvas, panels, groups = _panels(known, words, dense=False)
    diagonal = {"color": INK, "linewidth": 0.9, "linestyle": DASHED, "label": "random guess"}
    for panel, group in zip(panels, groups, strict=True):
        for (_, predictor), curve in _roc_curves(group).groupby(["run", "predictor"], sort=False):
            look = CURVES["prediction" if predictor == "model" else str(predictor)]
            panel.plot(curve["false_positive_rate"], curve["true_positive_rate"], **look)
        panel.plot([0, 1], [0, 1], **diagonal)
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", title=_title(group, scores, LABEL_SCORES))
        panel.set_xlabel("false positive rate")
    panels[0].set_ylabel("true positive rate")
    lines = [Line2D([], [], **look) for look in (*CURVES.values(), diagonal)]
    canvas.legend(handles=lines, loc="outside lower center", ncols=min(len(lines), len(groups) + 1))
    return canvas


def _roc_curves(known: pd.DataFrame) -> pd.DataFrame:
    """Return the table of the curves of every regime, run and predictor; equal truths have no curve."""
    curves = [pd.DataFrame(columns=["regime", "run", "predictor", "false_positive_rate", "true_positive_rate"])]
    for (regime, run), group in known.groupby(["regime", "run"], sort=False):
        for column in CURVES:
            true, false = roc_curve(group["truth"].to_numpy(), group[column].to_numpy())
            drawn = np.unique(np.linspace(0, len(true) - 1, POINTS).round().astype(int))
            points = {"false_positive_rate": false[drawn], "true_positive_rate": true[drawn]}
            predictor = "model" if column == "prediction" else column
            curves.append(pd.DataFrame({"regime": regime, "run": run, "predictor": predictor, **points}).dropna())
    return pd.concat([curve for curve in curves if len(curve)] or curves, ignore_index=True)


def _panels(known: pd.DataFrame, words: str, dense: bool) -> tuple[Figure, np.ndarray, list[pd.DataFrame]]:
    """Return the figure, a panel for every regime, and the samples of each panel."""
    regimes = [regime for regime in HELD_OUT if regime in set(known["regime"])]
    heading = textwrap.wrap(words, PANEL_LETTERS * len(regimes))
    size = (3.1 * len(regimes) + 0.6 + 0.8 * dense, 4.4 + 0.35 * len(heading))
    canvas = Figure(figsize=size, layout="constrained")
    canvas.suptitle("\n".join(heading))
    panels = canvas.subplots(1, len(regimes), sharex=True, sharey=True, squeeze=False)[0]
    return canvas, panels, [known[known["regime"] == regime] for regime in regimes]


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Return limits for both axes that contain all values with a margin."""
    margin = 0.04 * np.ptp(values) or 0.5
    return values.min() - margin, values.max() + margin


def _draw_density(
    canvas: Figure, panels: np.ndarray, groups: Sequence[pd.DataFrame], extent: tuple[float, float, float, float]
) -> None:
    """Draw the number of samples per hexagon, with one logarithmic colour scale for all panels."""
    hexagons = [
        panel.hexbin(
            group["truth"], group["prediction"], gridsize=45, extent=extent, mincnt=1, cmap="crest", linewidths=0.1
        )
        for panel, group in zip(panels, groups, strict=True)
    ]
    # At least 2, because a scale needs two ends.
    norm = LogNorm(vmin=1, vmax=max(2, *(collection.get_array().max() for collection in hexagons)))
    for collection in hexagons:
        collection.set_norm(norm)
    bar = canvas.colorbar(hexagons[0], ax=panels, label="samples per hexagon", shrink=0.8, aspect=28, pad=0.015)
    bar.ax.yaxis.set_major_formatter("{x:g}")


def _title(group: pd.DataFrame, scores: pd.DataFrame, shown: Iterable[TitleScore]) -> str:
    """Return the title of a panel: the regime, the number of samples, and two scores."""
    regime = group["regime"].iloc[0]
    averaged = "mean over folds:\n" if scores["run"].iloc[0] == MEAN else ""
    of_regime = scores[scores["regime"] == regime].set_index(["predictor", "metric"])["value"]
    lines = []
    for metric, baseline, name in shown:
        line = f"{METRICS[metric]} {number(of_regime['model', metric])}"
        if baseline:
            line += f" ({name} {number(of_regime[baseline, metric])})"
        lines.append(line)
    return f"{REGIMES[regime]}\n{len(group):,} samples, {averaged}{lines[0]}\n{lines[1]}"


def _scores(path: PathLike, source: tuple[str, str], model: str) -> pd.DataFrame:
    """Return the scores of the model, named "model", and of the baselines in one set and run."""
    table = read_table(path)
    chosen = (table[["set", "run", "similarity"]] == [*source, ALL]).all(axis=1) & table["baseline"].isna()
    of_model = table["predictor"] == model
    # Another network may have the name "model".
    chosen &= of_model | table["predictor"].isin(BASELINES)
    return table.assign(predictor=table["predictor"].mask(of_model, "model"))[chosen]

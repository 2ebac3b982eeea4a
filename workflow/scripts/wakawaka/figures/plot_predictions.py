"""Predicted against true expression, one panel per regime: of the test set, or out of fold where its truth is not known."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from wakawaka.core.files import read_table, write_table
from wakawaka.evaluation.labels import BASELINES, LABELS
from wakawaka.figures.style import BLUE, INK, ORANGE, number, save, style
from wakawaka.splits.regimes import HELD_OUT
from wakawaka.statistics.metrics import roc_curve

# With more samples than this in one panel single points hide each other, and their density is drawn instead.
MOST_POINTS = 1000
# The set and the run, in scores.tsv, of the predictions that are drawn.
TEST_SET = ("test", "final")
OUT_OF_FOLD = ("validation", "mean")
# As many letters of the figure's title are as wide as one panel.
PANEL_LETTERS = 38
# The two scores in a title: name, words, and the predictor that the score is compared with, if any, and its words.
VALUE_SCORES = (("pearson", "Pearson r = ", None, ""), ("mse", "MSE ", "training_mean", "training mean"))
LABEL_SCORES = (("auroc", "AUROC ", "gene_mean", "gene mean"), ("aupr", "AUPR ", "gene_mean", "gene mean"))
# The columns of predictions that a ROC curve is drawn of, and their looks.
CURVES = {
    "prediction": {"color": BLUE, "linewidth": 1.6, "label": "model"},
    "gene_mean": {"color": ORANGE, "linewidth": 1.2, "label": "per-gene training mean"},
}
# A panel has fewer pixels than a curve has steps: it is drawn through so many of its points.
POINTS = 500
NOTHING = "The truth of none of the samples that a model has not seen is known: there is nothing to draw."


@style()
def plot_predictions(predictions, out_of_fold, scores, figure, table, *, model, target_label, binary):
    """Draw the final model's predictions for the test set against the truth, or of a binary target ROC curves.

    If no truth of the test set is known, or it is empty, what is drawn instead are the fold models' predictions for the
    samples that they held out, and the title of the figure says so. ROC curves are then drawn fold by fold, because one model's
    probabilities are not to be ranked among those of another.

    Args:
        predictions: path of `test.tsv.gz`: cell, gene_id, regime, truth, final, gene_mean.
        out_of_fold: path of `out_of_fold.tsv.gz`: cell, gene_id, regime, run, truth, prediction, gene_mean.
        scores: path of `scores.tsv`, from which the numbers in the titles are taken.
        figure: path of the PNG to write.
        table: path of the TSV to write: cell, gene_id, regime, truth, prediction of every sample drawn; of a binary target regime,
            run, predictor (model or gene_mean), false_positive_rate, true_positive_rate of every point of the curves.
        model: name of the model in `scores`.
        target_label: what is predicted, in its unit, for the axes: "log2(RPKM + 1)".
        binary: whether the truth is 0 or 1 and predictions are probabilities.
    """
    samples = read_table(predictions).rename(columns={"final": "prediction"}).assign(run="final")
    drawn, source, words = samples.dropna(subset=["truth"]), TEST_SET, ""
    if drawn.empty:
        drawn, source = read_table(out_of_fold).dropna(subset=["truth"]), OUT_OF_FOLD
        why = "The truth of the test set is not known" if len(samples) else "The test set is empty"
        words = f"{why}: these are the fold models' predictions for what they held out"
    rows = _roc_curves(drawn) if binary else drawn[["cell", "gene_id", "regime", "truth", "prediction"]]
    write_table(rows, table)
    if drawn.empty:
        canvas = Figure(figsize=(6, 2), layout="constrained")
        canvas.suptitle("\n".join(textwrap.wrap(NOTHING, 2 * PANEL_LETTERS)))
    else:
        draw = _draw_roc if binary else _draw
        canvas = draw(drawn, _scores(scores, source, model), words, target_label)
    save(canvas, figure)


def _draw(known, scores, words, target_label):
    """Return the figure; `scores` are as `_scores` returns them, `words` is the title of the figure, if any."""
    dense = known["regime"].value_counts().max() > MOST_POINTS
    low, high = _limits(known[["truth", "prediction"]].to_numpy())
    canvas, panels, groups = _panels(known, words, dense)
    if dense:
        _draw_density(canvas, panels, groups, (low, high, low, high))
    else:
        for panel, group in zip(panels, groups, strict=True):
            panel.scatter(group["truth"], group["prediction"], s=9, color=BLUE, alpha=0.5, linewidth=0)
    for panel, group in zip(panels, groups, strict=True):
        diagonal = panel.plot([low, high], [low, high], color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        panel.set(xlim=(low, high), ylim=(low, high), aspect="equal", title=_title(group, scores, VALUE_SCORES))
        panel.set_xlabel(f"true {target_label}")
    panels[0].set_ylabel(f"predicted {target_label}")
    canvas.legend(diagonal, ["prediction = truth"], loc="outside lower center")
    return canvas


def _draw_roc(known, scores, words, target_label):
    """Return the figure of ROC curves; the arguments are those of `_draw`."""
    canvas, panels, groups = _panels(known, words, dense=False)
    diagonal = {"color": INK, "linewidth": 0.9, "linestyle": (0, (4, 2)), "label": "guessing"}
    for panel, group in zip(panels, groups, strict=True):
        for (_, predictor), curve in _roc_curves(group).groupby(["run", "predictor"], sort=False):
            look = CURVES["prediction" if predictor == "model" else predictor]
            panel.plot(curve["false_positive_rate"], curve["true_positive_rate"], **look)
        panel.plot([0, 1], [0, 1], **diagonal)
        panel.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal", title=_title(group, scores, LABEL_SCORES))
        panel.set_xlabel("false positive rate")
    panels[0].set_ylabel("true positive rate")
    lines = [Line2D([], [], **look) for look in (*CURVES.values(), diagonal)]
    canvas.legend(handles=lines, loc="outside lower center", ncols=min(len(lines), len(groups) + 1))
    return canvas


def _roc_curves(known):
    """Return the table of the curves of every regime, run and predictor; there is none where all truths are the same."""
    curves = [pd.DataFrame(columns=["regime", "run", "predictor", "false_positive_rate", "true_positive_rate"])]
    for (regime, run), group in known.groupby(["regime", "run"], sort=False):
        for column in CURVES:
            true, false = roc_curve(group["truth"], group[column])
            drawn = np.unique(np.linspace(0, len(true) - 1, POINTS).round().astype(int))
            points = {"false_positive_rate": false[drawn], "true_positive_rate": true[drawn]}
            predictor = "model" if column == "prediction" else column
            curves.append(pd.DataFrame({"regime": regime, "run": run, "predictor": predictor, **points}).dropna())
    return pd.concat([curve for curve in curves if len(curve)] or curves, ignore_index=True)


def _panels(known, words, dense):
    """Return the figure, its panels and the samples [panel] of each: one for every regime there is."""
    regimes = [regime for regime in HELD_OUT if regime in set(known["regime"])]
    heading = textwrap.wrap(words, PANEL_LETTERS * len(regimes))
    size = (3.1 * len(regimes) + 0.6 + 0.8 * dense, 4.4 + 0.35 * len(heading))
    canvas = Figure(figsize=size, layout="constrained")
    canvas.suptitle("\n".join(heading))
    panels = canvas.subplots(1, len(regimes), sharex=True, sharey=True, squeeze=False)[0]
    return canvas, panels, [known[known["regime"] == regime] for regime in regimes]


def _limits(values):
    """Return limits that hold all values with a margin, equal for both axes."""
    margin = 0.04 * np.ptp(values) or 0.5
    return values.min() - margin, values.max() + margin


def _draw_density(canvas, panels, groups, extent):
    """Draw the number of samples per hexagon, on one logarithmic colour scale for all panels."""
    hexagons = [
        panel.hexbin(
            group["truth"], group["prediction"], gridsize=45, extent=extent, mincnt=1, cmap="crest", linewidths=0.1
        )
        for panel, group in zip(panels, groups, strict=True)
    ]
    # At least two, because a scale needs two ends.
    norm = LogNorm(vmin=1, vmax=max(2, *(collection.get_array().max() for collection in hexagons)))
    for collection in hexagons:
        collection.set_norm(norm)
    bar = canvas.colorbar(hexagons[0], ax=panels, label="samples per hexagon", shrink=0.8, aspect=28, pad=0.015)
    bar.ax.yaxis.set_major_formatter("{x:g}")


def _title(group, scores, names):
    """Return the title of a panel; `names` are the scores to write, and each with what it is compared with."""
    regime = group["regime"].iloc[0]
    averaged = "mean over folds:\n" if scores["run"].iloc[0] == "mean" else ""
    of_regime = scores[scores["regime"] == regime].set_index(["predictor", "metric"])["value"]
    lines = []
    for name, title, baseline, words in names:
        line = f"{title}{number(of_regime['model', name])}"
        if baseline:
            line += f" ({words} {number(of_regime[baseline, name])})"
        lines.append(line)
    return f"{LABELS[regime]}\n{len(group):,} samples, {averaged}{lines[0]}\n{lines[1]}"


def _scores(path, source, model):
    """Return the rows of scores.tsv of one set and run, the model being called so."""
    table = read_table(path)
    chosen = table[["set", "run", "similarity"]] == [*source, "all"]
    table = table[chosen.all(axis=1) & table["baseline"].isna()]
    of_model = table["predictor"] == model
    # A further model may be called so.
    return table[of_model | table["predictor"].isin(BASELINES)].assign(
        predictor=table["predictor"].mask(of_model, "model")
    )

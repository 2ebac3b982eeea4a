"""Predicted against true expression, one panel per regime: of the test set, or out of fold where its truth is not known."""

import textwrap

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from .figures import BLUE, INK, number, save, style
from .files import read_table, write_table
from .regimes import HELD_OUT, LABELS

# With more samples than this in one panel single points hide each other, and their density is drawn instead.
MOST_POINTS = 1000
# The set and the run, in scores.tsv, of the predictions that are drawn.
TEST_SET = ("test", "final")
OUT_OF_FOLD = ("validation", "mean")
# As many letters of the figure's title are as wide as one panel.
PANEL_LETTERS = 38


@style()
def plot_predictions(predictions, out_of_fold, scores, figure, table, target_label):
    """Draw the final model's predictions for the test set against the truth.

    If no truth of the test set is known, or it is empty, what is drawn instead are the fold models' predictions for the
    samples that they held out, and the title of the figure says so.

    Args:
        predictions: path of `test.tsv.gz`: cell, gene_id, regime, truth, final.
        out_of_fold: path of `out_of_fold.tsv.gz`: cell, gene_id, regime, truth, prediction. Some truth is known there.
        scores: path of `scores.tsv`, from which the numbers in the titles are taken.
        figure: path of the PNG to write.
        table: path of the TSV to write: cell, gene_id, regime, truth, prediction of every sample drawn.
        target_label: what is predicted, in its unit, for the axes: "log2(RPKM + 1)".
    """
    samples = read_table(predictions).rename(columns={"final": "prediction"})
    drawn, source, words = _known(samples), TEST_SET, ""
    if drawn.empty:
        drawn, source = _known(read_table(out_of_fold)), OUT_OF_FOLD
        why = "The truth of the test set is not known" if len(samples) else "The test set is empty"
        words = f"{why}: these are the fold models' predictions for what they held out"
    write_table(drawn, table)
    save(_draw(drawn, read_table(scores), target_label, source, words), figure)


def _known(samples):
    return samples.dropna(subset=["truth"])[["cell", "gene_id", "regime", "truth", "prediction"]]


def _draw(known, scores, target_label, source, words):
    """Return the figure; `source` is the set and the run of the scores, `words` the title of the figure, if any."""
    regimes = [regime for regime in HELD_OUT if regime in set(known["regime"])]
    groups = [known[known["regime"] == regime] for regime in regimes]
    dense = max(map(len, groups)) > MOST_POINTS
    low, high = _limits(known[["truth", "prediction"]].to_numpy())
    heading = textwrap.wrap(words, PANEL_LETTERS * len(regimes))
    size = (3.1 * len(regimes) + 0.6 + 0.8 * dense, 4.4 + 0.35 * len(heading))
    canvas = Figure(figsize=size, layout="constrained")
    canvas.suptitle("\n".join(heading))
    panels = canvas.subplots(1, len(regimes), sharex=True, sharey=True, squeeze=False)[0]
    if dense:
        _draw_density(canvas, panels, groups, (low, high, low, high))
    else:
        for panel, group in zip(panels, groups, strict=True):
            panel.scatter(group["truth"], group["prediction"], s=9, color=BLUE, alpha=0.5, linewidth=0)
    for panel, group, regime in zip(panels, groups, regimes, strict=True):
        diagonal = panel.plot([low, high], [low, high], color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        panel.set(xlim=(low, high), ylim=(low, high), aspect="equal", title=_title(regime, len(group), scores, source))
        panel.set_xlabel(f"true {target_label}")
    panels[0].set_ylabel(f"predicted {target_label}")
    canvas.legend(diagonal, ["prediction = truth"], loc="outside lower center")
    return canvas


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


def _title(regime, samples, scores, source):
    model = _score(scores, regime, source, "model")
    baseline = _score(scores, regime, source, "training_mean")
    averaged = "mean over folds:\n" if source == OUT_OF_FOLD else ""
    return (
        f"{LABELS[regime]}\n{samples:,} samples, {averaged}Pearson r = {number(model['pearson'])}\n"
        f"MSE {number(model['mse'])} (training mean {number(baseline['mse'])})"
    )


def _score(scores, regime, source, predictor):
    """Return the row of scores.tsv of one predictor on one regime; `source` is the set and the run."""
    chosen = scores[["set", "run", "regime", "predictor"]] == [*source, regime, predictor]
    return scores[chosen.all(axis=1)].iloc[0]

"""Predicted against true expression of the test set, one panel per regime."""

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from .figures import BLUE, INK, number, save, style
from .files import read_table, write_table
from .regimes import HELD_OUT, LABELS

# With more samples than this in one panel single points hide each other, and their density is drawn instead.
MOST_POINTS = 1000


@style()
def plot_predictions(predictions, scores, figure, table, target_label):
    """Draw the final model's predictions against the truth; without a known truth the figure says so in words.

    Args:
        predictions: path of `test.tsv.gz`: cell, gene_id, regime, truth, final.
        scores: path of `scores.tsv`, from which the numbers in the titles are taken.
        figure: path of the PNG to write.
        table: path of the TSV to write: cell, gene_id, regime, truth, prediction of every sample with known truth.
        target_label: what is predicted, in its unit, for the axes: "log2(RPKM + 1)".
    """
    samples = read_table(predictions).rename(columns={"final": "prediction"})
    known = samples.dropna(subset=["truth"])[["cell", "gene_id", "regime", "truth", "prediction"]]
    write_table(known, table)
    if known.empty:
        save(_draw_words(len(samples)), figure)
    else:
        save(_draw(known, read_table(scores), target_label), figure)


def _draw_words(samples):
    words = (
        f"The test set has {samples:,} samples and the true expression of none of them is known."
        if samples
        else "The test set is empty: no cell and no gene is held out in config.yaml."
    )
    canvas = Figure(figsize=(6.4, 1.6))
    canvas.text(0.5, 0.5, f"Predictions cannot be compared with the truth here.\n\n{words}", ha="center", va="center")
    return canvas


def _draw(known, scores, target_label):
    regimes = [regime for regime in HELD_OUT if regime in set(known["regime"])]
    groups = [known[known["regime"] == regime] for regime in regimes]
    dense = max(map(len, groups)) > MOST_POINTS
    low, high = _limits(known[["truth", "prediction"]].to_numpy())
    canvas = Figure(figsize=(3.1 * len(regimes) + 0.6 + 0.8 * dense, 4.4), layout="constrained")
    panels = canvas.subplots(1, len(regimes), sharex=True, sharey=True, squeeze=False)[0]
    if dense:
        _draw_density(canvas, panels, groups, (low, high, low, high))
    else:
        for panel, group in zip(panels, groups, strict=True):
            panel.scatter(group["truth"], group["prediction"], s=9, color=BLUE, alpha=0.5, linewidth=0)
    for panel, group, regime in zip(panels, groups, regimes, strict=True):
        diagonal = panel.plot([low, high], [low, high], color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        panel.set(xlim=(low, high), ylim=(low, high), aspect="equal", title=_title(regime, len(group), scores))
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


def _title(regime, samples, scores):
    model = _score(scores, regime, "model")
    baseline = _score(scores, regime, "training_mean")
    return (
        f"{LABELS[regime]}\n{samples:,} samples, Pearson r = {number(model['pearson'])}\n"
        f"MSE {number(model['mse'])} (training mean {number(baseline['mse'])})"
    )


def _score(scores, regime, predictor):
    """Return the row of scores.tsv of one predictor on one regime of the test set."""
    chosen = scores[["set", "regime", "run", "predictor"]] == ["test", regime, "final", predictor]
    return scores[chosen.all(axis=1)].iloc[0]

"""Calibration on the test set: the fold models' spread beside their error or, of probabilities, a reliability diagram."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wakawaka.core.files import read_table, write_table
from wakawaka.evaluation.labels import LABELS
from wakawaka.figures.style import BLUE, INK, number, save, style
from wakawaka.splits.regimes import HELD_OUT
from wakawaka.statistics.calibration import coverage, ece, factor, reliability_bins, spread_bins, spread_error_rank

DIAGONAL = {"color": INK, "linewidth": 0.9, "linestyle": (0, (4, 2))}
BINNED = {"color": BLUE, "linewidth": 1.2, "marker": "o", "markersize": 5}
ARRAYS = ["truth", "ensemble_mean", "ensemble_sd"]
# So many letters of a sentence fill a line where there is nothing to draw.
LETTERS = 72


@style()
def plot_calibration(predictions, figure, table, target_label, binary):
    """Draw, one panel per regime, the error of the fold models' mean over the spread of the fold models, in ten bins of spread.

    Of a binary target: the part of 1s over the mean of the fold models' probabilities, in ten bins of it. If no truth of the test
    set is known, or it is empty, the figure says so.

    Args:
        predictions: path of `test.tsv.gz`: regime, truth, ensemble_mean, ensemble_sd.
        figure: path of the PNG to write.
        table: path of the TSV to write: regime, and the columns of `calibration.spread_bins` or `calibration.reliability_bins`.
        target_label: what is predicted, in its unit, for the axes: "log2(RPKM + 1)".
        binary: whether the truth is 0 or 1 and predictions are probabilities.
    """
    samples = read_table(predictions)
    known = samples.dropna(subset=["truth"])
    bins = _bins(known, binary)
    write_table(bins, table)
    if known.empty:
        why = "The truth of the test set is not known" if len(samples) else "The test set is empty"
        about = "probabilities" if binary else "the spread of the fold models"
        canvas = Figure(figsize=(6, 2), layout="constrained")
        canvas.suptitle("\n".join(textwrap.wrap(f"{why}: there is nothing to hold {about} against.", LETTERS)))
    else:
        canvas = _draw(known, bins, target_label, binary)
    save(canvas, figure)


def _bins(known, binary):
    """Return the table of the bins of every regime that there is."""
    bins = []
    for regime in HELD_OUT:
        truth, mean, sd = (known.loc[known["regime"] == regime, name] for name in ARRAYS)
        found = reliability_bins(truth, mean) if binary else spread_bins(truth, mean, sd)
        found.insert(0, "regime", regime)
        bins.append(found)
    # Without rows a column has no type.
    return pd.concat([one for one in bins if len(one)] or bins, ignore_index=True)


def _draw(known, bins, target_label, binary):
    """Return the figure of the bins of all regimes."""
    regimes = [regime for regime in HELD_OUT if regime in set(known["regime"])]
    canvas = Figure(figsize=(max(3.1 * len(regimes) + 0.6, 4), 4.4), layout="constrained")
    panels = canvas.subplots(1, len(regimes), sharex=True, sharey=True, squeeze=False)[0]
    x, y = ("mean_predicted", "part_of_1s") if binary else ("mean_sd", "rmse")
    # The spread is mostly far below the error: with equal axes all points would lie at the left edge.
    right, top = (1.02, 1.02) if binary else (1.08 * bins[x].max() or 1, 1.08 * bins[y].max() or 1)
    for panel, regime in zip(panels, regimes, strict=True):
        rows = bins[bins["regime"] == regime]
        diagonal = panel.plot([0, max(right, top)], [0, max(right, top)], **DIAGONAL)
        panel.plot(rows[x], rows[y], **BINNED)
        panel.set(xlim=(-0.02 * right, right), ylim=(-0.02 * top, top))
        panel.set_title(_title(known[known["regime"] == regime], LABELS[regime], binary))
        panel.set_xlabel("predicted probability" if binary else f"spread (SD), {target_label}")
    panels[0].set_ylabel("part of the samples that are 1" if binary else f"error (RMSE), {target_label}")
    label = "part of 1s = probability" if binary else "error of the fold models' mean = spread of the fold models"
    canvas.legend(diagonal, [label], loc="outside lower center")
    return canvas


def _title(group, label, binary):
    """Return the title of a panel: the regime in words, and what the whole of its samples gives."""
    truth, mean, sd = (group[name] for name in ARRAYS)
    first = f"{label}\n{len(group):,} samples"
    if binary:
        return f"{first}\ncalibration error (ECE) {number(ece(truth, mean))}"
    rank = spread_error_rank(truth, mean, sd)
    # Of a correlation near 0 three significant digits would be too many.
    rank = f"{round(rank, 2) + 0:.2f}".replace("-", "−") if np.isfinite(rank) else number(rank)
    return (
        f"{first}, {100 * coverage(truth, mean, sd):.0f}% in the 95% interval\n"
        f"rank r = {rank}, spread × {number(factor(truth, mean, sd))} for 95%"
    )

"""Calibration on the test set: the error of the fold models over their spread or, for probabilities, a reliability diagram."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wakawaka.core.files import PathLike, write_table
from wakawaka.evaluation.labels import REGIMES
from wakawaka.figures.style import BLUE, DASHED, INK, number, save, style
from wakawaka.prediction.prediction_files import read_test
from wakawaka.splits.regimes import HELD_OUT
from wakawaka.statistics.calibration import coverage, ece, factor, reliability_bins, spread_bins, spread_error_rank

DIAGONAL = {"color": INK, "linewidth": 0.9, "linestyle": DASHED}
BINNED = {"color": BLUE, "linewidth": 1.2, "marker": "o", "markersize": 5}
ARRAYS = ["truth", "fold_mean", "fold_sd"]


@style()
def plot_calibration(predictions: PathLike, figure: PathLike, table: PathLike, target_label: str, binary: bool) -> None:
    """Draw the error of the fold models' mean over the spread of the fold models, in ten bins of spread, one panel per regime.

    For a binary target, draw the share of 1s over the mean probability, in ten bins of probability. If the test set is empty, or none
    of its truths is known, the figure says so.

    Args:
        predictions: path of `test.tsv.gz`: regime, truth, fold_mean, fold_sd.
        figure: path of the PNG to write.
        table: path of the TSV to write: regime, and the columns of `calibration.spread_bins` or `calibration.reliability_bins`.
        target_label: the target with its unit, for the axes: "log2(RPKM + 1)".
        binary: whether the truth is 0 or 1 and predictions are probabilities.
    """
    samples = read_test(predictions)
    known = samples.dropna(subset=["truth"])
    bins = _bins(known, binary)
    write_table(bins, table)
    if known.empty:
        why = "The truth of the test set is not known" if len(samples) else "The test set is empty"
        canvas = Figure(figsize=(6, 2), layout="constrained")
        canvas.suptitle(f"{why}, so the calibration cannot be shown.")
    else:
        canvas = _draw(known, bins, target_label, binary)
    save(canvas, figure)


def _bins(known: pd.DataFrame, binary: bool) -> pd.DataFrame:
    """Return the table of the bins of all regimes."""
    bins = []
    for regime in HELD_OUT:
        truth, mean, sd = _arrays(known[known["regime"] == regime])
        found = reliability_bins(truth, mean) if binary else spread_bins(truth, mean, sd)
        found.insert(0, "regime", regime)
        bins.append(found)
    # An empty table has no types of columns.
    return pd.concat([one for one in bins if len(one)] or bins, ignore_index=True)


def _arrays(samples: pd.DataFrame) -> tuple[np.ndarray, ...]:
    """Return the truths, means and standard deviations [sample]."""
    return tuple(samples[name].to_numpy() for name in ARRAYS)


def _draw(known: pd.DataFrame, bins: pd.DataFrame, target_label: str, binary: bool) -> Figure:
    """Return the figure of the bins of all regimes."""
    regimes = [regime for regime in HELD_OUT if regime in set(known["regime"])]
    canvas = Figure(figsize=(max(3.1 * len(regimes) + 0.6, 4), 4.4), layout="constrained")
    panels = canvas.subplots(1, len(regimes), sharex=True, sharey=True, squeeze=False)[0]
    x, y = ("mean_predicted", "part_of_1s") if binary else ("mean_sd", "rmse")
    # The spread is mostly far below the error, and equal axes would put all points at the left edge.
    right, top = (1.02, 1.02) if binary else (1.08 * bins[x].max() or 1, 1.08 * bins[y].max() or 1)
    for panel, regime in zip(panels, regimes, strict=True):
        rows = bins[bins["regime"] == regime]
        diagonal = panel.plot([0, max(right, top)], [0, max(right, top)], **DIAGONAL)
        panel.plot(rows[x], rows[y], **BINNED)
        panel.set(xlim=(-0.02 * right, right), ylim=(-0.02 * top, top))
        panel.set_title(_title(known[known["regime"] == regime], REGIMES[regime], binary))
        panel.set_xlabel("predicted probability" if binary else f"spread (SD), {target_label}")
    panels[0].set_ylabel("share of 1s" if binary else f"error (RMSE), {target_label}")
    label = "share of 1s = predicted probability" if binary else "error = spread"
    canvas.legend(diagonal, [label], loc="outside lower center")
    return canvas


def _title(group: pd.DataFrame, label: str, binary: bool) -> str:
    """Return the title of a panel: the regime, and the calibration over all its samples."""
    truth, mean, sd = _arrays(group)
    first = f"{label}\n{len(group):,} samples"
    if binary:
        return f"{first}\ncalibration error (ECE) {number(ece(truth, mean))}"
    correlation = spread_error_rank(truth, mean, sd)
    # Two decimals, because three significant digits are too many for a correlation near 0.
    defined = np.isfinite(correlation)
    rank = f"{round(correlation, 2) + 0:.2f}".replace("-", "−") if defined else number(correlation)
    return (
        f"{first}, {100 * coverage(truth, mean, sd):.0f}% in the 95% interval\n"
        f"rank r = {rank}, spread × {number(factor(truth, mean, sd))} for 95%"
    )

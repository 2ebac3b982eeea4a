"""The loss of every predictor in each regime, with intervals."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from wakawaka.core.files import PathLike, read_table, write_table
from wakawaka.evaluation.labels import (
    ALL,
    FOLD_MEAN,
    LOSSES,
    MEAN,
    REGIMES,
    is_ablation,
    is_network,
    predictor_title,
    shown_set,
)
from wakawaka.figures.style import BLUE, DASHED, INK, MUTED, ORANGE, save, style
from wakawaka.splits.regimes import FINAL, HELD_OUT, TRAIN

# What the scores of a run are of, for the axis.
OF_RUN = {FINAL: "of the final models", MEAN: "out of fold, mean over folds"}


@style()
def plot_scores(scores: PathLike, figure: PathLike, table: PathLike) -> None:
    """Draw the loss of every predictor with its 95% interval, one panel per regime, on a common axis.

    It is on the test set if any of its truths is known, else on the samples that the folds hold out.

    Args:
        scores: path of what `score` writes.
        figure: path of the PNG to write.
        table: path of the TSV to write: the drawn rows of `scores`.
    """
    rows = read_table(scores)
    set_name, run = shown_set(rows)
    rows = rows[(rows["similarity"] == ALL) & rows["metric"].isin(LOSSES) & rows["run"].isin([run, FOLD_MEAN])]
    held_out = (rows["set"] == set_name) & rows["regime"].isin(HELD_OUT)
    rows = rows[held_out | (rows["regime"] == TRAIN)].drop(columns=["similarity", "baseline"])
    write_table(rows, table)
    save(_draw(rows, run), figure)


def _draw(rows: pd.DataFrame, run: str) -> Figure:
    """Return the figure: a row for each predictor, the mean of the fold models below its model."""
    regimes = [regime for regime in (*HELD_OUT, TRAIN) if regime in set(rows["regime"])]
    names = list(dict.fromkeys(rows["predictor"]))
    predictors = sorted(
        set(zip(rows["predictor"], rows["run"], strict=True)),
        key=lambda one: (names.index(one[0]), one[1] == FOLD_MEAN),
    )
    canvas = Figure(figsize=(2.6 + 2.3 * len(regimes), 1.3 + 0.27 * len(predictors)), layout="constrained")
    panels = canvas.subplots(1, len(regimes), sharey=True, squeeze=False)[0]
    for panel, regime in zip(panels, regimes, strict=True):
        of_regime = rows[rows["regime"] == regime]
        for row in of_regime.to_dict("records"):
            _draw_row(panel, row, predictors.index((row["predictor"], row["run"])))
        constant = of_regime.loc[of_regime["predictor"] == "training_mean", "value"]
        panel.axvline(constant.iloc[0], color=MUTED, linewidth=0.8, linestyle=DASHED)
        panel.set_title(REGIMES[regime])
        panel.set_xlim(left=0)
    panels[0].set_yticks(range(len(predictors)), [predictor_title(*one) for one in predictors])
    panels[0].invert_yaxis()
    loss = LOSSES[rows["metric"].iloc[0]].axis
    canvas.supxlabel(f"{loss} {OF_RUN[run]}; lines: 95% intervals; dashed: training mean", fontsize=9)
    return canvas


def _draw_row(panel: Any, row: dict[Any, Any], place: int) -> None:
    """Draw the interval and the loss of one predictor: networks as circles, ablations in orange, baselines as squares."""
    network = is_network(row["predictor"])
    colour = ORANGE if is_ablation(row["predictor"]) else BLUE if network else INK
    panel.hlines(place, row["ci_low"], row["ci_high"], color=colour, linewidth=1.4)
    panel.plot(row["value"], place, color=colour, marker="o" if network else "s", markersize=4.5, linestyle="none")

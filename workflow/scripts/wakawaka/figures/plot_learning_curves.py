"""Learning curves: the loss of every run over the epochs, regime by regime."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from wakawaka.core.files import PathLike, read_table, write_table
from wakawaka.evaluation.labels import LOSSES, REGIMES
from wakawaka.figures.style import BLUE, DASHED, INK, ORANGE, save, style
from wakawaka.splits.regimes import FINAL, HELD_OUT, TRAIN

LOOKS = {
    "fold": {"color": ORANGE, "linewidth": 0.7, "alpha": 0.75, "markersize": 3, "label": "validation, each fold"},
    "mean": {"color": ORANGE, "linewidth": 2.2, "markersize": 6.5, "label": "validation, mean over folds"},
    "train": {"color": BLUE, "linewidth": 1.6, "markersize": 5, "label": "training, mean over folds"},
    FINAL: {
        "color": INK,
        "linewidth": 1.6,
        "markersize": 5,
        "label": "training, final model",
        "linestyle": DASHED,
    },
}
BAND = {"color": ORANGE, "alpha": 0.22, "linewidth": 0, "label": "± one standard deviation over folds"}
# A line through a single epoch is invisible, so points are drawn, with these shifts along the axis of epochs.
POINTS = {"marker": "o", "linestyle": "none"}
SHIFTS = {"fold": -0.2, "mean": -0.2, "train": 0, FINAL: 0.2}


@style()
def plot_learning_curves(histories: Sequence[PathLike], runs: Sequence[str], figure: PathLike, table: PathLike) -> None:
    """Draw the loss over the epochs, one panel per validation regime.

    A panel shows each fold, their mean with a band of one standard deviation, and the training loss. If no held-out truth is known,
    there is one panel of the training loss.

    Args:
        histories: paths of `history.tsv`.
        runs: the run of each history: `fold-1` ... `fold-k` and `final`.
        figure: path of the PNG to write.
        table: path of the TSV to write: run, epoch, curve (`train` or a regime), and the loss, mse or bce. The runs `mean` and `sd`
            are over the folds that have the curve. The standard deviation (n - 1) is undefined for a single fold.
    """
    curves = learning_curves(histories, runs)
    write_table(curves, table)
    save(_draw(curves), figure)


def learning_curves(histories: Sequence[PathLike], runs: Sequence[str]) -> pd.DataFrame:
    """Return the table of `plot_learning_curves`: the runs in their order, then `mean` and `sd` over the folds."""
    curves = pd.concat([_curves_of_run(read_table(path), run) for path, run in zip(histories, runs, strict=True)])
    folds = curves[curves["run"] != FINAL].groupby(["curve", "epoch"], sort=False)[_loss(curves)]
    summaries = [
        values.reset_index().assign(run=name) for name, values in (("mean", folds.mean()), ("sd", folds.std()))
    ]
    return pd.concat([curves, *summaries], ignore_index=True)


def _loss(curves: pd.DataFrame) -> str:
    """Return the column of the loss: mse or bce."""
    return next(name for name in LOSSES if name in curves)


def _curves_of_run(history: pd.DataFrame, run: str) -> pd.DataFrame:
    """Return run, epoch, curve and the loss of one history; regimes without validation samples are left out."""
    loss = next(name for name in LOSSES if f"train_{name}" in history)
    columns = {f"train_{loss}": TRAIN} | {f"val_{loss}_{regime}": regime for regime in HELD_OUT}
    wide = history.set_index("epoch").rename(columns=columns)
    curves = [name for name in (TRAIN, *HELD_OUT) if name in wide]
    long = wide[curves].melt(var_name="curve", value_name=loss, ignore_index=False).reset_index()
    return long.assign(run=run)[["run", "epoch", "curve", loss]]


def _draw(curves: pd.DataFrame) -> Figure:
    """Return the figure of a table of `learning_curves`."""
    regimes = [regime for regime in HELD_OUT if regime in set(curves["curve"])] or [TRAIN]
    single_epoch = curves["epoch"].nunique() == 1
    canvas = Figure(figsize=(max(3.2 * len(regimes), 5.2), 3.9), layout="constrained")
    panels = canvas.subplots(1, len(regimes), sharex=True, sharey=True, squeeze=False)[0]
    for panel, regime in zip(panels, regimes, strict=True):
        folds = _draw_panel(panel, curves, regime, single_epoch)
        panel.set_title(f"{REGIMES[regime]}\n{folds} {'folds' if folds > 1 else 'fold'}")
        panel.set_xlabel("epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        panel.margins(x=1 if single_epoch else 0.05)
    panels[0].set_ylabel(LOSSES[_loss(curves)].axis)
    marks = POINTS if single_epoch else {}
    fold, *lines = (Line2D([], [], **look | marks) for look in LOOKS.values())
    columns = 3 if len(regimes) > 1 else 2
    handles = lines[1:] if regimes == [TRAIN] else [fold, Patch(**BAND), *lines]
    canvas.legend(handles=handles, loc="outside lower center", ncols=columns)
    return canvas


def _draw_panel(panel: Any, curves: pd.DataFrame, regime: str, single_epoch: bool) -> int:
    """Draw the loss of one regime and the training loss; return the number of folds that have the regime."""
    validation, train = (_lines(curves, curve) for curve in (regime, TRAIN))
    mean, sd = validation.pop("mean"), validation.pop("sd")
    if regime == TRAIN:
        lines = [(mean, "train")]
    else:
        lines = [*((fold, "fold") for fold in validation.values()), (mean, "mean"), (train["mean"], "train")]
    if FINAL in train:
        lines.append((train[FINAL], FINAL))
    for line, name in lines:
        shift, marks = (SHIFTS[name], POINTS) if single_epoch else (0, {})
        panel.plot(line.index + shift, line, **LOOKS[name] | marks)
    if regime != TRAIN and single_epoch:
        panel.vlines(mean.index + SHIFTS["mean"], mean - sd, mean + sd, **BAND | {"linewidth": 14})
    elif regime != TRAIN:
        panel.fill_between(mean.index, mean - sd, mean + sd, **BAND)
    return len(validation.keys() - {FINAL})


def _lines(curves: pd.DataFrame, curve: str) -> dict[Any, pd.Series]:
    """Return one curve of each run: the loss by epoch."""
    rows = curves[curves["curve"] == curve]
    return {run: rows.set_index("epoch")[_loss(curves)] for run, rows in rows.groupby("run", sort=False)}

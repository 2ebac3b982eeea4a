"""Learning curves: the loss of every run over the epochs, per regime of validation."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from .figures import BLUE, INK, ORANGE, save, style
from .files import read_table, write_table
from .regimes import HELD_OUT, LABELS, TRAIN

FINAL = "final"
LOOKS = {
    "fold": {"color": ORANGE, "linewidth": 0.7, "alpha": 0.75, "markersize": 3, "label": "validation, each fold"},
    "mean": {"color": ORANGE, "linewidth": 2.2, "markersize": 6.5, "label": "validation, mean over folds"},
    "train": {"color": BLUE, "linewidth": 1.6, "markersize": 5, "label": "training, mean over folds"},
    FINAL: {
        "color": INK,
        "linewidth": 1.6,
        "markersize": 5,
        "label": "training, final model",
        "linestyle": (0, (4, 2)),
    },
}
BAND = {"color": ORANGE, "alpha": 0.22, "linewidth": 0, "label": "± one standard deviation over folds"}
# A line through a single epoch is invisible: points are drawn then, side by side.
POINTS = {"marker": "o", "linestyle": "none"}
BESIDE = {"fold": -0.2, "mean": -0.2, "train": 0, FINAL: 0.2}


@style()
def plot_learning_curves(histories, runs, figure, table):
    """Draw the loss over the epochs, one panel per validation regime.

    A panel holds each fold, their mean with a band of one standard deviation, and the training loss.

    Args:
        histories: paths of `history.tsv`, one per run.
        runs: names of the runs in the same order, `fold-1` ... `fold-k` and `final`.
        figure: path of the PNG to write.
        table: path of the TSV to write: run, epoch, curve (`train` or a regime), mse. The runs `mean` and `sd` are over
            the folds that have the curve; the standard deviation (n - 1) is undefined for a single fold.
    """
    curves = learning_curves(histories, runs)
    write_table(curves, table)
    save(_draw(curves), figure)


def learning_curves(histories, runs):
    """Return the table of `plot_learning_curves`: the runs in their order, then `mean` and `sd` over the folds."""
    curves = pd.concat([_curves_of_run(read_table(path), run) for path, run in zip(histories, runs, strict=True)])
    folds = curves[curves["run"] != FINAL].groupby(["curve", "epoch"], sort=False)["mse"]
    summaries = [
        values.reset_index().assign(run=name) for name, values in (("mean", folds.mean()), ("sd", folds.std()))
    ]
    return pd.concat([curves, *summaries], ignore_index=True)


def _curves_of_run(history, run):
    """Return run, epoch, curve, mse of one history; a regime the run was not validated on is left out."""
    columns = {"train_mse": TRAIN} | {f"val_mse_{regime}": regime for regime in HELD_OUT}
    wide = history.set_index("epoch").rename(columns=columns)
    curves = [name for name in (TRAIN, *HELD_OUT) if name in wide]
    long = wide[curves].melt(var_name="curve", value_name="mse", ignore_index=False).reset_index()
    return long.assign(run=run)[["run", "epoch", "curve", "mse"]]


def _draw(curves):
    regimes = [regime for regime in HELD_OUT if regime in set(curves["curve"])]
    single_epoch = curves["epoch"].nunique() == 1
    canvas = Figure(figsize=(max(3.2 * len(regimes), 5.2), 3.9), layout="constrained")
    panels = canvas.subplots(1, len(regimes), sharex=True, sharey=True, squeeze=False)[0]
    for panel, regime in zip(panels, regimes, strict=True):
        folds = _draw_panel(panel, curves, regime, single_epoch)
        panel.set_title(f"{LABELS[regime]}\n{folds} {'folds' if folds > 1 else 'fold'}")
        panel.set_xlabel("epoch")
        panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        panel.margins(x=1 if single_epoch else 0.05)
    panels[0].set_ylabel("mean squared error")
    marks = POINTS if single_epoch else {}
    fold, *lines = (Line2D([], [], **look | marks) for look in LOOKS.values())
    columns = 3 if len(regimes) > 1 else 2
    canvas.legend(handles=[fold, Patch(**BAND), *lines], loc="outside lower center", ncols=columns)
    return canvas


def _draw_panel(panel, curves, regime, single_epoch):
    """Draw the curves of one regime and return how many folds have it."""
    validation, train = (
        {
            run: rows.set_index("epoch")["mse"]
            for run, rows in curves[curves["curve"] == curve].groupby("run", sort=False)
        }
        for curve in (regime, TRAIN)
    )
    mean, sd = validation.pop("mean"), validation.pop("sd")
    lines = [*((fold, "fold") for fold in validation.values()), (mean, "mean"), (train["mean"], "train")]
    if FINAL in train:
        lines.append((train[FINAL], FINAL))
    for line, name in lines:
        shift, marks = (BESIDE[name], POINTS) if single_epoch else (0, {})
        panel.plot(line.index + shift, line, **LOOKS[name] | marks)
    if single_epoch:
        panel.vlines(mean.index + BESIDE["mean"], mean - sd, mean + sd, **BAND | {"linewidth": 14})
    else:
        panel.fill_between(mean.index, mean - sd, mean + sd, **BAND)
    return len(validation)

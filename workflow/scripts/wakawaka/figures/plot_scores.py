"""Every predictor side by side: the loss in each regime with its interval."""

from matplotlib.figure import Figure

from wakawaka.core.files import read_table, write_table
from wakawaka.evaluation.labels import ALL, BASELINES, LABELS, in_words, shown_set
from wakawaka.figures.style import BLUE, INK, MUTED, ORANGE, save, style
from wakawaka.splits.regimes import HELD_OUT, TRAIN

# What the axis calls the loss.
LOSSES = {"mse": "mean squared error", "bce": "mean cross-entropy (log loss)"}


@style()
def plot_scores(scores, figure, table):
    """Draw the loss of every predictor with its 95% interval, one panel per regime, on a common axis.

    Of the test set, if a truth of it is known, else of what the folds held out.

    Args:
        scores: path as `score` writes it. figure: path of the PNG to write. table: path of the TSV to write: the rows of `scores` drawn.
    """
    rows = read_table(scores)
    set_name, run = shown_set(rows)
    rows = rows[(rows["similarity"] == ALL) & rows["metric"].isin(LOSSES) & rows["run"].isin([run, "ensemble"])]
    held_out = (rows["set"] == set_name) & rows["regime"].isin(HELD_OUT)
    rows = rows[held_out | (rows["regime"] == TRAIN)].drop(columns=["similarity", "baseline"])
    write_table(rows, table)
    save(_draw(rows, run), figure)


def _draw(rows, run):
    regimes = [regime for regime in (*HELD_OUT, TRAIN) if regime in set(rows["regime"])]
    predictors = list(dict.fromkeys(rows["predictor"]))
    who = set(zip(rows["predictor"], rows["run"], strict=True))
    # The mean of the fold models below its model.
    who = sorted(who, key=lambda one: (predictors.index(one[0]), one[1] == "ensemble"))
    canvas = Figure(figsize=(2.6 + 2.3 * len(regimes), 1.3 + 0.27 * len(who)), layout="constrained")
    panels = canvas.subplots(1, len(regimes), sharey=True, squeeze=False)[0]
    for panel, regime in zip(panels, regimes, strict=True):
        for row in rows[rows["regime"] == regime].to_dict("records"):
            _draw_row(panel, row, who.index((row["predictor"], row["run"])))
        constant = rows[(rows["regime"] == regime) & (rows["predictor"] == "training_mean")]["value"]
        panel.axvline(constant.iloc[0], color=MUTED, linewidth=0.8, linestyle=(0, (4, 2)))
        panel.set_title(LABELS[regime])
        panel.set_xlim(left=0)
    panels[0].set_yticks(range(len(who)), [_name(*one) for one in who])
    panels[0].invert_yaxis()
    of = {"final": "of the final models", "mean": "out of fold, mean over the folds"}[run]
    canvas.supxlabel(f"{LOSSES[rows['metric'].iloc[0]]} {of}; lines: 95% intervals; dashed: training mean", fontsize=9)
    return canvas


def _draw_row(panel, row, place):
    network = row["predictor"] not in BASELINES
    colour = (BLUE if "." not in row["predictor"] else ORANGE) if network else INK
    panel.hlines(place, row["low"], row["high"], color=colour, linewidth=1.4)
    panel.plot(row["value"], place, color=colour, marker="o" if network else "s", markersize=4.5, linestyle="none")


def _name(predictor, run):
    return f"{predictor}, mean of the folds" if run == "ensemble" else in_words(predictor)

"""The experiments side by side: the loss of each in every regime with its interval, and beside it the one that was printed."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table, write_table
from wakawaka.evaluation.labels import ALL, LABELS, shown_set
from wakawaka.figures.plot_scores import LOSSES
from wakawaka.figures.style import BLUE, MUTED, VERMILION, save, style
from wakawaka.splits.regimes import HELD_OUT, POOL


@style()
def plot_experiments(scores, figure, table, *, networks, bases, printed, draw_printed):
    """Draw the loss of every experiment with its 95% interval, one panel per regime and one of all held-out samples.

    Of the test set, if a truth of it is known, else of what the folds held out. The table has a row per experiment and panel:
    experiment, network, set, run, regime, metric (mse or bce), value, low, high, over, cells, genes, samples as `score` has them;
    printed, the report's MSE of the pool of its test samples; base, the model that the experiment is a variant of, base_value, its loss
    on the same samples, and skill with skill_low and skill_high: 1 - loss / loss of the base, undefined of the base itself.

    Args:
        scores: path as `score` writes it. figure: path of the PNG to write. table: path of the TSV to write.
        networks: dict from experiments, in the order in which they are drawn, to the networks that `scores` has.
        bases: dict from experiments to models, which `scores` has. printed: dict from experiments to float or None.
        draw_printed: whether the printed losses are of this data set, and drawn.

    Raises:
        InputError: there are no experiments.
    """
    if not networks:
        raise InputError("config key `experiments` is empty, so there is nothing to draw: name an experiment there.")
    rows = _rows(read_table(scores), networks, bases, printed)
    write_table(rows, table)
    save(_draw(rows, draw_printed), figure)


def _rows(scores, networks, bases, printed):
    """Return the table of what is drawn, see `plot_experiments`."""
    set_name, run = shown_set(scores)
    scores = scores[(scores["similarity"] == ALL) & (scores["set"] == set_name) & (scores["run"] == run)]
    losses = scores[scores["metric"].isin(LOSSES)].drop(columns=["similarity", "baseline"])
    skills = scores[scores["metric"] == "skill"].set_index(["predictor", "baseline", "regime"])
    skills = skills[["value", "low", "high"]].set_axis(["skill", "skill_low", "skill_high"], axis=1)
    rows = []
    for experiment, network in networks.items():
        who = {"experiment": experiment, "network": network}
        beside = {"printed": printed[experiment], "base": bases[experiment]}
        own = losses[losses["predictor"] == network].drop(columns="predictor").set_index("regime", drop=False)
        for regime in (regime for regime in (*HELD_OUT, POOL) if regime in own.index):
            of_base = losses[(losses["predictor"] == bases[experiment]) & (losses["regime"] == regime)]["value"]
            beside |= {"base_value": of_base.iloc[0] if len(of_base) else np.nan}
            place = (network, bases[experiment], regime)
            skill = skills.loc[place] if place in skills.index else dict.fromkeys(skills)
            rows.append(who | dict(own.loc[regime]) | beside | dict(skill))
    table = pd.DataFrame(rows)
    # Where all are undefined, pandas would take them for text.
    numbers = ["printed", "base_value", *skills]
    return table.astype(dict.fromkeys(numbers, np.float64))


def _draw(rows, draw_printed):
    experiments, regimes = (list(dict.fromkeys(rows[name])) for name in ("experiment", "regime"))
    canvas = Figure(figsize=(1.9 + 2.4 * len(regimes), 1.3 + 0.3 * len(experiments)), layout="constrained")
    panels = canvas.subplots(1, len(regimes), sharey=True, squeeze=False)[0]
    for panel, regime in zip(panels, regimes, strict=True):
        for row in rows[rows["regime"] == regime].to_dict("records"):
            place = experiments.index(row["experiment"])
            panel.hlines(place, row["low"], row["high"], color=BLUE, linewidth=1.4)
            panel.plot(row["value"], place, color=BLUE, marker="o", markersize=4.5, linestyle="none")
            # The report pooled what it held out. Of a single regime there is no pool beside it.
            if draw_printed and regime == regimes[-1]:
                panel.plot(row["printed"], place, color=VERMILION, marker="D", markersize=4.5, linestyle="none")
            panel.vlines(row["base_value"], place - 0.5, place + 0.5, color=MUTED, linewidth=0.8, linestyle=(0, (4, 2)))
        panel.set_title(LABELS[regime])
    panels[0].set_yticks(range(len(experiments)), [_name(rows, experiment) for experiment in experiments])
    panels[0].set_ylim(len(experiments) - 0.4, -0.6)
    of = {"final": "of the final models", "mean": "out of fold, mean over the folds"}[rows["run"].iloc[0]]
    marks = "lines: 95% intervals; dashed: the model that it is a variant of"
    marks += "; diamonds: as printed in the report" if draw_printed else ""
    canvas.supxlabel(f"{LOSSES[rows['metric'].iloc[0]]} {of}; {marks}", fontsize=9)
    return canvas


def _name(rows, experiment):
    """Return the label of an experiment; of one that is nothing but another network, with the name of that."""
    network = rows.loc[rows["experiment"] == experiment, "network"].iloc[0]
    return experiment if network == experiment else f"{experiment} = {network}"

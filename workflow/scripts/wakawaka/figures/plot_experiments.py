"""The loss of every experiment in each regime with its interval, compared with the published MSE."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, read_table, write_table
from wakawaka.evaluation.labels import ALL, LOSSES, REGIMES, shown_set
from wakawaka.figures.plot_scores import OF_RUN
from wakawaka.figures.style import BLUE, DASHED, MUTED, VERMILION, save, style
from wakawaka.splits.regimes import HELD_OUT, POOL

# The columns of the skill compared with the base.
SKILL = ("skill", "skill_ci_low", "skill_ci_high")


@style()
def plot_experiments(
    scores: PathLike,
    figure: PathLike,
    table: PathLike,
    *,
    networks: Mapping[str, str],
    bases: Mapping[str, str],
    published_mse: Mapping[str, float | None],
    draw_published: bool,
) -> None:
    """Draw the loss of every experiment with its 95% interval, one panel per regime and one of all held-out samples.

    It is on the test set if any of its truths is known, else on the samples that the folds hold out.

    Args:
        scores: path of what `score` writes.
        figure: path of the PNG to write.
        table: path of the TSV to write, a row per experiment and panel. Columns: experiment, network; set, regime, run, metric (mse or
            bce), value, ci_low, ci_high, resampled, cells, genes and samples, as `score` writes them; published_mse; base, the model
            that the experiment is a variant of; base_value, its loss on the same samples; skill, 1 - loss / loss of the base, with
            skill_ci_low and skill_ci_high. The skill of the base itself is undefined.
        networks: from experiments, in the order in which they are drawn, to networks in `scores`.
        bases: from experiments to models in `scores`.
        published_mse: from experiments to the report's MSE on the pool of its test samples, or None.
        draw_published: whether the published MSEs are of this data set, and are drawn.

    Raises:
        InputError: if there are no experiments.
    """
    if not networks:
        raise InputError("config key `experiments` is empty, so there is nothing to draw: name an experiment there.")
    rows = _rows(read_table(scores), networks, bases, published_mse)
    write_table(rows, table)
    save(_draw(rows, draw_published), figure)


def _rows(
    scores: pd.DataFrame,
    networks: Mapping[str, str],
    bases: Mapping[str, str],
    published_mse: Mapping[str, float | None],
) -> pd.DataFrame:
    """Return the table of `plot_experiments`."""
    set_name, run = shown_set(scores)
    scores = scores[(scores["similarity"] == ALL) & (scores["set"] == set_name) & (scores["run"] == run)]
    losses = scores[scores["metric"].isin(LOSSES)].drop(columns=["similarity", "baseline"])
    skills = scores[scores["metric"] == "skill"].set_index(["predictor", "baseline", "regime"])
    skills = skills[["value", "ci_low", "ci_high"]].set_axis(list(SKILL), axis=1)
    skill_of = skills.to_dict("index")
    rows = []
    for experiment, network in networks.items():
        base = bases[experiment]
        own = losses[losses["predictor"] == network].drop(columns="predictor").set_index("regime", drop=False)
        for regime in (regime for regime in (*HELD_OUT, POOL) if regime in own.index):
            of_base = losses.loc[(losses["predictor"] == base) & (losses["regime"] == regime), "value"]
            rows.append(
                {
                    "experiment": experiment,
                    "network": network,
                    **own.loc[regime].to_dict(),
                    "published_mse": published_mse[experiment],
                    "base": base,
                    "base_value": of_base.iloc[0] if len(of_base) else np.nan,
                    **skill_of.get((network, base, regime), dict.fromkeys(SKILL)),
                }
            )
    # A column of undefined values would have no type.
    return pd.DataFrame(rows).astype(dict.fromkeys(["published_mse", "base_value", *SKILL], np.float64))


def _draw(rows: pd.DataFrame, draw_published: bool) -> Figure:
    """Return the figure of a table of `_rows`."""
    experiments, regimes = (list(dict.fromkeys(rows[name])) for name in ("experiment", "regime"))
    canvas = Figure(figsize=(1.9 + 2.4 * len(regimes), 1.3 + 0.3 * len(experiments)), layout="constrained")
    panels = canvas.subplots(1, len(regimes), sharey=True, squeeze=False)[0]
    for panel, regime in zip(panels, regimes, strict=True):
        for row in rows[rows["regime"] == regime].to_dict("records"):
            # The published MSEs are of all held-out samples, the last panel. A single regime is all held-out samples.
            _draw_row(panel, row, experiments.index(row["experiment"]), draw_published and regime == regimes[-1])
        panel.set_title(REGIMES[regime])
    panels[0].set_yticks(range(len(experiments)), [_name(rows, experiment) for experiment in experiments])
    panels[0].set_ylim(len(experiments) - 0.4, -0.6)
    marks = "lines: 95% intervals; dashed: the model that it is a variant of"
    marks += "; diamonds: published MSE" if draw_published else ""
    loss, run = LOSSES[rows["metric"].iloc[0]].axis, rows["run"].iloc[0]
    canvas.supxlabel(f"{loss} {OF_RUN[run]}; {marks}", fontsize=9)
    return canvas


def _draw_row(panel: Any, row: dict[Any, Any], place: int, draw_published: bool) -> None:
    """Draw one experiment: interval, loss, published MSE, and the loss of its base."""
    panel.hlines(place, row["ci_low"], row["ci_high"], color=BLUE, linewidth=1.4)
    panel.plot(row["value"], place, color=BLUE, marker="o", markersize=4.5, linestyle="none")
    if draw_published:
        panel.plot(row["published_mse"], place, color=VERMILION, marker="D", markersize=4.5, linestyle="none")
    panel.vlines(row["base_value"], place - 0.5, place + 0.5, color=MUTED, linewidth=0.8, linestyle=DASHED)


def _name(rows: pd.DataFrame, experiment: str) -> str:
    """Return the label of an experiment, with its network if that has another name."""
    network = rows.loc[rows["experiment"] == experiment, "network"].iloc[0]
    return experiment if network == experiment else f"{experiment} = {network}"

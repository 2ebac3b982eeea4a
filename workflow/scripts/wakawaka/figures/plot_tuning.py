"""The trials of the search: a line for each trial through its hyperparameters, coloured by its validation loss."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from wakawaka.core.files import PathLike, write_table
from wakawaka.figures.style import INK, MUTED, VERMILION, number, save, style
from wakawaka.tuning.trial_table import LOSS, RANK, read_ranks

# From a low to a high loss, without the palest yellow, which is hard to see on white.
COLOURS = LinearSegmentedColormap.from_list("trials", matplotlib.colormaps["viridis"](np.linspace(0, 0.92, 256)))
BEST = {"color": VERMILION, "linewidth": 2.6, "marker": "o", "markersize": 5, "zorder": 3}
FAILED = {"color": MUTED, "linewidth": 0.8, "linestyle": (0, (2, 2))}
# Lines through one value are spread over this part of the distance between two values.
SPREAD = 0.5
WORDS = {
    "textcoords": "offset points",
    "va": "center",
    "fontsize": 8,
    "zorder": 4,
    "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1},
}
# With more trials, numbers in squares are unreadable, and lines must be thin.
MANY = 60


@style()
def plot_tuning(
    ranks: Sequence[PathLike],
    figure: PathLike,
    table: PathLike,
    *,
    values: Mapping[str, Sequence[str]],
    epochs: Sequence[int],
) -> None:
    """Draw a row of panels per rung: a line per trial through parallel axes and, for two varied hyperparameters, a heat map of the losses.

    The axes are the hyperparameters with more than one value, in the order of the config, and the loss. Values have equal distances.
    Lines through the same value are drawn next to each other, the better trial below.

    Args:
        ranks: paths of the tables of `rank_trials`, one for each rung.
        figure: path of the PNG to write.
        table: path of the TSV to write: the columns `rung` and `epochs`, then the rows of all tables.
        values: from hyperparameters to their values as text.
        epochs: number of epochs of each rung.
    """
    rungs = [read_ranks(path) for path in ranks]
    labels = [{"rung": place + 1, "epochs": count} for place, count in enumerate(epochs)]
    write_table(
        pd.concat([rung.assign(**label)[[*label, *rung]] for rung, label in zip(rungs, labels, strict=True)]), table
    )
    varied = [name for name in values if len(values[name]) > 1] or list(values)
    save(_draw(rungs, epochs, {name: values[name] for name in varied}), figure)


def _draw(rungs: Sequence[pd.DataFrame], epochs: Sequence[int], values: Mapping[str, Sequence[str]]) -> Figure:
    """Return the figure of the tables of all rungs."""
    maps = len(values) == 2
    width = max(1.5 * (len(values) + 1), 4.5)
    canvas = Figure(figsize=(width + (4 if maps else 0), 3.4 * len(rungs)), layout="constrained")
    ratios = [width, 4] if maps else [1]
    panels = canvas.subplots(len(rungs), len(ratios), squeeze=False, width_ratios=ratios)
    for place, (rung, row) in enumerate(zip(rungs, panels, strict=True)):
        colours = ScalarMappable(Normalize(rung[LOSS].min(), rung[LOSS].max()), COLOURS)
        last = place == len(rungs) - 1
        _draw_lines(row[0], rung, values, colours)
        trained = _count(len(rung), "trial")
        row[0].set_title(
            f"rung {place + 1}: {trained}, {_count(epochs[place], 'epoch')}; thick: the {'chosen' if last else 'best'} trial"
        )
        if maps:
            _draw_map(row[1], rung, values, colours)
        canvas.colorbar(colours, ax=row[-1], label="validation loss")
    return canvas


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _draw_lines(panel: Any, rung: pd.DataFrame, values: Mapping[str, Sequence[str]], colours: Any) -> None:
    """Draw the lines of all trials, the best one last; a trial without a loss has a grey line."""
    low, high = rung[LOSS].min(), rung[LOSS].max()
    for row in rung[::-1].to_dict("records"):
        shift = SPREAD * ((row[RANK] - 1) / (len(rung) - 1) - 0.5) if len(rung) > 1 else 0
        heights = [_height(shown.index(row[name]), len(shown), shift) for name, shown in values.items()]
        if not np.isfinite(row[LOSS]):
            panel.plot(heights, **FAILED)
            continue
        heights.append((row[LOSS] - low) / (high - low) if high > low else 0.5)
        look = {"color": colours.to_rgba(row[LOSS]), "linewidth": 1.4 if len(rung) < MANY else 0.6}
        panel.plot(heights, **BEST if row[RANK] == 1 else look)
    for place, shown in enumerate(values.values()):
        for one, name in enumerate(shown):
            panel.annotate(name, (place, _height(one, len(shown))), (5, 0), **WORDS)
    for height, loss in [(0, low), (1, high)] if high > low else [(0.5, low)]:
        panel.annotate(number(loss), (len(values), height), (5, 0), **WORDS)
    panel.vlines(range(len(values) + 1), 0, 1, color=INK, linewidth=0.9)
    panel.set_xticks(range(len(values) + 1), [*values, "loss"])
    panel.set_yticks([])
    panel.set_xlim(-0.15, len(values) + 0.35)
    panel.grid(False)
    for side in panel.spines.values():
        side.set_visible(False)


def _height(place: int, count: int, shift: float = 0) -> float:
    """Return the height of a value on its axis, from 0 to 1; `shift` is in distances between two values."""
    return (place + 0.5 + shift) / count


def _draw_map(panel: Any, rung: pd.DataFrame, values: Mapping[str, Sequence[str]], colours: Any) -> None:
    """Draw the losses of two hyperparameters as a heat map."""
    (across, columns), (down, rows) = values.items()
    losses = np.full((len(rows), len(columns)), np.nan)
    for row in rung.to_dict("records"):
        losses[rows.index(row[down]), columns.index(row[across])] = row[LOSS]
    panel.imshow(losses, cmap=colours.cmap, norm=colours.norm, aspect="auto", origin="lower")
    for row, column in np.argwhere(np.isfinite(losses)) if losses.size <= MANY else ():
        colour = "white" if colours.norm(losses[row, column]) < 0.7 else INK
        panel.text(column, row, number(losses[row, column]), color=colour, ha="center", va="center", fontsize=8)
    panel.set_xticks(range(len(columns)), columns)
    panel.set_yticks(range(len(rows)), rows)
    panel.set_xlabel(across)
    panel.set_ylabel(down)
    panel.grid(False)

"""The points of the search: a line through its settings for each, coloured by its validation loss."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure

from wakawaka.core.files import write_table
from wakawaka.figures.style import INK, MUTED, VERMILION, number, save, style
from wakawaka.tuning.rank_trials import LOSS, RANK, read_ranks

# From good to bad; the palest yellow is hard to see on white.
COLOURS = matplotlib.colormaps["viridis"](np.linspace(0, 0.92, 256))
COLOURS = LinearSegmentedColormap.from_list("points", COLOURS)
BEST = {"color": VERMILION, "linewidth": 2.6, "marker": "o", "markersize": 5, "zorder": 3}
FAILED = {"color": MUTED, "linewidth": 0.8, "linestyle": (0, (2, 2))}
# The part of the distance of two values that lines through one of them take.
SPREAD = 0.5
WORDS = {
    "textcoords": "offset points",
    "va": "center",
    "fontsize": 8,
    "zorder": 4,
    "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1},
}
# With more points than this numbers would not be read in the squares, nor lines be told apart if they were thick.
MANY = 60


@style()
def plot_tuning(ranks, figure, table, *, values, epochs):
    """Draw a row of panels per rung: a line per point through parallel axes, and of two knobs that vary the losses as a heat map.

    Axes are the knobs with more than one value, with the values at equal distances in the order of the config, and the loss. Where lines
    go through the same value they lie side by side, the better one below.

    Args:
        ranks: paths of the tables of `rank_points`, of all rungs. figure: path of the PNG to write. table: path of the TSV to write: the
            rows of all tables, after the columns `rung` and `epochs`.
        values: dict from knobs to lists of the texts of their values. epochs: of each rung.
    """
    rungs = [read_ranks(path) for path in ranks]
    labels = [{"rung": place + 1, "epochs": count} for place, count in enumerate(epochs)]
    write_table(
        pd.concat([rung.assign(**label)[[*label, *rung]] for rung, label in zip(rungs, labels, strict=True)]), table
    )
    knobs = [knob for knob in values if len(values[knob]) > 1] or list(values)
    save(_draw(rungs, epochs, {knob: values[knob] for knob in knobs}), figure)


def _draw(rungs, epochs, values):
    maps = len(values) == 2
    width = max(1.5 * (len(values) + 1), 4.5)
    canvas = Figure(figsize=(width + (4 if maps else 0), 3.4 * len(rungs)), layout="constrained")
    ratios = [width, 4] if maps else [1]
    panels = canvas.subplots(len(rungs), len(ratios), squeeze=False, width_ratios=ratios)
    for place, (rung, row) in enumerate(zip(rungs, panels, strict=True)):
        colours = ScalarMappable(Normalize(rung[LOSS].min(), rung[LOSS].max()), COLOURS)
        last = place == len(rungs) - 1
        _draw_lines(row[0], rung, values, colours)
        trained = _count(len(rung), "point")
        row[0].set_title(
            f"rung {place + 1}: {trained}, {_count(epochs[place], 'epoch')}; thick: the {'chosen' if last else 'best'} one"
        )
        if maps:
            _draw_map(row[1], rung, values, colours)
        canvas.colorbar(colours, ax=row[-1], label="validation loss")
    return canvas


def _count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _draw_lines(panel, rung, values, colours):
    low, high = rung[LOSS].min(), rung[LOSS].max()
    for row in rung[::-1].to_dict("records"):
        beside = SPREAD * ((row[RANK] - 1) / (len(rung) - 1) - 0.5) if len(rung) > 1 else 0
        heights = [_height(shown.index(row[knob]), len(shown), beside) for knob, shown in values.items()]
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


def _height(place, count, beside=0):
    """Return where a value stands on its axis, from 0 to 1; `beside`: by which part of the distance of two values a line is off."""
    return (place + 0.5 + beside) / count


def _draw_map(panel, rung, values, colours):
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

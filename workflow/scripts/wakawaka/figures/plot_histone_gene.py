"""The histone marks of one gene, and their gradients."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from wakawaka.core.files import PathLike, write_table
from wakawaka.figures.gene_attribution import gene_title, position_label, read_attribution
from wakawaka.figures.style import DASHED, INK, save, style


@style()
def plot_histone_gene(attribution: PathLike, figure: PathLike, table: PathLike) -> None:
    """Draw two heat maps of marks x bins: the model's input, and gradient x input of the model named in the title.

    Args:
        attribution: path of the gene's `.npz`, with `histone` and `histone_gradient` [bin, mark].
        figure: path of the PNG to write.
        table: path of the TSV to write: bin (from 1), start_bp (of the bin, relative to the TSS), mark, input,
            gradient, gradient_x_input.

    Raises:
        InputError: if all gradients are equal.
    """
    gene = read_attribution(attribution, "histone_gradient")
    write_table(_table(gene), table)
    save(_draw(gene), figure)


def _starts(gene: Mapping[str, Any]) -> np.ndarray:
    """Return the start of every bin in bp relative to the TSS, the middle of the window."""
    return np.arange(len(gene["histone"])) * gene["bin_size"] - gene["window"] // 2


def _table(gene: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table of `plot_histone_gene`."""
    bins, marks = gene["histone"].shape
    return pd.DataFrame(
        {
            "bin": np.repeat(np.arange(1, bins + 1), marks),
            "start_bp": np.repeat(_starts(gene), marks),
            "mark": np.tile(gene["marks"], bins),
            "input": gene["histone"].ravel(),
            "gradient": gene["histone_gradient"].ravel(),
            "gradient_x_input": (gene["histone_gradient"] * gene["histone"]).ravel(),
        }
    )


def _draw(gene: Mapping[str, Any]) -> Figure:
    """Return the figure of the two heat maps."""
    marks = gene["marks"]
    canvas = Figure(figsize=(8.6, 1.4 + max(0.5 * len(marks), 2)), layout="constrained")
    canvas.suptitle(gene_title(gene, "histone_agreement"))
    above, below = canvas.subplots(2, 1, sharex=True)
    effect = gene["histone_gradient"] * gene["histone"]
    # White is no effect.
    largest = np.abs(effect).max() or 1
    edges = np.append(_starts(gene), gene["window"] // 2) / 1000
    maps: list[tuple[Any, np.ndarray, str, dict[str, Any]]] = [
        (above, gene["histone"], "model input", {"cmap": "mako_r"}),
        (below, effect, "gradient × input", {"cmap": "vlag", "vmin": -largest, "vmax": largest}),
    ]
    for panel, values, label, colours in maps:
        mesh = panel.pcolormesh(edges, np.arange(len(marks) + 1), values.T, **colours)
        panel.set_yticks(np.arange(len(marks)) + 0.5, marks)
        panel.invert_yaxis()
        panel.grid(False)
        panel.axvline(0, color=INK, linewidth=0.8, linestyle=DASHED)
        canvas.colorbar(mesh, ax=panel, label=label, aspect=12, pad=0.015)
    below.xaxis.set_major_locator(MaxNLocator(11))
    below.set_xlabel(position_label(gene, "kb"))
    return canvas

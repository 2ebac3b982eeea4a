"""The gradients of the bases around the TSS of one gene."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D

from wakawaka.core.files import PathLike, write_table
from wakawaka.figures.gene_attribution import gene_title, position_label, read_attribution
from wakawaka.figures.style import (
    BLUE,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PINK,
    save,
    style,
)

BASES = "ACGT"
COLOURS = {"A": GREEN, "C": BLUE, "G": ORANGE, "T": PINK}
# The reach of the two zooms, in bp.
ZOOM = 200
LETTERS = 30
# A 10 kb window has more positions than the drawing has pixels, so the range is drawn for this number of stretches.
STRETCHES = 1000


@style()
def plot_dna_gene(attribution: PathLike, figure: PathLike, table: PathLike) -> None:
    """Draw the gradients of the four bases along the window, and two zooms around the base with the largest effect.

    Args:
        attribution: path of the gene's `.npz`, with `dna` [position] codes 0-4 = A C G T N and `dna_gradient` [position, 4], less its
            mean over the four bases.
        figure: path of the PNG to write.
        table: path of the TSV to write: position (bp, relative to the TSS), base, gradient_A, gradient_C, gradient_G,
            gradient_T.

    Raises:
        InputError: if all gradients are equal.
    """
    gene = read_attribution(attribution, "dna_gradient")
    position = np.arange(len(gene["dna"])) - gene["window"] // 2
    base = np.array(list(BASES + "N"))[gene["dna"]]
    gradients = {f"gradient_{letter}": gene["dna_gradient"][:, code] for code, letter in enumerate(BASES)}
    write_table(pd.DataFrame({"position": position, "base": base, **gradients}), table)
    save(_draw(gene, position, base), figure)


def _draw(gene: Mapping[str, Any], position: np.ndarray, base: np.ndarray) -> Figure:
    gradient = gene["dna_gradient"]
    observed = np.append(np.eye(4), np.zeros((1, 4)), axis=0)[gene["dna"]]
    effect = (gradient * observed).sum(axis=1)
    centre = position[np.abs(effect).argmax()]

    canvas = Figure(figsize=(9.6, 8.6), layout="constrained")
    none = "" if gradient.any() else "\nall gradients are 0: the gene has none of the k-mers of the filters"
    canvas.suptitle(gene_title(gene, "dna_agreement") + none)
    panels = canvas.subplots(6, 1, height_ratios=[1, 1, 1, 1, 1.5, 1.5])
    _draw_window(panels[:4], gradient, position, base, centre)
    _draw_bars(panels[4], effect, position, base, centre)
    _draw_letters(panels[5], effect, position, base, centre)
    panels[3].set_xlabel(position_label(gene, "kb"))
    panels[5].set_xlabel(position_label(gene, "bp"))
    canvas.align_ylabels(panels)
    return canvas


def _draw_window(panels: np.ndarray, gradient: np.ndarray, position: np.ndarray, base: np.ndarray, centre: int) -> None:
    """Draw one row per base: the range of its gradient (grey), and its gradient where the gene has this base (coloured)."""
    stretch = max(1, len(position) // STRETCHES)
    starts = np.arange(0, len(position), stretch)
    for code, (panel, letter) in enumerate(zip(panels, BASES, strict=True)):
        values = gradient[:, code]
        lowest, highest = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
        middle = position[starts] + (stretch - 1) / 2
        panel.fill_between(middle / 1000, lowest, highest, step="mid", color="#c9c9c9", linewidth=0)
        here = base == letter
        panel.vlines(position[here] / 1000, 0, values[here], color=COLOURS[letter], linewidth=0.5)
        panel.axvspan((centre - ZOOM) / 1000, (centre + ZOOM) / 1000, color=INK, alpha=0.07, linewidth=0)
        panel.set_ylabel(letter, rotation=0, color=COLOURS[letter], weight="bold", size=12, va="center")
        panel.set(xlim=(position[0] / 1000, position[-1] / 1000), ylim=_limits(gradient))
        panel.tick_params(labelbottom=panel is panels[-1])
    panels[0].set_title(
        "gradient of each base: range (grey), and values where the gene has this base (coloured)", color=MUTED
    )


def _draw_bars(panel: Any, effect: np.ndarray, position: np.ndarray, base: np.ndarray, centre: int) -> None:
    """Draw the gradient of the observed base as bars, within 200 bp of the centre."""
    for letter in BASES:
        here = (base == letter) & (np.abs(position - centre) <= ZOOM)
        panel.vlines(position[here], 0, effect[here], color=COLOURS[letter], linewidth=1.1)
    panel.axvspan(centre - LETTERS - 0.5, centre + LETTERS + 0.5, color=INK, alpha=0.07, linewidth=0)
    _label_zoom(panel, effect, centre, ZOOM)


def _draw_letters(panel: Any, effect: np.ndarray, position: np.ndarray, base: np.ndarray, centre: int) -> None:
    """Draw the gradient of the observed base as letters, within 30 bp of the centre; negative ones upside down."""
    font = FontProperties(family="DejaVu Sans", weight="bold")
    near = (base != "N") & (np.abs(position - centre) <= LETTERS)
    for place, letter, height in zip(position[near], base[near], effect[near], strict=True):
        outline = TextPath((0, 0), letter, size=1, prop=font)
        box = outline.get_extents()
        fit = (
            Affine2D()
            .translate(-box.x0, -box.y0)
            .scale(0.9 / box.width, height / box.height)
            .translate(place - 0.45, 0)
        )
        panel.add_patch(PathPatch(fit.transform_path(outline), color=COLOURS[letter], linewidth=0))
    _label_zoom(panel, effect, centre, LETTERS)


def _label_zoom(panel: Any, effect: np.ndarray, centre: int, reach: int) -> None:
    """Set the limits and the title of a zoom."""
    panel.axhline(0, color=INK, linewidth=0.6)
    panel.set(xlim=(centre - reach - 0.5, centre + reach + 0.5), ylim=_limits(effect))
    where = f"{centre:+d} bp".replace("-", "−")
    panel.set_title(f"gradient of the gene's own base, ±{reach} bp around the largest effect ({where})", color=MUTED)


def _limits(values: np.ndarray) -> tuple[float, float]:
    """Return limits of the vertical axis that contain all values and zero, with a margin."""
    low, high = min(values.min(), 0), max(values.max(), 0)
    margin = 0.06 * (high - low) or 1
    return low - margin, high + margin

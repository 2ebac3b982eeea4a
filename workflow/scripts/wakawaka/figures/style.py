"""What the figures share: the house style, saving, numbers as text, and the attribution of one gene.

Figures are drawn on `matplotlib.figure.Figure` objects, never through pyplot: no backend is chosen, no window can open,
and nothing is left behind for the next figure.
"""

import contextlib

import matplotlib
import numpy as np
import seaborn

from wakawaka.core.errors import InputError
from wakawaka.core.files import atomic, readable
from wakawaka.evaluation.labels import LABELS

INK = "#262626"
MUTED = "#7f7f7f"
# Okabe and Ito's colours in seaborn's version: told apart by readers with any of the common colour-vision deficiencies.
BLUE, ORANGE, GREEN, VERMILION, PINK = seaborn.color_palette("colorblind").as_hex()[:5]

STYLE = {
    **seaborn.axes_style("whitegrid"),
    # The font that ships with matplotlib: a figure does not depend on the fonts of the machine.
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "figure.titlesize": 10.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.edgecolor": "#b0b0b0",
    "axes.linewidth": 0.8,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.7,
    "lines.solid_capstyle": "round",
}


@contextlib.contextmanager
def style():
    """Draw in the house style, whatever the user's own matplotlibrc says; the settings before are restored."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def save(figure, path):
    """Write a matplotlib figure as a PNG of 200 dots per inch, atomically; equal figures give equal bytes."""
    with atomic(path) as temporary:
        # By default matplotlib writes its version into the file.
        figure.savefig(temporary, format="png", dpi=200, facecolor="white", metadata={"Software": None})


def number(value):
    """Return a number as text with three significant digits, and an undefined one as a dash."""
    return f"{value:#.3g}".rstrip(".").replace("-", "−") if np.isfinite(value) else "–"


def read_attribution(path, gradient):
    """Read the attribution of one gene.

    Args:
        path: an `.npz` file of rule attribute.
        gradient: name of the array that is going to be drawn, `histone_gradient` or `dna_gradient`.

    Returns:
        A dictionary with all arrays of the file, those without dimensions as plain strings and numbers.

    Raises:
        InputError: the gradient is the same everywhere (a single number: 0), or not a finite number. Of the DNA of a model that only
            knows words, it may be 0 everywhere: the gene has none of them.
    """
    with readable(path), np.load(path, allow_pickle=False) as arrays:
        attribution = {name: array[()] for name, array in arrays.items()}
    values = attribution[gradient]
    # A single number, of one bin and one mark, has nothing to differ from.
    spread = np.ptp(values) if values.size > 1 else abs(values.item())
    silent = gradient == "dna_gradient" and attribution.get("dna_words", False) and not values.any()
    if not 0 < spread < np.inf and not silent:
        found = "is not finite in places" if not np.isfinite(values).all() else f"is {values.flat[0]:g} everywhere"
        raise InputError(
            f"{path}: the attribution of {attribution['gene_id']} in {attribution['cell']} is constant: {gradient} "
            f"{found}. No part of this input matters more than another to the model: it has most likely collapsed to "
            "one value, or its training has diverged. Look at its learning curves, and train again with a lower "
            "learning rate, more epochs or another seed."
        )
    return attribution


def position_label(attribution, unit):
    """Return the label of the axis along a gene's window: where the strand is known, the gene lies to the right."""
    known = attribution["strand"] != "."
    direction = "in the direction of transcription" if known else "as in the input files: the strand is not known"
    return f"position relative to the TSS ({unit}), {direction}"


def gene_title(attribution, agreement):
    """Return the title of a gene's figure; `agreement` names the array with the correlation between the fold models."""
    regime = LABELS.get(str(attribution["regime"]), "of unknown expression")
    run = str(attribution["run"])
    model = "final model" if run == "final" else f"model of {run}"
    predicted, gradients = "prediction", "gradients"
    if attribution["binary"]:
        predicted, gradients = "predicted probability", "gradients of the log odds"
    return (
        f"{attribution['gene_id']} in {attribution['cell']} ({regime}), {model}\n"
        f"truth {number(attribution['truth'])}, {predicted} {number(attribution['prediction'])}, "
        f"mean correlation between the fold models' {gradients} {number(attribution[agreement])}"
    )

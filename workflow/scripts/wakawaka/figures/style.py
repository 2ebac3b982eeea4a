"""The style of all figures: settings, colours, saving, and numbers as text.

Figures are `matplotlib.figure.Figure` objects, and pyplot is not used: no display is needed, and figures do not share state.
"""

import contextlib
from collections.abc import Iterator

import matplotlib
import numpy as np
import seaborn
from matplotlib.figure import Figure

from wakawaka.core.files import PathLike, atomic

INK = "#262626"
MUTED = "#7f7f7f"
# Okabe and Ito's colours in seaborn's version, which readers with common colour-vision deficiencies can distinguish.
BLUE, ORANGE, GREEN, VERMILION, PINK = seaborn.color_palette("colorblind").as_hex()[:5]
DASHED = (0, (4, 2))

STYLE = {
    **seaborn.axes_style("whitegrid"),
    # The font that is a part of matplotlib, so that figures do not depend on the fonts of the machine.
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
def style() -> Iterator[None]:
    """Draw in the style of this module, whatever the user's matplotlibrc; the previous settings are restored."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield


def save(figure: Figure, path: PathLike) -> None:
    """Write a figure as a PNG of 200 dots per inch, atomically; equal figures give equal bytes."""
    with atomic(path) as temporary:
        # By default, matplotlib writes its version into the file.
        figure.savefig(temporary, format="png", dpi=200, facecolor="white", metadata={"Software": None})


def number(value: float) -> str:
    """Return a number with three significant digits as text, and an undefined one as a dash."""
    return f"{value:#.3g}".rstrip(".").replace("-", "−") if np.isfinite(value) else "–"

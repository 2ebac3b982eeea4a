"""Numbers and sentences as text."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def with_interval(row: Mapping[Any, Any], form: Callable[[float], str]) -> str:
    """Return the value of a score and, if it has one, its interval: "0.50 (0.40 to 0.60)"."""
    ends = f" ({form(row['ci_low'])} to {form(row['ci_high'])})" if np.isfinite(row["ci_low"]) else ""
    return form(row["value"]) + ends


def two_decimals(value: float) -> str:
    """Return a number with two decimals, zero without a sign."""
    return f"{value:.2f}".replace("-0.00", "0.00")


def three_decimals(value: float) -> str:
    """Return a number with three decimals and a minus sign (U+2212), zero without a sign."""
    # Adding 0 removes the sign of a zero.
    return f"{round(value, 3) + 0:.3f}".replace("-", "−")


def three_digits(value: float) -> str:
    """Return a number with three significant digits and a minus sign (U+2212)."""
    return f"{value:#.3g}".rstrip(".").replace("-", "−")


def capitalised(text: str) -> str:
    """Return the text with a capital first letter."""
    return text[:1].upper() + text[1:]


def in_rst(text: str) -> str:
    """Return the text with the marks of reStructuredText escaped."""
    for mark in "\\*_`|":
        text = text.replace(mark, f"\\{mark}")
    return text

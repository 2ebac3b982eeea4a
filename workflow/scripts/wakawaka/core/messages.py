"""Messages for the user: warnings that are collected for the report, and lists of names that fit into a sentence."""

import logging
from collections.abc import Iterable, Sequence

import pandas as pd

from wakawaka.core.files import PathLike, write_table

log = logging.getLogger(__name__)


class Warnings(list[str]):
    """Sentences about what is unusual but not refused; each is logged when it is added."""

    def add(self, sentence: str) -> None:
        """Log a sentence as a warning and append it."""
        log.warning(sentence)
        self.append(sentence)


def write_warnings(sentences: Sequence[str], path: PathLike) -> None:
    """Write sentences as a table with the column `warning`, for the report. Without any, its one row says so."""
    write_table(pd.DataFrame({"warning": sentences or ["Nothing odd was met."]}), path)


def shorten_list(names: Iterable[object], most: int = 5) -> str:
    """Return the first `most` names, separated by commas, and how many more there are.

    >>> shorten_list("abcd", most=2)
    'a, b and 2 more'
    """
    names = list(names)
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(str(name) for name in names[:most]) + rest

"""Reading tab-separated tables that users bring, strictly: nothing is guessed and nothing shifts."""

import re

import numpy as np
import pandas as pd

from .errors import InputError
from .files import open_text, readable

# How tables say that a value is not known.
EMPTY = {"", "NA", "NaN", "nan", "na", "-"}


def read_text_table(path, columns):
    """Read some columns of a tab-separated table with a header as text.

    Rows that end in one more, empty field than the header are accepted: the Roadmap expression tables have such rows,
    and a naive reader then takes the first column for an index and shifts every other one.

    Args:
        path: the file, gzip-compressed or not.
        columns: function from the list of the header's names to the list of names to keep.

    Returns:
        DataFrame of str; its index is the line number in the file (the header is line 1).

    Raises:
        InputError: no header, no rows, a name twice in the header, or a row with another number of fields than the header.
    """
    with readable(path), open_text(path) as file:
        header = read_header(path, file)
        # Not splitlines: that also cuts at characters that a description may hold, such as a form feed.
        lines = file.read().split("\n")
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise InputError(f"{path}: the table has no rows below its header; check that this is the right file.")
    wanted = columns(header)
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header) and not (len(row) == len(header) + 1 and not row[-1]):
            raise InputError(
                f"{path}, line {number}: {len(row)} fields where the header has {len(header)}; "
                "the fields of a row are separated by single tabs, and there is one for each name of the header."
            )
    index = range(2, len(rows) + 2)
    places = [header.index(name) for name in wanted]
    return pd.DataFrame([[row[place] for place in places] for row in rows], columns=wanted, index=index, dtype=object)


def read_header(path, file):
    """Return the names in the first line of an open table. Raises InputError if one stands there twice."""
    header = file.readline().rstrip("\n").split("\t")
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise InputError(f"{path}, line 1: the column {twice[0]!r} stands twice in the header; rename one of them.")
    return header


def need_columns(path, header, names):
    """Refuse a table whose header lacks one of `names`. Raises InputError."""
    for name in names:
        if name not in header:
            raise InputError(
                f"{path}, line 1: there is no column {name!r} in the header ({', '.join(header[:12])}); check config.yaml and the file."
            )


def whole_numbers(path, column):
    """Return a column of text (Series indexed by line number) as int64. Raises InputError for the first that is no whole number."""
    wrong = [line for line, text in column.items() if not re.fullmatch(r"[+-]?\d{1,18}", text)]
    if wrong:
        raise InputError(
            f"{path}, line {wrong[0]}: {column.name} is {column[wrong[0]]!r}, but it must be a whole number."
        )
    return column.astype(np.int64).to_numpy()


def numbers(path, table):
    """Return a table of text (indexed by line number) as float32; fields that are empty or NA become NaN.

    Raises InputError for the first field that is no finite number.
    """
    known = ~table.isin(EMPTY)
    values = table.where(known, "nan").apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    wrong = np.argwhere(known.to_numpy() & ~np.isfinite(values))
    if len(wrong):
        row, column = wrong[0]
        raise InputError(
            f"{path}, line {table.index[row]}: {table.columns[column]} is {table.iat[row, column]!r}, but it must be a finite number "
            "(leave the field empty or write NA if the value is not known)."
        )
    return values

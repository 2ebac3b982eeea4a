"""Strict reading of the user's tables: no format is guessed, and no column shifts."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_text, readable

# Fields that stand for an unknown value.
EMPTY = {"", "NA", "NaN", "nan", "na", "-"}


def read_text_table(
    path: PathLike, columns: Callable[[list[str]], list[str]], row_names: str | None = None
) -> pd.DataFrame:
    """Return some columns of a tab-separated table with a header as text.

    Lines before the header that begin with `#` are left out, and so are quotes around a field. Rows that end in one more,
    empty field than the header are accepted: the Roadmap expression tables have such rows, and a naive reader then takes
    the first column for an index and shifts every other one.

    Args:
        path: the file, gzip-compressed or not.
        columns: function from the list of the header's names to the list of names to keep.
        row_names: the name for a first column that the header does not name; None if every column needs a name. R's
            `write.table` with row names writes a header with one name fewer than the rows have fields, of which the last is not
            empty. pandas and R's `col.names = NA` write an empty first name.

    Returns:
        DataFrame of str; its index is the line number in the file (the first line is 1).

    Raises:
        InputError: no header, no rows, a name twice in the header, or a row with another number of fields than the header.
    """
    with readable(path), open_text(path) as file:
        first, header = read_header(path, file)
        lines = read_lines(path, file, first + 1)
    if not lines:
        raise InputError(f"{path}: the table has no rows below its header; check that this is the right file.")
    rows = [line.split("\t") for line in lines]
    if row_names is not None and row_names not in header:
        header = _with_row_names(header, rows, row_names)
    wanted = columns(header)
    for number, row in enumerate(rows, start=first + 1):
        if len(row) != len(header) and not (len(row) == len(header) + 1 and not row[-1]):
            raise InputError(
                f"{path}, line {number}: {len(row)} fields where the header has {len(header)}; "
                "the fields of a row are separated by single tabs, and there is one for each name of the header."
            )
    index = range(first + 1, first + 1 + len(rows))
    places = [header.index(name) for name in wanted]
    fields = [[_unquoted(row[place]) for place in places] for row in rows]
    return pd.DataFrame(fields, columns=wanted, index=index, dtype=object)


def read_header(path: PathLike, file: TextIO) -> tuple[int, list[str]]:
    """Return (line number, names) of the header of an open table: its first line that is not a comment.

    Raises:
        InputError: if a name stands there twice.
    """
    number, line = 1, file.readline()
    while line.startswith("#"):
        number, line = number + 1, file.readline()
    header = [_unquoted(name) for name in line.rstrip("\n").split("\t")]
    twice = [name for name in header if header.count(name) > 1]
    if twice:
        raise InputError(
            f"{path}, line {number}: the column {twice[0]!r} stands twice in the header; rename one of them."
        )
    return number, header


def numbered_lines(path: PathLike, file: Iterable[str], first: int = 1) -> Iterator[tuple[int, str]]:
    """Yield (line number, line) of the remaining lines of an open text file; `first` is the number of the next line.

    Raises:
        InputError: for a zero byte. Failing disks and broken transfers leave rows of them, and numpy drops them from names.
    """
    for number, line in enumerate(file, start=first):
        if "\0" in line:
            raise InputError(f"{path}, line {number}: there is a zero byte in the text; fetch or make the file again.")
        yield number, line


def read_lines(path: PathLike, file: Iterable[str], first: int = 1) -> list[str]:
    """Return the lines of `numbered_lines` without their ends, and without blank ones at the end of the file."""
    lines = [line.removesuffix("\n") for _, line in numbered_lines(path, file, first)]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def need_columns(path: PathLike, header: Sequence[str], names: Iterable[str]) -> None:
    """Raise an InputError if the header of a table lacks one of `names`."""
    for name in names:
        if name not in header:
            raise InputError(
                f"{path}: there is no column {name!r} in the header ({', '.join(header[:12])}); check config.yaml and the file."
            )


def whole_numbers(path: PathLike, column: pd.Series) -> np.ndarray:
    """Return a column of text (indexed by line number) as int64.

    Spellings such as 1e+05 and 3.0 are accepted, because R and pandas write whole numbers so.

    Raises:
        InputError: for the first field that is not a whole number.
    """
    values = [_whole(text.strip()) for text in column]
    if None in values:
        line = column.index[values.index(None)]
        raise InputError(f"{path}, line {line}: {column.name} is {column[line]!r}, but it must be a whole number.")
    return np.array(values, np.int64)


def numbers(path: PathLike, table: pd.DataFrame) -> np.ndarray:
    """Return a table of text (indexed by line number) as float32 [row, column]; fields that are empty or NA become NaN.

    Raises:
        InputError: for the first field that is not a finite number.
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


def _with_row_names(header: list[str], rows: list[list[str]], name: str) -> list[str]:
    """Return the header, with `name` for the first column if the header does not name it."""
    if header[0] == "":
        return [name, *header[1:]]
    # An empty last field is no value: the rows of the Roadmap tables end in a tab.
    if all(len(row) == len(header) + 1 and row[-1] for row in rows):
        return [name, *header]
    return header


def _whole(text: str) -> int | None:
    """Return a text as a whole number, or None if it is not one."""
    if re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
        return int(text)
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?([eE]\+?\d{1,2})?", text, re.ASCII):
        return None
    value = float(text)
    # Above 2^53 not every whole number is a float.
    return int(value) if value.is_integer() and abs(value) < 2**53 else None


def _unquoted(field: str) -> str:
    """Return a field without the quotes around it."""
    return field[1:-1] if len(field) > 1 and field[0] == field[-1] == '"' else field

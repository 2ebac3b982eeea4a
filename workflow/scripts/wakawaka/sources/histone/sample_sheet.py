"""The sample sheet: which file holds which mark of which cell.

Snakemake imports this module whenever it parses the workflow, so the module imports nothing that takes long to load.
"""

import os
from collections.abc import Collection, Sequence
from typing import NamedTuple

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_text, readable
from wakawaka.core.messages import shorten_list

COLUMNS = ("cell", "mark", "path")


class SheetRow(NamedTuple):
    """One row of a sample sheet; `line` is its line in the file, counted from 1."""

    line: int
    cell: str
    mark: str
    path: str


def sheet_rows(path: PathLike) -> list[SheetRow]:
    """Return the rows of a sample sheet.

    The sheet is a tab-separated table whose header names cell, mark and path in any order. Other columns, blank lines and
    lines that start with `#` are left out.

    Raises:
        InputError: for no header, a column that is missing or stands twice, a row with another number of fields than the
            header, or an empty field.
    """
    with readable(path), open_text(path) as file:
        lines = [
            (number, [field.strip() for field in line.rstrip("\n").split("\t")])
            for number, line in enumerate(file, start=1)
            if line.strip() and not line.startswith("#")
        ]
    if not lines:
        raise InputError(
            f"{path}: the sample sheet is empty; it needs a header with {', '.join(COLUMNS)} and a row per file."
        )
    (first, header), *content = lines
    for name in COLUMNS:
        if header.count(name) != 1:
            raise InputError(
                f"{path}, line {first}: the header ({', '.join(header[:12])}) must name the column {name!r} once; "
                "the names are separated by single tabs."
            )
    for line, fields in content:
        # A tab at the end of a line does not start another field.
        if len(fields) != len(header) and not (len(fields) == len(header) + 1 and not fields[-1]):
            raise InputError(
                f"{path}, line {line}: {len(fields)} fields where the header has {len(header)}; the fields of a row are "
                "separated by single tabs, and there is one for each name of the header."
            )
    rows = [SheetRow(line, *(fields[header.index(name)] for name in COLUMNS)) for line, fields in content]
    for row in rows:
        for name, field in zip(COLUMNS, row[1:], strict=True):
            if not field:
                raise InputError(f"{path}, line {row.line}: the {name} is empty; fill it in or remove the row.")
    return rows


def sheet_files(path: PathLike, cells: Collection[str], marks: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """Return a dict from every configured cell to its list of (mark, path), in the order of `marks`.

    Several rows of one cell and mark are replicates and stay in the order of the sheet. Rows of other cells or marks
    are left out.

    Raises:
        InputError: as `sheet_rows`, for a file in two rows, and for a configured cell or one of its marks without a row.
    """
    every_row = sheet_rows(path)
    rows = [row for row in every_row if row.cell in cells and row.mark in marks]
    used: dict[str, SheetRow] = {}
    for row in rows:
        before = used.setdefault(os.path.normpath(row.path), row)
        if before is not row:
            raise InputError(
                f"{path}, line {row.line}: the file {row.path} of {row.cell} {row.mark} is already that of "
                f"{before.cell} {before.mark} in line {before.line}; every row needs a file of its own."
            )
    files = {
        cell: {mark: [row.path for row in rows if (row.cell, row.mark) == (cell, mark)] for mark in marks}
        for cell in cells
    }
    for cell in cells:
        missing = [mark for mark in marks if not files[cell][mark]]
        if missing:
            others = dict.fromkeys(row.mark for row in every_row if row.cell == cell and row.mark not in marks)
            lacks, thing = f"has no row for the mark {missing[0]}", "mark"
            if others:
                lacks += f", but rows for: {shorten_list(others)}"
            elif len(missing) == len(marks):
                lacks, thing = "has no row", "cell"
            raise InputError(
                f"{path}: the cell {cell} {lacks}; add its files, or remove the {thing} from config.yaml "
                "(names must be spelled the same in both)."
            )
    return {cell: [(mark, file) for mark in marks for file in files[cell][mark]] for cell in cells}

"""The sample sheet: which file holds which mark of which cell. Read while Snakemake parses the workflow, so it stays light."""

import os

from wakawaka.core.errors import InputError
from wakawaka.core.files import open_text, readable
from wakawaka.core.messages import some

COLUMNS = ("cell", "mark", "path")


def sheet_rows(path):
    """Return the rows of a sample sheet as a list of (line, cell, mark, path).

    The sheet is a tab-separated table whose header names cell, mark and path in any order; further columns are left
    out, and so are blank lines and lines that start with `#`.

    Raises:
        InputError: no header, a column missing or twice, a row with another number of fields, an empty field.
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
    (first, header), *rows = lines
    for name in COLUMNS:
        if header.count(name) != 1:
            raise InputError(
                f"{path}, line {first}: the header ({', '.join(header[:12])}) must name the column {name!r} once; "
                "the names are separated by single tabs."
            )
    for line, fields in rows:
        # A stray tab at the end of a line is no field.
        if len(fields) != len(header) and not (len(fields) == len(header) + 1 and not fields[-1]):
            raise InputError(
                f"{path}, line {line}: {len(fields)} fields where the header has {len(header)}; the fields of a row are "
                "separated by single tabs, and there is one for each name of the header."
            )
    rows = [(line, *(fields[header.index(name)] for name in COLUMNS)) for line, fields in rows]
    for line, *fields in rows:
        if "" in fields:
            raise InputError(
                f"{path}, line {line}: the {COLUMNS[fields.index('')]} is empty; fill it in or remove the row."
            )
    return rows


def sheet_files(path, cells, marks):
    """Return a dict from every configured cell to its list of (mark, path), in the order of `marks`.

    Several rows of one cell and mark are replicates and stay in the order of the sheet. Rows of other cells or marks
    are left out.

    Raises:
        InputError: what `sheet_rows` refuses, a file in two rows, or a configured cell or mark of it without a row.
    """
    everything = sheet_rows(path)
    rows = [row for row in everything if row[1] in cells and row[2] in marks]
    used = {}
    for line, cell, mark, file in rows:
        before = used.setdefault(os.path.normpath(file), (line, cell, mark))
        if before != (line, cell, mark):
            raise InputError(
                f"{path}, line {line}: the file {file} of {cell} {mark} is already that of {before[1]} {before[2]} in line "
                f"{before[0]}; every row needs a file of its own."
            )
    files = {cell: {mark: [row[3] for row in rows if row[1:3] == (cell, mark)] for mark in marks} for cell in cells}
    for cell in cells:
        missing = [mark for mark in marks if not files[cell][mark]]
        if missing:
            others = dict.fromkeys(row[2] for row in everything if row[1] == cell and row[2] not in marks)
            what, thing = f"has no row for the mark {missing[0]}", "mark"
            if others:
                what += f", but rows for: {some(others)}"
            elif len(missing) == len(marks):
                what, thing = "has no row", "cell"
            raise InputError(
                f"{path}: the cell {cell} {what}; add its files, or remove the {thing} from config.yaml "
                "(names must agree to the letter)."
            )
    return {cell: [(mark, file) for mark in marks for file in files[cell][mark]] for cell in cells}

"""Expression from one file of `gene,value` lines per cell, such as DeepDiff's `{cell}.expr.csv`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_text, readable
from wakawaka.core.messages import Warnings
from wakawaka.core.tables import numbers, read_lines
from wakawaka.genome.gene_ids import gene_name
from wakawaka.sources.expression.parsed_expression import write_expression
from wakawaka.sources.parsed import unique_rows


def read_expression_csv(
    paths: Sequence[PathLike], parsed: PathLike, *, cells: Sequence[str], reference: str | None = None
) -> None:
    """Write the parsed expression of files without a header, gzip-compressed or not.

    A gene is named by its Ensembl id or the integer part of it, zero-padded or not. Values that are empty or NA, and genes that a
    cell's file lacks, are not known. A header is refused, because it cannot be distinguished from a damaged first line.

    Args:
        paths: one path per cell, in the order of `cells`. parsed: the output.
        reference: the one of `cells` that a ratio is taken to, or None.

    Raises:
        InputError: a line of another form, a value that is not a finite number, two differing values of one gene, an empty file, or
            no known value at all or of the reference. The sentence names the line if there is one.
    """
    warnings = Warnings()
    found = {}
    for path, cell in zip(paths, cells, strict=True):
        gene_id, values = _read(path)
        keep = unique_rows(gene_id, values, path, warnings)
        found[cell] = gene_id[keep], values[keep]
    write_expression(parsed, paths, warnings, cells, found, reference)


def _read(path: PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the gene ids [line] and values [line] float32 of one file."""
    with readable(path), open_text(path) as file:
        lines = read_lines(path, file)
    if not lines:
        raise InputError(f"{path}: the file is empty; check `expression.path` in config.yaml.")
    rows = [line.strip().split(",") for line in lines]
    for number, row in enumerate(rows, start=1):
        if len(row) != 2 or not row[0]:
            raise InputError(
                f"{path}, line {number}: a line must be `gene id,value`, but this is {lines[number - 1].strip()[:40]!r}."
            )
    index = range(1, len(rows) + 1)
    text = pd.DataFrame([row[1:] for row in rows], columns=["the value"], index=index, dtype=object)
    try:
        values = numbers(path, text)[:, 0]
    except InputError as error:
        header = " If the first line is a header, remove it: files of this kind have none."
        raise InputError(f"{error}{header if f'{path}, line 1:' in str(error) else ''}") from error
    return np.array([gene_name(row[0]) for row in rows]), values

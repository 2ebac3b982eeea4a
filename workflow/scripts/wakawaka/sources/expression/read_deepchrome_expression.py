"""Expression from the labels in DeepChrome's files: 1 above the cell's median, else 0."""

import logging
from collections.abc import Sequence

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, as_list
from wakawaka.core.messages import Warnings
from wakawaka.sources.deepchrome import read_deepchrome_cell
from wakawaka.sources.expression.parsed_expression import write_expression

log = logging.getLogger(__name__)


def read_deepchrome_expression(
    paths: PathLike | Sequence[PathLike],
    parsed: PathLike,
    *,
    cells: Sequence[str],
    file_cells: Sequence[str],
    marks: Sequence[str],
    bins: int,
) -> None:
    """Write the parsed expression, whose values are the labels 0 and 1.

    Args:
        paths: the files of all cells, in one list.
        parsed: the output.
        cells: names of all cells. Those without a file have no expression, and a warning counts them.
        file_cells: the cell of every path.
        marks, bins: as for `read_deepchrome_file`.

    Raises:
        InputError: for malformed files, differing lines of one gene, or files without labels (those of DeepDiff).
    """
    paths, warnings = as_list(paths), Warnings()
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for cell in dict.fromkeys(file_cells):
        own = [path for path, owner in zip(paths, file_cells, strict=True) if owner == cell]
        gene_id, _, labels = read_deepchrome_cell(own, marks, bins, warnings)
        if labels is None:
            raise InputError(
                f"{own[0]}: this is a file of DeepDiff, which has no labels; set `expression.reader` to csv and "
                "`expression.path` to the files with the expression ({cell}.expr.csv)."
            )
        found[cell] = gene_id, labels.astype(np.float32)
        log.info("labels of cell %s, %d of %d", cell, len(found), len(set(file_cells)))
    write_expression(parsed, paths, warnings, cells, found)

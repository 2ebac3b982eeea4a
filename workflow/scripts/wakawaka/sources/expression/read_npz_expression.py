"""Expression from the last column of the course's npz files."""

from collections.abc import Sequence

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, as_list
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.genome.gene_ids import ids_of_numbers
from wakawaka.sources.course_npz import check_shape, gene_numbers, member_names, take_rows
from wakawaka.sources.expression.parsed_expression import no_reference, write_expression
from wakawaka.sources.parsed import unique_rows, without_checksums


def read_npz_expression(
    paths: PathLike | Sequence[PathLike],
    parsed: PathLike,
    *,
    cells: Sequence[str],
    marks: Sequence[str],
    bins: int,
    reference: str | None = None,
) -> None:
    """Write the parsed expression from the last column of the arrays, number `len(marks) + 1`.

    Name only files whose last column is the expression: in the course's eval.npz it is a placeholder, or missing.

    Args:
        paths: the npz files. parsed: the output. marks: names of the columns between gene id and expression. bins: number of bins.
        cells: names of all cells. Those in no file have no expression, and a warning counts them.
        reference: the one of `cells` that a ratio is taken to, or None.

    Raises:
        InputError: no such column, a value that is not finite or not the same on all bins of a gene, differing rows of one gene, or
            files without any of the cells or without the reference.
    """
    paths, warnings = as_list(paths), Warnings()
    known: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}

    def take(path: PathLike, cell: str, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        check_shape(path, cell, array, bins, (len(marks) + 2,))
        return gene_numbers(path, cell, array), _expression(path, cell, array)

    for path in paths:
        for cell, pieces in take_rows(path, cells, take):
            known.setdefault(cell, []).extend(pieces)
    predicted = [cell for cell in cells if cell != reference]
    if not known.keys() & set(predicted):
        raise InputError(
            f"{shorten_list(paths)}: none of the cells in config.yaml ({shorten_list(predicted)}) is in the files, "
            f"which hold {shorten_list(member_names(paths[0]))}."
        )
    if reference and reference not in known:
        raise no_reference(reference, paths, "no such array")
    found = {}
    for cell, pieces in known.items():
        number, values = (np.concatenate(piece) for piece in zip(*pieces, strict=True))
        gene_id = ids_of_numbers(number)
        keep = unique_rows(gene_id, values, f"{shorten_list(paths)} ({cell})", warnings)
        found[cell] = gene_id[keep], values[keep]
    write_expression(parsed, paths, warnings, cells, found, reference, without_checksums(paths))


def _expression(path: PathLike, cell: str, array: np.ndarray) -> np.ndarray:
    """Return the expression [gene] float32 of a cell's array. Raises InputError unless it is finite and the same on all bins."""
    with np.errstate(over="ignore"):
        column = array[:, :, -1].astype(np.float32)
    wrong = (column != column[:, :1]).any(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path}: row {row + 1} of {cell} does not hold one finite expression value on all its bins (last column); "
            "`expression.path` takes only files whose last column is the expression."
        )
    if not np.isfinite(column).all():
        row = int(np.argmin(np.isfinite(column).all(axis=1)))
        raise InputError(
            f"{path}: the expression in row {row + 1} of {cell} is not a finite number; leave such genes out of the file."
        )
    return column[:, 0].copy()

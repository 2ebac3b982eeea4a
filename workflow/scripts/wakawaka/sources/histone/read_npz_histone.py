"""Histone marks from the course's npz files."""

import collections
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, as_list
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.core.numba_jit import numba_jit
from wakawaka.core.progress import Progress
from wakawaka.genome.gene_ids import ids_of_numbers
from wakawaka.sources.course_npz import check_shape, gene_numbers, member_sizes, take_rows
from wakawaka.sources.parsed import LOG_TOLERANCE, stored_values, unique_rows, without_checksums, write_parsed

log = logging.getLogger(__name__)

# How many cells may wait in memory until they are written.
MOST_WAITING = 2


def read_npz_histone(
    paths: PathLike | Iterable[PathLike],
    parsed: Sequence[PathLike],
    *,
    cells: Sequence[str],
    marks: Sequence[str],
    bins: int,
    scale: str,
    order: str,
) -> None:
    """Write the parsed histone marks of every cell into a file of its own.

    Args:
        paths: path or list of paths; the rows of a cell that several files hold are joined.
        parsed: paths of the outputs, in the order of `cells`.
        cells: names of the cells.
        marks: names of columns 1, 2, ... of the arrays.
        bins: number of bins.
        scale: `counts`; `log1p` (ln(count + 1), converted to counts if all values fit); `signal`.
        order: `genomic` or `transcript`, the order of the bins of minus-strand genes. It is written into the output.

    Raises:
        InputError: for a cell in no file, a wrong shape, values that the scale does not allow, or differing rows of one gene.
    """
    paths = as_list(paths)
    sizes = {path: member_sizes(path) for path in paths}
    holders = {cell: [path for path in paths if cell in sizes[path]] for cell in cells}
    missing = [cell for cell in cells if not holders[cell]]
    if missing:
        raise InputError(
            f"{shorten_list(paths)}: there is no array for the cells {shorten_list(missing)}; "
            "remove them from `cells` in config.yaml or add their file."
        )
    progress = Progress(log, sum(sizes[path][cell] for cell in cells for path in holders[cell]), "MB", logging.INFO)
    with ThreadPoolExecutor(1) as writer:
        writing: collections.deque[Future[None]] = collections.deque()
        for cell, path in zip(cells, parsed, strict=True):
            warnings = Warnings()
            gene_id, values, stored_scale = _read_cell(holders[cell], cell, marks, bins, scale, warnings)
            about = {"scale": stored_scale, "order": order}
            arrays: dict[str, Any] = {"gene_id": gene_id, "values": values}
            writing.append(
                writer.submit(write_parsed, path, without_checksums(holders[cell]), warnings, about, **arrays)
            )
            if len(writing) > MOST_WAITING:
                writing.popleft().result()
            progress.advance(sum(sizes[path][cell] for path in holders[cell]), "%s", cell)
        for written in writing:
            written.result()


def _read_cell(
    paths: Sequence[PathLike], cell: str, marks: Sequence[str], bins: int, scale: str, warnings: Warnings
) -> tuple[np.ndarray, list[np.ndarray], str]:
    """Return the gene_id [gene] of one cell, a list of blocks of its values [gene, bin, mark] as stored, and their scale."""

    def pieces(convert: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, list[np.ndarray]]:
        def take(path: PathLike, cell: str, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            check_shape(path, cell, array, bins, (len(marks) + 1, len(marks) + 2))
            return gene_numbers(path, cell, array), convert(array[:, :, 1 : len(marks) + 1])

        found = [piece for path in paths for _, found in take_rows(path, [cell], take) for piece in found]
        numbers, values = zip(*found, strict=True)
        return ids_of_numbers(np.concatenate(numbers)), list(values)

    with contextlib.suppress(InputError, ValueError):
        gene_id, counts = pieces(lambda values: plain_counts(values, scale))
        if len(set(gene_id.tolist())) == len(gene_id):
            return gene_id, counts, "counts"
    # The file is unusual, or its values are no counts: this way is slower, but it names what is wrong.
    gene_id, blocks = pieces(np.copy)
    values = np.concatenate(blocks)
    where = f"{', '.join(map(str, paths))} ({cell})"
    _check_values(where, values, gene_id, marks, scale)
    keep = unique_rows(gene_id, values, where, warnings)
    values, scale = stored_values(where, values[keep], scale, warnings)
    return gene_id[keep], [values], scale


def plain_counts(values: np.ndarray, scale: str) -> np.ndarray:
    """Return the counts [gene, bin, mark] uint16 that `stored_values` makes of values [gene, bin, mark], but faster.

    Raises:
        ValueError: if the fast way does not apply: a value is not finite, negative, no count, or not the logarithm of a count
            within the precision of float32; a count is above 65,535; the scale is `signal`; or the values are neither float32
            nor float64.
    """
    possible = scale != "signal" and values.dtype in (np.float32, np.float64)
    if possible:
        near, counts = np.empty(values.shape, values.dtype), np.empty(values.shape, np.uint16)
        possible = _copy(values, near)
    if possible and scale == "log1p":
        with np.errstate(over="ignore"):
            np.exp(near, out=near)
        # Half of the tolerance, because float32 rounds too.
        possible = _round(near.ravel(), 1, values.dtype.type(LOG_TOLERANCE / 2), counts.ravel())
    elif possible:
        possible = _round(near.ravel(), 0, values.dtype.type(0), counts.ravel())
    if not possible:
        raise ValueError("some values are no plain counts")
    return counts


@numba_jit
def _copy(values: np.ndarray, copy: np.ndarray) -> bool:
    """Copy values [gene, bin, mark]; return whether none is negative or NaN."""
    possible = True
    for gene in range(values.shape[0]):
        for position in range(values.shape[1]):
            for mark in range(values.shape[2]):
                value = values[gene, position, mark]
                copy[gene, position, mark] = value
                possible &= value >= 0
    return possible


@numba_jit
def _round(near: np.ndarray, least: int, tolerance: np.floating, counts: np.ndarray) -> bool:
    """Write the whole numbers nearest to values [n], minus `least`, into counts [n] uint16; return whether all are close.

    Close means within the fraction `tolerance` of the value, and within 0.25. Near the middle between two counts, the rounding
    of float32 would decide.
    """
    possible = True
    for place in range(len(near)):
        value = near[place]
        fits = (value >= least) & (value <= 65535 + least)
        value = value if fits else least
        whole = np.int32(value + 0.5)
        off = abs(value - whole)
        possible &= fits & (off <= tolerance * value) & (off <= 0.25)
        counts[place] = whole - least
    return possible


def _check_values(where: PathLike, values: np.ndarray, gene_id: np.ndarray, marks: Sequence[str], scale: str) -> None:
    """Raise an InputError for the first value [gene, bin, mark] that the scale does not allow."""
    wrong = ~np.isfinite(values)
    what = "is not a finite number"
    if not wrong.any() and scale != "signal":
        wrong, what = values < 0, f"is negative, which the scale `{scale}` does not allow"
    if not wrong.any() and scale == "counts":
        wrong, what = (
            values != np.rint(values),
            "is no whole number: set `histone.scale` to log1p (ln(count + 1)) or signal",
        )
    if wrong.any():
        gene, position, mark = np.argwhere(wrong)[0]
        raise InputError(
            f"{where}: {marks[mark]} of gene {gene_id[gene]}, bin {position + 1}, is {values[gene, position, mark]:g}: it {what}."
        )

"""Histone marks from the course's npz files."""

import collections
import contextlib
import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import as_list
from wakawaka.core.messages import Warnings, some
from wakawaka.core.numba_jit import compiled
from wakawaka.core.progress import Progress
from wakawaka.genome.gene_ids import ids_of_numbers
from wakawaka.sources.course_npz import check_shape, gene_numbers, member_sizes, take_rows
from wakawaka.sources.parsed import LOG_TOLERANCE, shared, stored_values, unique_rows, write_part

log = logging.getLogger(__name__)

# Cells in memory that are still to be written.
MOST_WAITING = 2


def read_npz_histone(paths, parts, *, cells, marks, bins, scale, order):
    """Write one histone part per cell.

    Args:
        paths: path or list of paths; the rows of a cell that several files hold are joined.
        parts: list of output paths in the order of `cells`.
        marks: names of columns 1, 2, ... of the arrays.
        scale: `counts`; `log1p` (ln(count + 1), turned back into counts where it fits); `signal`.
        order: `genomic` or `transcript`, the order of the bins of minus-strand genes; kept for the store.

    Raises:
        InputError: a cell in no file, wrong shapes, values that the scale does not allow, differing rows of one gene.
    """
    paths = as_list(paths)
    sizes = {path: member_sizes(path) for path in paths}
    holders = {cell: [path for path in paths if cell in sizes[path]] for cell in cells}
    missing = [cell for cell in cells if not holders[cell]]
    if missing:
        raise InputError(
            f"{some(paths)}: there is no array for the cells {some(missing)}; remove them from `cells` in config.yaml or add their file."
        )
    progress = Progress(log, sum(sizes[path][cell] for cell in cells for path in holders[cell]), "MB", logging.INFO)
    with ThreadPoolExecutor(1) as writer:
        writing = collections.deque()
        for cell, part in zip(cells, parts, strict=True):
            warnings = Warnings()
            gene_id, values, stored_scale = _read_cell(holders[cell], cell, marks, bins, scale, warnings)
            about, arrays = {"scale": stored_scale, "order": order}, {"gene_id": gene_id, "values": values}
            writing.append(writer.submit(write_part, part, shared(holders[cell]), warnings, about, **arrays))
            if len(writing) > MOST_WAITING:
                writing.popleft().result()
            progress.advance(sum(sizes[path][cell] for path in holders[cell]), "%s", cell)
        for part in writing:
            part.result()


def _read_cell(paths, cell, marks, bins, scale, warnings):
    """Return the gene_id [gene] of one cell, its values [gene, bin, mark] as the store keeps them, in a list of blocks, and their scale."""

    def pieces(convert):
        def take(path, cell, array):
            check_shape(path, cell, array, bins, (len(marks) + 1, len(marks) + 2))
            return gene_numbers(path, cell, array), convert(array[:, :, 1 : len(marks) + 1])

        found = [piece for path in paths for _, found in take_rows(path, [cell], take) for piece in found]
        numbers, values = zip(*found, strict=True)
        return ids_of_numbers(np.concatenate(numbers)), list(values)

    with contextlib.suppress(InputError, ValueError):
        gene_id, counts = pieces(lambda values: plain_counts(values, scale))
        if len(set(gene_id.tolist())) == len(gene_id):
            return gene_id, counts, "counts"
    # Something is odd, or values are no counts: the numbers themselves are looked at.
    gene_id, values = pieces(np.copy)
    values = np.concatenate(values)
    where = f"{', '.join(map(str, paths))} ({cell})"
    _check_values(where, values, gene_id, marks, scale)
    keep = unique_rows(gene_id, values, where, warnings)
    values, scale = stored_values(where, values[keep], scale, warnings)
    return gene_id[keep], [values], scale


def plain_counts(values, scale):
    """Return the counts [gene, bin, mark] uint16 that `stored_values` makes of values [gene, bin, mark], the fast way.

    Raises:
        ValueError: if a value is not finite, negative, no count or not the logarithm of one as exactly as float32 tells them
            apart, if a count is above 65,535, or if the scale is `signal` or the values are neither float32 nor float64: that
            takes a closer look.
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


@compiled
def _copy(values, copy):
    """Copy values [gene, bin, mark]; tell whether none is negative or NaN."""
    possible = True
    for gene in range(values.shape[0]):
        for position in range(values.shape[1]):
            for mark in range(values.shape[2]):
                value = values[gene, position, mark]
                copy[gene, position, mark] = value
                possible &= value >= 0
    return possible


@compiled
def _round(near, least, tolerance, counts):
    """Write the whole numbers that values lie near, less the least of them, into counts [n] uint16; tell whether all were near.

    Near is within the share `tolerance` of the value, and within a quarter: close to the middle between two counts, the
    rounding of float32 would decide.
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


def _check_values(where, values, gene_id, marks, scale):
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

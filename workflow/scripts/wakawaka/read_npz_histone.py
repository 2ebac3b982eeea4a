"""Histone marks from the course's npz files."""

import collections
import contextlib
import functools
import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from .errors import InputError
from .files import as_list
from .gene_ids import ids_of_numbers
from .npz_files import check_shape, gene_numbers, member_sizes, take_rows
from .parts import Warnings, digest_ahead, plain_counts, some, stored_values, unique_rows, write_part
from .progress import Progress

log = logging.getLogger(__name__)

# Cells in memory that are still to be written: the first has to wait for the checksums of the whole files.
MOST_WAITING = 8


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
    digest_ahead(paths)
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
            writing.append(writer.submit(write_part, part, holders[cell], warnings, about, **arrays))
            if len(writing) > MOST_WAITING:
                writing.popleft().result()
            progress.advance(sum(sizes[path][cell] for path in holders[cell]), "%s", cell)
        for part in writing:
            part.result()


def _read_cell(paths, cell, marks, bins, scale, warnings):
    """Return the gene_id [gene] and values [gene, bin, mark] of one cell, as the store keeps them, and their scale."""

    def joined(convert):
        def take(path, cell, array):
            check_shape(path, cell, array, bins, (len(marks) + 1, len(marks) + 2))
            return gene_numbers(path, cell, array), convert(array[:, :, 1 : len(marks) + 1])

        pieces = [piece for path in paths for _, found in take_rows(path, [cell], take) for piece in found]
        number, values = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        return ids_of_numbers(number), values

    with contextlib.suppress(InputError, ValueError):
        gene_id, counts = joined(functools.partial(plain_counts, scale=scale))
        if len(set(gene_id.tolist())) == len(gene_id):
            return gene_id, counts, "counts"
    # Something is odd, or values are no counts: the numbers themselves are looked at.
    gene_id, values = joined(np.copy)
    where = f"{', '.join(map(str, paths))} ({cell})"
    _check_values(where, values, gene_id, marks, scale)
    keep = unique_rows(gene_id, values, where, warnings)
    return gene_id[keep], *stored_values(where, values[keep], scale, warnings)


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

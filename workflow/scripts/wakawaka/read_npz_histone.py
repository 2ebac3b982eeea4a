"""Histone marks from the course's npz files."""

import numpy as np

from .errors import InputError
from .files import as_list
from .npz_files import check_shape, gene_ids, member_names, members
from .parts import Warnings, some, stored_values, unique_rows, write_part


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
    columns = (len(marks) + 1, len(marks) + 2)
    holders = {cell: [path for path in paths if cell in member_names(path)] for cell in cells}
    missing = [cell for cell in cells if not holders[cell]]
    if missing:
        raise InputError(
            f"{some(paths)}: there is no array for the cells {some(missing)}; remove them from `cells` in config.yaml or add their file."
        )
    for cell, part in zip(cells, parts, strict=True):
        warnings, ids, rows = Warnings(), [], []
        for path in holders[cell]:
            for _, array in members(path, [cell]):
                check_shape(path, cell, array, bins, columns)
                ids.append(gene_ids(path, cell, array))
                rows.append(array[:, :, 1 : len(marks) + 1])
        gene_id, values = np.concatenate(ids), np.concatenate(rows)
        where = f"{', '.join(map(str, holders[cell]))} ({cell})"
        _check_values(where, values, gene_id, marks, scale)
        keep = unique_rows(gene_id, values, where, warnings)
        values, stored_scale = stored_values(where, values[keep], scale, warnings)
        write_part(
            part,
            holders[cell],
            warnings,
            about={"scale": stored_scale, "order": order},
            gene_id=gene_id[keep],
            values=values,
        )


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

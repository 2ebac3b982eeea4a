"""The expression part, from one set of genes per cell."""

import numpy as np

from .errors import InputError
from .parts import some, write_part

# No gene has an RPKM or TPM that is always whole; raw counts reach thousands.
_RAW = 1000


def write_expression(part, paths, warnings, cells, found):
    """Write the expression part and say how much of it is not known.

    Args:
        paths: the files read. warnings: `Warnings`.
        cells: names of all cells, in the order of the part.
        found: dict from a cell to (gene_id [gene] str without duplicates, values [gene] float, NaN unknown); cells that
            are missing in it have no expression.

    Raises:
        InputError: if no value of any cell is known.
    """
    gene_id = np.array(sorted(set().union(*(ids.tolist() for ids, _ in found.values()))), str)
    values = np.full((len(cells), len(gene_id)), np.nan, np.float32)
    for row, cell in enumerate(cells):
        if cell in found:
            ids, known = found[cell]
            values[row, np.searchsorted(gene_id, ids)] = known
    write_values(part, paths, warnings, cells, gene_id, values, unknown_if="empty, NA or without a row")


def write_values(part, paths, warnings, cells, gene_id, values, unknown_if="empty or NA"):
    """Write the expression part of values [cell, gene] float32, as `write_expression` does."""
    paths = [str(path) for path in paths]
    unknown = np.isnan(values)
    silent = [cell for cell, lacks in zip(cells, unknown.all(axis=1), strict=True) if lacks]
    if len(silent) == len(cells):
        raise InputError(
            f"{some(paths, 2)}: no expression value of any cell ({some(cells)}) is known; check `expression` in config.yaml."
        )
    if silent:
        warnings.add(
            f"{len(silent)} cells without expression are predicted, but neither trained on nor scored: {some(silent)}."
        )
    missing = int(unknown[~unknown.all(axis=1)].sum())
    if missing:
        warnings.add(
            f"{some(paths, 2)}: {missing} values are not known ({unknown_if}); "
            "those samples are predicted, but neither trained on nor scored."
        )
    known = values[~unknown]
    if known.max() > _RAW and (known == np.rint(known)).all():
        warnings.add(
            f"{some(paths, 2)}: all values are whole numbers, the largest {known.max():.0f}: they look like raw read counts, "
            "which are not normalised for library size and gene length; RPKM or TPM can be compared between cells and genes."
        )
    write_part(part, paths, warnings, gene_id=gene_id, cell=np.array(cells), values=values)

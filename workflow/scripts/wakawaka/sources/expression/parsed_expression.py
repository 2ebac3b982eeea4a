"""The expression part, from one set of genes per cell."""

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.messages import some
from wakawaka.core.tables import numbers
from wakawaka.genome.gene_ids import plain_id
from wakawaka.sources.parsed import unique_rows, write_part

# No gene has an RPKM or TPM that is always whole; raw counts reach thousands.
_RAW = 1000


def genes_once(path, table, gene_id, warnings):
    """Return the gene ids [gene] of a table as `read_text_table` gives it, and its other columns [gene, column] float32.

    Raises:
        InputError: an empty gene id, a field that is no finite number, or differing rows of one gene.
    """
    ids = np.array([plain_id(text) for text in table[gene_id]])
    if (ids == "").any():
        raise InputError(f"{path}, line {table.index[np.argmax(ids == '')]}: the gene id is empty; correct the file.")
    values = numbers(path, table.drop(columns=gene_id))
    keep = unique_rows(ids, values, path, warnings)
    return ids[keep], values[keep]


def write_expression(part, paths, warnings, cells, found, reference=None, sources=None):
    """Write the expression part and say how much of it is not known.

    Args:
        paths: the files read. warnings: `Warnings`.
        cells: names of all cells, in the order of the part, and of the reference.
        found: dict from a cell to (gene_id [gene] str without duplicates, values [gene] float, NaN unknown); cells that
            are missing in it have no expression.
        reference: the one of `cells` that a ratio is taken to, or None: it is not predicted, so nothing of it is counted.
        sources: as those of `write_part`; the files if None.

    Raises:
        InputError: if no value of any cell, or none of the reference, is known.
    """
    gene_id = np.array(sorted(set().union(*(ids.tolist() for ids, _ in found.values()))), str)
    values = np.full((len(cells), len(gene_id)), np.nan, np.float32)
    for row, cell in enumerate(cells):
        if cell in found:
            ids, known = found[cell]
            values[row, np.searchsorted(gene_id, ids)] = known
    write_values(part, paths, warnings, cells, gene_id, values, reference, "empty, NA or without a row", sources)


def write_values(part, paths, warnings, cells, gene_id, values, reference=None, unknown_if="empty or NA", sources=None):
    """Write the expression part of values [cell, gene] float32, as `write_expression` does."""
    paths = [str(path) for path in paths]
    predicted = [cell for cell in cells if cell != reference]
    unknown = np.isnan(values[[cell != reference for cell in cells]])
    silent = [cell for cell, lacks in zip(predicted, unknown.all(axis=1), strict=True) if lacks]
    if len(silent) == len(predicted):
        raise InputError(
            f"{some(paths, 2)}: no expression value of any cell ({some(predicted)}) is known; check `expression` in config.yaml."
        )
    if reference and np.isnan(values[cells.index(reference)]).all():
        raise no_reference(reference, paths, "no value in it")
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
    known = values[~np.isnan(values)]
    if known.max() > _RAW and (known == np.rint(known)).all():
        warnings.add(
            f"{some(paths, 2)}: all values are whole numbers, the largest {known.max():.0f}: they look like raw read counts, "
            "which are not normalised for library size and gene length; RPKM or TPM can be compared between cells and genes."
        )
    write_part(part, sources or paths, warnings, gene_id=gene_id, cell=np.array(cells), values=values)


def no_reference(reference, paths, lacks):
    """Return the InputError of files that have nothing to take a ratio to; `lacks` says what they do not have."""
    return InputError(
        f"config key `expression.transform` takes a ratio to {reference}, but {some(paths, 2)} has {lacks}; "
        "correct the name or the file."
    )

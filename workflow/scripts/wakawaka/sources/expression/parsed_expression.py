"""Writing of the parsed expression, with warnings about values that are not known."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.core.tables import numbers
from wakawaka.genome.gene_ids import plain_id
from wakawaka.sources.parsed import unique_rows, write_parsed

# Values that are all whole numbers and reach more than this are taken for raw counts: RPKM and TPM are rarely whole.
_RAW = 1000


def genes_once(path: PathLike, table: pd.DataFrame, gene_id: str, warnings: Warnings) -> tuple[np.ndarray, np.ndarray]:
    """Return the gene ids [gene] and the other columns [gene, column] float32 of a table of `read_text_table`, every gene once.

    Raises:
        InputError: an empty gene id, a field that is no finite number, or differing rows of one gene.
    """
    ids = np.array([plain_id(text) for text in table[gene_id]])
    if (ids == "").any():
        raise InputError(
            f"{path}, line {table.index[int(np.argmax(ids == ''))]}: the gene id is empty; correct the file."
        )
    values = numbers(path, table.drop(columns=gene_id))
    keep = unique_rows(ids, values, path, warnings)
    return ids[keep], values[keep]


def write_expression(
    parsed: PathLike,
    paths: Sequence[PathLike],
    warnings: Warnings,
    cells: Sequence[str],
    found: Mapping[str, tuple[np.ndarray, np.ndarray]],
    reference: str | None = None,
    sources: Sequence[Mapping[str, str]] | None = None,
) -> None:
    """Write the parsed expression from each cell's own genes. Warnings count the values and cells that are not known.

    Args:
        parsed: the output. paths: the files read. warnings: `Warnings` so far.
        cells: names of all cells, with the reference, in the order of the output.
        found: dict from a cell to (gene_id [gene] str without duplicates, values [gene] float, NaN unknown). Other cells have no
            expression.
        reference: the cell that a ratio is taken to, or None. It is not predicted, so warnings do not count it.
        sources: as for `write_parsed`; the files if None.

    Raises:
        InputError: if no value of any cell, or none of the reference, is known.
    """
    gene_id = np.array(sorted(set().union(*(ids.tolist() for ids, _ in found.values()))), str)
    values = np.full((len(cells), len(gene_id)), np.nan, np.float32)
    for row, cell in enumerate(cells):
        if cell in found:
            ids, known = found[cell]
            values[row, np.searchsorted(gene_id, ids)] = known
    write_values(parsed, paths, warnings, cells, gene_id, values, reference, "empty, NA or without a row", sources)


def write_values(
    parsed: PathLike,
    paths: Sequence[PathLike],
    warnings: Warnings,
    cells: Sequence[str],
    gene_id: np.ndarray,
    values: np.ndarray,
    reference: str | None = None,
    unknown_if: str = "empty or NA",
    sources: Sequence[Mapping[str, str]] | None = None,
) -> None:
    """Write the parsed expression of values [cell, gene] float32; arguments and errors as for `write_expression`.

    Args:
        unknown_if: what makes a value unknown, for the warning.
    """
    predicted = [cell for cell in cells if cell != reference]
    unknown = np.isnan(values[[cell != reference for cell in cells]])
    silent = [cell for cell, lacks in zip(predicted, unknown.all(axis=1), strict=True) if lacks]
    if len(silent) == len(predicted):
        raise InputError(
            f"{shorten_list(paths, 2)}: no expression value of any cell ({shorten_list(predicted)}) is known; "
            "check `expression` in config.yaml."
        )
    if reference and np.isnan(values[cells.index(reference)]).all():
        raise no_reference(reference, paths, "no value in it")
    if silent:
        warnings.add(
            f"{len(silent)} cells without expression are predicted, but neither trained on nor scored: {shorten_list(silent)}."
        )
    missing = int(unknown[~unknown.all(axis=1)].sum())
    if missing:
        warnings.add(
            f"{shorten_list(paths, 2)}: {missing} values are not known ({unknown_if}); "
            "those samples are predicted, but neither trained on nor scored."
        )
    known = values[~np.isnan(values)]
    if known.max() > _RAW and (known == np.rint(known)).all():
        warnings.add(
            f"{shorten_list(paths, 2)}: all values are whole numbers, the largest {known.max():.0f}: they look like raw read counts, "
            "which are not normalised for library size and gene length; RPKM or TPM can be compared between cells and genes."
        )
    write_parsed(parsed, sources or paths, warnings, gene_id=gene_id, cell=np.array(cells), values=values)


def no_reference(reference: str, paths: Sequence[PathLike], lacks: str) -> InputError:
    """Return the InputError for files without the reference of a ratio; `lacks` is the phrase for what is missing."""
    return InputError(
        f"config key `expression.transform` takes a ratio to {reference}, but {shorten_list(paths, 2)} has {lacks}; "
        "correct the name or the file."
    )

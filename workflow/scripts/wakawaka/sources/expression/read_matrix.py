"""Expression from a matrix with one gene per row and one cell per column."""

from collections.abc import Mapping, Sequence

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.core.tables import need_columns, read_text_table
from wakawaka.sources.expression.parsed_expression import genes_once, no_reference, write_values


def read_matrix(
    path: PathLike,
    parsed: PathLike,
    *,
    cells: Sequence[str],
    gene_id: str = "gene_id",
    names: Mapping[str, str] | None = None,
    reference: str | None = None,
) -> None:
    """Write the parsed expression of a tab-separated matrix with the header `<gene_id>  <cell> ...`.

    Columns of cells that are not configured are left out. Cells that the matrix lacks have no expression, and a warning counts them.
    Fields that are empty or NA are not known. Row names without a header, as R writes them, are the gene ids.

    Args:
        path: the matrix. parsed: the output. cells: names of all cells.
        gene_id: header of the column of gene ids (`Geneid` in a table of featureCounts).
        names: dict from cells to the headers of their columns, where the two differ.
        reference: the one of `cells` that a ratio is taken to, or None.

    Raises:
        InputError: no column of gene ids, of any cell, of the reference or of a name in `names`; a field that is not a finite number;
            differing rows of one gene; no known value at all or of the reference.
    """
    names = names or {}
    columns = {cell: names.get(cell, cell) for cell in cells}

    def choose(header: list[str]) -> list[str]:
        need_columns(path, header, [gene_id, *(columns[cell] for cell in cells if cell in names)])
        predicted = [columns[cell] for cell in cells if cell != reference]
        if not set(predicted) & set(header):
            raise InputError(
                f"{path}: none of the cells in config.yaml ({shorten_list(predicted)}) is a column; the header has {shorten_list(header)}."
            )
        if reference and columns[reference] not in header:
            raise no_reference(reference, [path], "no such column")
        return list(dict.fromkeys([gene_id, *(name for name in columns.values() if name in header)]))

    _check_names(columns, gene_id)
    table = read_text_table(path, choose, row_names=gene_id)
    warnings = Warnings()
    ids, found = genes_once(path, table, gene_id, warnings)
    values = np.full((len(cells), len(ids)), np.nan, np.float32)
    for column, name in enumerate(table.columns[1:]):
        values[list(columns.values()).index(name)] = found[:, column]
    write_values(parsed, [path], warnings, cells, ids, values, reference)


def _check_names(columns: Mapping[str, str], gene_id: str) -> None:
    """Raise an InputError if two cells have one column, or if a cell's column is that of the gene ids."""
    taken = {gene_id: "the gene ids"}
    for cell, name in columns.items():
        if name in taken:
            raise InputError(
                f"config key `expression.names`: the column {name!r} cannot be both {taken[name]} and the cell {cell}."
            )
        taken[name] = f"the cell {cell}"

"""Expression from a matrix: a gene per row, a cell per column."""

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.messages import Warnings, some
from wakawaka.core.tables import need_columns, read_text_table
from wakawaka.sources.expression.parsed_expression import genes_once, no_reference, write_values


def read_matrix(path, part, *, cells, gene_id="gene_id", names=None, reference=None):
    """Write the expression part of a tab-separated matrix with the header `<gene_id>  <cell> ...`.

    Columns that are no configured cell are left out. Cells that the matrix lacks have no expression and are counted.
    Fields that are empty or NA are not known. Row names without a header, as R writes them, are the gene ids.

    Args:
        gene_id: header of the column of gene ids (`Geneid` in a table of featureCounts).
        names: dict from cells to the headers of their columns, for those where the two differ.
        reference: the one of `cells` that a ratio is taken to, or None.

    Raises:
        InputError: no column of gene ids, none of the cells, a column that `names` promises and the matrix lacks, no column
            of the reference or no value in it, a field that is no finite number, differing rows of one gene, or no value at all.
    """
    names = names or {}
    columns = {cell: names.get(cell, cell) for cell in cells}

    def choose(header):
        need_columns(path, header, [gene_id, *(columns[cell] for cell in cells if cell in names)])
        predicted = [columns[cell] for cell in cells if cell != reference]
        if not set(predicted) & set(header):
            raise InputError(
                f"{path}: none of the cells in config.yaml ({some(predicted)}) is a column; the header has {some(header)}."
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
    write_values(part, [path], warnings, cells, ids, values, reference)


def _check_names(columns, gene_id):
    """Refuse two cells of one column, and a cell whose column is that of the ids. Raises InputError."""
    taken = {gene_id: "the gene ids"}
    for cell, name in columns.items():
        if name in taken:
            raise InputError(
                f"config key `expression.names`: the column {name!r} cannot be both {taken[name]} and the cell {cell}."
            )
        taken[name] = f"the cell {cell}"

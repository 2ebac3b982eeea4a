"""Expression from a matrix: a gene per row, a cell per column."""

import numpy as np

from .errors import InputError
from .gene_ids import plain_id
from .parts import Warnings, some, unique_rows, write_part
from .tables import need_columns, numbers, read_text_table


def read_matrix(path, part, *, cells):
    """Write the expression part of a tab-separated matrix with the header `gene_id <cell> ...`.

    Columns that are no configured cell are left out. Cells that the matrix lacks have no expression and are counted.
    Fields that are empty or NA are not known.

    Raises:
        InputError: no gene_id column, none of the cells, a field that is no finite number, differing rows of one gene.
    """

    def choose(header):
        need_columns(path, header, ["gene_id"])
        if not set(cells) & set(header):
            raise InputError(
                f"{path}, line 1: none of the cells in config.yaml ({some(cells)}) is a column; the header has {some(header)}."
            )
        return ["gene_id", *(cell for cell in cells if cell in header)]

    table = read_text_table(path, choose)
    gene_id = np.array([plain_id(text) for text in table["gene_id"]])
    found = numbers(path, table.drop(columns="gene_id"))
    warnings = Warnings()
    keep = unique_rows(gene_id, found, path, warnings)
    values = np.full((len(cells), len(keep)), np.nan, np.float32)
    for column, cell in enumerate(table.columns[1:]):
        values[cells.index(cell)] = found[keep, column]
    silent = [cell for cell in cells if cell not in table]
    if silent:
        warnings.add(
            f"{len(silent)} cells without expression are predicted, but neither trained on nor scored: {some(silent)}."
        )
    unknown = int(np.isnan(found[keep]).sum())
    if unknown:
        warnings.add(
            f"{path}: {unknown} values are not known (empty or NA); those samples are predicted, but neither trained on nor scored."
        )
    write_part(part, path, warnings, gene_id=gene_id[keep], cell=np.array(cells), values=values)

"""Histone marks of one cell from its files of DeepChrome's or DeepDiff's."""

from wakawaka.core.files import as_list
from wakawaka.core.messages import Warnings, some
from wakawaka.sources.deepchrome import read_deepchrome_cell
from wakawaka.sources.parsed import compact_counts, write_part


def read_deepchrome_histone(paths, part, *, marks, bins, order):
    """Write the histone part of one cell.

    Args:
        paths: the files of the cell (train, valid and test), whose genes are joined.
        marks, bins: as of `read_deepchrome_file`.
        order: `genomic` or `transcript`, the order of the bins of minus-strand genes; kept for the store.

    Raises:
        InputError: for malformed files, or differing lines of one gene.
    """
    paths, warnings = as_list(paths), Warnings()
    gene_id, counts, _ = read_deepchrome_cell(paths, marks, bins, warnings)
    values = compact_counts(counts, some(paths))
    write_part(part, paths, warnings, about={"scale": "counts", "order": order}, gene_id=gene_id, values=values)

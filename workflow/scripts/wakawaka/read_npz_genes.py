"""Genes from the course's npz files: ids alone, because the files know no coordinates."""

from .files import as_list
from .npz_files import gene_ids, members
from .parts import write_gene_ids


def read_npz_genes(paths, part):
    """Write the genes part: every gene of any cell, in the order of their ids. Raises InputError for malformed files."""
    found = set()
    for path in as_list(paths):
        for cell, array in members(path):
            found.update(gene_ids(path, cell, array).tolist())
    write_gene_ids(part, as_list(paths), found)

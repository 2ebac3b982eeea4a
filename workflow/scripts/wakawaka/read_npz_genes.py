"""Genes from the course's npz files: ids alone, because the files know no coordinates."""

import numpy as np

from .files import as_list
from .npz_files import gene_ids, members
from .parts import Warnings, some, write_part


def read_npz_genes(paths, part):
    """Write the genes part: every gene of any cell, in the order of their ids. Raises InputError for malformed files."""
    found = set()
    for path in as_list(paths):
        for cell, array in members(path):
            found.update(gene_ids(path, cell, array).tolist())
    gene_id = np.array(sorted(found))
    blank = np.full(len(gene_id), "")
    warnings = Warnings()
    warnings.add(f"{some(as_list(paths))}: the strands of the genes are not known: no bins or bases are turned round.")
    write_part(
        part,
        paths,
        warnings,
        gene_id=gene_id,
        chrom=blank,
        tss=np.full(len(gene_id), -1, np.int64),
        strand=np.full(len(gene_id), "."),
        group=blank,
    )

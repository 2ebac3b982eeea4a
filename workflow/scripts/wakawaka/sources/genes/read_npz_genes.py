"""Genes from the course's npz files: ids alone, because the files know no coordinates."""

import numpy as np

from wakawaka.core.files import as_list
from wakawaka.genome.gene_ids import ids_of_numbers
from wakawaka.sources.course_npz import gene_numbers, take_rows
from wakawaka.sources.parsed import shared, write_gene_ids


def read_npz_genes(paths, part):
    """Write the genes part: every gene of any cell, in the order of their ids. Raises InputError for malformed files."""
    found = np.empty(0, np.int64)
    for path in as_list(paths):
        for _, numbers in take_rows(path, None, gene_numbers):
            found = np.union1d(found, np.concatenate(numbers))
    write_gene_ids(part, as_list(paths), ids_of_numbers(found).tolist(), shared(paths))

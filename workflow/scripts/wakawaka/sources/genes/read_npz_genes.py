"""Genes from the course's npz files: only their ids, because the files have no coordinates."""

from collections.abc import Sequence

import numpy as np

from wakawaka.core.files import PathLike, as_list
from wakawaka.genome.gene_ids import ids_of_numbers
from wakawaka.sources.course_npz import gene_numbers, take_rows
from wakawaka.sources.parsed import without_checksums, write_gene_ids


def read_npz_genes(paths: PathLike | Sequence[PathLike], parsed: PathLike) -> None:
    """Write the parsed genes: every gene of any cell, in the order of their ids. Raises InputError for a malformed file."""
    found = np.empty(0, np.int64)
    for path in as_list(paths):
        for _, numbers in take_rows(path, None, gene_numbers):
            found = np.union1d(found, np.concatenate(numbers))
    write_gene_ids(parsed, as_list(paths), ids_of_numbers(found).tolist(), without_checksums(paths))

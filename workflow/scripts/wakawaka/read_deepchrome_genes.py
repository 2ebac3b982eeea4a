"""Genes from the files of DeepChrome or DeepDiff: ids alone, because the files know no coordinates."""

import logging

import numpy as np

from .deepchrome_files import read_deepchrome_file
from .files import as_list
from .parts import Warnings, some, write_part

log = logging.getLogger(__name__)


def read_deepchrome_genes(paths, part, *, marks, bins):
    """Write the genes part: every gene of any file, in the order of their ids.

    Args:
        paths: the files of all cells. marks, bins: as of `read_deepchrome_file`.

    Raises:
        InputError: for malformed files.
    """
    paths, found = as_list(paths), set()
    for number, path in enumerate(paths, start=1):
        log.info("%s, file %d of %d", path, number, len(paths))
        found.update(read_deepchrome_file(path, marks, bins)[0].tolist())
    gene_id = np.array(sorted(found))
    blank = np.full(len(gene_id), "")
    warnings = Warnings()
    warnings.add(f"{some(paths, 3)}: the strands of the genes are not known: no bins or bases are turned round.")
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

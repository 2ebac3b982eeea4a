"""Genes from the files of DeepChrome or DeepDiff: ids alone, because the files know no coordinates."""

import logging

from wakawaka.core.files import as_list
from wakawaka.sources.deepchrome import read_deepchrome_file
from wakawaka.sources.parsed import write_gene_ids

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
    write_gene_ids(part, paths, found)

"""Genes from the files of DeepChrome or DeepDiff: only their ids, because the files have no coordinates."""

import logging
from collections.abc import Sequence

from wakawaka.core.files import PathLike, as_list
from wakawaka.sources.deepchrome import read_deepchrome_file
from wakawaka.sources.parsed import write_gene_ids

log = logging.getLogger(__name__)


def read_deepchrome_genes(
    paths: PathLike | Sequence[PathLike], parsed: PathLike, *, marks: Sequence[str], bins: int
) -> None:
    """Write the parsed genes: every gene of any file, in the order of their ids.

    Args:
        paths: the files of all cells. parsed: the output. marks, bins: as for `read_deepchrome_file`.

    Raises:
        InputError: for malformed files.
    """
    paths = as_list(paths)
    found: set[str] = set()
    for number, path in enumerate(paths, start=1):
        log.info("%s, file %d of %d", path, number, len(paths))
        found.update(read_deepchrome_file(path, marks, bins)[0].tolist())
    write_gene_ids(parsed, paths, found)

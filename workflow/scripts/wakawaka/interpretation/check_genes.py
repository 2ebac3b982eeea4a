"""Look up the genes to draw, before anything is trained: a misspelt id is then found early."""

import logging
from collections.abc import Sequence

import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, write_table
from wakawaka.core.messages import shorten_list
from wakawaka.genome.gene_ids import plain_id
from wakawaka.store.store import Store

log = logging.getLogger(__name__)


def check_genes(store: Sequence[PathLike], table: PathLike, *, genes: Sequence[str]) -> None:
    """Write a row for each of `genes`, except `best`: `name`, as configured, and `gene_id`.

    Args:
        store: paths of the store.
        table: output path.
        genes: gene ids, with or without versions, and `best`.

    Raises:
        InputError: for a gene that is not in the store.
    """
    known = set(Store(store).genes.tolist())
    named = {name: plain_id(name) for name in genes if name != "best"}
    unknown = [name for name, gene in named.items() if gene not in known]
    if unknown:
        raise InputError(
            f"config key `interpret.genes` names {shorten_list(unknown)}, not among the genes of the store, which are called like "
            f"{shorten_list(sorted(known), 3)}; a gene that one of the sources lacks is left out (results/store/warnings.tsv says so)."
        )
    write_table(pd.DataFrame({"name": list(named), "gene_id": list(named.values())}), table)
    log.info("%d genes are named to be drawn", len(named))

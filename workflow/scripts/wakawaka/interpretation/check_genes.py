"""The genes to draw, looked up early: a misspelt id must not wait until everything has been trained."""

import logging

import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import write_table
from wakawaka.core.messages import some
from wakawaka.genome.gene_ids import plain_id
from wakawaka.store.store import Store

log = logging.getLogger(__name__)


def find_genes(store, table, *, genes):
    """Write a row per gene of `interpret.genes` (`best` apart): name, as configured, and gene_id.

    Raises:
        InputError: for a gene that is not in the store.
    """
    known = set(Store(store).genes.tolist())
    named = {name: plain_id(name) for name in genes if name != "best"}
    unknown = [name for name, gene in named.items() if gene not in known]
    if unknown:
        raise InputError(
            f"config key `interpret.genes` names {some(unknown)}, not among the genes of the store, which are called like "
            f"{some(sorted(known), 3)}; a gene that one of the sources lacks is left out (results/store/warnings.tsv says so)."
        )
    write_table(pd.DataFrame({"name": list(named), "gene_id": list(named.values())}), table)
    log.info("%d genes are named to be drawn", len(named))

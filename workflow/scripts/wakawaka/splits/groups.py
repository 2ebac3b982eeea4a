"""Groups of genes that must stay on one side of a split, because their windows share bins or sequence."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wakawaka.core.messages import Warnings
from wakawaka.splits.overlap import Pair, connected, overlapping_windows, shared_sequence_pairs
from wakawaka.splits.similarity import Sketches, near_identical_pairs
from wakawaka.store.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Groups:
    """The groups of genes.

    Attributes:
        number: [gene] int64, the group of each gene, from 0.
        links: from a reason to the pairs of rows that it links; the groups are the connected components.
    """

    number: np.ndarray
    links: Mapping[str, Sequence[Pair]]

    def shared(self, genes: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the mask [gene] of those of `genes` that share a group with one of `others`; all are masks [gene]."""
        return genes & np.isin(self.number, self.number[others])


def find_groups(store: Store, sketches: Sketches | None, warnings: Warnings) -> Groups:
    """Return the groups of genes.

    Overlapping windows and the user's group column always link genes, and so do near-identical sequences at any place.
    Genes without coordinates are compared with all others by their sequence. Where no gene has coordinates, the user's
    groups replace them, and only genes without a group are compared.

    Args:
        sketches: the sketches of the DNA windows, None without DNA.
        warnings: gets a sentence about genes that nothing is known of.
    """
    table = store.gene_table
    placed, grouped = table["tss"].notna().to_numpy(), table["group"].notna().to_numpy()
    bare = ~placed if placed.any() else ~grouped
    links: dict[str, list[Pair]] = {}
    if placed.any():
        tss = table["tss"].fillna(-1).to_numpy(np.int64)
        chrom = table["chrom"].fillna("").to_numpy(str)
        links["overlapping windows"] = overlapping_windows(chrom, tss, store.info.window)
    if grouped.any():
        links["the group column"] = _pairs_of_column(table["group"])
    if bare.any() and "dna" in store.modules:
        links["shared sequence"] = [pair for pair in shared_sequence_pairs(store.dna) if bare[list(pair)].any()]
    elif bare.any():
        warnings.add(
            f"genes without coordinates, groups or sequences to compare: {bare.sum()}; where their windows overlap those of others, "
            "folds share what they hold out; give all genes coordinates, or all a group (`genes.columns`)"
        )
    if sketches is not None:
        links["near-identical sequence"] = near_identical_pairs(sketches)
    number = connected(len(table), [pair for pairs in links.values() for pair in pairs])
    reasons, largest = " and ".join(links) or "each by itself", np.bincount(number).max()
    log.info("%d genes in %d groups (%s), the largest of %d", len(number), number.max() + 1, reasons, largest)
    return Groups(number, links)


def _pairs_of_column(column: pd.Series) -> list[Pair]:
    """Return a pair for every gene that has a group: the first row of that group, and the gene's own."""
    first: dict[str, int] = {}
    return [(first.setdefault(name, row), row) for row, name in enumerate(column) if pd.notna(name)]

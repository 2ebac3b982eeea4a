"""Orientation: windows are stored from upstream to downstream, and a mark of gene bodies shows whether they are.

Sources in genomic order are reversed for genes on the minus strand: bins are reversed, bases are reverse-complemented.
"""

import logging
from collections.abc import Sequence

import numpy as np

from wakawaka.core.messages import Warnings
from wakawaka.genome.dna import reverse_complement

log = logging.getLogger(__name__)

# With fewer genes on a strand, a difference between the two sides of their TSSs may be chance.
FEWEST_TO_TEST = 20

# It marks the bodies of transcribed genes, so more of it is downstream of their TSSs.
# Source: Roadmap Epigenomics Consortium, Nature 2015, 518:317.
GENE_BODIES = "H3K36me3"


def orient_bins(values: np.ndarray, minus: np.ndarray, order: str) -> None:
    """Reverse the bins of minus-strand genes in place, where the source is in genomic order.

    Args:
        values: [gene, bin, mark].
        minus: mask [gene] of the genes to reverse.
        order: `genomic` or `transcript`, the order of the source's bins.
    """
    if order == "genomic":
        values[minus] = values[minus, ::-1]


def orient_bases(codes: np.ndarray, minus: np.ndarray, order: str) -> None:
    """Reverse-complement the windows of minus-strand genes in place, where the source is in genomic order.

    Args:
        codes: [gene, position] uint8.
        minus: mask [gene] of the genes to reverse.
        order: `genomic` or `transcript`, the order of the source's bases.
    """
    if order == "genomic":
        codes[minus] = reverse_complement(codes[minus])


def windows_are_oriented(order: str, strand: np.ndarray, strand_aware: bool) -> bool:
    """Return whether downstream is into the gene in the stored windows.

    Args:
        order: `genomic` or `transcript`, the order of the source.
        strand: [gene] array of + - or `.` (unknown). Without any known strand nothing can be reversed.
        strand_aware: as configured.
    """
    return order == "transcript" or bool(strand_aware and (strand != ".").any())


class OrientationTest:
    """Compares H3K36me3 upstream and downstream of the TSS, for each strand.

    The genes are given block by block; `report` then logs the ratios, and warns where the mark is not higher
    downstream.

    Args:
        marks: the names of the marks, in the order of the values.
        strand: [gene] array of + - or `.` (unknown).
        strand_aware: without it windows are not reversed, and there is nothing to test.
    """

    def __init__(self, marks: Sequence[str], strand: np.ndarray, strand_aware: bool) -> None:
        self._mark = list(marks).index(GENE_BODIES) if strand_aware and GENE_BODIES in marks else None
        self._strand = strand
        # [upstream or downstream, gene], summed over the cells.
        self._sums = np.zeros((2, len(strand)))

    def add(self, genes: slice, values: np.ndarray) -> None:
        """Add the values [gene, bin, mark] of some genes in one cell, upstream bins first."""
        if self._mark is not None:
            self._sums[:, genes] += side_sums(values[:, :, self._mark])

    def report(self, warnings: Warnings) -> None:
        """Log the ratio of each strand, and warn where H3K36me3 is not higher downstream."""
        for name, sign in (("plus", "+"), ("minus", "-")):
            here = self._strand == sign
            upstream, downstream = self._sums[:, here].sum(axis=1)
            if not upstream + downstream > 0:
                continue
            ratio = f"{downstream / upstream:.2f} times as much" if upstream > 0 else "all"
            log.info(
                "H3K36me3 of %d genes on the %s strand: %s downstream of the TSS as upstream", here.sum(), name, ratio
            )
            if downstream <= upstream and here.sum() >= FEWEST_TO_TEST:
                warnings.add(
                    f"H3K36me3, a mark of gene bodies, is not higher downstream of the TSS than upstream for the genes on the {name} "
                    f"strand ({ratio}): check the strands in the gene source, `histone.bin_order` and `strand_aware`."
                )


def side_sums(values: np.ndarray) -> np.ndarray:
    """Return the sums [upstream or downstream, gene] float64 of values [gene, bin].

    With an odd number of bins the middle one is on neither side.
    """
    bins, half = values.shape[1], values.shape[1] // 2
    return np.stack([side.sum(axis=1, dtype=np.float64) for side in (values[:, :half], values[:, bins - half :])])

"""Genes that share bins or bases: their windows overlap, by their coordinates or by their sequences alone.

Without coordinates, an overlap shows in the sequences: if two windows overlap, one of them ends inside the other. Its
outermost 32 bases stand in the other one, in the same direction or, if one gene was reverse-complemented, in the
opposite one.
"""

import logging
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from wakawaka.core.progress import Progress
from wakawaka.genome.dna import N, reverse_complement

log = logging.getLogger(__name__)

# Two rows of the table of genes.
Pair = tuple[int, int]

# Length of the k-mers that are looked up.
LENGTH = 32
# The least part of the bases of an overlap that agree: all of one assembly do, but some are masked or patched.
AGREEMENT = 0.98
# The least overlap, as a part of the window: 400 bp of 10 kb, more than the 300 bp of an Alu, the commonest repeat of
# the human genome. Without it two genes whose windows end and begin in copies of one repeat would count as neighbours.
LEAST_OVERLAP = 0.04


def overlapping_windows(chrom: np.ndarray, tss: np.ndarray, window: int) -> list[Pair]:
    """Return pairs of rows whose windows overlap: neighbours on a chromosome with TSSs at most `window` bp apart.

    Pairs of neighbours are enough to connect chains of overlapping windows. At a distance of exactly `window` bp, the
    window of a minus-strand gene and that of a plus-strand gene to the right of it share one base.

    Args:
        chrom: [gene] array of str.
        tss: [gene] integers, -1 where not known; these genes have no pairs.
        window: in bp.
    """
    order = np.lexsort((tss, chrom))
    order = order[tss[order] >= 0]
    near = (chrom[order[1:]] == chrom[order[:-1]]) & (np.diff(tss[order]) <= window)
    return list(zip(order[:-1][near].tolist(), order[1:][near].tolist(), strict=True))


def connected(count: int, pairs: Iterable[Pair]) -> np.ndarray:
    """Return the number [count] of the connected component of each of `count` nodes, numbered by first appearance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = np.array(list(pairs), np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    return pd.factorize(labels)[0]


def shared_sequence_pairs(dna: np.ndarray) -> list[Pair]:
    """Return pairs of rows (first < second) whose windows overlap, by their sequences.

    The 32-mers at both ends of every window are looked up in all windows. A hit counts if the whole overlap that it
    implies agrees: a repeat that stands in many genes fails there. Overlaps of less than 32 bases or `LEAST_OVERLAP` of
    the window are not found.

    Args:
        dna: [gene, position] uint8 codes.
    """
    if dna.shape[1] < LENGTH:
        return []
    anchors = _anchors(dna)
    keys = np.array([anchor.kmer for anchor in anchors], np.uint64)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    pairs: set[Pair] = set()
    progress = Progress(log, len(dna), "genes", logging.INFO)
    for gene, codes in enumerate(dna):
        found, valid = kmers(codes, LENGTH)
        start = np.searchsorted(keys, found, "left")
        stop = np.searchsorted(keys, found, "right")
        for place in np.flatnonzero((stop > start) & valid):
            for entry in order[start[place] : stop[place]]:
                anchor = anchors[entry]
                pair = (min(gene, anchor.gene), max(gene, anchor.gene))
                if anchor.gene != gene and pair not in pairs:
                    other = reverse_complement(dna[anchor.gene]) if anchor.flipped else dna[anchor.gene]
                    if _overlap_agrees(codes, other, place - anchor.position):
                        pairs.add(pair)
        progress.advance(1, "looking for shared sequence: %d of %d genes", gene + 1, len(dna))
    return sorted(pairs)


class Anchor(NamedTuple):
    """An outermost 32-mer without N, and its place in a gene's window or, if `flipped`, in the reverse complement."""

    kmer: int
    gene: int
    position: int
    flipped: bool


def _anchors(dna: np.ndarray) -> list[Anchor]:
    """Return the first and the last 32-mer without N of every window, in both directions."""
    anchors = []
    for gene, codes in enumerate(dna):
        for flipped, sequence in ((False, codes), (True, reverse_complement(codes))):
            found, valid = kmers(sequence, LENGTH)
            places = np.flatnonzero(valid)
            ends = {*places[:1].tolist(), *places[-1:].tolist()}
            anchors += [Anchor(found[place], gene, place, flipped) for place in ends]
    return anchors


def kmers(codes: np.ndarray, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return all k-mers of a sequence, and which of them are free of N.

    Args:
        codes: [position] uint8.
        length: the length of the k-mers, a power of two, at most 32.

    Returns:
        ([position] uint64, two bits a base, the first base highest; [position] bool), both empty where the sequence is
        shorter.
    """
    found = (codes & 3).astype(np.uint64)
    clean = codes != N
    width = 1
    # Two neighbouring k-mers make one of twice the width: five doublings give 32.
    while width < length:
        found = (found[:-width] << np.uint64(2 * width)) | found[width:]
        clean = clean[:-width] & clean[width:]
        width *= 2
    return found, clean


def _overlap_agrees(codes: np.ndarray, other: np.ndarray, shift: int) -> bool:
    """Return whether `other`, moved `shift` bases to the right, agrees with `codes` wherever both have a known base."""
    length = len(codes)
    left, right = max(shift, 0), min(length, length + shift)
    here, there = codes[left:right], other[left - shift : right - shift]
    known = (here != N) & (there != N)
    enough = known.sum() >= max(LENGTH, LEAST_OVERLAP * length)
    return bool(enough and (here == there)[known].mean() >= AGREEMENT)

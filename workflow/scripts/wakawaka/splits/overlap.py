"""Genes whose windows overlap, found from their sequences alone, where no coordinates are known."""

import logging

import numpy as np

from wakawaka.genome.dna import N, reverse_complement

log = logging.getLogger(__name__)

LENGTH = 32
# Of two overlapping windows of one assembly every base agrees; a little room is left for masked or patched ones.
AGREEMENT = 0.98
# The least overlap, as a part of the window: 400 bp of 10 kb, more than the 300 bp of an Alu, the commonest repeat of the human
# genome. Without it two genes whose windows end and begin in copies of one repeat would count as neighbours.
LEAST_OVERLAP = 0.04


def shared_sequence_pairs(dna):
    """Return pairs of rows (first < second) whose windows overlap.

    If two windows overlap, one of them ends inside the other: its outermost 32 bases stand in the other one, in the
    same direction or (if one gene was reverse-complemented) in the opposite one. So the exact 32-mers at both ends of every
    window are looked up in all windows, and a hit counts if the whole stretch that the implied shift lays over each
    other agrees. A repeat that stands in many genes fails the last check. Overlaps of less than 32 bases or LEAST_OVERLAP of
    the window are not found.

    Args:
        dna: [gene, position] uint8 codes.

    Returns:
        List of (int, int).
    """
    if dna.shape[1] < LENGTH:
        return []
    anchors = _anchors(dna)
    keys = np.array([key for key, *_ in anchors], np.uint64)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    pairs = set()
    for gene, codes in enumerate(dna):
        if gene and gene % 1000 == 0:
            log.info("looking for shared sequence: %d of %d genes", gene, len(dna))
        found, valid = kmers(codes, LENGTH)
        start = np.searchsorted(keys, found, "left")
        stop = np.searchsorted(keys, found, "right")
        for place in np.flatnonzero((stop > start) & valid):
            for entry in order[start[place] : stop[place]]:
                _, other, anchor, flipped = anchors[entry]
                pair = (min(gene, other), max(gene, other))
                if other != gene and pair not in pairs:
                    other_codes = reverse_complement(dna[other]) if flipped else dna[other]
                    if _overlap_agrees(codes, other_codes, place - anchor):
                        pairs.add(pair)
    return sorted(pairs)


def _anchors(dna):
    """Return (k-mer, gene, position, flipped) of the first and last 32-mer without N of every window, in both directions."""
    anchors = []
    for gene, codes in enumerate(dna):
        for flipped, sequence in ((False, codes), (True, reverse_complement(codes))):
            found, valid = kmers(sequence, LENGTH)
            places = np.flatnonzero(valid)
            anchors += [
                (found[place], gene, int(place), flipped) for place in {*places[:1].tolist(), *places[-1:].tolist()}
            ]
    return anchors


def kmers(codes, length):
    """Return all k-mers of a sequence, and which of them are free of N.

    Args:
        codes: [position] uint8.
        length: of the k-mers, a power of two, at most 32.

    Returns:
        ([position] uint64, two bits a base, the first base highest; [position] bool), both empty where the sequence is shorter.
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


def _overlap_agrees(codes, other, shift):
    """Whether `other`, moved `shift` bases to the right, agrees with `codes` wherever both have a known base."""
    length = len(codes)
    left, right = max(shift, 0), min(length, length + shift)
    here, there = codes[left:right], other[left - shift : right - shift]
    known = (here != N) & (there != N)
    return known.sum() >= max(LENGTH, LEAST_OVERLAP * length) and (here == there)[known].mean() >= AGREEMENT

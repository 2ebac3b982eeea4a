"""Overlaps by coordinates and by sequence, compared with a naive search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakawaka.genome.dna import N, reverse_complement
from wakawaka.splits.overlap import AGREEMENT, LENGTH, connected, overlapping_windows, shared_sequence_pairs

RANDOM = np.random.default_rng(1).integers(0, 4, 5000).astype(np.uint8)


def windows(*starts, length=200, genome=RANDOM):
    return np.stack([genome[start : start + length] for start in starts])


def test_overlapping_windows_are_found_and_others_not():
    # 0-199, 150-349, 340-539 (10 bases alone), 1000-1199.
    assert shared_sequence_pairs(windows(0, 150, 340, 1000)) == [(0, 1)]


@pytest.mark.parametrize(("shared", "found"), [(31, []), (32, [(0, 1)]), (33, [(0, 1)]), (200, [(0, 1)])])
def test_32_common_bases_are_needed(shared, found):
    assert shared_sequence_pairs(windows(0, 200 - shared)) == found


@pytest.mark.parametrize("turned", [0, 1, 2])
def test_neighbours_that_were_reverse_complemented_are_found(turned):
    dna = windows(0, 120, 1000)
    dna[turned] = reverse_complement(dna[turned])
    assert shared_sequence_pairs(dna) == [(0, 1)]
    assert shared_sequence_pairs(dna[::-1]) == [(1, 2)]
    # The same stretch on both strands: a bidirectional pair.
    assert shared_sequence_pairs(np.stack([dna[0], reverse_complement(dna[0])])) == [(0, 1)]


def test_a_repeat_connects_nothing():
    """The same 150 bases inside otherwise different windows, at equal and at other places, in both directions."""
    dna = windows(0, 1000, 2000, 3000, length=400)
    repeat = RANDOM[4500:4650]
    dna[0, 100:250] = dna[1, 100:250] = dna[2, 37:187] = repeat
    dna[3, 200:350] = reverse_complement(repeat)
    # At the end of a window, where it is looked up, too.
    dna[3, :150] = repeat
    assert shared_sequence_pairs(dna) == []


def test_a_tandem_repeat_at_a_window_s_end_connects_nothing():
    """The 32-mer at the window's end stands hundreds of times in the other one, and no shift agrees."""
    dna = windows(0, 1000, length=800)
    dna[0, 100:500] = dna[1, :400] = np.tile([0, 1], 200)
    assert shared_sequence_pairs(dna) == []


def test_unknown_bases_neither_match_nor_hinder():
    dna = windows(0, 100, 1000, 1100)
    # The first bases of the overlap, and some within.
    dna[1, :40] = N
    dna[0, 150:155] = N
    # Nothing but N in common.
    dna[2, 50:] = N
    dna[3, :150] = N
    assert shared_sequence_pairs(dna) == [(0, 1)]
    assert shared_sequence_pairs(np.full((3, 200), N, np.uint8)) == []


def test_a_few_differences_are_allowed():
    dna = windows(0, 50)
    dna[1, [60, 80, 100]] ^= 1
    # Three of 150 bases: 98% agree.
    assert shared_sequence_pairs(dna) == [(0, 1)]
    dna[1, 110] ^= 1
    assert shared_sequence_pairs(dna) == []


def test_windows_shorter_than_a_32_mer_have_no_pairs():
    assert shared_sequence_pairs(windows(0, 0, length=31)) == []
    assert shared_sequence_pairs(windows(0, 0, length=32)) == [(0, 1)]


def naive(dna):
    """Every shift of every pair in both directions: enough agreement, and 32 exact bases at an end of the overlap."""
    pairs = set()
    length = dna.shape[1]
    for first in range(len(dna)):
        for second in range(first + 1, len(dna)):
            for other in (dna[second], reverse_complement(dna[second])):
                for shift in range(LENGTH - length, length - LENGTH + 1):
                    here = dna[first, max(shift, 0) : length + min(shift, 0)]
                    same = here == other[max(-shift, 0) : length - max(shift, 0)]
                    if same.mean() >= AGREEMENT and (same[:LENGTH].all() or same[-LENGTH:].all()):
                        pairs.add((first, second))
    return sorted(pairs)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    # Few letters and a short period make repeats.
    letters=st.sampled_from([1, 2, 4]),
    period=st.sampled_from([7, 40, 1000]),
    starts=st.lists(st.integers(0, 150), min_size=2, max_size=5),
    length=st.integers(33, 80),
    changes=st.integers(0, 3),
)
def test_pairs_are_those_of_a_naive_search(seed, letters, period, starts, length, changes):
    rng = np.random.default_rng(seed)
    genome = np.resize(rng.integers(0, letters, min(period, 300)), 300).astype(np.uint8)
    dna = windows(*starts, length=length, genome=genome)
    for _ in range(changes):
        dna[rng.integers(len(dna)), rng.integers(length)] = rng.integers(4)
    for row in np.flatnonzero(rng.integers(2, size=len(dna))):
        dna[row] = reverse_complement(dna[row])
    assert shared_sequence_pairs(dna) == naive(dna)


def test_windows_that_end_and_begin_in_one_repeat_are_no_neighbours():
    """A repeat of 300 bp, as long as an Alu, at the end of one window and the start of another. 500 bp overlap."""
    rng = np.random.default_rng(5)
    for length, expected in ((300, []), (500, [(0, 1)])):
        dna = rng.integers(0, 4, (2, 10_000)).astype(np.uint8)
        dna[1, :length] = dna[0, -length:]
        assert shared_sequence_pairs(dna) == expected


# Overlaps by coordinates


def test_overlapping_windows():
    chrom = np.array(["1", "1", "1", "2", "1", "1"])
    # In the order of places: row 2 at 10, row 0 at 110, row 4 at 211; row 3 on another chromosome, two of unknown
    # place.
    assert overlapping_windows(chrom, np.array([110, -1, 10, 60, 211, -1]), 100) == [(2, 0)]
    assert overlapping_windows(chrom, np.array([110, -1, 10, 60, 211, -1]), 101) == [(2, 0), (0, 4)]
    assert overlapping_windows(chrom[:0], np.array([], int), 100) == []


def test_connected():
    assert connected(5, [(4, 1), (1, 3)]).tolist() == [0, 1, 2, 1, 1]
    assert connected(3, []).tolist() == [0, 1, 2]

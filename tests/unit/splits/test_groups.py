"""Genes whose windows share bins or sequence are in one group, and a group is in one fold."""

import numpy as np
import pytest

from helpers.splits import WINDOW, check_groups, make_split, make_store, naive_groups
from wakawaka.genome.dna import reverse_complement


@pytest.mark.parametrize("hold_out", ["cells_and_genes", "genes"])
def test_overlapping_windows_stay_together(tmp_path, hold_out):
    rng = np.random.default_rng(2)
    tss, chrom = rng.integers(0, 3000, 60), rng.choice(["1", "2", "X"], 60)
    store = make_store(tmp_path, 60, tss=tss, chrom=chrom)
    genes, _, _, regimes = make_split(tmp_path, store, hold_out=hold_out)
    expected = naive_groups(lambda a, b: chrom[a] == chrom[b] and abs(tss[a] - tss[b]) <= WINDOW, 60)
    assert 10 < len(set(expected)) < 50
    check_groups(genes, regimes, expected)


@pytest.mark.parametrize("hold_out", ["cells_and_genes", "genes"])
def test_groups_of_the_user_stay_together(tmp_path, hold_out):
    group = [f"r{number % 7}" for number in range(28)] + ["", ""]
    store = make_store(tmp_path, 30, tss=[-1] * 30, chrom=[""] * 30, group=group)
    genes, _, _, regimes = make_split(tmp_path, store, hold_out=hold_out)
    check_groups(genes, regimes, np.array([number % 7 for number in range(28)] + [7, 8]))


def test_groups_of_the_user_and_of_windows_add_up(tmp_path):
    tss = np.arange(12) * 1000
    tss[1] = 50
    store = make_store(tmp_path, 12, tss=tss, group=["", "r", "r", *[""] * 9])
    genes, _, _, regimes = make_split(tmp_path, store, hold_out="genes")
    check_groups(genes, regimes, np.array([0, 0, 0, *range(3, 12)]))


def shared_dna():
    """Windows 0-1-2 overlap in a chain (2 is reverse-complemented), and so do 3-4; 5 to 11 only share a repeat."""
    rng = np.random.default_rng(3)
    dna = rng.integers(0, 4, (12, WINDOW)).astype(np.uint8)
    dna[1, :60] = dna[0, 40:]
    dna[2, :50] = dna[1, 50:]
    dna[2] = reverse_complement(dna[2])
    dna[4, 30:] = dna[3, :70]
    dna[5:, 20:70] = dna[5, 20:70]
    return dna


def test_genes_with_shared_sequence_stay_together_where_no_places_are_known(tmp_path):
    expected = np.array([0, 0, 0, 3, 3, *range(5, 12)])
    store = make_store(tmp_path, 12, tss=[-1] * 12, chrom=[""] * 12, dna=shared_dna())
    genes, _, _, regimes = make_split(tmp_path, store)
    check_groups(genes, regimes, expected)


def test_coordinates_take_precedence_over_shared_sequence(tmp_path):
    store = make_store(tmp_path, 12, dna=shared_dna())
    genes, *_ = make_split(tmp_path, store, hold_out="genes")
    assert genes["group"].tolist() == list(range(1, 13))


def test_genes_without_coordinates_groups_and_sequences_are_warned_of(tmp_path, caplog):
    store = make_store(tmp_path, 12, tss=[-1] * 12, chrom=[""] * 12)
    make_split(tmp_path, store, hold_out="genes")
    assert "genes without coordinates, groups or sequences to compare: 12" in caplog.text


def test_genes_without_coordinates_are_compared_by_their_sequence(tmp_path):
    """Two chains of overlapping windows; in each, one gene has no coordinates."""
    genome = np.random.default_rng(8).integers(0, 4, 2000).astype(np.uint8)
    tss = [100, 150, 200, 700, 750, 1200, 1400, 1600]
    dna = np.stack([genome[place - 50 : place + 50] for place in tss])
    known = [place if row not in (1, 4) else -1 for row, place in enumerate(tss)]
    chrom = ["1" if place >= 0 else "" for place in known]
    store = make_store(tmp_path, 8, tss=known, chrom=chrom, dna=dna)
    genes, _, _, regimes = make_split(tmp_path, store, hold_out="genes")
    check_groups(genes, regimes, np.array([0, 0, 0, 1, 1, 2, 3, 4]))


def test_one_gene_without_coordinates_and_sequence_is_warned_of(tmp_path, caplog):
    store = make_store(tmp_path, 8, tss=[-1, *range(0, 7000, 1000)], chrom=["", *["1"] * 7])
    make_split(tmp_path, store)
    assert "genes without coordinates, groups or sequences to compare: 1;" in caplog.text


def test_a_group_does_not_replace_coordinates_where_other_genes_have_them(tmp_path):
    """Gene 1 has a group of its own and no coordinates; its window overlaps that of gene 0."""
    genome = np.random.default_rng(9).integers(0, 4, 2000).astype(np.uint8)
    tss = [100, 120, 700, 1200, 1600]
    dna = np.stack([genome[place - 50 : place + 50] for place in tss])
    known, chrom, group = [100, -1, 700, 1200, 1600], ["1", "", "1", "1", "1"], ["", "x", "", "", ""]
    store = make_store(tmp_path, 5, tss=known, chrom=chrom, group=group, dna=dna)
    genes, _, _, regimes = make_split(tmp_path, store, hold_out="genes")
    check_groups(genes, regimes, np.array([0, 0, 1, 2, 3]))

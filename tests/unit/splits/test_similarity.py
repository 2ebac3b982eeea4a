"""The similarity of windows, compared with exact sets of k-mers; copies are planted, and found on either strand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakawaka.genome.dna import N, decode, encode, reverse_complement
from wakawaka.splits.similarity import (
    LEAST,
    LENGTH,
    NEAR_IDENTICAL,
    SCALE,
    most_similar,
    near_identical_pairs,
    similarity_table,
    sketch,
)

COMPLEMENT = str.maketrans("ACGT", "TGCA")


def kmers_of(codes):
    """Return the set of canonical 16-mers of a window, as texts."""
    text = decode(codes)
    found = (text[start : start + LENGTH] for start in range(len(text) - LENGTH + 1))
    return {min(kmer, kmer.translate(COMPLEMENT)[::-1]) for kmer in found if "N" not in kmer}


def containment(held, trained):
    """Return the exact similarity, and the number of 16-mers it is a part of."""
    here = kmers_of(held)
    return len(here & kmers_of(trained)) / len(here), len(here)


def unrelated(count, length=3000, seed=0):
    return np.random.default_rng(seed).integers(0, 4, (count, length)).astype(np.uint8)


def differing(codes, part, rng):
    """Return a copy in which about a part of the bases is another one."""
    changed = rng.random(codes.shape) < part
    return np.where(changed, (codes + rng.integers(1, 4, codes.shape)) % 4, codes).astype(np.uint8)


def one(dna, held=0, scale=SCALE):
    """Return the row of the window most similar to one of the windows, of all others, and the similarity."""
    others = np.delete(np.arange(len(dna)), held)
    best, part = most_similar(sketch(dna, scale), np.array([held]), others)
    return int(best[0]), float(part[0])


# The similarity


@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    length=st.integers(60, 400),
    # Few letters make the same 16-mers stand in a window many times.
    letters=st.sampled_from([1, 2, 4]),
    copies=st.lists(st.tuples(st.integers(0, 200), st.integers(10, 200), st.booleans()), max_size=4),
    gaps=st.integers(0, 3),
)
def test_with_every_k_mer_in_the_sketch_the_similarity_is_exact(seed, length, letters, copies, gaps):
    rng = np.random.default_rng(seed)
    dna = rng.integers(0, letters, (5, length)).astype(np.uint8)
    for row, (start, size, turned) in enumerate(copies, start=1):
        piece = dna[0, start : start + size].copy()
        place = rng.integers(0, length - len(piece) + 1)
        dna[row, place : place + len(piece)] = reverse_complement(piece) if turned else piece
    dna[rng.integers(5, size=gaps), rng.integers(length, size=gaps)] = N
    if len(kmers_of(dna[0])) < LEAST:
        return
    exact = [containment(dna[0], other)[0] for other in dna[1:]]
    best, part = one(dna, scale=1)
    assert part == pytest.approx(max(exact))
    assert best == (1 + int(np.argmax(exact)) if max(exact) else -1)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("kind", ["half of it", "1% other bases", "5% other bases", "all of it"])
def test_planted_copies_are_estimated(turned, kind):
    """Within four standard deviations of a sample of one 16-mer of 16."""
    rng = np.random.default_rng(7)
    for seed in range(10):
        dna = unrelated(6, seed=seed)
        copy = {"half of it": 0, "1% other bases": 0.01, "5% other bases": 0.05, "all of it": 0}[kind]
        planted = differing(dna[0], copy, rng)[: 1500 if kind == "half of it" else None]
        dna[4, -len(planted) :] = reverse_complement(planted) if turned else planted
        exact, count = containment(dna[0], dna[4])
        best, part = one(dna)
        assert best == 4
        assert abs(part - exact) <= 4 * np.sqrt(exact * (1 - exact) * SCALE / count) + 1e-9
        assert kind != "all of it" or part == 1


def test_the_sketch_takes_one_k_mer_of_sixteen():
    size = sketch(unrelated(100)).size
    count = 100 * (3000 - LENGTH + 1)
    assert abs(size.sum() - count / SCALE) < 4 * np.sqrt(count / SCALE)


def test_unrelated_windows_have_next_to_nothing_in_common():
    dna = unrelated(40)
    sketches = sketch(dna)
    rows = np.arange(40)
    best, part = most_similar(sketches, rows[:20], rows[20:])
    # At most one 16-mer of 190, by chance.
    assert (part < 0.01).all() and (part > 0).sum() <= 2
    assert np.array_equal(best == -1, part == 0)
    assert near_identical_pairs(sketches) == []


def test_the_similarity_is_a_part_of_the_held_out_window():
    """A short known stretch that the other window holds wholly, and of which it is a tenth."""
    dna = unrelated(2, 10_000)
    dna[0, 1000:] = N
    dna[1, 5000:6000] = dna[0, :1000]
    assert one(dna, 0) == (1, 1.0)
    best, part = one(dna, 1)
    assert best == 0 and 0.05 < part < 0.15


def test_unknown_bases_are_in_no_k_mer():
    dna = unrelated(3, 2000)
    dna[:2, 1000:] = N
    # Nothing in common but N.
    assert one(dna) == (-1, 0.0)
    text = "ACGT" * 3 + "ACG" + "N" + "ACGT" * 3 + "ACG"
    assert sketch(np.stack([encode(text)] * 2), scale=1).size.tolist() == [0, 0]
    assert sketch(encode(text.replace("N", "A"))[None], scale=1).size[0] == len(
        kmers_of(encode(text.replace("N", "A")))
    )


@pytest.mark.parametrize(("known", "judged"), [(15, False), (100, False), (2000, True)])
def test_windows_of_few_k_mers_are_not_judged(known, judged):
    dna = unrelated(3, 2000)
    dna[1] = dna[0]
    dna[:2, known:] = N
    best, part = one(dna)
    assert (best, part) == (1, 1.0) if judged else best == -1 and np.isnan(part)
    assert near_identical_pairs(sketch(dna)) == ([(0, 1)] if judged else [])


def test_windows_of_one_motif_are_not_judged():
    """They are equal, but have only two different 16-mers."""
    dna = np.stack([np.resize(encode("ACACACAC"), 3000)] * 2)
    assert near_identical_pairs(sketch(dna)) == []
    assert np.isnan(one(dna)[1])


def test_windows_shorter_than_a_k_mer_have_no_similarity():
    sketches = sketch(unrelated(3, LENGTH - 1))
    assert sketches.size.tolist() == [0, 0, 0]
    best, part = most_similar(sketches, np.array([0]), np.array([1, 2]))
    assert best.tolist() == [-1] and np.isnan(part).all()


def test_the_first_of_equal_training_windows_and_none_where_there_are_none():
    dna = unrelated(5)
    dna[2] = dna[4] = dna[0]
    sketches = sketch(dna)
    assert most_similar(sketches, np.array([0, 1]), np.array([2, 3, 4]))[0].tolist() == [2, -1]
    best, part = most_similar(sketches, np.array([0, 1]), np.array([], int))
    assert best.tolist() == [-1, -1] and part.tolist() == [0, 0]
    assert [len(found) for found in most_similar(sketches, np.array([], int), np.array([1]))] == [0, 0]


def test_many_blocks_are_as_one(monkeypatch):
    dna = unrelated(30)
    dna[20:] = differing(dna[:10], 0.02, np.random.default_rng(1))
    rows = np.arange(30)
    whole = most_similar(sketch(dna), rows[:20], rows[20:])
    assert whole[0].tolist() == [*range(20, 30), *[-1] * 10]
    monkeypatch.setattr("wakawaka.splits.similarity.BLOCK", 7)
    for found, expected in zip(most_similar(sketch(dna), rows[:20], rows[20:]), whole, strict=True):
        assert np.array_equal(found, expected)


def test_repeats_alone_make_windows_far_less_similar_than_paralogues():
    """Each window of 10 kb has three copies of a repeat of 300 bp, in which a tenth of the bases differ."""
    rng = np.random.default_rng(3)
    dna, repeat = unrelated(60, 10_000), rng.integers(0, 4, 300).astype(np.uint8)
    for window in dna:
        for start in (500, 4000, 8000):
            window[start : start + 300] = differing(repeat, 0.1, rng)
    part = most_similar(sketch(dna), np.arange(30), np.arange(30, 60))[1]
    assert (part > 0).mean() > 0.9 and part.max() < 0.06


# Near-identical windows


@pytest.mark.parametrize(("different", "found"), [(0, True), (0.003, True), (0.02, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_near_identical_windows_are_found_on_either_strand(different, found, turned):
    dna = unrelated(5, 10_000)
    dna[3] = differing(dna[1], different, np.random.default_rng(2))
    if turned:
        dna[3] = reverse_complement(dna[3])
    assert (containment(dna[1], dna[3])[0] >= NEAR_IDENTICAL) == found
    assert near_identical_pairs(sketch(dna)) == ([(1, 3)] if found else [])


@pytest.mark.parametrize("cut", [0, 1])
def test_a_window_that_is_wholly_in_another_is_found_in_either_order(cut):
    dna = unrelated(2)
    dna[1] = dna[0]
    # At the end of a chromosome.
    dna[cut, 1000:] = N
    assert near_identical_pairs(sketch(dna)) == [(0, 1)]


# The table


def test_the_table_has_a_row_for_every_held_out_gene_of_every_run():
    dna = unrelated(5)
    dna[4] = dna[0]
    dna[3, 20:] = N
    genes = np.array(["a", "b", "c", "d", "e"])
    masks = np.array([[1, 0, 0, 0, 0], [0, 1, 1, 0, 1], [0, 1, 0, 1, 0], [1, 0, 1, 0, 1]], bool)
    table = similarity_table(
        sketch(dna), genes, {"final": masks[:2], "fold-1": masks[2:], "fold-2": masks[[0, 2]] & False}
    )
    assert table.columns.tolist() == ["run", "gene_id", "similar_to", "similarity"]
    assert table.astype(object).fillna("-").to_numpy().tolist() == [
        ["final", "a", "e", 1.0],
        ["fold-1", "b", "-", 0.0],
        ["fold-1", "d", "-", "-"],
    ]
    assert similarity_table(None, genes, {"final": masks[:2]}).empty

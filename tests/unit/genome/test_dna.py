"""DNA as integer codes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wakawaka.genome.dna import INVALID, decode, encode, one_hot, reverse_complement

quick = settings(max_examples=100, deadline=None, database=None, derandomize=True)
SEQUENCES = st.text("ACGTN", max_size=50)
COMPLEMENT = {"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}


def test_encode():
    codes = encode("ACGTNacgtn")
    assert codes.dtype == np.uint8
    assert codes.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    assert encode(b"TA").tolist() == [3, 0]
    assert encode("").shape == (0,)


def test_every_other_letter_is_invalid():
    others = [chr(code) for code in range(256) if chr(code) not in "ACGTNacgtn"] + [
        "Ω",
        "\N{CJK UNIFIED IDEOGRAPH-4E00}",
    ]
    assert encode("".join(others)).tolist() == [INVALID] * len(others)


@quick
@given(SEQUENCES)
def test_decode_undoes_encode(sequence):
    assert decode(encode(sequence)) == sequence
    assert decode(encode(sequence.lower())) == sequence


@quick
@given(SEQUENCES)
def test_reverse_complement(sequence):
    codes = encode(sequence)
    found = reverse_complement(codes)
    assert decode(found) == "".join(COMPLEMENT[letter] for letter in reversed(sequence))
    assert np.array_equal(reverse_complement(found), codes)


def test_reverse_complement_of_many_turns_positions_and_not_genes():
    found = reverse_complement(np.stack([encode("AACGN"), encode("TTTTC")]))
    assert [decode(row) for row in found] == ["NCGTT", "GAAAA"]


def test_one_hot():
    found = one_hot(encode("TNA"))
    assert found.dtype == np.float32
    assert found.tolist() == [[0, 0, 0, 1], [0, 0, 0, 0], [1, 0, 0, 0]]

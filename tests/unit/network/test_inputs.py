"""The inputs of a network, made from a store."""

import numpy as np
import pytest

from helpers.forms import TINY
from helpers.networks import convolution, small_spec
from wakawaka.network.inputs import in_order, kmer_index_of, model_inputs, visible_dna
from wakawaka.network.kmer_kernels import LARGEST_POOL, index_kmers


def test_unknown_bases_are_zero_rows():
    _, dna = model_inputs(TINY, ["histone", "dna"], np.array([0]), np.array([0]))
    codes = TINY.dna[0]
    assert (dna[0][codes == 4] == 0).all()
    assert (dna[0][codes != 4].sum(axis=1) == 1).all()
    assert (dna[0].argmax(axis=1)[codes != 4] == codes[codes != 4]).all()


@pytest.mark.parametrize("crop", [None, 60])
def test_the_visible_dna_is_the_centre_of_the_windows(crop):
    expected = TINY.dna[:, 20:80] if crop else TINY.dna
    assert np.array_equal(visible_dna(TINY, small_spec(dna={"crop": crop})), expected)


def test_the_kmer_index_is_that_of_the_visible_dna():
    found = kmer_index_of(TINY, small_spec(dna={"crop": 60}), ["dna"])
    expected = index_kmers(TINY.dna[:, 20:80], 6)
    assert np.array_equal(found.index, expected.index) and np.array_equal(found.kmers, expected.kmers)


@pytest.mark.parametrize(
    ("dna", "modules"),
    [({}, ["histone"]), ({"convolutions": []}, ["dna"]), ({"convolutions": [convolution(3, 6, "relu", LARGEST_POOL + 1)]}, ["dna"])],
)  # fmt: skip
def test_there_is_no_kmer_index_without_a_convolution_that_can_use_it(dna, modules):
    assert kmer_index_of(TINY, small_spec(dna=dna), modules) is None


def test_there_is_no_kmer_index_on_a_gpu(monkeypatch):
    monkeypatch.setattr("wakawaka.network.inputs.has_gpu", lambda: True)
    assert kmer_index_of(TINY, small_spec(), ["dna"]) is None


def test_modules_are_in_the_order_of_the_inputs():
    assert in_order(["dna", "histone"]) == ["histone", "dna"] and in_order(["dna"]) == ["dna"]

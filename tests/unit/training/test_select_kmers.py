"""The selection of k-mers for fixed filters: a motif that occurs once is found, and chance is not."""

import keras
import numpy as np
import pytest

from helpers.stores import info_of, store_with
from wakawaka.genome.dna import N, decode, encode, one_hot
from wakawaka.network.build import build_model
from wakawaka.training.select_kmers import _kmer_numbers, _sums, residual_targets, select_kmers, set_filters

GENES, LENGTH = 400, 2000
MOTIF = "TGAACGCG"


def planted(seed=1, motif=MOTIF, effect=2.0):
    """Return random sequences, half of them with the motif once, and values that are its effect plus noise."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 4, (GENES, LENGTH)).astype(np.uint8)
    codes[rng.random(codes.shape) < 0.01] = N
    carrier = rng.random(GENES) < 0.5
    for gene in np.flatnonzero(carrier):
        start = rng.integers(0, LENGTH - len(motif))
        codes[gene, start : start + len(motif)] = encode(motif)
    return codes, effect * carrier + rng.normal(size=GENES)


def test_a_motif_that_each_window_holds_once_is_found_and_nothing_else():
    codes, values = planted()
    assert [decode(kmer) for kmer in select_kmers(codes, values, 8, 8, 5, 1)] == [MOTIF]


@pytest.mark.parametrize("longest", [8, 9, 10, 14])
def test_a_kmer_is_extended_to_the_whole_motif_and_no_further(longest):
    """What the k-mer explains is regressed out before its neighbours are tested."""
    codes, values = planted(motif="TGAACGCGAC")
    (kmer,) = (decode(kmer) for kmer in select_kmers(codes, values, 8, longest, 5, 1))
    assert len(kmer) == min(longest, 10) and kmer in "TGAACGCGAC"


def test_a_kmer_at_the_ends_of_the_window_is_not_extended_beyond_them():
    codes = np.full((40, 8), N, np.uint8)
    codes[::2] = encode(MOTIF)
    values = np.arange(40) % 2 * -1.0 + np.random.default_rng(1).normal(size=40) / 10
    assert [decode(kmer) for kmer in select_kmers(codes, values, 8, 12, 5, 1)] == [MOTIF]


NOISE = {
    "normal": lambda rng: rng.normal(size=GENES),
    "long tail": lambda rng: rng.lognormal(0, 2, GENES),
    "rare labels": lambda rng: (rng.random(GENES) < 0.02).astype(float),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", NOISE)
def test_no_kmer_is_selected_on_noise(name, seed):
    """Each has a chance of 1 in 20 that one is selected; with these seeds none is."""
    codes, _ = planted(seed)
    values = NOISE[name](np.random.default_rng(seed + 10))
    assert select_kmers(codes, values, 8, 12, 5, 1) == []


def test_no_other_kmer_is_selected_after_a_strong_motif():
    """The residuals of values with a long tail have one too. Without normal scores, 10 of these 15 selections had other k-mers."""
    with_others = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        codes = rng.integers(0, 4, (70, 400)).astype(np.uint8)
        carrier = rng.random(70) < 0.5
        codes[carrier, 100:108] = encode(MOTIF)
        kmers = select_kmers(codes, 2.0 * carrier + rng.exponential(size=70), 8, 12, 16, seed)
        with_others += any(MOTIF[:6] not in decode(kmer) and MOTIF[2:] not in decode(kmer) for kmer in kmers)
    # One in 20 each: more than 3 of 15 would be a chance of 1 in 200.
    assert with_others <= 3


def test_nothing_is_selected_with_two_genes():
    """A k-mer that one of them has correlates equally with both orders, apart from rounding."""
    codes = np.random.default_rng(1).integers(0, 4, (2, 300)).astype(np.uint8)
    assert select_kmers(codes, np.array([0.1, 1.7]), 8, 12, 16, 1) == []


def test_a_kmer_that_lowers_the_value_is_found_too():
    codes, values = planted(effect=-2.0)
    assert decode(select_kmers(codes, values, 8, 8, 1, 1)[0]) == MOTIF


def test_no_more_kmers_than_asked_for():
    codes, other = planted()[0], planted(2, "CCATTGGA")[0]
    together = np.concatenate([codes, other], axis=1)
    first, second = (contains(together, kmer) for kmer in (MOTIF, "CCATTGGA"))
    values = 3.0 * first + 2.0 * second
    assert [decode(kmer) for kmer in select_kmers(together, values, 8, 8, 2, 1)] == [MOTIF, "CCATTGGA"]
    assert [decode(kmer) for kmer in select_kmers(together, values, 8, 8, 1, 1)] == [MOTIF]


def contains(codes, kmer):
    return np.array([kmer in decode(sequence) for sequence in codes])


def test_kmers_with_n_have_no_number():
    index = _kmer_numbers(np.array([[0, 1, N, 3, 2, 0]], np.uint8), 2)
    assert index.tolist() == [[1, -1, -1, 14, 8]]


def test_a_kmer_counts_once_per_gene():
    index = np.array([[3, 3, -1], [3, 1, 1]], np.int32)
    genes, sums = _sums(index, np.array([0.5, 2.0]), 4)
    assert genes.tolist() == [0, 1, 0, 2] and sums.tolist() == [0, 2, 0, 2.5]


@pytest.fixture
def store():
    """A store of two cells, whose marks explain the targets of all genes apart from what is added."""
    marks = np.random.default_rng(1).normal(size=(2, 200, 4, 1)).astype(np.float32)
    info = info_of(2, 200, bins=4, marks=["a"], scale="signal")
    return store_with(cells=np.array(["a", "b"]), info=info, histone=marks)


def test_what_marks_explain_is_subtracted(store):
    extra = np.random.default_rng(2).normal(size=200)
    truth = 3 * store.histone[..., 1, 0] - 2 * store.histone[..., 3, 0] + extra
    trained = np.ones((2, 200), bool)
    # Not trained on, so not looked at.
    truth[0, :50], trained[0, :50] = np.nan, False
    trained[:, 199] = False
    genes, values = residual_targets(store, truth, trained, ["histone", "dna"])
    assert np.array_equal(genes, np.arange(199))
    # Five weights of 199 values are fitted to what was added as well.
    assert np.corrcoef(values, extra[:199])[0, 1] > 0.97


def test_only_the_mean_is_subtracted_without_marks(store):
    truth = np.random.default_rng(2).normal(size=(2, 200))
    values = residual_targets(store, truth, np.ones((2, 200), bool), ["dna"])[1]
    assert values == pytest.approx(truth.mean(axis=0) - truth.mean())


def test_filters_respond_to_their_kmers_alone():
    spec = {
        "convolutions": [{"filters": 3, "kernel_size": 12, "activation": "relu", "pool_size": 1}],
        "dropout": 0,
        "dense": [],
    }
    spec = {"dna": spec | {"global_pooling": "max"}, "joint": {"dense": [], "dropout": 0}, "negative_slope": 0.05}
    network = build_model(spec, modules=["dna"], marks=0, bins=1, window=40)
    set_filters(network.get_layer("dna_convolution_1"), [encode(MOTIF), encode("CCATTGGA")])
    features = keras.Model(network.inputs, network.get_layer("dna_features").output)
    sequences = ["A" * 10 + text + "A" * 22 for text in (MOTIF, "CCATTGGA", "TGAACGCC")]
    responses = features.predict_on_batch(one_hot(np.stack([encode(sequence) for sequence in sequences])))
    # A filter without a k-mer is zero.
    assert responses.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0]]


def test_all_filters_are_zero_without_kmers():
    layer = keras.layers.Conv1D(2, 6)
    layer.build((None, 40, 4))
    set_filters(layer, [])
    assert not any(weight.any() for weight in layer.get_weights())

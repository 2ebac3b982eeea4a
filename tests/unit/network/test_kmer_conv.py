"""The convolution that looks k-mers up, against the layers of Keras that it replaces."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers.stores import store_with
from wakawaka.genome.dna import N, one_hot
from wakawaka.network.build import build_model, copy_weights
from wakawaka.network.inputs import kmer_index_of
from wakawaka.network.kmer_conv import KmerConv1D
from wakawaka.network.kmer_kernels import index_kmers

# Relative rounding of a float32.
EPSILON = float(np.finfo(np.float32).eps)


def random_codes(rng, genes, length):
    """Sequences with single Ns, with a run of them that fills whole windows, and one of nothing else."""
    codes = rng.integers(0, 4, (genes, length)).astype(np.uint8)
    codes[rng.random((genes, length)) < 0.03] = N
    codes[genes // 2, length // 4 : length // 2] = codes[-1] = N
    return codes


def activation_of(name):
    return "relu" if name == "relu" else keras.layers.LeakyReLU(negative_slope=0.05)


class Pair:
    """The layer, and Conv1D, activation and MaxPooling1D with the same weights, on the same sequences."""

    def __init__(self, width=6, filters=20, activation="relu", pool=8, length=100, samples=5):
        rng = np.random.default_rng(width + filters)
        codes = random_codes(rng, samples, length)
        kmer_index = index_kmers(codes, width)
        self.index, self.one_hot = kmer_index.index, one_hot(codes)
        settings = {"pool_size": pool, "kmer_index": kmer_index, "activation": activation_of(activation)}
        self.fast = KmerConv1D(filters, width, **settings)
        convolution = keras.layers.Conv1D(filters, width, activation=activation_of(activation))
        self.plain = keras.Sequential([convolution, keras.layers.MaxPooling1D(pool)] if pool > 1 else [convolution])
        self.fast.build(self.index.shape)
        self.plain.build(self.one_hot.shape)
        self.weights = [rng.normal(0, 0.3, weight.shape).astype(np.float32) for weight in self.fast.weights]
        self.fast.kernel.assign(self.weights[0])
        self.fast.bias.assign(self.weights[1])
        self.plain.set_weights(self.weights)
        windows = (length - width + 1) // pool
        self.upstream = rng.normal(size=(samples, windows, filters)).astype(np.float32)

    def results(self, layer, inputs, weights):
        """The outputs, and the gradients of the kernel and the bias."""
        with tf.GradientTape() as tape:
            output = layer(inputs)
            loss = tf.reduce_sum(output * self.upstream)
        return [output.numpy(), *(gradient.numpy() for gradient in tape.gradient(loss, weights))]

    def check(self):
        output, *gradients = self.results(self.fast, self.index, [self.fast.kernel, self.fast.bias])
        expected, *others = self.results(self.plain, self.one_hot, self.plain.trainable_weights)
        assert output.shape == expected.shape == self.upstream.shape
        # An output is a sum of width + 1 float32, each at most as large as the largest weight: twice what adding them up may lose.
        kernel, bias = self.weights
        largest = np.abs(kernel).max(axis=1).sum(axis=0) + np.abs(bias)
        assert (np.abs(output - expected) <= 2 * (len(kernel) + 1) * EPSILON * largest).all()
        assert expected.std() > 0.1
        # A gradient is a sum of a float32 for each window or less.
        count = self.upstream[..., 0].size
        lost = count * EPSILON * np.abs(self.upstream).sum(axis=(0, 1))
        for gradient, other in zip(gradients, others, strict=True):
            assert (np.abs(gradient - other) <= lost).all()
            assert np.abs(other).max() > 1000 * lost.max()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
@pytest.mark.parametrize("width", range(1, 13))
def test_every_width(width, activation):
    Pair(width=width, activation=activation).check()


@pytest.mark.parametrize("filters", [1, 3, 15, 16, 17, 32, 33])
def test_every_number_of_filters(filters):
    Pair(filters=filters).check()


# 95 positions for filters of width 6.
@pytest.mark.parametrize("pool", [1, 2, 5, 19, 30, 95])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_every_pool(pool, activation):
    Pair(pool=pool, activation=activation).check()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_pool_whose_places_need_more_than_eight_bits(activation):
    Pair(pool=300, length=950, activation=activation).check()


@pytest.mark.parametrize("length", range(96, 104))
def test_lengths_that_the_pool_does_not_divide(length):
    Pair(length=length, width=9).check()


def test_a_batch_of_one():
    pair = Pair()
    pair.index, pair.one_hot, pair.upstream = (array[:1] for array in (pair.index, pair.one_hot, pair.upstream))
    pair.check()


def test_samples_of_one_gene_side_by_side():
    pair = Pair()
    order = [0, 0, 0, 2, 3, 3, 0]
    pair.index, pair.one_hot = pair.index[order], pair.one_hot[order]
    pair.upstream = np.random.default_rng(1).normal(size=(7, *pair.upstream.shape[1:])).astype(np.float32)
    pair.check()


@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_where_all_is_unknown_the_bias_alone_is_left(activation):
    pair = Pair(activation=activation)
    bias = pair.weights[1]
    floor = 0.0 if activation == "relu" else np.float32(0.05) * bias
    assert np.allclose(pair.fast(pair.index)[-1], np.where(bias > 0, bias, floor), rtol=1e-6)


def test_a_step_changes_the_next_responses():
    """The table follows the weights."""
    pair = Pair()
    before = pair.fast(pair.index).numpy()
    pair.weights = [weight[::-1].copy() for weight in pair.weights]
    pair.fast.kernel.assign(pair.weights[0])
    pair.fast.bias.assign(pair.weights[1])
    pair.plain.set_weights(pair.weights)
    pair.check()
    assert not np.allclose(pair.fast(pair.index), before)


@pytest.mark.parametrize("compiled", [False, True])
def test_an_output_that_is_kept_does_not_change(compiled):
    """The memory of results is used again, but not as long as somebody holds them."""
    pair = Pair()
    call = tf.function(pair.fast) if compiled else pair.fast
    index = [np.roll(pair.index, shift, axis=1) for shift in range(12)]
    kept = [call(one) for one in index]
    flat = [tf.reshape(call(one), (-1,)) for one in index]
    views = [call(one).numpy()[1:] for one in index]
    for one, output, flattened, view in zip(index, kept, flat, views, strict=True):
        expected = Pair().fast(one).numpy()
        assert np.array_equal(output, expected)
        assert np.array_equal(flattened, expected.ravel())
        assert np.array_equal(view, expected[1:])


class TestDropout:
    def layer(self, dropout=0.5, seed=1):
        keras.utils.set_random_seed(seed)
        codes = np.random.default_rng(1).integers(0, 5, (50, 330)).astype(np.uint8)
        kmer_index = index_kmers(codes, 6)
        layer = KmerConv1D(64, 6, pool_size=8, kmer_index=kmer_index, activation="relu", dropout=dropout)
        layer.build(kmer_index.index.shape)
        # All outputs are above zero: a zero was dropped.
        layer.bias.assign(np.full(64, 9, np.float32))
        return layer, kmer_index.index

    @pytest.mark.parametrize("dropout", [0.1, 0.5])
    def test_the_rate_and_the_scale_in_training_and_none_in_prediction(self, dropout):
        layer, index = self.layer(dropout)
        whole, dropped = layer(index).numpy(), layer(index, training=True).numpy()
        kept = dropped > 0
        assert (whole > 0).all()
        assert np.allclose(dropped[kept], whole[kept] / (1 - dropout), rtol=1e-6)
        # Five standard deviations of a binomial.
        assert abs(kept.mean() - (1 - dropout)) < 5 * np.sqrt(dropout * (1 - dropout) / kept.size)
        assert np.array_equal(layer(index), whole)

    def test_every_step_drops_others(self):
        layer, index = self.layer()
        masks = [layer(index, training=True).numpy() > 0 for _ in range(3)]
        for one, other in ((0, 1), (1, 2), (0, 2)):
            agree = (masks[one] == masks[other]).mean()
            assert abs(agree - 0.5) < 5 * 0.5 / np.sqrt(masks[0].size)

    def test_the_global_seed_fixes_what_is_dropped(self):
        (one, index), (same, _), (other, _) = self.layer(), self.layer(), self.layer(seed=2)
        other.set_weights(one.get_weights())
        first = one(index, training=True).numpy()
        assert np.array_equal(first, same(index, training=True))
        assert ((first > 0) != (other(index, training=True).numpy() > 0)).mean() > 0.4

    def test_the_random_state_is_among_the_variables(self):
        layer, index = self.layer()
        before = [variable.numpy() for variable in layer.variables]
        first = layer(index, training=True).numpy()
        second = layer(index, training=True).numpy()
        for variable, array in zip(layer.variables, before, strict=True):
            variable.assign(array)
        assert np.array_equal(layer(index, training=True), first) and not np.array_equal(first, second)

    def test_the_gradient_is_that_of_keras_dropout_with_this_mask(self):
        layer, index = self.layer(0.2)
        upstream = np.random.default_rng(2).normal(size=(50, 40, 64)).astype(np.float32)
        with tf.GradientTape(persistent=True) as tape:
            dropped = layer(index, training=True)
            loss = tf.reduce_sum(dropped * upstream)
            mask = np.where(dropped.numpy() > 0, np.float32(1.25), np.float32(0))
            expected = tf.reduce_sum(layer(index) * mask * upstream)
        for weight in (layer.kernel, layer.bias):
            gradient, other = (tape.gradient(value, weight).numpy() for value in (loss, expected))
            # Sums of 2,000 float32 of the size of one, or less.
            assert np.abs(gradient - other).max() < 2000 * EPSILON * np.sqrt(2000)
            assert np.abs(other).max() > 1

    def test_only_a_relu_can_have_it(self):
        kmer_index = index_kmers(np.zeros((1, 9), np.uint8), 3)
        with pytest.raises(AssertionError):
            KmerConv1D(4, 3, pool_size=2, kmer_index=kmer_index, activation=keras.layers.LeakyReLU(), dropout=0.5)


def convolutions(*layers):
    return [dict(zip(("filters", "kernel_size", "activation", "pool_size"), layer, strict=True)) for layer in layers]


ONE = convolutions((20, 6, "relu", 8))
HISTONE = {"convolutions": convolutions((5, 3, "leaky_relu", 2)), "dropout": 0.5, "dense": [4]}
# modules, convolutions and dense layers of the DNA module
NETWORKS = {
    "both": (["histone", "dna"], ONE, [6]),
    "DNA only": (["dna"], ONE, [6]),
    "leaky": (["dna"], convolutions((20, 6, "leaky_relu", 8)), [6]),
    "two convolutions": (["histone", "dna"], convolutions((18, 9, "relu", 3), (7, 4, "leaky_relu", 2)), [6]),
    "three convolutions": (["dna"], convolutions((5, 4, "leaky_relu", 2), (7, 4, "relu", 1), (4, 3, "relu", 2)), [6]),
    "pool of one": (["dna"], convolutions((20, 12, "relu", 1)), [6]),
    "leaky, pool of one": (["dna"], convolutions((6, 5, "leaky_relu", 1)), [6]),
    "no dense layers": (["histone", "dna"], ONE, []),
    "dilated": (["dna"], [ONE[0] | {"dilation": 3}], [6]),
    "dilated parts": (["dna"], [convolutions((20, 11, "relu", 8))[0] | {"dilation": 2}], [6]),
    "padded": (["dna"], [ONE[0] | {"padding": "same"}], [6]),
    "dilated and padded": (["dna"], [convolutions((20, 9, "elu", 4))[0] | {"dilation": 5, "padding": "same"}], [6]),
    "normalised": (["dna"], [ONE[0] | {"batch_norm": True}], [6]),
    "cropped": (["dna"], ONE, [6], {"crop": 60}),
    "maxima": (["histone", "dna"], convolutions((20, 12, "relu", 10)), [6], {"global_pooling": "max"}),
    "means": (["dna"], convolutions((20, 12, "tanh", 10)), [6], {"global_pooling": "average"}),
    "two dense layers": (["dna"], ONE, [6, 5]),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_the_same_outputs_and_gradients(name):
    modules, layers, dense, *more = NETWORKS[name]
    dna = {"convolutions": layers, "dropout": 0.5, "dense": dense, **(more[0] if more else {})}
    spec = {"histone": HISTONE, "dna": dna, "joint": {"dense": [6], "dropout": 0.1}, "negative_slope": 0.05}
    length = 100 if more else 101
    sizes = {"modules": modules, "marks": 2, "bins": 20, "window": length}
    rng = np.random.default_rng(4)
    codes = random_codes(rng, 6, length)
    kmer_index = kmer_index_of(store_with(dna=codes), spec, modules)
    plain, fast = build_model(spec, **sizes), build_model(spec, **sizes, fast=True, kmer_index=kmer_index)
    assert isinstance(fast.get_layer("dna_convolution_1"), KmerConv1D)
    for weight in plain.trainable_weights:
        # The biases too are not zero.
        weight.assign(rng.normal(0, 0.3, weight.shape))
    copy_weights(plain, fast)
    histone = [rng.normal(size=(6, 20, 2)).astype(np.float32)] * ("histone" in modules)
    expected, others = outputs_and_gradients(plain, [*histone, one_hot(codes)])
    output, gradients = outputs_and_gradients(fast, [*histone, kmer_index.index])
    assert gradients.keys() == others.keys() == {weight.path for weight in plain.trainable_weights}
    # A few float32 roundings, one upon another, of the largest of these numbers.
    assert np.allclose(output, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    for path, other in others.items():
        assert np.abs(other).max() > 0
        assert np.allclose(gradients[path], other, rtol=1e-4, atol=1e-5 * np.abs(other).max()), path


@pytest.mark.parametrize(
    ("name", "in_lookup"),
    [("both", True), ("DNA only", True), ("no dense layers", True), ("pool of one", True), ("padded", True)]
    + [
        ("normalised", False),
        ("maxima", False),
        ("leaky", False),
        ("two convolutions", False),
        ("three convolutions", False),
    ],
)
def test_the_dropout_of_the_module_is_there_once(name, in_lookup):
    modules, layers, dense, *more = NETWORKS[name]
    dna = {"convolutions": layers, "dropout": 0.3, "dense": dense, **(more[0] if more else {})}
    spec = {"histone": HISTONE, "dna": dna, "joint": {"dense": [6], "dropout": 0.1}, "negative_slope": 0.05}
    kmer_index = kmer_index_of(store_with(dna=np.zeros((1, 101), np.uint8)), spec, modules)
    network = build_model(spec, modules=modules, marks=2, bins=20, window=101, fast=True, kmer_index=kmer_index)
    behind = network.get_layer("dna_dropout" if dense else "dna_features").rate
    assert (network.get_layer("dna_convolution_1").dropout, behind) == ((0.3, 0.0) if in_lookup else (0.0, 0.3))


def outputs_and_gradients(model, inputs):
    with tf.GradientTape() as tape:
        output = model(inputs, training=False)
        loss = tf.reduce_mean(output**2)
    weights = model.trainable_weights
    gradients = tape.gradient(loss, weights)
    paths = [weight.path for weight in weights]
    return output.numpy(), {path: gradient.numpy() for path, gradient in zip(paths, gradients, strict=True)}

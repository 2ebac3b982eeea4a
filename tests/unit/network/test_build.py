"""The network and its forms for training."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml

from helpers.forms import FORMS, SIZES, SMALL, TINY, build, settings
from helpers.networks import small_spec
from wakawaka.config.check import check_config
from wakawaka.genome.dna import one_hot
from wakawaka.network.build import build_model, copy_weights, is_binary, logits_model
from wakawaka.network.inference import Predictor
from wakawaka.network.inputs import model_inputs

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
REPORT = check_config({}, yaml.safe_load(SCHEMA.read_text()))["models"]["wakawaka"]


@pytest.mark.parametrize("form", FORMS)
def test_the_reports_model_has_its_number_of_parameters(form):
    sizes = {"marks": 5, "bins": 100, "window": 10000}
    codes = np.random.default_rng(1).integers(0, 5, (2, 10000)).astype(np.uint8)
    model = build_model(REPORT, modules=["histone", "dna"], **sizes, **settings(form, codes, 6))
    assert model.count_params() == 3_428_653
    assert model.get_layer("dna_flatten").output.shape == (None, 41184)


def test_the_reports_layers():
    model = build_model(REPORT, modules=["histone", "dna"], marks=5, bins=100, window=10000)
    shapes = {layer.name: layer.output.shape[1:] for layer in model.layers}
    assert shapes["histone_convolution_1"] == (91, 50)
    assert shapes["histone_convolution_2"] == (14, 50)
    assert shapes["histone_flatten"] == (200,)
    assert shapes["dna_convolution_1"] == (9995, 132)
    assert shapes["dna_flatten"] == (41184,)
    assert shapes["histone_features"] == shapes["dna_features"] == (82,)
    rates = [layer.rate for layer in model.layers if isinstance(layer, keras.layers.Dropout)]
    assert sorted(rates) == [0.1, 0.5, 0.5]
    slopes = {layer.negative_slope for layer in model.layers if isinstance(layer, keras.layers.LeakyReLU)}
    assert slopes == {0.05}


@pytest.mark.parametrize("form", ["fast", "lookup"])
def test_the_training_form_has_the_same_outputs_and_gradients(form):
    def outputs_and_gradients(model, form):
        kmer_index = settings(form, TINY.dna, 6)["kmer_index"]
        inputs = model_inputs(TINY, ["histone", "dna"], np.array([0, 1, 2]), np.array([3, 0, 1]), kmer_index)
        with tf.GradientTape() as tape:
            output = model(inputs, training=False)
            loss = tf.reduce_mean(output**2)
        gradients = tape.gradient(loss, model.trainable_weights)
        paths = [weight.path for weight in model.trainable_weights]
        return output.numpy(), {path: gradient.numpy() for path, gradient in zip(paths, gradients, strict=True)}

    plain, other = build(), build(form=form)
    copy_weights(plain, other)
    expected, gradients = outputs_and_gradients(plain, "plain")
    output, others = outputs_and_gradients(other, form)
    # Sums of float32 in another order, where k-mers are looked up.
    assert np.array_equal(output, expected) if form == "fast" else np.allclose(output, expected, rtol=1e-5, atol=1e-6)
    assert gradients.keys() == others.keys()
    for path, gradient in gradients.items():
        assert np.abs(gradient).max() > 0
        # Sums of float32 in another order.
        assert np.allclose(gradient, others[path], rtol=1e-4, atol=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize("form", FORMS)
def test_a_binary_network_predicts_probabilities_of_its_log_odds(form):
    store, value, binary = TINY, build(), build(form=form, seed=4, binary=True)
    assert is_binary(binary) and not is_binary(value)
    assert logits_model(value) is value
    copy_weights(value, binary)
    plain = build(seed=5, binary=True)
    copy_weights(binary, plain)
    cells, genes = np.indices((3, 4)).reshape(2, -1)
    inputs = model_inputs(store, ["histone", "dna"], cells, genes)
    odds = value.predict_on_batch(inputs)
    assert np.array_equal(logits_model(plain).predict_on_batch(inputs), odds)
    expected = 1 / (1 + np.exp(-odds.astype(np.float64)))
    assert expected.std() > 0 and np.allclose(plain.predict_on_batch(inputs), expected, rtol=1e-5)
    kmer_index = settings(form, store.dna, 6)["kmer_index"]
    predicted = Predictor(binary, ["histone", "dna"], kmer_index)(store, np.ones((3, 4), bool))
    assert np.allclose(predicted.ravel(), expected[:, 0], rtol=1e-5)


def test_dense_layers_may_be_left_out():
    spec = {**SMALL, "histone": {**SMALL["histone"], "dense": []}, "joint": {"dense": [], "dropout": 0.0}}
    model = build_model(spec, modules=["histone"], **SIZES)
    assert model.get_layer("histone_features").output.shape == (None, 27)
    assert model.output.shape == (None, 1)


def convolutions(*layers):
    return [dict(zip(("filters", "kernel_size", "activation", "pool_size"), layer, strict=True)) for layer in layers]


# In several of these, Keras lists the layers of a network and of its training form in different orders. In the first, shapes are equal.
SPECS = {
    "equal shapes": {"histone": convolutions((3, 6, "relu", 2)), "dna": convolutions((3, 6, "leaky_relu", 2))},
    "DNA without pooling": {"histone": convolutions((3, 3, "relu", 2)), "dna": convolutions((3, 6, "relu", 1))},
    "two and one": {
        "histone": convolutions((3, 3, "leaky_relu", 2), (2, 3, "leaky_relu", 2)),
        "dna": convolutions((5, 6, "relu", 8)),
    },
    "one and two": {
        "histone": convolutions((3, 3, "relu", 1)),
        "dna": convolutions((5, 6, "leaky_relu", 4), (4, 3, "relu", 2)),
    },
}


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize("dense", [[], [4], [4, 3]])
@pytest.mark.parametrize("form", ["fast", "lookup"])
def test_what_is_saved_is_what_was_trained(name, dense, form):
    spec = {**SMALL, "histone": {**SMALL["histone"], "convolutions": SPECS[name]["histone"], "dense": dense}}
    spec["dna"] = {**SMALL["dna"], "convolutions": SPECS[name]["dna"]}
    sizes = {"modules": ["histone", "dna"], "marks": 4, "bins": 20, "window": 100}
    keras.utils.set_random_seed(5)
    rng = np.random.default_rng(6)
    codes = rng.integers(0, 5, (3, 100)).astype(np.uint8)
    form = settings(form, codes, spec["dna"]["convolutions"][0]["kernel_size"])
    trained, saved = build_model(spec, **sizes, **form), build_model(spec, **sizes)
    histone = rng.normal(size=(3, 20, 4)).astype(np.float32)
    dna = form["kmer_index"].index if form["kmer_index"] else one_hot(codes)
    # One step, so that biases are not zero.
    trained.compile("sgd", "mse")
    trained.train_on_batch([histone, dna], rng.normal(size=(3, 1)))
    expected = trained.predict_on_batch([histone, dna])
    assert not np.allclose(saved.predict_on_batch([histone, one_hot(codes)]), expected, rtol=1e-3)
    copy_weights(trained, saved)
    assert np.allclose(saved.predict_on_batch([histone, one_hot(codes)]), expected, rtol=1e-5, atol=1e-6)


def test_averaged_bins_and_a_global_average_are_different_layers():
    spec = small_spec(histone={"bin_average": 2, "global_pooling": "average"})
    model = build_model(spec, modules=["histone"], **SIZES)
    assert model.get_layer("histone_average").output.shape == (None, 10, 2)
    assert model.get_layer("histone_mean").output.shape == (None, 3)

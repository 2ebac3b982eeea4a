"""The network, its forms for training, and prediction with the DNA branch once per gene."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
import yaml

from wakawaka.config.check import check_config
from wakawaka.core.errors import InputError
from wakawaka.genome.dna import one_hot
from wakawaka.network import inference
from wakawaka.network.build import before_sigmoid, build_model, copy_weights, is_binary, load_model, model_inputs
from wakawaka.network.inference import Predictor
from wakawaka.network.kmer_kernels import find_words

SCHEMA = Path(__file__).parents[3] / "workflow/schemas/config.schema.yaml"
REPORT = check_config({}, yaml.safe_load(SCHEMA.read_text()))["models"]["wakawaka"]
SMALL = {
    "histone": {
        "convolutions": [{"filters": 3, "width": 3, "activation": "leaky_relu", "pool": 2}],
        "dropout": 0.5,
        "dense": [4],
    },
    "dna": {
        "convolutions": [{"filters": 5, "width": 6, "activation": "relu", "pool": 8}],
        "dropout": 0.5,
        "dense": [4],
    },
    "joint": {"dense": [6], "dropout": 0.1},
    "leaky_slope": 0.05,
}
SIZES = {"marks": 2, "bins": 20, "window": 100}


class TinyStore:
    """Three cells and four genes of random counts and bases."""

    genes = np.array(list("abcd"))
    rng = np.random.default_rng(1)
    counts = rng.random((3, 4, 20, 2)).astype(np.float32)
    dna = rng.integers(0, 5, (4, 100)).astype(np.uint8)

    def histone_input(self, cells, genes):
        return self.counts[cells, genes]


# What is saved, fused layers and what a CPU trains; the last two for DNA without and with lookups.
FORMS = ["plain", "fast", "lookup"]


def settings(form, codes, width):
    """The arguments of `build_model` that make a form."""
    return {"fast": form != "plain", "words": find_words(codes, width) if form == "lookup" else None}


def build(modules=("histone", "dna"), form="plain", seed=3, binary=False):
    keras.utils.set_random_seed(seed)
    return build_model(SMALL, modules=list(modules), **SIZES, binary=binary, **settings(form, TinyStore.dna, 6))


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
        words = settings(form, TinyStore.dna, 6)["words"]
        inputs = model_inputs(TinyStore(), ["histone", "dna"], np.array([0, 1, 2]), np.array([3, 0, 1]), words)
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
    # Sums of float32 in another order, where words are looked up.
    assert np.array_equal(output, expected) if form == "fast" else np.allclose(output, expected, rtol=1e-5, atol=1e-6)
    assert gradients.keys() == others.keys()
    for path, gradient in gradients.items():
        assert np.abs(gradient).max() > 0
        # Sums of float32 in another order.
        assert np.allclose(gradient, others[path], rtol=1e-4, atol=1e-6 * np.abs(gradient).max())


@pytest.mark.parametrize("modules", [("histone", "dna"), ("histone",), ("dna",)])
@pytest.mark.parametrize("form", FORMS)
def test_prediction_by_gene_equals_prediction_by_sample(modules, form):
    store, plain, model = TinyStore(), build(modules), build(modules, form, seed=4)
    copy_weights(plain, model)
    wanted = np.array([[1, 0, 1, 0], [0, 0, 1, 1], [1, 0, 0, 0]], bool)
    predicted = Predictor(model, modules, settings(form, store.dna, 6)["words"])(store, wanted)
    cells, genes = np.nonzero(wanted)
    expected = plain.predict_on_batch(model_inputs(store, modules, cells, genes))[:, 0]
    assert np.allclose(predicted[wanted], expected, rtol=1e-5, atol=1e-6)
    assert np.isnan(predicted[~wanted]).all()
    assert expected.std() > 0


@pytest.mark.parametrize("form", FORMS)
def test_a_binary_network_predicts_probabilities_of_its_log_odds(form):
    store, value, binary = TinyStore(), build(), build(form=form, seed=4, binary=True)
    assert is_binary(binary) and not is_binary(value)
    assert before_sigmoid(value) is value
    copy_weights(value, binary)
    plain = build(seed=5, binary=True)
    copy_weights(binary, plain)
    cells, genes = np.indices((3, 4)).reshape(2, -1)
    inputs = model_inputs(store, ["histone", "dna"], cells, genes)
    odds = value.predict_on_batch(inputs)
    assert np.array_equal(before_sigmoid(plain).predict_on_batch(inputs), odds)
    expected = 1 / (1 + np.exp(-odds.astype(np.float64)))
    assert expected.std() > 0 and np.allclose(plain.predict_on_batch(inputs), expected, rtol=1e-5)
    words = settings(form, store.dna, 6)["words"]
    predicted = Predictor(binary, ["histone", "dna"], words)(store, np.ones((3, 4), bool))
    assert np.allclose(predicted.ravel(), expected[:, 0], rtol=1e-5)


def test_prediction_does_not_depend_on_the_size_of_batches(monkeypatch):
    store, model = TinyStore(), build()
    wanted = np.ones((3, 4), bool)
    whole = Predictor(model, ["histone", "dna"])(store, wanted)
    monkeypatch.setattr("wakawaka.network.inference.GENES_PER_BATCH", 3)
    monkeypatch.setattr("wakawaka.network.inference.SAMPLES_PER_BATCH", 5)
    assert np.allclose(Predictor(model, ["histone", "dna"])(store, wanted), whole, rtol=1e-5, atol=1e-6)


def test_unknown_bases_are_zero_rows():
    _, dna = model_inputs(TinyStore(), ["histone", "dna"], np.array([0]), np.array([0]))
    codes = TinyStore.dna[0]
    assert (dna[0][codes == 4] == 0).all()
    assert (dna[0][codes != 4].sum(axis=1) == 1).all()
    assert (dna[0].argmax(axis=1)[codes != 4] == codes[codes != 4]).all()


def test_dense_layers_may_be_left_out():
    spec = {**SMALL, "histone": {**SMALL["histone"], "dense": []}, "joint": {"dense": [], "dropout": 0.0}}
    model = build_model(spec, modules=["histone"], **SIZES)
    assert model.get_layer("histone_features").output.shape == (None, 27)
    assert model.output.shape == (None, 1)


def test_a_saved_model_is_loaded_without_running_code(tmp_path):
    """A model with code inside, as a hostile file might hold, is refused."""
    inputs = keras.Input((2,))
    hostile = keras.Model(inputs, keras.layers.Lambda(lambda x: x * 2)(inputs))
    hostile.save(tmp_path / "hostile.keras")
    with pytest.raises(InputError, match="hostile.keras: the model cannot be read: .*([Ll]ambda|unsafe)"):
        load_model(tmp_path / "hostile.keras")


@pytest.mark.parametrize("damage", ["empty", "half", "text", "byte"])
def test_a_damaged_model_is_refused_in_a_sentence(tmp_path, damage):
    path = tmp_path / "model.keras"
    build().save(path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    damaged = {"empty": b"", "half": content[: len(content) // 2], "text": b"not a model", "byte": content}
    path.write_bytes(damaged[damage])
    with pytest.raises(
        InputError, match="model.keras: the model cannot be read: the file is damaged or of another kind"
    ):
        load_model(path)


def test_genes_in_blocks_are_predicted_as_all_at_once(monkeypatch):
    store, wanted = TinyStore(), np.ones((3, 4), bool)
    wanted[1, 2] = False
    model = build()
    whole = Predictor(model, ["histone", "dna"])(store, wanted)
    # Two genes at a time, one sample.
    monkeypatch.setattr(inference, "FEATURES", 8)
    blocks = Predictor(model, ["histone", "dna"])(store, wanted)
    assert np.isnan(blocks[1, 2]) and np.isnan(blocks).sum() == 1
    assert np.allclose(blocks, whole, rtol=1e-5, atol=1e-6, equal_nan=True)


def convolutions(*layers):
    return [dict(zip(("filters", "width", "activation", "pool"), layer, strict=True)) for layer in layers]


# In several of these Keras lists the layers of a network and of its training form in another order; in the first, shapes do not tell.
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
    form = settings(form, codes, spec["dna"]["convolutions"][0]["width"])
    trained, saved = build_model(spec, **sizes, **form), build_model(spec, **sizes)
    histone = rng.normal(size=(3, 20, 4)).astype(np.float32)
    dna = form["words"].index if form["words"] else one_hot(codes)
    # One step, so that biases are not zero.
    trained.compile("sgd", "mse")
    trained.train_on_batch([histone, dna], rng.normal(size=(3, 1)))
    expected = trained.predict_on_batch([histone, dna])
    assert not np.allclose(saved.predict_on_batch([histone, one_hot(codes)]), expected, rtol=1e-3)
    copy_weights(trained, saved)
    assert np.allclose(saved.predict_on_batch([histone, one_hot(codes)]), expected, rtol=1e-5, atol=1e-6)

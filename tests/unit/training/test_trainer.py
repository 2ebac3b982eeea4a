"""Training steps against plain Keras, and the state that they depend on."""

import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import roc_auc_score

from helpers.networks import without_dropout
from helpers.stores import store_with
from wakawaka.genome.dna import one_hot
from wakawaka.network.build import build_model, copy_weights
from wakawaka.network.inputs import kmer_index_of
from wakawaka.network.kmer_conv import KmerConv1D
from wakawaka.network.kmer_kernels import LARGEST_POOL
from wakawaka.network.saved_model import load_model
from wakawaka.training.trainer import Trainer

LEARNING_RATE = 0.0005
SPEC = {
    "histone": {
        "convolutions": [
            {"filters": 10, "kernel_size": 10, "activation": "leaky_relu", "pool_size": 5},
            {"filters": 10, "kernel_size": 5, "activation": "leaky_relu", "pool_size": 3},
        ],
        "dropout": 0.5,
        "dense": [12],
    },
    "dna": {
        "convolutions": [{"filters": 40, "kernel_size": 6, "activation": "relu", "pool_size": 8}],
        "dropout": 0.5,
        "dense": [12],
    },
    "joint": {"dense": [20], "dropout": 0.1},
    "negative_slope": 0.05,
}


@pytest.fixture(scope="module", autouse=True)
def _equal_bits():
    """As `backend.use_threads` sets it, which must not be called once TensorFlow has computed something."""
    tf.config.experimental.enable_op_determinism()


class Data:
    """Random samples of a few genes, and a target that depends on marks and bases."""

    def __init__(
        self, samples=200, genes=20, window=400, bins=100, modules=("histone", "dna"), spec=SPEC, binary=False
    ):
        rng = np.random.default_rng(1)
        self.spec, self.modules = spec, list(modules)
        self.sizes = {"marks": 2, "bins": bins, "window": window}
        self.dna = rng.integers(0, 4, (genes, window)).astype(np.uint8)
        self.dna[rng.random(self.dna.shape) < 0.01] = 4
        self.kmer_index = kmer_index_of(store_with(dna=self.dna), self.spec, self.modules)
        self.histone = rng.gamma(1, 1, (samples, bins, 2)).astype(np.float32)
        self.genes = rng.integers(0, genes, samples)
        truth = self.histone[:, 40:60].mean(axis=(1, 2)) + (self.dna == 1).mean(axis=1)[self.genes] * 4 - 2
        self.binary = binary
        if binary:
            truth = truth > np.median(truth)
        self.truth = truth[:, None].astype(np.float32)

    def batch(self, numbers, plain=False):
        genes = self.genes[numbers]
        dna = one_hot(self.dna[genes]) if plain or not self.kmer_index else self.kmer_index.index[genes]
        inputs = {"histone": self.histone[numbers], "dna": dna}
        return [inputs[module] for module in self.modules], self.truth[numbers]

    def batches(self, count, size, seed=1):
        rng = np.random.default_rng(seed)
        return [rng.integers(0, len(self.genes), size) for _ in range(count)]

    def trainer(self, seed=1):
        keras.utils.set_random_seed(seed)
        return Trainer(self.spec, self.modules, self.sizes, self.kmer_index, LEARNING_RATE, self.binary)

    def losses(self, trainer, batches):
        return [loss for _, loss in trainer.steps(self.batch, batches)]

    def plain(self, trainer):
        """The network of plain Keras with the weights of the trainer's."""
        network = build_model(self.spec, modules=self.modules, **self.sizes)
        copy_weights(trainer.network, network)
        # Without a sigmoid: the output is the log odds.
        loss = keras.losses.BinaryCrossentropy(from_logits=True) if self.binary else "mse"
        network.compile(keras.optimizers.Adam(LEARNING_RATE), loss)
        return network


@pytest.fixture(scope="module")
def data():
    return Data()


@pytest.fixture(scope="module")
def compiled(data):
    """A trainer and the state it began in."""
    trainer = data.trainer()
    return trainer, trainer.state


@pytest.fixture
def trainer(compiled):
    """A trainer as new: its first step costs a second."""
    trainer, state = compiled
    trainer.state = state
    return trainer


def compare(data, batches):
    """Train both; compare the losses of all steps and the weights at the end."""
    trainer = data.trainer()
    network = data.plain(trainer)
    start = {weight.path: weight.numpy() for weight in network.weights}
    losses = data.losses(trainer, batches)
    expected = [network.train_on_batch(*data.batch(numbers, plain=True)) for numbers in batches]
    # Rounding makes less than a tenth of this; an Adam with 1 - beta_2 computed in float32 would make more.
    assert np.allclose(losses, expected, rtol=1e-5, atol=0)
    found = {weight.path: weight.numpy() for weight in trainer.network.trainable_weights}
    assert found.keys() == start.keys()
    for weight in network.weights:
        moved = np.abs(weight.numpy() - start[weight.path])
        assert moved.max() > LEARNING_RATE / 2
        # Adam divides by the gradient's own size: where that is near zero, rounding decides on the direction of a step.
        apart = np.abs(found[weight.path] - weight.numpy())
        assert apart.max() < 0.1 * moved.max() and apart.mean() < 0.001 * moved.mean()
    return losses


@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("modules", [("histone", "dna"), ("dna",)])
def test_fifty_steps_are_those_of_keras(modules, binary):
    data = Data(modules=modules, spec=without_dropout(SPEC), binary=binary)
    assert isinstance(data.trainer().network.get_layer("dna_convolution_1"), KmerConv1D)
    losses = compare(data, data.batches(50, 20))
    assert np.mean(losses[-10:]) < (0.99 if binary else 0.8) * np.mean(losses[:10])


def test_steps_at_the_size_of_the_report():
    dna = {
        **SPEC["dna"],
        "convolutions": [{"filters": 132, "kernel_size": 6, "activation": "relu", "pool_size": 32}],
        "dense": [82],
    }
    data = Data(window=10000, spec=without_dropout({**SPEC, "dna": dna}))
    compare(data, data.batches(5, 20))


class TestState:
    def test_the_same_seed_gives_the_same_bits(self, data, trainer):
        batches = data.batches(6, 20)
        other = data.trainer()
        assert data.losses(trainer, batches) == data.losses(other, batches)
        for array, same in zip(trainer.state, other.state, strict=True):
            assert np.array_equal(array, same)

    def test_going_on_from_a_state_gives_the_same_bits(self, data, trainer):
        batches = data.batches(8, 20)
        losses = data.losses(trainer, batches[:5])
        state = trainer.state
        losses += data.losses(trainer, batches[5:])
        # One that began otherwise and went another way.
        second = data.trainer(seed=2)
        assert data.losses(second, batches[:2]) != losses[:2]
        second.state = state
        assert data.losses(second, batches[5:]) == losses[5:]
        for array, same in zip(second.state, trainer.state, strict=True):
            assert np.array_equal(array, same)

    def test_every_variable_is_in_it(self, data, trainer):
        before = trainer.state
        data.losses(trainer, data.batches(2, 20))
        # The learning rate alone stays as it was.
        still = [array for array, other in zip(before, trainer.state, strict=True) if np.array_equal(array, other)]
        assert len(still) == 1 and still[0] == np.float32(LEARNING_RATE)
        # The random numbers of the lookup and of the dropouts in the histone and the joint module.
        random = [array for array in before if array.shape == (2,)]
        assert len(random) == 3
        # Each weight with its two moments; the learning rate and the number of steps.
        assert len(before) == 3 * len(trainer.network.trainable_variables) + 2 + len(random)

    def test_a_state_of_another_network_is_refused(self, trainer):
        with pytest.raises(ValueError, match="zip"):
            trainer.state = trainer.state[:-1]


def kept_whole(data, trainer):
    """The same network without dropout."""
    network = build_model(
        without_dropout(SPEC), modules=data.modules, **data.sizes, fast=True, kmer_index=data.kmer_index
    )
    copy_weights(trainer.network, network)
    return network


class TestDropout:
    def test_it_acts_in_training(self, data, trainer):
        state, batch = trainer.state, data.batches(1, 20)
        inputs, truth = data.batch(batch[0])
        whole = np.mean((kept_whole(data, trainer)(inputs, training=False) - truth) ** 2)
        (loss,) = data.losses(trainer, batch)
        trainer.state = state
        (same,) = data.losses(trainer, batch)
        assert loss == same and loss != pytest.approx(whole, rel=1e-4)
        # Other random numbers for each dropout in turn.
        for number in (number for number, array in enumerate(state) if array.shape == (2,)):
            trainer.state = [array + (place == number) for place, array in enumerate(state)]
            assert data.losses(trainer, batch) != [loss]

    def test_it_never_acts_in_prediction(self, data, trainer):
        data.losses(trainer, data.batches(3, 20))
        inputs, _ = data.batch(np.arange(20))
        state = trainer.state
        first, second = (trainer.network(inputs, training=False).numpy() for _ in range(2))
        assert np.array_equal(first, second)
        assert all(np.array_equal(array, other) for array, other in zip(trainer.state, state, strict=True))
        assert np.array_equal(kept_whole(data, trainer)(inputs, training=False), first)


def test_what_is_saved_is_standard_and_predicts_the_same(data, trainer, tmp_path):
    data.losses(trainer, data.batches(20, 20))
    trainer.standard().save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)
    names = {type(layer).__name__ for layer in loaded.layers}
    assert {"Conv1D", "MaxPooling1D", "Dropout", "Dense"} <= names
    numbers = np.arange(100)
    inputs, _ = data.batch(numbers)
    expected = trainer.network(inputs, training=False).numpy()
    predicted = loaded.predict_on_batch(data.batch(numbers, plain=True)[0])
    assert expected.std() > 0.01 and np.abs(predicted - expected).max() < 1e-5
    assert np.array_equal(load_model(tmp_path / "model.keras").get_weights()[0], loaded.get_weights()[0])


def test_what_is_saved_of_a_binary_network_predicts_probabilities_in_plain_keras(tmp_path):
    """Trained until it knows, so that probabilities are near 0 and 1 too; those of other samples are better than chance."""
    data = Data(samples=400, spec=without_dropout(SPEC), binary=True)
    seen, unseen = np.arange(300), np.arange(300, 400)
    trainer = data.trainer()
    data.losses(trainer, [np.random.default_rng(number).permutation(seen)[:50] for number in range(200)])
    trainer.standard().save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)
    predicted = loaded.predict_on_batch(data.batch(unseen, plain=True)[0])
    assert ((predicted >= 0) & (predicted <= 1)).all() and predicted.min() < 0.1 and predicted.max() > 0.9
    assert np.abs(predicted - trainer.network(data.batch(unseen)[0], training=False)).max() < 1e-5
    assert roc_auc_score(data.truth[unseen, 0], predicted[:, 0]) > 0.8


class TestSteps:
    def test_they_come_in_order_with_their_sizes(self, data, trainer):
        batches = [np.arange(size) for size in (7, 3, 12, 1)]
        assert [count for count, _ in trainer.steps(data.batch, batches)] == [7, 3, 12, 1]

    def test_the_next_batch_is_made_while_a_step_runs(self, data, trainer):
        asked = []

        def batch(numbers):
            asked.append(len(numbers))
            return data.batch(numbers)

        steps = trainer.steps(batch, [np.arange(size) for size in (5, 6, 7, 8)])
        for known in ([5, 6], [5, 6, 7], [5, 6, 7, 8], [5, 6, 7, 8]):
            next(steps)
            deadline = time.monotonic() + 10
            while len(asked) < len(known) and time.monotonic() < deadline:
                time.sleep(0.001)
            # No further than one ahead: memory does not fill up.
            time.sleep(0.02)
            assert asked == known
        assert list(steps) == []

    def test_the_loss_is_that_before_the_step(self):
        data = Data(spec=without_dropout(SPEC))
        trainer = data.trainer()
        inputs, truth = data.batch(np.arange(50))
        expected = np.mean((trainer.network(inputs, training=False).numpy() - truth) ** 2)
        assert data.losses(trainer, [np.arange(50)]) == [pytest.approx(expected, rel=1e-5)]

    def test_a_truth_without_its_second_axis_is_refused(self, data, trainer):
        def batch(numbers):
            inputs, truth = data.batch(numbers)
            return inputs, truth[:, 0]

        with pytest.raises(AssertionError):
            list(trainer.steps(batch, [np.arange(5)]))

    def test_what_goes_wrong_in_the_helper_is_not_lost(self, data, trainer):
        def batch(numbers):
            if len(numbers) == 6:
                raise OSError("the disk is gone")
            return data.batch(numbers)

        with pytest.raises(OSError, match="the disk is gone"):
            list(trainer.steps(batch, [np.arange(5), np.arange(6)]))


def devices(kind=None):
    """What `tf.config.list_physical_devices` says on a computer with a GPU; Keras asks it too."""
    found = [SimpleNamespace(name=f"/physical_device:{name}:0", device_type=name) for name in ("CPU", "GPU")]
    return [device for device in found if kind in (None, device.device_type)]


class TestWordsOf:
    store = store_with(dna=np.zeros((2, 400), np.uint8))

    def test_they_are_of_the_first_convolution(self):
        spec = {
            **SPEC,
            "dna": {**SPEC["dna"], "convolutions": [{"kernel_size": width, "pool_size": 2} for width in (9, 2)]},
        }
        kmer_index = kmer_index_of(self.store, spec, ["dna"])
        assert kmer_index.parts * kmer_index.kmers.shape[1] == 10 and len(kmer_index.index) == 2

    def test_none_without_a_convolution_of_dna(self):
        spec = {**SPEC, "dna": {**SPEC["dna"], "convolutions": []}}
        assert kmer_index_of(self.store, SPEC, ["histone"]) is None
        assert kmer_index_of(self.store, spec, ["histone", "dna"]) is None

    def test_none_for_a_pool_too_large_for_the_winners(self):
        for pool, some in ((LARGEST_POOL, True), (LARGEST_POOL + 1, False)):
            spec = {**SPEC, "dna": {**SPEC["dna"], "convolutions": [{"kernel_size": 6, "pool_size": pool}]}}
            assert (kmer_index_of(self.store, spec, ["dna"]) is not None) == some

    def test_none_on_a_gpu(self, monkeypatch):
        assert kmer_index_of(self.store, SPEC, ["dna"]) is not None
        monkeypatch.setattr(tf.config, "list_physical_devices", devices)
        assert kmer_index_of(self.store, SPEC, ["dna"]) is None


def test_on_a_gpu_plain_layers_are_trained(monkeypatch):
    monkeypatch.setattr(tf.config, "list_physical_devices", devices)
    data = Data(spec=without_dropout(SPEC))
    assert data.kmer_index is None
    assert all(type(layer).__module__.startswith("keras.") for layer in data.trainer().network.layers)
    compare(data, data.batches(10, 20))


def test_dna_without_a_convolution_is_trained():
    spec = {**SPEC, "dna": {**SPEC["dna"], "convolutions": []}}
    data = Data(spec=without_dropout(spec))
    assert data.kmer_index is None
    compare(data, data.batches(10, 20))

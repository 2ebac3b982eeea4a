"""Training in stages and of several ensemble members: which weights change, which stay, and what is saved."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from helpers.networks import convolution, small_spec, without_dropout
from helpers.preprocessing import preprocessing_of
from helpers.stores import info_of, store_with
from wakawaka.genome.dna import one_hot
from wakawaka.network.build import build_model, is_binary, logits_model
from wakawaka.network.ensemble import mean_of, members_of
from wakawaka.network.inference import Predictor, load_predictor, predictor_of
from wakawaka.network.kmer_kernels import index_kmers
from wakawaka.network.saved_model import load_model
from wakawaka.training.schedule import JOINT, MODULES
from wakawaka.training.trainer import Trainer

SPEC = small_spec(histone={"convolutions": [convolution(3, 3, "leaky_relu", 2, batch_norm=True)]})
SIZES = {"marks": 2, "bins": 20, "window": 100}
BOTH = ["histone", "dna"]
JOINT_WEIGHTS = {"joint_dense_1/kernel", "joint_dense_1/bias", "expression/kernel", "expression/bias"}


@pytest.fixture(scope="module", autouse=True)
def _the_same_bits_every_time():
    tf.config.experimental.enable_op_determinism()


def _store():
    """Return a store of three cells and eight genes with random signals and bases."""
    rng = np.random.default_rng(1)
    dna = rng.integers(0, 4, (8, 100)).astype(np.uint8)
    histone = rng.normal(size=(3, 8, 20, 2)).astype(np.float32)
    info = info_of(3, 8, **SIZES | {"marks": ["a", "b"]}, scale="signal")
    return store_with(genes=np.array(list("abcdefgh")), dna=dna, histone=histone, info=info)


STORE = _store()
KMER_INDEX = index_kmers(STORE.dna, 6)


def batch(numbers):
    """Return samples whose target depends on the inputs of both modules."""
    cells, genes = numbers % 3, numbers // 3 % 8
    histone = STORE.histone_input(cells, genes)
    truth = histone.mean(axis=(1, 2)) + (STORE.dna[genes] == 1).mean(axis=1)
    return [histone, KMER_INDEX.index[genes]], truth[:, None].astype(np.float32)


def trainer_of(stage=None, seed=1, spec=SPEC, **settings):
    keras.utils.set_random_seed(seed)
    trainer = Trainer(spec, BOTH, SIZES, KMER_INDEX, 0.01, **settings)
    if stage:
        trainer.begin(stage)
    return trainer


def steps(trainer, count=5):
    rng = np.random.default_rng(2)
    return [loss for _, loss in trainer.steps(batch, [rng.integers(0, 24, 12) for _ in range(count)])]


def weights(trainer):
    """All that prediction depends on: what batch normalisation remembers too."""
    return {variable.path: variable.numpy() for variable in trainer.network.variables if "seed" not in variable.path}


def moved(trainer, count=5):
    """Return the paths of the weights that some steps change, by a bit at least, and those that they leave."""
    before = weights(trainer)
    steps(trainer, count)
    after = weights(trainer)
    changed = {path for path, value in after.items() if value.tobytes() != before[path].tobytes()}
    return changed, set(after) - changed


def test_modules_are_trained_without_the_joint_module():
    changed, left = moved(trainer_of(MODULES))
    assert left == JOINT_WEIGHTS
    assert {path.partition("_")[0] for path in changed} == {"histone", "dna"}


def test_behind_frozen_modules_the_joint_module_is_trained_and_not_a_byte_of_theirs():
    trainer = trainer_of(MODULES)
    steps(trainer)
    trainer.begin(JOINT)
    changed, left = moved(trainer)
    assert changed == JOINT_WEIGHTS
    assert {path.partition("_")[0] for path in left} == {"histone", "dna"} and len(left) == 12


def test_everything_is_trained_together_otherwise():
    assert moved(trainer_of())[1] == set()


def test_what_is_fixed_is_not_trained():
    changed, left = moved(trainer_of(fixed=["dna_convolution_1"]))
    assert left == {"dna_convolution_1/kernel", "dna_convolution_1/bias"}
    assert "dna_dense_1/kernel" in changed


def test_each_module_is_trained_as_if_it_were_alone():
    """The other one's loss is no part of its gradient: with another learning of DNA, histone marks learn the same."""
    spec = SPEC | {"dna": SPEC["dna"] | {"dropout": 0.0}, "histone": SPEC["histone"] | {"dropout": 0.0}}
    one, other = trainer_of(MODULES, spec=spec), trainer_of(MODULES, spec=spec)
    kernel = other.network.get_layer("dna_dense_1").kernel
    kernel.assign(-kernel)
    steps(one), steps(other)
    for path, value in weights(one).items():
        assert np.array_equal(value, weights(other)[path]) == (not path.startswith("dna"))


def test_frozen_modules_do_what_they_do_in_prediction():
    """Without dropout in the joint module the loss of a first step is that of the prediction."""
    trainer = trainer_of(JOINT, spec=SPEC | {"joint": {"dense": [6], "dropout": 0.0}})
    numbers = np.arange(24)
    inputs, truth = batch(numbers)
    predicted = trainer.network(inputs, training=False).numpy()
    (loss,) = [loss for _, loss in trainer.steps(batch, [numbers])]
    assert loss == pytest.approx(np.mean((predicted - truth) ** 2), rel=1e-6)


@pytest.mark.parametrize("stage", [MODULES, JOINT])
def test_a_stage_goes_on_from_its_state_to_the_same_bits(stage):
    whole, first = trainer_of(stage), trainer_of(stage)
    rng = np.random.default_rng(2)
    batches = [rng.integers(0, 24, 12) for _ in range(6)]
    list(whole.steps(batch, batches))
    list(first.steps(batch, batches[:3]))
    then = trainer_of(stage, seed=9)
    then.state = first.state
    list(then.steps(batch, batches[3:]))
    assert all(np.array_equal(one, other) for one, other in zip(whole.state, then.state, strict=True))


def test_decay_of_weights_is_that_of_adamw_and_spares_biases():
    """One step of Keras' AdamW on the plain network."""
    trainer = trainer_of(spec=without_dropout(SPEC), weight_decay=0.1)
    plain = trainer.standard()
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    plain.compile(optimizer, "mse")
    numbers = np.arange(24)
    (histone, _), truth = batch(numbers)
    plain.train_on_batch([histone, one_hot(STORE.dna[numbers // 3 % 8])], truth)
    list(trainer.steps(batch, [numbers]))
    for weight in plain.weights:
        assert np.allclose(weights(trainer)[weight.path], weight.numpy(), rtol=1e-3, atol=2e-5), weight.path


def test_the_learning_rate_is_scaled():
    """Adam's first step is the learning rate, whatever the gradient."""
    lengths = []
    for part in (1.0, 0.25):
        trainer = trainer_of()
        trainer.scale_learning_rate(part)
        before = weights(trainer)["expression/bias"]
        steps(trainer, 1)
        lengths.append(abs(weights(trainer)["expression/bias"] - before)[0])
    assert lengths == pytest.approx([0.01, 0.0025], rel=1e-3)


@pytest.mark.parametrize("binary", [False, True])
def test_members_are_saved_as_one_model_of_their_mean(binary, tmp_path):
    trainers = [trainer_of(seed=seed, binary=binary) for seed in (1, 2, 3)]
    for trainer in trainers:
        if not binary:
            steps(trainer)
    mean_of([trainer.standard() for trainer in trainers]).save(tmp_path / "model.keras")
    model = load_model(tmp_path / "model.keras")
    assert len(members_of(model)) == 3 and is_binary(model) == binary
    assert model.count_params() == 3 * trainers[0].network.count_params()
    cells, genes = np.indices((3, 8)).reshape(2, -1)
    inputs = [STORE.histone[cells, genes], one_hot(STORE.dna[genes])]
    each = np.mean([logits_model(trainer.standard()).predict_on_batch(inputs) for trainer in trainers], axis=0)
    expected = 1 / (1 + np.exp(-each)) if binary else each
    assert np.allclose(model.predict_on_batch(inputs), expected, rtol=1e-5, atol=1e-6)
    assert np.allclose(logits_model(model).predict_on_batch(inputs), each, rtol=1e-5, atol=1e-6)
    wanted = np.ones((3, 8), bool)
    loaded = load_predictor(tmp_path / "model.keras", STORE, preprocessing_of(SPEC, BOTH, binary=binary))(STORE, wanted)
    training = predictor_of([trainer.network for trainer in trainers], BOTH, KMER_INDEX)(STORE, wanted)
    for predicted in (loaded, training):
        assert predicted.dtype == np.float32
        assert np.allclose(predicted.ravel(), expected[:, 0], rtol=1e-5, atol=1e-6)


def test_one_member_is_the_network_itself():
    network = build_model(SPEC, modules=BOTH, **SIZES)
    assert mean_of([network]) is network and members_of(network) == [network]
    assert isinstance(predictor_of([network], BOTH), Predictor)

"""The mean of networks as one model, with gene effects, compared with its parts."""

import numpy as np
import pytest
import tensorflow as tf

from helpers.effects import SPEC, START, WINDOW, fit_effects, mutated, some_dna, some_errors
from wakawaka.genome.dna import one_hot
from wakawaka.network.build import build_model
from wakawaka.network.ensemble import effects_of, mean_of, members_of, without_effects
from wakawaka.network.saved_model import load_model


@pytest.mark.parametrize("members", [1, 2])
def test_the_saved_layers_add_what_the_effects_say(tmp_path, members):
    dna = some_dna(30)
    dna[5, START : START + 9] = 4
    effects = fit_effects(some_errors(30), dna)
    sizes = {"modules": ["histone", "dna"], "marks": 2, "bins": 10, "window": WINDOW}
    networks = [build_model(SPEC, **sizes) for _ in range(members)]
    mean_of(networks, effects).save(tmp_path / "model.keras")
    model = load_model(tmp_path / "model.keras")
    again = effects_of(model)
    assert np.array_equal(again.codes, effects.codes) and np.array_equal(again.values, effects.values)
    seen = np.concatenate([dna, [mutated(dna[0], 12)], some_dna(5, seed=3)])
    inputs = [np.random.default_rng(1).normal(size=(len(seen), 10, 2)).astype(np.float32), one_hot(seen)]
    assert len(members_of(model)) == members
    mean = np.mean([network(inputs) for network in members_of(model)], axis=0)
    assert model(inputs).numpy() == pytest.approx(mean + effects(seen)[:, None], abs=1e-5)
    assert effects(seen)[:31].any() and not effects(seen)[31:].any()


def test_a_model_without_effects_has_none():
    networks = [build_model(SPEC, modules=["dna"], marks=2, bins=10, window=WINDOW) for _ in range(2)]
    assert effects_of(networks[0]) is None and effects_of(mean_of(networks)) is None


@pytest.mark.parametrize("members", [1, 2])
def test_the_network_without_effects_is_the_mean_of_the_members(members):
    """Of a gene with too many N to be recognised in full, a gradient of the effects would see its name."""
    dna = some_dna(30)
    dna[3, START : START + 12] = 4
    effects = fit_effects(some_errors(30), dna)
    networks = [build_model(SPEC, modules=["dna"], marks=2, bins=10, window=WINDOW) for _ in range(members)]
    whole = mean_of(networks, effects)
    mean = np.mean([network([one_hot(dna)]) for network in networks], axis=0)
    assert without_effects(whole)([one_hot(dna)]).numpy() == pytest.approx(mean, abs=1e-6)
    assert not np.allclose(whole([one_hot(dna)]), mean)
    assert without_effects(networks[0]) is networks[0]


def test_gradients_do_not_see_a_gene_s_name():
    dna = some_dna(30)
    effects = fit_effects(some_errors(30), dna)
    network = build_model(SPEC, modules=["dna"], marks=2, bins=10, window=WINDOW)
    found = []
    for model in (network, mean_of([network], effects)):
        tensor = tf.constant(one_hot(dna))
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            output = model([tensor])
        found.append((output.numpy(), tape.gradient(output, tensor).numpy()))
    assert not np.allclose(found[0][0], found[1][0])
    assert np.array_equal(found[0][1], found[1][1])

"""The saved form of an ensemble: the mean of several networks as one model, with gene random effects where there are any."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from wakawaka.genome.dna import one_hot
from wakawaka.network.build import OUTPUT, PROBABILITY, is_binary, logits_model
from wakawaka.network.gene_effects import FULL_IDENTITY, NO_IDENTITY, GeneEffects, centre

# The layers of the effects: the sequence identity to each training gene, and their weighted sum. Saved models have these names.
IDENTITY_LAYER, EFFECTS_LAYER = "gene_likeness", "gene_effects"


def mean_of(networks: Sequence[keras.Model], effects: GeneEffects | None = None) -> keras.Model:
    """Return the model that predicts the mean of several networks; for binary networks it is the mean of their log odds.

    The networks become its layers `member_1`, `member_2`, ...; the weights are shared. One network without effects is returned
    as it is.

    Args:
        networks: networks of `build_model`, all of one specification.
        effects: gene effects that are added to the mean, or None. They need a network with DNA whose target is a value.
    """
    if len(networks) == 1 and effects is None:
        return networks[0]
    inputs = [keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=tensor.name) for tensor in networks[0].inputs]
    members = [logits_model(network) for network in networks]
    for number, member in enumerate(members, start=1):
        member.name = f"member_{number}"
    outputs = [member(inputs) for member in members]
    last = {} if effects else {"name": OUTPUT}
    tensor = keras.layers.Average(**last)(outputs) if len(outputs) > 1 else outputs[0]
    if effects:
        dna = next(tensor for tensor in inputs if tensor.name == "dna")
        tensor = keras.layers.Add(name=OUTPUT)([tensor, _effects_layers(dna, effects)])
    if is_binary(networks[0]):
        tensor = keras.layers.Activation("sigmoid", name=PROBABILITY)(tensor)
    return keras.Model(inputs, tensor)


def members_of(model: keras.Model) -> list[keras.Model]:
    """Return the networks whose mean a model of `mean_of` predicts; the model itself if it is one network."""
    return [layer for layer in model.layers if isinstance(layer, keras.Model)] or [model]


def effects_of(model: keras.Model) -> GeneEffects | None:
    """Return the gene effects that a model of `mean_of` adds, or None."""
    if not any(layer.name == EFFECTS_LAYER for layer in model.layers):
        return None
    kernel = model.get_layer(IDENTITY_LAYER).get_weights()[0]
    bases = kernel.T.reshape(kernel.shape[1], -1, 4)
    codes = np.where(bases.any(axis=2), bases.argmax(axis=2), 4).astype(np.uint8)
    return GeneEffects(codes, model.get_layer(EFFECTS_LAYER).get_weights()[0][:, 0])


def without_effects(model: keras.Model) -> keras.Model:
    """Return a model of `mean_of` without the gene effects that it adds; the weights are shared."""
    return mean_of(members_of(model)) if effects_of(model) else model


def _effects_layers(dna: Any, effects: GeneEffects) -> Any:
    """Return the gene effects [sample, 1] of one-hot windows [sample, position, 4], computed by standard layers.

    Where the bases are those of a training gene, the identity is at its upper limit. Its gradient is then 0, and the mutation of a
    single base changes nothing.
    """
    start, length = centre(dna.shape[1])
    tensor = keras.layers.Cropping1D((start, dna.shape[1] - length - start), name="gene_bases")(dna)
    tensor = keras.layers.Flatten(name="gene_flatten")(tensor)
    scale = 1 / (FULL_IDENTITY - NO_IDENTITY)
    kernel = one_hot(effects.codes).reshape(len(effects.codes), -1).T * np.float32(scale / length)
    bias = np.full(len(effects.codes), -scale * NO_IDENTITY, np.float32)
    identity = keras.layers.Dense(len(bias), name=IDENTITY_LAYER)
    weighted_sum = keras.layers.Dense(1, use_bias=False, name=EFFECTS_LAYER)
    tensor = weighted_sum(keras.layers.ReLU(max_value=1, name="gene_limit")(identity(tensor)))
    identity.set_weights([kernel, bias])
    weighted_sum.set_weights([effects.values[:, None]])
    return tensor

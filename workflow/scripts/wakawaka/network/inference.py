"""Prediction with the DNA module computed once per gene."""

import logging

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit

from wakawaka.core.progress import Progress
from wakawaka.network.build import (
    INPUTS,
    before_sigmoid,
    build_model,
    copy_weights,
    effects_of,
    is_binary,
    load_model,
    members_of,
    model_inputs,
    words_of,
)

log = logging.getLogger(__name__)

GENES_PER_BATCH = 100
SAMPLES_PER_BATCH = 4000

# Where a smaller part of the genes than this is recognised, something may be wrong.
FEW = 0.5

# So many numbers of the DNA's features are held at once (256 MB): a DNA module without dense layers has 41,184 for a gene.
FEATURES = 2**26


class Predictor:
    """Predicts blocks of cells and genes, computing the DNA module once per gene instead of once per sample.

    Args:
        model: a network of `build_model`; it may go on being trained, the weights are shared.
        modules: the modules it has.
        words: the `Words` it was built with, or None.
    """

    def __init__(self, model, modules, words=None):
        self._modules, self._words = [module for module in INPUTS if module in modules], words
        starts = {module: model.get_layer(module).output for module in self._modules}
        self._width = 0
        if "dna" in starts:
            features = model.get_layer("dna_features").output
            self._dna = _compiled([starts["dna"]], features)
            starts["dna"], self._width = features, features.shape[1]
        # From the histone marks and the features of the DNA to the prediction.
        self._rest = _compiled(list(starts.values()), model.output)

    def __call__(self, store, wanted):
        """Return predictions [cell, gene] float32 where the mask `wanted` [cell, gene] is true, NaN elsewhere.

        Of a binary network they are probabilities.
        """
        predicted = np.full(wanted.shape, np.nan, np.float32)
        genes_at_once = max(1, FEATURES // max(self._width, 1))
        for first in range(0, wanted.shape[1], genes_at_once):
            block = slice(first, first + genes_at_once)
            self._predict(store, wanted[:, block], first, predicted[:, block])
        return predicted

    def _predict(self, store, wanted, first, predicted):
        """Set `predicted` [cell, gene] where the mask `wanted` is true; `first` is the number of the first gene of both."""
        cells, genes = np.nonzero(wanted)
        dna = self._dna_features(store, np.unique(genes), first, wanted.shape[1]) if self._width else None
        size = min(SAMPLES_PER_BATCH, max(1, FEATURES // 8 // max(self._width, 1)))
        for part in _parts(len(cells), size, "samples"):
            cell, gene = cells[part], genes[part]
            inputs = [store.histone_input(cell, first + gene)] if "histone" in self._modules else []
            inputs += [dna[gene]] if self._width else []
            predicted[cell, gene] = self._rest(inputs).numpy()[:, 0]

    def _dna_features(self, store, genes, first, count):
        """Return the DNA module's output [gene, feature] for `count` genes from `first` on; rows not in `genes` are zero."""
        features = np.zeros((count, self._width), np.float32)
        for part in _parts(len(genes), GENES_PER_BATCH, "genes"):
            inputs = model_inputs(store, ["dna"], None, first + genes[part], self._words)
            features[genes[part]] = self._dna(inputs).numpy()
        return features


def predictor_of(networks, modules, words=None, effects=None):
    """Return what predicts the mean of several networks, called like a `Predictor`; of binary ones the mean is that of log odds.

    effects: the `GeneEffects` that are added, or None.
    """
    if len(networks) == 1:
        mean = Predictor(networks[0], modules, words)
    else:
        mean = _mean(
            [Predictor(before_sigmoid(network), modules, words) for network in networks], is_binary(networks[0])
        )
    return (lambda store, wanted: mean(store, wanted) + effects(store.dna)) if effects else mean


def _mean(predictors, binary):
    def predict(store, wanted):
        mean = np.mean([predictor(store, wanted) for predictor in predictors], axis=0, dtype=np.float32)
        return expit(mean) if binary else mean

    return predict


def load_predictor(path, store, spec, modules, binary=False):
    """Return what predicts with a saved model for the sequences of a store; spec, modules and binary as it was built with."""
    words, model = words_of(store, spec, modules), load_model(path)
    networks = []
    for member in members_of(model):
        networks.append(build_model(spec, modules=modules, **store.sizes, binary=binary, fast=True, words=words))
        copy_weights(member, networks[-1])
    effects = effects_of(model)
    if effects:
        _tell_of_recognised(effects.recognised(store.dna))
    return predictor_of(networks, modules, words, effects)


def _tell_of_recognised(known):
    """Log how many genes [gene] bool are recognised, as a warning where they are few."""
    counts = known.sum(), len(known)
    if known.mean() < FEW:
        log.warning(
            "only %d of %d genes are recognised as genes that the model was trained on; the others are predicted without what is peculiar "
            "to each. If they are the same genes, the model's TSSs or genome were others: a shift by one base is enough.",
            *counts,
        )
    else:
        log.info("%d of %d genes are recognised as genes that the model was trained on", *counts)


def _compiled(inputs, output):
    """Return the function from a list of arrays to the output, compiled once for batches of any size."""
    model = keras.Model(inputs, output)
    signature = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in inputs]
    return tf.function(lambda arrays: model(arrays, training=False), input_signature=[signature])


def _parts(count, size, unit):
    """Yield slices of range(count), and log how far they are when it takes long."""
    progress = Progress(log, count, unit, logging.INFO)
    for first in range(0, count, size):
        yield slice(first, first + size)
        progress.advance(min(size, count - first), "%d of %d %s", min(first + size, count), count, unit)

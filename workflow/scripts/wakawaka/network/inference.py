"""Prediction with the DNA module computed once per gene instead of once per sample."""

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.special import expit

from wakawaka.core.files import PathLike
from wakawaka.core.progress import Progress
from wakawaka.network.build import build_model, copy_weights, is_binary, logits_model
from wakawaka.network.ensemble import effects_of, members_of
from wakawaka.network.gene_effects import GeneEffects
from wakawaka.network.inputs import InputSource, in_order, kmer_index_of, model_inputs
from wakawaka.network.kmer_kernels import KmerIndex
from wakawaka.network.preprocessing import Preprocessing
from wakawaka.network.saved_model import load_model

log = logging.getLogger(__name__)

# A function from a store and a mask [cell, gene] to predictions [cell, gene] float32, NaN where the mask is false.
Predict = Callable[[InputSource, np.ndarray], np.ndarray]

GENES_PER_BATCH = 100
SAMPLES_PER_BATCH = 4000

# If a smaller fraction of the genes is recognised, the log warns.
FEW = 0.5

# The number of DNA features that are held at once (256 MB). A DNA module without dense layers has 41,184 for each gene.
FEATURES = 2**26


class Predictor:
    """A `Predict` of one network, which computes the DNA module once per gene.

    Args:
        model: a network of `build_model`. It may be trained further, because the weights are shared.
        modules: the modules that it has.
        kmer_index: the k-mer index that it was built with, or None.
    """

    def __init__(self, model: keras.Model, modules: Sequence[str], kmer_index: KmerIndex | None = None) -> None:
        self._modules, self._kmer_index = in_order(modules), kmer_index
        starts = {module: model.get_layer(module).output for module in self._modules}
        self._width = 0
        if "dna" in starts:
            features = model.get_layer("dna_features").output
            self._dna = _traced([starts["dna"]], features)
            starts["dna"], self._width = features, features.shape[1]
        # From the histone input and the features of the DNA to the prediction.
        self._rest = _traced(list(starts.values()), model.output)

    def __call__(self, store: InputSource, wanted: np.ndarray) -> np.ndarray:
        """Return predictions [cell, gene] float32 where the mask `wanted` is true, NaN elsewhere.

        For a binary network they are probabilities.
        """
        predicted = np.full(wanted.shape, np.nan, np.float32)
        genes_at_once = max(1, FEATURES // max(self._width, 1))
        for first in range(0, wanted.shape[1], genes_at_once):
            block = slice(first, first + genes_at_once)
            self._predict(store, wanted[:, block], first, predicted[:, block])
        return predicted

    def _predict(self, store: InputSource, wanted: np.ndarray, first: int, predicted: np.ndarray) -> None:
        """Set `predicted` where the mask `wanted` is true, both [cell, gene] for the genes from number `first` on."""
        cells, genes = np.nonzero(wanted)
        dna = self._dna_features(store, np.unique(genes), first, wanted.shape[1]) if self._width else None
        size = min(SAMPLES_PER_BATCH, max(1, FEATURES // 8 // max(self._width, 1)))
        for batch in _batches(len(cells), size, "samples"):
            cell, gene = cells[batch], genes[batch]
            inputs = [store.histone_input(cell, first + gene)] if "histone" in self._modules else []
            inputs += [dna[gene]] if dna is not None else []
            predicted[cell, gene] = self._rest(inputs).numpy()[:, 0]

    def _dna_features(self, store: InputSource, genes: np.ndarray, first: int, count: int) -> np.ndarray:
        """Return the DNA features [gene, feature] of `count` genes from number `first` on; rows not in `genes` are zero."""
        features = np.zeros((count, self._width), np.float32)
        for batch in _batches(len(genes), GENES_PER_BATCH, "genes"):
            inputs = model_inputs(store, ["dna"], None, first + genes[batch], self._kmer_index)
            features[genes[batch]] = self._dna(inputs).numpy()
        return features


def predictor_of(
    networks: Sequence[keras.Model],
    modules: Sequence[str],
    kmer_index: KmerIndex | None = None,
    effects: GeneEffects | None = None,
) -> Predict:
    """Return the `Predict` of the mean of several networks; for binary networks it is the mean of their log odds.

    Args:
        networks: networks of `build_model`, all of one specification. They may be trained further.
        modules: the modules that they have.
        kmer_index: the k-mer index that they were built with, or None.
        effects: gene effects that are added, or None.
    """
    if len(networks) == 1:
        mean: Predict = Predictor(networks[0], modules, kmer_index)
    else:
        members = [Predictor(logits_model(network), modules, kmer_index) for network in networks]
        mean = _mean(members, is_binary(networks[0]))
    if effects is None:
        return mean
    return lambda store, wanted: mean(store, wanted) + effects(store.dna)


def load_predictor(path: PathLike, store: InputSource, preprocessing: Preprocessing) -> Predict:
    """Return the `Predict` of a saved model, for the sequences of one store.

    Args:
        path: path of the model.keras.
        store: the store to predict.
        preprocessing: the content of the model's preprocessing.json.

    Raises:
        InputError: for a damaged model.
    """
    spec, modules = preprocessing.spec, preprocessing.modules
    kmer_index, model = kmer_index_of(store, spec, modules), load_model(path)
    form: dict[str, Any] = {
        "modules": modules,
        **store.sizes,
        "binary": preprocessing.binary,
        "fast": True,
        "kmer_index": kmer_index,
    }
    networks = []
    for member in members_of(model):
        networks.append(build_model(spec, **form))
        copy_weights(member, networks[-1])
    effects = effects_of(model)
    if effects:
        _log_recognised(effects.recognised(store.dna))
    return predictor_of(networks, modules, kmer_index, effects)


def _mean(predictors: Sequence[Predict], binary: bool) -> Predict:
    def predict(store: InputSource, wanted: np.ndarray) -> np.ndarray:
        mean: Any = np.mean([predictor(store, wanted) for predictor in predictors], axis=0, dtype=np.float32)
        return expit(mean) if binary else mean

    return predict


def _log_recognised(recognised: np.ndarray) -> None:
    """Log how many genes [gene] bool are recognised; it is a warning if they are few."""
    counts = recognised.sum(), len(recognised)
    if recognised.mean() < FEW:
        log.warning(
            "only %d of %d genes are recognised as genes that the model was trained on; the others are predicted without gene effects. "
            "If they are the same genes, the model was trained with other TSSs or another genome: a shift by one base is enough.",
            *counts,
        )
    else:
        log.info("%d of %d genes are recognised as genes that the model was trained on", *counts)


def _traced(inputs: list[Any], output: Any) -> Callable[[list[np.ndarray]], Any]:
    """Return the function from a list of arrays to the output tensor, traced once for batches of any size."""
    model = keras.Model(inputs, output)
    signature = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in inputs]
    return tf.function(lambda arrays: model(arrays, training=False), input_signature=[signature])


def _batches(count: int, size: int, unit: str) -> Iterator[slice]:
    """Yield slices of range(count), and log the progress if it takes long."""
    progress = Progress(log, count, unit, logging.INFO)
    for first in range(0, count, size):
        yield slice(first, first + size)
        progress.advance(min(size, count - first), "%d of %d %s", min(first + size, count), count, unit)

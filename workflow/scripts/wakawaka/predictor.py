"""Prediction with the DNA module computed once per gene."""

import logging
import time

import keras
import numpy as np

from .dna import one_hot
from .model import INPUTS

log = logging.getLogger(__name__)

GENES_PER_BATCH = 50
SAMPLES_PER_BATCH = 4000


class Predictor:
    """Predicts blocks of cells and genes, computing the DNA module once per gene instead of once per sample.

    Args:
        model: a network of `build_model`; it may go on being trained, the weights are shared.
        modules: the modules it has.
    """

    def __init__(self, model, modules):
        features = {module: model.get_layer(f"{module}_features").output for module in INPUTS if module in modules}
        self._branch = {
            module: keras.Model(model.get_layer(module).output, output) for module, output in features.items()
        }
        self._joint = keras.Model(list(features.values()), model.output)

    def __call__(self, store, wanted):
        """Return predictions [cell, gene] float32 where the mask `wanted` [cell, gene] is true, NaN elsewhere."""
        cells, genes = np.nonzero(wanted)
        predicted = np.full(wanted.shape, np.nan, np.float32)
        dna = self._dna_features(store, np.unique(genes)) if "dna" in self._branch else None
        start = time.monotonic()
        for first in range(0, len(cells), SAMPLES_PER_BATCH):
            cell, gene = (index[first : first + SAMPLES_PER_BATCH] for index in (cells, genes))
            features = []
            if "histone" in self._branch:
                features.append(self._branch["histone"].predict_on_batch(store.histone_input(cell, gene)))
            if dna is not None:
                features.append(dna[gene])
            predicted[cell, gene] = self._joint.predict_on_batch(features)[:, 0]
            if first and first % (25 * SAMPLES_PER_BATCH) == 0:
                rate = first / (time.monotonic() - start)
                log.info(
                    "%d of %d samples, %.0f samples/s, %.0f s left",
                    first,
                    len(cells),
                    rate,
                    (len(cells) - first) / rate,
                )
        return predicted

    def _dna_features(self, store, genes):
        """Return the DNA module's output [gene, feature] for all genes of the store; rows not in `genes` are zero."""
        branch = self._branch["dna"]
        features = np.zeros((len(store.genes), branch.output.shape[1]), np.float32)
        start = time.monotonic()
        for first in range(0, len(genes), GENES_PER_BATCH):
            batch = genes[first : first + GENES_PER_BATCH]
            features[batch] = branch.predict_on_batch(one_hot(store.dna[batch]))
            if first and first % (20 * GENES_PER_BATCH) == 0:
                rate = first / (time.monotonic() - start)
                log.info("DNA of %d of %d genes, %.0f s left", first, len(genes), (len(genes) - first) / rate)
        return features

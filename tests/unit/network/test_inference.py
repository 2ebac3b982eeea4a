"""Prediction with the DNA module computed once per gene, compared with plain Keras."""

import numpy as np
import pytest

from helpers.forms import FORMS, TINY, build, settings
from wakawaka.network import inference
from wakawaka.network.build import copy_weights
from wakawaka.network.inference import Predictor
from wakawaka.network.inputs import model_inputs


@pytest.mark.parametrize("modules", [("histone", "dna"), ("histone",), ("dna",)])
@pytest.mark.parametrize("form", FORMS)
def test_prediction_by_gene_equals_prediction_by_sample(modules, form):
    store, plain, model = TINY, build(modules), build(modules, form, seed=4)
    copy_weights(plain, model)
    wanted = np.array([[1, 0, 1, 0], [0, 0, 1, 1], [1, 0, 0, 0]], bool)
    predicted = Predictor(model, modules, settings(form, store.dna, 6)["kmer_index"])(store, wanted)
    cells, genes = np.nonzero(wanted)
    expected = plain.predict_on_batch(model_inputs(store, modules, cells, genes))[:, 0]
    assert np.allclose(predicted[wanted], expected, rtol=1e-5, atol=1e-6)
    assert np.isnan(predicted[~wanted]).all()
    assert expected.std() > 0


def test_prediction_does_not_depend_on_the_size_of_batches(monkeypatch):
    store, model = TINY, build()
    wanted = np.ones((3, 4), bool)
    whole = Predictor(model, ["histone", "dna"])(store, wanted)
    monkeypatch.setattr("wakawaka.network.inference.GENES_PER_BATCH", 3)
    monkeypatch.setattr("wakawaka.network.inference.SAMPLES_PER_BATCH", 5)
    assert np.allclose(Predictor(model, ["histone", "dna"])(store, wanted), whole, rtol=1e-5, atol=1e-6)


def test_genes_in_blocks_are_predicted_as_all_at_once(monkeypatch):
    store, wanted = TINY, np.ones((3, 4), bool)
    wanted[1, 2] = False
    model = build()
    whole = Predictor(model, ["histone", "dna"])(store, wanted)
    # Two genes at a time, one sample.
    monkeypatch.setattr(inference, "FEATURES", 8)
    blocks = Predictor(model, ["histone", "dna"])(store, wanted)
    assert np.isnan(blocks[1, 2]) and np.isnan(blocks).sum() == 1
    assert np.allclose(blocks, whole, rtol=1e-5, atol=1e-6, equal_nan=True)

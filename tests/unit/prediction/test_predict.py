"""The predictions of a run are those of plain Keras, in the order of the store."""

import keras
import numpy as np
import pytest

from helpers.networks import small_spec
from helpers.preprocessing import write_preprocessing_of
from helpers.stores import write_store
from wakawaka.genome.dna import one_hot
from wakawaka.network.build import build_model
from wakawaka.network.saved_model import save_model
from wakawaka.prediction.predict import predict
from wakawaka.prediction.prediction_files import read_run
from wakawaka.splits.samples import write_samples
from wakawaka.store.store import Store

REGIMES = np.array([["train", "unseen_gene"], ["unseen_cell", "both_unseen"]])
TARGET = {"kind": "value", "transform": "log2p1"}


@pytest.mark.parametrize("permuted_genes", [None, 0])
def test_predictions_are_those_of_plain_keras(tmp_path, monkeypatch, permuted_genes):
    # TensorFlow takes the number of threads once per process, before it computes anything.
    monkeypatch.setattr("wakawaka.prediction.predict.use_threads", lambda threads: None)
    expression = np.array([[0, 1], [np.nan, 7]], np.float32)
    paths = write_store(tmp_path, cells=["b", "a"], genes=["2", "1"], expression=expression)
    store = Store(paths, permuted_genes)
    write_samples(tmp_path / "samples.tsv.gz", store, {"final": REGIMES, "fold-1": REGIMES[::-1]})
    keras.utils.set_random_seed(1)
    model = build_model(small_spec(), modules=["histone", "dna"], **store.sizes)
    save_model(model, tmp_path / "model.keras")
    about = {"run": "fold-1", "target": TARGET, "permuted_genes": permuted_genes}
    write_preprocessing_of(tmp_path / "preprocessing.json", small_spec(), **about)
    files = [tmp_path / name for name in ("samples.tsv.gz", "model.keras", "preprocessing.json", "predictions.tsv.gz")]
    predict(paths, *files, run="fold-1", threads=1)
    table = read_run(tmp_path / "predictions.tsv.gz")
    assert table["cell"].tolist() == ["b", "b", "a", "a"] and table["gene_id"].tolist() == ["2", "1"] * 2
    assert table["regime"].tolist() == REGIMES[::-1].ravel().tolist()
    assert np.array_equal(table["truth"], [0, 1, np.nan, 3], equal_nan=True)
    inputs = [store.histone_input(*np.indices((2, 2)).reshape(2, -1)), np.tile(one_hot(store.dna), (2, 1, 1))]
    assert np.allclose(table["prediction"], model.predict(inputs, verbose=0)[:, 0], rtol=1e-5, atol=1e-6)

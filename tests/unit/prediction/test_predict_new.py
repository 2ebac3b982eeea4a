import json

import keras
import numpy as np
import pytest

from helpers.preprocessing import write_preprocessing_of
from helpers.stores import write_store
from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table, save_array
from wakawaka.genome.dna import one_hot
from wakawaka.network.build import build_model
from wakawaka.prediction.predict_new import predict_new

MARKS, BINS, WINDOW, GENES = ["one", "two"], 10, 40, 6
SPEC = {
    "histone": {"convolutions": [{"filters": 3, "kernel_size": 3, "activation": "relu", "pool_size": 2}], "dropout": 0.5, "dense": [4]},
    "dna": {"convolutions": [{"filters": 16, "kernel_size": 4, "activation": "relu", "pool_size": 5}], "dropout": 0.5, "dense": [4]},
    "joint": {"dense": [3], "dropout": 0.1},
    "negative_slope": 0.05,
}  # fmt: skip
COUNTING = {"rule": "overlap", "min_mapq": 0, "duplicates": "flagged"}
INPUTS = {"marks": MARKS, "bins": BINS, "window": WINDOW, "strand_aware": True, "scale": "counts", "counting": COUNTING}


@pytest.fixture
def files(tmp_path, monkeypatch):
    """The paths that predict_new takes: a store of two cells without expression, and a model with its description."""
    # A process tells TensorFlow its threads once, before it computes anything; this one has.
    monkeypatch.setattr("wakawaka.prediction.predict_new.use_threads", lambda threads: None)
    rng = np.random.default_rng(1)
    histone = rng.poisson(3, (2, GENES, BINS, 2)).astype(np.uint16)
    dna = rng.integers(0, 5, (GENES, WINDOW)).astype(np.uint8)
    names = {"cells": ["a", "b"], "genes": [f"G{number}" for number in range(GENES)], "marks": MARKS}
    store = write_store(
        tmp_path,
        **names,
        bins=BINS,
        window=WINDOW,
        info={"counting": COUNTING, "depth": {}},
        histone=histone,
        dna=dna,
        expression=None,
    )
    keras.utils.set_random_seed(1)
    modules = ["histone", "dna"]
    build_model(SPEC, modules=modules, marks=2, bins=BINS, window=WINDOW).save(tmp_path / "model.keras")
    target = {"kind": "value", "transform": "zscore_per_gene"}
    fitted = {"gene_id": ["G5", "G0"], "mean": [10.0, 20.0], "sd": [2.0, 3.0]}
    write_preprocessing_of(tmp_path / "preprocessing.json", SPEC, modules, target=target, fitted=fitted, **INPUTS)
    paths = {
        name: tmp_path / file for name, file in (("model", "model.keras"), ("preprocessing", "preprocessing.json"))
    }
    return {"store": store, **paths, "predictions": tmp_path / "predictions.tsv"}


def array(files, name):
    """Return the path of an array of the store."""
    return next(path for path in files["store"] if path.name == name)


def change(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_predictions_are_those_of_plain_keras_in_two_units(files):
    predict_new(**files, threads=1)
    found = read_table(files["predictions"])
    assert found["cell"].tolist() == ["a"] * GENES + ["b"] * GENES
    histone, dna = np.load(array(files, "histone.npy")), np.load(array(files, "dna.npy"))
    inputs = [np.log1p(histone.reshape(-1, BINS, 2).astype(np.float32)), np.tile(one_hot(dna), (2, 1, 1))]
    expected = keras.saving.load_model(files["model"]).predict(inputs, verbose=0)[:, 0]
    assert np.allclose(found["prediction"], expected, rtol=1e-5, atol=1e-6)
    back = np.full((2, GENES), np.nan)
    back[:, 0], back[:, 5] = expected.reshape(2, -1)[:, 0] * 3 + 20, expected.reshape(2, -1)[:, 5] * 2 + 10
    assert np.allclose(found["expression"], back.ravel(), rtol=1e-5, equal_nan=True)


def test_a_model_of_z_scores_is_given_those_of_the_new_cells(files):
    change(files["preprocessing"], spec=SPEC | {"histone": SPEC["histone"] | {"z_scores": True}})
    predict_new(**files, threads=1)
    counts = np.log1p(np.load(array(files, "histone.npy")).astype(np.float32))
    scores = (counts - counts.mean(axis=1, keepdims=True)) / counts.std(axis=1, keepdims=True)
    inputs = [scores.reshape(-1, BINS, 2), np.tile(one_hot(np.load(array(files, "dna.npy"))), (2, 1, 1))]
    expected = keras.saving.load_model(files["model"]).predict(inputs, verbose=0)[:, 0]
    assert np.allclose(read_table(files["predictions"])["prediction"], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"marks": ["two", "one"]}, "config key `histone.marks`: the model in "),
        ({"bins": 20}, "config key `bins`: the model in "),
        ({"window": 80}, "config key `window`: the model in "),
        ({"strand_aware": False}, "config key `strand_aware`: the model in "),
        ({"scale": "signal", "counting": None}, "config key `histone.scale`: the model in "),
        ({"counting": {**COUNTING, "rule": "midpoint"}}, "config key `histone.counting, histone.min_mapq, histone.duplicates`: the"),
        ({"modules": ["dna"]}, "config key `modules` is ['histone', 'dna'], but the model in "),
    ],
)  # fmt: skip
def test_inputs_of_another_form_are_refused(files, changes, says):
    change(files["preprocessing"], **changes)
    with pytest.raises(InputError) as caught:
        predict_new(**files, threads=1)
    assert str(caught.value).startswith(says)
    assert not files["predictions"].exists()


def test_a_model_of_the_dna_of_other_genes_is_refused(files):
    change(files["preprocessing"], permuted_genes=0)
    with pytest.raises(InputError, match="preprocessing.json: this model was trained on the DNA of other genes"):
        predict_new(**files, threads=1)
    assert not files["predictions"].exists()
    change(files["preprocessing"], permuted_genes=None)
    predict_new(**files, threads=1)


def test_reads_are_the_same_to_a_model_that_knows_tracks_too(files):
    predict_new(**files, threads=1)
    expected = files["predictions"].read_text()
    change(files["preprocessing"], scale="signal")
    predict_new(**files, threads=1)
    assert files["predictions"].read_text() == expected
    # What the model would take the logarithm of, it was not trained on.
    histone = array(files, "histone.npy")
    save_array(np.load(histone).astype(np.float32), histone)
    with pytest.raises(InputError, match="config key `histone.scale`"):
        predict_new(**files, threads=1)


def test_counts_of_unknown_making_are_warned_of(files, caplog):
    change(files["preprocessing"], counting=None)
    predict_new(**files, threads=1)
    assert "it is not known how the counts that the model was trained on were made" in caplog.text


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"spec": 1}', "null", "modules"])
def test_another_file_in_place_of_the_description_is_refused(files, text):
    if text == "modules":
        change(files["preprocessing"], modules=5)
    else:
        files["preprocessing"].write_text(text)
    with pytest.raises(InputError, match=r"preprocessing.json: this is not what training writes with a model; copy"):
        predict_new(**files, threads=1)


@pytest.mark.parametrize("name", ["model", "preprocessing"])
def test_a_missing_file_is_named(files, name):
    files[name].unlink()
    with pytest.raises(InputError, match=f"{files[name].name}: the file does not exist"):
        predict_new(**files, threads=1)


def test_a_damaged_model_is_refused(files):
    files["model"].write_bytes(files["model"].read_bytes()[:500])
    with pytest.raises(InputError, match=r"model.keras: the model cannot be read"):
        predict_new(**files, threads=1)

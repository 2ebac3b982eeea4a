"""The gradients of small networks, and their agreement."""

import keras
import numpy as np
import pandas as pd
import pytest

from helpers.networks import small_spec
from helpers.preprocessing import write_preprocessing_of
from helpers.stores import write_store
from wakawaka.core.files import write_table
from wakawaka.genome.dna import one_hot
from wakawaka.interpretation.attribute import agreement, attribute, centred, gradients_of
from wakawaka.network.build import build_model, logits_model
from wakawaka.network.saved_model import load_model, save_model
from wakawaka.store.store import Store


def test_gradients_of_a_binary_network_are_those_of_its_log_odds():
    """The network is certain, so that the gradient through its sigmoid is 0."""
    inputs = keras.Input((2,), name="histone")
    odds = keras.layers.Dense(1, name="expression")(inputs)
    network = keras.Model([inputs], keras.layers.Activation("sigmoid", name="probability")(odds))
    network.get_layer("expression").set_weights([np.array([[3.0], [-1.0]]), np.array([200.0])])
    values = {"histone": np.array([[2.0, 1.0]], np.float32)}
    output, gradients = gradients_of(logits_model(network), values)
    assert output == 205 and gradients["histone"].tolist() == [3, -1]
    assert gradients_of(network, values)[1]["histone"].tolist() == [0, 0]


def test_the_mean_over_the_bases_is_taken_from_gradients_of_dna_alone():
    gradient = np.array([[1.0, 2.0, 3.0, 6.0]])
    assert centred("dna", gradient).tolist() == [[-2, -1, 0, 3]]
    assert centred("histone", gradient) is gradient


def test_agreement_is_the_mean_correlation_of_all_pairs():
    up, down = np.arange(4.0), -np.arange(4.0)
    assert agreement([up, up, down]) == pytest.approx((1 - 1 - 1) / 3)
    assert np.isnan(agreement([up]))


# The file of one sample


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Keyword arguments of `attribute`: a small store, and the models of the final run and two folds."""
    # TensorFlow takes the number of threads once per process, before it computes anything.
    monkeypatch.setattr("wakawaka.interpretation.attribute.use_threads", lambda threads: None)
    table = {"strand": ["+", "-", "+", "."]}
    store = write_store(tmp_path, table=table)
    models = []
    for number, run in enumerate(["final", "fold-1", "fold-2"]):
        keras.utils.set_random_seed(number)
        models.append((run, tmp_path / f"{run}.keras"))
        save_model(build_model(small_spec(), modules=["histone", "dna"], **Store(store).sizes), models[-1][1])
    write_preprocessing_of(tmp_path / "preprocessing.json", small_spec())
    names = {"cell": ["C01", "C02"], "gene_id": ["G01", "G01"], "regime": "unseen_cell"}
    write_table(pd.DataFrame(names | {"truth": [1.0, 2.0], "final": [0.5, 2.0]}), tmp_path / "test.tsv")
    names |= {"gene_id": ["G02", "G03"], "run": "fold-2"}
    write_table(pd.DataFrame(names | {"truth": [1.0, np.nan], "prediction": 0.5}), tmp_path / "out_of_fold.tsv")
    paths = {name: tmp_path / f"{name}.tsv" for name in ("test", "out_of_fold")}
    others = {"preprocessing": tmp_path / "preprocessing.json", "attribution": tmp_path / "x.npz", "threads": 1}
    return {"store": store, "models": models, **paths, **others}


@pytest.mark.parametrize(
    ("gene", "cell", "run", "strand"), [("G01", "C02", "final", "-"), ("G02", "C01", "fold-2", "+")]
)
def test_the_file_has_the_prediction_the_inputs_and_the_gradients_of_one_sample(files, gene, cell, run, strand):
    attribute(**files, gene=gene)
    found, store = np.load(files["attribution"]), Store(files["store"])
    assert [str(found[name]) for name in ("gene_id", "cell", "run", "strand")] == [gene, cell, run, strand]
    place = store.cells.tolist().index(cell), store.genes.tolist().index(gene)
    histone, dna = store.histone_input(*(np.array([one]) for one in place)), store.dna[place[1]]
    assert np.array_equal(found["histone"], histone[0]) and np.array_equal(found["dna"], dna)
    model = load_model(dict(files["models"])[run])
    assert found["prediction"] == pytest.approx(float(model([histone, one_hot(dna)[None]])[0, 0]))
    assert found["histone_gradient"].shape == histone[0].shape and found["dna_gradient"].shape == (len(dna), 4)
    assert np.allclose(found["dna_gradient"].sum(axis=1), 0, atol=1e-6)
    assert -1 <= found["histone_agreement"] <= 1 and not found["binary"] and not found["fixed_kmers"]
    assert (found["window"], found["bin_size"], found["marks"].tolist()) == (100, 5, store.info.marks)


def test_a_gradient_is_the_slope_of_the_prediction(files):
    """A small step of one input, compared with the gradient at it."""
    attribute(**files, gene="G01")
    found = np.load(files["attribution"])
    model, step = load_model(files["models"][0][1]), 1e-2
    inputs = [found["histone"][None], one_hot(found["dna"])[None]]
    place = np.unravel_index(np.abs(found["histone_gradient"]).argmax(), found["histone"].shape)
    ends = []
    for sign in (1, -1):
        moved = inputs[0].copy()
        moved[0][place] += sign * step
        ends.append(float(model([moved, inputs[1]], training=False)[0, 0]))
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(found["histone_gradient"][place], rel=0.05)

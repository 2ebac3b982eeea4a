"""Baselines against values computed by hand and scikit-learn."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from helpers.stores import write_store
from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table, write_table
from wakawaka.evaluation import baselines as module
from wakawaka.evaluation.baselines import UNSURE, baselines, coarse, label_chances, means, nearest_cell, summaries
from wakawaka.evaluation.labels import BASELINES
from wakawaka.splits.regimes import BOTH_UNSEEN, TRAIN, UNSEEN_CELL, UNSEEN_GENE

CELLS, GENES, BINS, MARKS = 6, 80, 10, 2
VALUE = {"kind": "value", "transform": "none"}
LABEL = {"kind": "label", "transform": "none"}
SETTINGS = {"run": "final", "target": VALUE, "seed": 1, "threads": 1}
# The last cell and the last genes are held out.
KNOWN = np.zeros((CELLS, GENES), bool)
KNOWN[:-1, :60] = True


def write_run(folder, truth, counts):
    """Write a store and the regimes of its samples."""
    cells, genes = [f"c{n}" for n in range(CELLS)], [f"g{n:02}" for n in range(GENES)]
    arrays = {"expression": truth.astype(np.float32), "histone": counts, "dna": None}
    write_store(folder, cells=cells, genes=genes, marks=MARKS, bins=BINS, window=5000, info={"medians": {}}, **arrays)
    regime = np.select(
        [KNOWN, KNOWN.any(axis=0)[None], KNOWN.any(axis=1)[:, None]], [TRAIN, UNSEEN_CELL, UNSEEN_GENE], BOTH_UNSEEN
    )
    grid = {"cell": np.repeat(cells, GENES), "gene_id": np.tile(genes, CELLS), "final": regime.ravel()}
    write_table(pd.DataFrame(grid), folder / "samples.tsv.gz")


def predicted(folder, target=VALUE, modules=("histone",)):
    names = ["store.json", "genes.tsv", "cells.tsv", "expression.npy", *(f"{module}.npy" for module in modules)]
    paths = [folder / name for name in names]
    baselines(paths, folder / "samples.tsv.gz", folder / "x.tsv.gz", **SETTINGS | {"target": target})
    table = read_table(folder / "x.tsv.gz")
    return {name: table[name].to_numpy().reshape(CELLS, GENES) for name in table if name in BASELINES}


def random_samples(seed=0):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(np.exp(rng.normal(1, 1, (CELLS, GENES, 1, MARKS))), (CELLS, GENES, BINS, MARKS)).astype(
        np.uint16
    )
    logs = np.log1p(counts.astype(float))
    return counts, 2 * logs[..., 0].mean(axis=2) - logs[:, :, 3, 1] + 0.01 * rng.normal(size=(CELLS, GENES))


def test_means_by_hand():
    truth = np.array([[1.0, 5, 9], [3, np.nan, 9], [100, 100, 100]])
    trained = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], bool)
    found = means(truth, trained, binary=False)
    assert found["training_mean"].tolist() == [[3] * 3] * 3 and found["gene_mean"].tolist() == [[2, 5, 3]] * 3


def test_means_of_labels_count_the_base_rate_as_one_more_sample():
    truth = np.array([[1.0, 1, 0], [0, 1, np.nan], [0, np.nan, 1]])
    trained = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0]], bool)
    found = means(truth, trained, binary=True)
    assert found["training_mean"] == pytest.approx(np.full((3, 3), 0.6))
    assert found["gene_mean"] == pytest.approx(np.array([[(1 + 0.6) / 4, (2 + 0.6) / 3, 0.6]] * 3))


def test_nearest_other_training_cell_by_hand():
    profiles = np.array([[1.0, 2, 3], [1, 2, 4], [3, 2, 1], [1, 2, 3.1]])
    truth = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 0]])
    # The last cell, and the middle gene of the second, are no training samples.
    trained = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1], [0, 0, 0]], bool)
    found = np.nan_to_num(nearest_cell(profiles, truth, trained), nan=-1)
    assert found.tolist() == [[4, -1, 6], [1, 2, 3], [4, -1, 6], [1, 2, 3]]


def test_without_another_training_cell_there_is_no_nearest():
    trained = np.array([[True, True], [False, False]])
    found = nearest_cell(np.array([[1.0, 2, 4], [2, 1, 0]]), np.array([[1.0, 2], [3, 4]]), trained)
    assert np.isnan(found[0]).all() and found[1].tolist() == [1, 2]


@pytest.mark.parametrize("features", [1, 5])
def test_constant_profiles_are_far_from_all_others(features):
    profiles = np.random.default_rng(0).normal(size=(4, features)).astype(np.float32)
    profiles[:2] = np.float32(0.1)
    truth = np.arange(4.0)[:, None]
    found = nearest_cell(profiles, truth, np.ones((4, 1), bool)).ravel()
    if features == 1:
        # All are equally far, so the first one is taken.
        assert found.tolist() == [1, 0, 0, 0]
    else:
        assert found.tolist() == [1, 0, 3, 2]


def test_correlations_are_those_of_numpy():
    profiles = np.random.default_rng(0).normal(3, 1, size=(5, 40))
    assert module._correlations(profiles) == pytest.approx(np.corrcoef(profiles))


def test_chance_of_a_neighbours_label_by_hand():
    neighbour = np.array([[1, 1, 0, np.nan], [0, 1, 1, 0], [1, 0, np.nan, 0]])
    truth = np.array([[1.0, 1, 0, 1], [0, 0, 1, 1], [0, 1, 0, 0]])
    trained = np.array([[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]], bool)
    # The base rate is 5 of 8. Three of the four training samples with a neighbour of 1 are 1, and one of the three with a 0.
    one, zero = (3 + 5 / 8) / 5, (1 + 5 / 8) / 4
    expected = np.array([[one, one, zero, np.nan], [zero, one, one, zero], [one, zero, np.nan, zero]])
    assert label_chances(neighbour, truth, trained) == pytest.approx(expected, nan_ok=True)


def test_a_label_that_no_training_sample_has_as_neighbour_gets_the_base_rate():
    truth, trained = np.array([[1.0, 0], [0, 0]]), np.array([[1, 1], [0, 0]], bool)
    assert label_chances(np.array([[0.0, 0], [1, 0]]), truth, trained)[1].tolist() == [0.5, 0.5]


def test_summaries_by_hand():
    marks = np.arange(20.0).reshape(1, 10, 2)
    # 5 kb in ten bins: two on each side of the TSS are within 1 kb.
    assert summaries(marks, 5000).tolist() == [[9, 10, 18, 19, 9, 10]]
    assert summaries(marks, 1000).tolist() == [[9, 10, 18, 19, 9, 10]]
    marks[0, :3] = 0
    assert summaries(marks, 5000)[0, 4:].tolist() == [9, 10] and summaries(marks, 5000)[0, 0] < 9


@pytest.mark.parametrize("window", [1000, 2000, 4000, 10000])
@pytest.mark.parametrize("bins", [1, 3, 7, 50, 99, 100])
def test_near_the_tss_is_every_bin_within_1_kb(bins, window):
    rng = np.random.default_rng(bins)
    marks = rng.normal(size=(4, bins, 2))
    # The bin of every base, in parts of a base, because bins need not divide the window.
    position = np.arange(window * bins)
    near = np.unique(position[np.abs(position + 0.5 - window * bins / 2) < 1000 * bins] // window)
    assert summaries(marks, window)[:, 4:] == pytest.approx(marks[:, near].mean(axis=1))


def test_neighbouring_bins_are_averaged_by_hand():
    marks = np.arange(14, dtype=np.float32).reshape(1, 7, 2)
    assert coarse(marks, 3).tolist() == [[[2, 3], [8, 9], [12, 13]]] and coarse(marks, 3).dtype == np.float32
    assert coarse(marks, 1) is marks and coarse(marks, 7).tolist() == coarse(marks, 9).tolist() == [[[6, 7]]]


@pytest.mark.parametrize(("shape", "together"), [((100, 5), 1), ((800, 5), 1), ((801, 5), 2), ((10000, 5), 13)])
def test_bins_are_averaged_until_they_are_few_enough(shape, together):
    assert module._bins_together(*shape) == together and -(-shape[0] // together) * shape[1] <= module.MAX_FEATURES


def test_marks_that_determine_the_expression_are_found(tmp_path):
    counts, truth = random_samples()
    write_run(tmp_path, truth, counts)
    found = predicted(tmp_path)
    assert list(found) == list(BASELINES)
    spread = truth[-1, 60:].var()
    # The bins hold all information, the summaries only the mean of one mark and not the bin of the other.
    assert np.mean((found["ridge_bins"] - truth)[-1, 60:] ** 2) < 0.01 * spread
    assert 0.01 * spread < np.mean((found["ridge_summaries"] - truth)[-1, 60:] ** 2) < 0.5 * spread
    assert np.ptp(found["gene_mean"][:, 60:]) == 0 and np.allclose(
        found["nearest_cell"][:, 60:], found["gene_mean"][:, 60:]
    )


def test_the_trees_are_those_of_scikit_learn(tmp_path):
    counts, truth = random_samples()
    write_run(tmp_path, truth, counts)
    features = np.stack([summaries(np.log1p(cell, dtype=np.float32), 5000) for cell in counts])
    trees = HistGradientBoostingRegressor(early_stopping=False, random_state=1)
    with threadpool_limits(1):
        expected = trees.fit(features[KNOWN], truth.astype(np.float32)[KNOWN]).predict(features.reshape(-1, 3 * MARKS))
    assert predicted(tmp_path)["trees_summaries"].ravel() == pytest.approx(expected, rel=1e-5)


def test_held_out_truths_have_no_effect(tmp_path):
    counts, truth = random_samples()
    write_run(tmp_path, truth, counts)
    first = predicted(tmp_path)
    write_run(tmp_path, np.where(KNOWN, truth, 1e6), counts)
    assert all(np.array_equal(values, first[name]) for name, values in predicted(tmp_path).items())


def test_predictions_of_the_nearest_cell_are_its_values(tmp_path):
    counts, truth = random_samples()
    write_run(tmp_path, truth, counts)
    found = predicted(tmp_path)["nearest_cell"][0, :60]
    assert any(found == pytest.approx(truth[cell, :60], rel=1e-6) for cell in range(1, CELLS - 1))


def test_labels_get_probabilities(tmp_path):
    counts, truth = random_samples()
    labels = (truth > np.median(truth)).astype(float)
    write_run(tmp_path, labels, counts)
    found = predicted(tmp_path, LABEL)
    for name, values in found.items():
        assert values.min() > 0 and values.max() < 1
        assert np.mean((values > 0.5) == labels) > 0.8 or name in ("training_mean", "gene_mean", "nearest_cell")
    # Some probabilities are clipped.
    assert found["ridge_bins"].min() == UNSURE and found["ridge_bins"].max() == 1 - UNSURE
    features = np.stack([summaries(np.log1p(cell, dtype=np.float32), 5000) for cell in counts])
    with threadpool_limits(1):
        trees = HistGradientBoostingClassifier(early_stopping=False, random_state=1).fit(features[KNOWN], labels[KNOWN])
        expected = trees.predict_proba(features.reshape(-1, 3 * MARKS))[:, 1]
    assert found["trees_summaries"].ravel() == pytest.approx(expected, rel=1e-5)


def test_a_nearest_cells_label_becomes_a_chance(tmp_path):
    counts, truth = random_samples()
    labels = (truth > np.median(truth)).astype(float)
    write_run(tmp_path, labels, counts)
    found = predicted(tmp_path, LABEL)
    logs = np.log1p(counts[:, :60].astype(float)).mean(axis=2).reshape(CELLS, -1)
    expected = label_chances(nearest_cell(logs, labels[:, :60], KNOWN[:, :60]), labels[:, :60], KNOWN[:, :60])
    assert found["nearest_cell"][:, :60] == pytest.approx(expected, rel=1e-6)
    assert len(np.unique(found["nearest_cell"][:, :60])) == 2
    assert np.array_equal(found["nearest_cell"][:, 60:], found["gene_mean"][:, 60:])


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_equal_labels_are_predicted_as_such(tmp_path, label):
    counts, truth = random_samples()
    write_run(tmp_path, np.full(truth.shape, label), counts)
    found = predicted(tmp_path, LABEL)
    for name, values in found.items():
        assert (values == (np.clip(label, UNSURE, 1 - UNSURE) if name.startswith("ridge") else label)).all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("target", [VALUE, LABEL])
@pytest.mark.parametrize("known", ["one sample", "one cell", "one gene"])
def test_predictions_from_few_training_samples_are_finite(tmp_path, target, known):
    counts, truth = random_samples()
    rows = {"one sample": np.s_[:1, :1], "one cell": np.s_[:1], "one gene": np.s_[:, :1]}[known]
    some = np.full(truth.shape, np.nan)
    some[rows] = (truth > 0)[rows]
    # A mark without reads, and a cell without reads.
    counts[..., 1] = 0
    counts[2] = 0
    write_run(tmp_path, some, counts)
    found = predicted(tmp_path, target)
    assert list(found) == list(BASELINES) and all(np.isfinite(values).all() for values in found.values())


def test_a_run_without_any_training_sample_is_refused(tmp_path):
    counts, truth = random_samples()
    write_run(tmp_path, np.where(KNOWN, np.nan, truth), counts)
    with pytest.raises(InputError, match="no training sample of the run final has an expression"):
        predicted(tmp_path)


def test_bins_beyond_the_limit_are_averaged_in_fit_and_prediction(tmp_path, monkeypatch, caplog):
    counts, truth = random_samples()
    write_run(tmp_path, truth, counts)
    whole = predicted(tmp_path)
    monkeypatch.setattr(module, "MAX_FEATURES", 10)
    caplog.set_level("INFO")
    halved = predicted(tmp_path)
    assert (
        "the mean of every 2 neighbouring bins is used, because 10 bins of 2 marks are more than 10 features"
        in caplog.text
    )
    names = [name for name in BASELINES if not np.array_equal(halved[name], whole[name])]
    # The truth depends on a single bin of one mark, which is now averaged with its neighbour.
    errors = [np.mean((found["ridge_bins"] - truth)[-1, 60:] ** 2) for found in (whole, halved)]
    assert names == ["ridge_bins"] and 10 * errors[0] < errors[1] < 0.5 * truth[-1, 60:].var()


def test_genes_may_be_read_in_parts(tmp_path, monkeypatch):
    counts, truth = random_samples()
    write_run(tmp_path, truth, counts)
    whole = predicted(tmp_path)
    monkeypatch.setattr(module, "GENES_AT_ONCE", 33)
    for name, values in predicted(tmp_path).items():
        assert values == pytest.approx(whole[name], rel=1e-5, abs=1e-6)


def test_equal_seeds_give_equal_bytes(tmp_path):
    counts, truth = random_samples()
    write_run(tmp_path, truth, counts)
    tables = []
    for _ in range(2):
        predicted(tmp_path)
        tables.append((tmp_path / "x.tsv.gz").read_bytes())
    assert tables[0] == tables[1]


def test_the_trees_use_limited_threads(tmp_path):
    counts, truth = random_samples()
    write_run(tmp_path, truth, counts)
    # In a new process, where the library of the trees is not loaded.
    script = """
import sys
import numpy as np
from threadpoolctl import threadpool_info
from wakawaka.evaluation import baselines

def trees(features, truth, trained, binary, seed):
    import sklearn.ensemble
    print({library["user_api"]: library["num_threads"] for library in threadpool_info()})
    return np.zeros(truth.shape)

baselines._trees = trees
folder = sys.argv[1]
names = ("store.json", "genes.tsv", "cells.tsv", "expression.npy", "histone.npy")
settings = {"run": "final", "target": {"kind": "value", "transform": "none"}, "seed": 1, "threads": 1}
baselines.baselines([f"{folder}/{name}" for name in names], f"{folder}/samples.tsv.gz", f"{folder}/x.tsv", **settings)
"""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "2"}
    printed = subprocess.run(
        [sys.executable, "-c", script, tmp_path], env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert "'openmp': 1" in printed and "'blas': 1" in printed


def test_without_marks_only_the_means_are_predicted(tmp_path):
    counts, truth = random_samples()
    write_run(tmp_path, truth, counts)
    assert list(predicted(tmp_path, modules=())) == ["training_mean", "gene_mean"]

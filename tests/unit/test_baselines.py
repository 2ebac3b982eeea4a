"""Baselines, on samples few enough to tell by hand, and beside scikit-learn."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from wakawaka.baselines import LABELS, baselines, means, nearest_cell, summaries
from wakawaka.files import read_table, save_array, write_table
from wakawaka.regimes import BOTH_UNSEEN, TRAIN, UNSEEN_CELL, UNSEEN_GENE

CELLS, GENES, BINS, MARKS = 6, 80, 10, 2
VALUE = {"kind": "value", "transform": "none"}
# The last cell and the last genes are held out.
KNOWN = np.zeros((CELLS, GENES), bool)
KNOWN[:-1, :60] = True


def write_store(folder, truth, counts):
    info = {"marks": ["a", "b"][:MARKS], "window": 5000, "bins": BINS, "scale": "counts", "medians": {}}
    (folder / "store.json").write_text(json.dumps(info))
    genes = pd.DataFrame({"gene_id": [f"g{n:02}" for n in range(GENES)]}).assign(chrom="1", tss=5, strand="+", group="")
    write_table(genes, folder / "genes.tsv")
    cells = [f"c{n}" for n in range(CELLS)]
    write_table(pd.DataFrame({"cell": cells}), folder / "cells.tsv")
    save_array(truth.astype(np.float32), folder / "expression.npy")
    save_array(counts, folder / "histone.npy")
    regime = np.select(
        [KNOWN, KNOWN.any(axis=0)[None], KNOWN.any(axis=1)[:, None]], [TRAIN, UNSEEN_CELL, UNSEEN_GENE], BOTH_UNSEEN
    )
    grid = {"cell": np.repeat(cells, GENES), "gene_id": np.tile(genes["gene_id"], CELLS), "final": regime.ravel()}
    write_table(pd.DataFrame(grid), folder / "samples.tsv.gz")


def predicted(folder, target=VALUE, modules=("histone",)):
    names = ["store.json", "genes.tsv", "cells.tsv", "expression.npy", *(f"{module}.npy" for module in modules)]
    paths = [folder / name for name in names]
    settings = {"run": "final", "target": target, "seed": 1, "threads": 1}
    baselines(paths, folder / "samples.tsv.gz", folder / "x.tsv.gz", **settings)
    table = read_table(folder / "x.tsv.gz")
    return {name: table[name].to_numpy().reshape(CELLS, GENES) for name in table if name in LABELS}


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
    found = means(truth, trained)
    assert found["training_mean"].tolist() == [[3] * 3] * 3 and found["gene_mean"].tolist() == [[2, 5, 3]] * 3


def test_the_nearest_other_training_cell_by_hand():
    profiles = np.array([[1.0, 2, 3], [1, 2, 4], [3, 2, 1], [1, 2, 3.1]])
    truth = np.array([[1.0, 2, 3], [4, 5, 6], [7, 8, 9], [0, 0, 0]])
    # The last cell is not trained on, and the second one's middle gene is not.
    trained = np.array([[1, 1, 1], [1, 0, 1], [1, 1, 1], [0, 0, 0]], bool)
    found = nearest_cell(profiles, truth, trained, np.full((4, 3), -1.0))
    assert found.tolist() == [[4, -1, 6], [1, 2, 3], [4, -1, 6], [1, 2, 3]]


def test_without_another_training_cell_there_is_no_nearest():
    trained = np.array([[True, True], [False, False]])
    found = nearest_cell(
        np.array([[1.0, 2, 4], [2, 1, 0]]), np.array([[1.0, 2], [3, 4]]), trained, np.full((2, 2), -1.0)
    )
    assert found.tolist() == [[-1, -1], [1, 2]]


def test_summaries_by_hand():
    marks = np.arange(20.0).reshape(1, 10, 2)
    # 5 kb in ten bins: two on each side of the TSS are within 1 kb.
    assert summaries(marks, 5000).tolist() == [[9, 10, 18, 19, 9, 10]]
    assert summaries(marks, 1000).tolist() == [[9, 10, 18, 19, 9, 10]]
    marks[0, :3] = 0
    assert summaries(marks, 5000)[0, 4:].tolist() == [9, 10] and summaries(marks, 5000)[0, 0] < 9


def test_marks_that_tell_the_expression_are_found(tmp_path):
    counts, truth = random_samples()
    write_store(tmp_path, truth, counts)
    found = predicted(tmp_path)
    assert list(found) == list(LABELS)
    spread = truth[-1, 60:].var()
    # All bins hold all of it, summaries the mean of one mark and not the bin of the other.
    assert np.mean((found["ridge_bins"] - truth)[-1, 60:] ** 2) < 0.01 * spread
    assert 0.01 * spread < np.mean((found["ridge_summaries"] - truth)[-1, 60:] ** 2) < 0.5 * spread
    assert np.ptp(found["gene_mean"][:, 60:]) == 0 and np.allclose(
        found["nearest_cell"][:, 60:], found["gene_mean"][:, 60:]
    )


def test_the_trees_are_scikit_learns(tmp_path):
    counts, truth = random_samples()
    write_store(tmp_path, truth, counts)
    features = np.stack([summaries(np.log1p(cell, dtype=np.float32), 5000) for cell in counts])
    trees = HistGradientBoostingRegressor(early_stopping=False, random_state=1)
    expected = trees.fit(features[KNOWN], truth.astype(np.float32)[KNOWN]).predict(features.reshape(-1, 3 * MARKS))
    assert predicted(tmp_path)["trees_summaries"].ravel() == pytest.approx(expected, rel=1e-5)


def test_held_out_truths_are_not_looked_at(tmp_path):
    counts, truth = random_samples()
    write_store(tmp_path, truth, counts)
    first = predicted(tmp_path)
    write_store(tmp_path, np.where(KNOWN, truth, 1e6), counts)
    assert all(np.array_equal(values, first[name]) for name, values in predicted(tmp_path).items())


def test_labels_get_probabilities(tmp_path):
    counts, truth = random_samples()
    labels = (truth > np.median(truth)).astype(float)
    write_store(tmp_path, labels, counts)
    found = predicted(tmp_path, {"kind": "label", "transform": "none"})
    for name, values in found.items():
        assert values.min() >= 0 and values.max() <= 1
        assert np.mean((values > 0.5) == labels) > 0.8 or name in ("training_mean", "gene_mean", "nearest_cell")
    features = np.stack([summaries(np.log1p(cell, dtype=np.float32), 5000) for cell in counts])
    trees = HistGradientBoostingClassifier(early_stopping=False, random_state=1).fit(features[KNOWN], labels[KNOWN])
    assert found["trees_summaries"].ravel() == pytest.approx(
        trees.predict_proba(features.reshape(-1, 3 * MARKS))[:, 1], rel=1e-5
    )


def test_without_marks_there_are_means_alone(tmp_path):
    counts, truth = random_samples()
    write_store(tmp_path, truth, counts)
    assert list(predicted(tmp_path, modules=())) == ["training_mean", "gene_mean"]

"""Baselines: what a model has to beat, fitted on the training samples of a run alone.

Without them a score says little: a model that knows the gene may answer with the gene's average (Schreiber, Singh, Bilmes and Noble, Genome
Biology 2020, 21:282), and linear models are hard to beat where the input is summed reads.
"""

import logging

import numpy as np
import pandas as pd

from . import targets
from .files import write_table
from .regimes import TRAIN, read_regimes
from .ridge import Ridge
from .store import Store

log = logging.getLogger(__name__)

# The baselines in words; those below the second need histone marks.
LABELS = {
    "training_mean": "training mean",
    "gene_mean": "per-gene training mean",
    "nearest_cell": "nearest training cell",
    "ridge_bins": "ridge on all bins",
    "ridge_summaries": "ridge on summaries of marks",
    "trees_summaries": "boosted trees on summaries of marks",
}

# Blocks of genes that the ridge leaves out in turn to choose its penalty.
BLOCKS = 5

# The bins within so many bp of the TSS are summed up apart.
NEAR = 1000


def baselines(store, samples, predictions, *, run, target, seed, threads):
    """Write what the baselines of a run predict for every cell and gene, in the order of the store.

    training_mean: the mean of all training samples. gene_mean: that of the gene; of a gene without any, training_mean.
    nearest_cell: the value of the gene in the training cell whose marks correlate best with the cell's (another one than itself),
    where that is known; else gene_mean. ridge_bins: ridge regression on the marks in all bins. ridge_summaries and
    trees_summaries: ridge regression and gradient-boosted trees on three numbers per mark: its mean, its maximum, and its mean
    near the TSS. Marks are as the model is given them: ln(count + 1), or the signal. For a binary target predictions are
    probabilities: ridge regression on 0 and 1, cut off there.

    Args:
        store: paths of the store. samples: path of the table of regimes. predictions: output path, a table with the columns cell,
            gene_id, regime, truth, and one for each baseline. run: column of `samples`. target: dict, see targets.py.
        seed: of the ridge's blocks and of the trees. threads: of the trees and of linear algebra.
    """
    store = Store(store)
    regimes = read_regimes(samples, store, run)
    truth = targets.values(store, target, targets.fit(store, target, regimes == TRAIN))
    trained = (regimes == TRAIN) & np.isfinite(truth)
    found = means(truth, trained)
    if "histone" in store.modules:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(threads):
            found |= _of_marks(store, truth, trained, found["gene_mean"], targets.is_binary(target), seed)
    table = {
        "cell": np.repeat(store.cells, len(store.genes)),
        "gene_id": np.tile(store.genes, len(store.cells)),
        "regime": regimes.ravel(),
        "truth": truth.ravel(),
        **{name: values.ravel() for name, values in found.items()},
    }
    write_table(pd.DataFrame(table), predictions)
    log.info("%s: %s", run, ", ".join(LABELS[name] for name in found))


def means(truth, trained):
    """Return the predictions [cell, gene] float64 of training_mean and gene_mean, as a dict.

    Args:
        truth: [cell, gene] floats. trained: mask [cell, gene] of the training samples.
    """
    values, count = np.where(trained, truth, 0.0).astype(np.float64), trained.sum(axis=0)
    mean = values.sum() / count.sum()
    of_gene = np.where(count, values.sum(axis=0) / np.maximum(count, 1), mean)
    return {"training_mean": np.full(truth.shape, mean), "gene_mean": np.broadcast_to(of_gene, truth.shape)}


def nearest_cell(profiles, truth, trained, otherwise):
    """Return for every sample the truth of its gene in the nearest other training cell, [cell, gene] float64.

    Args:
        profiles: [cell, feature] floats, whose correlation says how near cells are. truth: [cell, gene] floats. trained: mask
            [cell, gene] of the training samples. otherwise: [cell, gene], where the nearest cell's is no training sample.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        likeness = np.nan_to_num(np.atleast_2d(np.corrcoef(profiles)), nan=-1)
    likeness[:, ~trained.any(axis=1)] = -np.inf
    np.fill_diagonal(likeness, -np.inf)
    nearest = likeness.argmax(axis=1)
    found = np.where(trained[nearest], truth[nearest], otherwise)
    # A training cell may be the only one.
    return np.where(np.isfinite(likeness.max(axis=1))[:, None], found, otherwise)


def summaries(marks, window):
    """Return the mean, the maximum and the mean near the TSS of every mark, [gene, 3 * mark], of marks [gene, bin, mark].

    Args:
        window: bp that the bins span.
    """
    bins = marks.shape[1]
    near = max(round(bins * NEAR / window), 1)
    middle = marks[:, max(bins // 2 - near, 0) : bins // 2 + near]
    return np.concatenate([marks.mean(axis=1), marks.max(axis=1), middle.mean(axis=1)], axis=1)


def _of_marks(store, truth, trained, gene_mean, binary, seed):
    """Return the predictions [cell, gene] of the baselines that know the marks, as a dict."""
    rng = np.random.default_rng(seed)
    block = rng.integers(BLOCKS, size=len(store.genes))
    bins = Ridge(int(np.prod(store.histone.shape[2:])), BLOCKS)
    short = np.empty((*truth.shape, 3 * store.histone.shape[3]), np.float32)
    few = Ridge(short.shape[2], BLOCKS)
    for cell, genes in enumerate(trained):
        marks = _marks(store, cell)
        short[cell] = summaries(marks, store.info["window"])
        bins.add(marks.reshape(len(genes), -1)[genes], truth[cell, genes], block[genes])
        few.add(short[cell, genes], truth[cell, genes], block[genes])
    bins.fit()
    few.fit()
    log.info("penalties of the ridges: %g on all bins, %g on summaries", bins.penalty, few.penalty)
    profiles = short[:, trained.any(axis=0), : store.histone.shape[3]].reshape(len(truth), -1)
    found = {
        "nearest_cell": nearest_cell(profiles, truth, trained, gene_mean),
        "ridge_bins": np.stack(
            [bins.predict(_marks(store, cell).reshape(len(store.genes), -1)) for cell in range(len(truth))]
        ),
        "ridge_summaries": np.stack([few.predict(cell) for cell in short]),
    }
    if binary:
        found |= {name: np.clip(found[name], 0, 1) for name in ("ridge_bins", "ridge_summaries")}
    return found | {"trees_summaries": _trees(short, truth, trained, binary, seed)}


def _marks(store, cell):
    """Return a cell's marks [gene, bin, mark] float32 as a model is given them."""
    return store.histone_input(cell, slice(None))


def _trees(features, truth, trained, binary, seed):
    """Return the predictions [cell, gene] of gradient-boosted trees with scikit-learn's settings."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
    # Stopping early would take random rows of known genes for validation.
    seed = int(np.random.SeedSequence(seed).generate_state(1)[0])
    if binary and np.ptp(truth[trained]) == 0:
        return np.full(truth.shape, truth[trained][0], np.float64)
    trees = kind(early_stopping=False, random_state=seed).fit(features[trained], truth[trained])
    flat = features.reshape(-1, features.shape[-1])
    predicted = trees.predict_proba(flat)[:, 1] if binary else trees.predict(flat)
    return predicted.reshape(truth.shape)

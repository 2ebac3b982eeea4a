"""Baselines: what a model has to beat, fitted on the training samples of a run alone.

Without them a score says little: a model that knows the gene may answer with the gene's average (Schreiber, Singh, Bilmes and Noble, Genome
Biology 2020, 21:282), and linear models are hard to beat where the input is summed reads.

    training_mean    the mean of all training samples
    gene_mean        that of the gene; of a gene without any, training_mean
    nearest_cell     the value of the gene in the training cell whose marks correlate best with the cell's (another one than itself),
                     where that is known; else gene_mean
    ridge_bins       ridge regression on the marks in all bins; on means of neighbouring bins where there are more than `FEATURES`
    ridge_summaries  ridge regression on three numbers per mark: its mean, its maximum, and its mean near the TSS
    trees_summaries  gradient-boosted trees on the same numbers

Marks are as the model is given them: ln(count + 1), or the signal.

For a binary target predictions are probabilities. training_mean is the part of 1s, the base rate; gene_mean counts it as one more
sample, so that few samples do not make sure of anything. nearest_cell is the part of 1s among the training samples whose own nearest
cell has the same label. Ridge regression is on 0 and 1, and cut off short of them.
"""

import logging

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import read_table, write_table
from wakawaka.core.progress import Progress
from wakawaka.splits.regimes import TRAIN, read_regimes
from wakawaka.statistics.ridge import Ridge
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# Blocks of genes that the ridge leaves out in turn to choose its penalty.
BLOCKS = 5

# The bins within so many bp of the TSS are summed up apart.
NEAR = 1000

# The most features of the ridge on all bins: with 4,000, it takes about 1.5 GB, and minutes rather than hours.
FEATURES = 4000

# Probabilities of ridge regression keep this distance from 0 and 1: its straight line leaves that range, and then says nothing of how
# sure it is, while the log loss of a certain answer that is wrong has no end. With this, one costs at most ln 100 = 4.6.
UNSURE = 0.01

# Genes whose marks are read at a time.
GENES = 2000


def baselines(store, samples, predictions, *, run, target, seed, threads, genes=None):
    """Write what the baselines of a run predict for every cell and gene, in the order of the store.

    Args:
        store: paths of the store. samples: path of the table of regimes. predictions: output path, a table with the columns cell,
            gene_id, regime, truth, and one for each baseline. run: column of `samples`. target: dict, see targets.py.
        seed: of the ridge's blocks and of the trees. threads: of the trees and of linear algebra.
        genes: path of the table of genes as `split` writes it, whose groups the ridge leaves out together to choose its penalty;
            None leaves each gene out by itself.

    Raises:
        InputError: if no training sample of the run has a target.
    """
    store = Store(store)
    regimes = read_regimes(samples, store, run)
    truth = targets.values(store, target, targets.fit(store, target, regimes == TRAIN))
    trained, binary = (regimes == TRAIN) & np.isfinite(truth), targets.is_binary(target)
    if not trained.any():
        raise InputError(
            f"no training sample of the run {run} has an expression that the target `{target['transform']}` can be made of: "
            "give more genes or cells an expression, or use another transform (`expression.transform`)."
        )
    found = means(truth, trained, binary)
    if "histone" in store.modules:
        # Limits reach only libraries that are loaded: the trees' must be.
        import sklearn.ensemble  # noqa: F401
        from threadpoolctl import threadpool_limits

        with threadpool_limits(threads):
            found |= _of_marks(store, truth, trained, found["gene_mean"], binary, seed, _blocks(store, genes, seed))
    table = {
        "cell": np.repeat(store.cells, len(store.genes)),
        "gene_id": np.tile(store.genes, len(store.cells)),
        "regime": regimes.ravel(),
        "truth": truth.ravel(),
        **{name: values.ravel() for name, values in found.items()},
    }
    write_table(pd.DataFrame(table), predictions)
    log.info("%s: %s", run, ", ".join(found))


def means(truth, trained, binary):
    """Return the predictions [cell, gene] float64 of training_mean and gene_mean, as a dict.

    Args:
        truth: [cell, gene] floats. trained: mask [cell, gene] of the training samples, at least one. binary: whether these are labels,
            whose gene_mean counts the training mean as one more sample.
    """
    values, count = np.where(trained, truth, 0.0).astype(np.float64), trained.sum(axis=0)
    mean, sums = values.sum() / count.sum(), values.sum(axis=0)
    of_gene = _chance(sums, count, mean) if binary else np.where(count, sums / np.maximum(count, 1), mean)
    return {"training_mean": np.full(truth.shape, mean), "gene_mean": np.broadcast_to(of_gene, truth.shape)}


def nearest_cell(profiles, truth, trained):
    """Return for every sample the truth of its gene in the nearest other training cell, [cell, gene] float64.

    NaN where that is no training sample, and where there is no other training cell.

    Args:
        profiles: [cell, feature] floats, whose correlation says how near cells are; a profile that is the same throughout is far from
            all others. truth: [cell, gene] floats. trained: mask [cell, gene] of the training samples.
    """
    likeness = _correlations(profiles)
    likeness[:, ~trained.any(axis=1)] = -np.inf
    np.fill_diagonal(likeness, -np.inf)
    nearest = likeness.argmax(axis=1)
    # A training cell may be the only one.
    known = trained[nearest] & np.isfinite(likeness.max(axis=1))[:, None]
    return np.where(known, truth[nearest], np.nan).astype(np.float64)


def label_chances(said, truth, trained):
    """Return the probability of a 1, [cell, gene] float64, where another cell says 0 or 1; NaN where it says nothing.

    It is the part of 1s among the training samples of which the same is said, with the base rate as one more sample.

    Args:
        said: [cell, gene] floats, 0, 1 or NaN, as `nearest_cell` returns. truth, trained: as there.
    """
    base, chances = truth[trained].mean(dtype=np.float64), np.full(said.shape, np.nan)
    for label in (0, 1):
        alike = truth[trained & (said == label)]
        chances[said == label] = _chance(alike.sum(dtype=np.float64), len(alike), base)
    return chances


def summaries(marks, window):
    """Return the mean, the maximum and the mean near the TSS of every mark, [gene, 3 * mark], of marks [gene, bin, mark].

    Near are all bins that overlap the `NEAR` bp on either side of the TSS, which is base window / 2 of the window. All three are of
    the dtype of the marks.

    Args:
        window: bp that the bins span.
    """
    bins = marks.shape[1]
    # Bin n spans the bases from n * window / bins on. In whole numbers, for an edge may be one of a bin.
    first = max((window - 2 * NEAR) * bins // (2 * window), 0)
    end = -(-(window + 2 * NEAR) * bins // (2 * window))
    near = marks[:, first:end]
    return np.concatenate([marks.mean(axis=1), marks.max(axis=1), near.mean(axis=1)], axis=1)


def coarse(marks, together):
    """Return the means of every so many neighbouring bins, [gene, ceil(bin / together), mark], of marks [gene, bin, mark].

    The last one may be of fewer bins.
    """
    if together == 1:
        return marks
    starts = np.arange(0, marks.shape[1], together)
    count = np.diff(starts, append=marks.shape[1]).astype(marks.dtype)
    return np.add.reduceat(marks, starts, axis=1) / count[:, None]


def _chance(ones, count, base):
    """Return the part of 1s among `count` samples and one more of the base rate: never certain unless the base rate is."""
    return (ones + base) / (count + 1)


def _correlations(profiles):
    """Return the correlations [row, row] of rows [row, column] float32, -1 with rows that are the same throughout."""
    # Of float32 numbers these means are exact, and the length of rows that are the same throughout is 0.
    centred = profiles - profiles.mean(axis=1, dtype=np.float64, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1))
    products = np.outer(length, length)
    return np.where(products > 0, centred @ centred.T / np.where(products > 0, products, 1), -1)


def _of_marks(store, truth, trained, gene_mean, binary, seed, block):
    """Return the predictions [cell, gene] of the baselines that know the marks, as a dict."""
    together, marks = _together(store.histone.shape[2:]), store.histone.shape[3]
    short = np.empty((*truth.shape, 3 * marks), np.float32)
    bins, few = _ridges(store, truth, trained, together, short, block)
    profiles = short[:, trained.any(axis=0), :marks].reshape(len(truth), -1)
    nearest = nearest_cell(profiles, truth, trained)
    if binary:
        nearest = label_chances(nearest, truth, trained)
    of_bins = np.empty(truth.shape)
    for cell, genes, values in _marks(store, "ridge on all bins predicts"):
        of_bins[cell, genes] = bins.predict(_flat(coarse(values, together)))
    ridges = {"ridge_bins": of_bins, "ridge_summaries": np.stack([few.predict(cell) for cell in short])}
    if binary:
        ridges = {name: np.clip(values, UNSURE, 1 - UNSURE) for name, values in ridges.items()}
    log.info("fitting boosted trees to %d samples", trained.sum())
    trees = _trees(short, truth, trained, binary, seed)
    return {"nearest_cell": np.where(np.isnan(nearest), gene_mean, nearest), **ridges, "trees_summaries": trees}


def _blocks(store, genes, seed):
    """Return the block [gene] that the ridge leaves each gene out with: that of the first gene of its group."""
    blocks = np.random.default_rng(seed).integers(BLOCKS, size=len(store.genes))
    if genes is None:
        return blocks
    _, first, group = np.unique(read_table(genes)["group"], return_index=True, return_inverse=True)
    return blocks[first[group]]


def _ridges(store, truth, trained, together, short, block):
    """Return the `Ridge` on all bins and the one on summaries, fitted; write all summaries into `short` [cell, gene, feature]."""
    _, _, bins, marks = store.histone.shape
    of_bins, of_short = Ridge(-(-bins // together) * marks, BLOCKS), Ridge(short.shape[2], BLOCKS)
    for cell, genes, values in _marks(store, "ridges read"):
        short[cell, genes] = summaries(values, store.info["window"])
        rows = trained[cell, genes]
        known = truth[cell, genes][rows], block[genes][rows]
        of_bins.add(_flat(coarse(values, together))[rows], *known)
        of_short.add(short[cell, genes][rows], *known)
    of_bins.fit()
    of_short.fit()
    log.info("penalties of the ridges: %g on all bins, %g on summaries", of_bins.penalty, of_short.penalty)
    return of_bins, of_short


def _together(shape):
    """Return how many neighbouring bins are averaged for the ridge on all bins to have at most `FEATURES` features; log it if several.

    Args:
        shape: (bins, marks).
    """
    bins, marks = shape
    together = -(-bins // max(FEATURES // marks, 1))
    if together > 1:
        log.info(
            "ridge on all bins: of every %d neighbouring bins the mean, because %d bins of %d marks are more than %d features",
            *(together, bins, marks, FEATURES),
        )
    return together


def _marks(store, doing):
    """Yield (cell, slice of genes, marks [gene, bin, mark] float32 as a model is given them); `doing` what is logged now and then."""
    cells = len(store.cells)
    progress = Progress(log, cells, "cells", logging.INFO)
    for cell in range(cells):
        for first in range(0, len(store.genes), GENES):
            genes = slice(first, first + GENES)
            yield cell, genes, store.histone_input(cell, genes)
        progress.advance(1, "%s: %d of %d cells", doing, cell + 1, cells)


def _flat(marks):
    """Return marks [gene, bin, mark] as features [gene, bin * mark]."""
    return marks.reshape(len(marks), -1)


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

"""Baselines: simple predictors, fitted on the training samples of a run, that every model is compared with.

A model may score well only because it knows each gene's average (Schreiber, Singh, Bilmes and Noble, Genome Biology 2020, 21:282).
Linear models are also hard to beat where the input is summed reads.

    training_mean    the mean of all training samples
    gene_mean        the mean of the gene's training samples; training_mean for a gene without any
    nearest_cell     the gene's value in the other training cell whose marks correlate most with those of the cell; gene_mean where
                     that value is unknown
    ridge_bins       ridge regression on the marks in all bins, or on means of neighbouring bins if there are more than `MAX_FEATURES`
    ridge_summaries  ridge regression on three numbers for each mark: its mean, its maximum, and its mean near the TSS
    trees_summaries  gradient-boosted trees on the same three numbers

Marks are the input of the model: ln(count + 1), or the signal.

For a binary target, predictions are probabilities. training_mean is the base rate, the share of 1s. gene_mean counts the base rate as
one more sample of the gene, so that few samples do not give a probability of 0 or 1. nearest_cell is the share of 1s among the
training samples whose own nearest cell has the same label. Ridge regression is fitted to 0 and 1, and its predictions are clipped.
"""

import logging
from collections.abc import Iterable, Iterator

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.progress import Progress
from wakawaka.prediction.prediction_files import write_run
from wakawaka.splits.regimes import TRAIN
from wakawaka.splits.samples import read_groups, read_regimes
from wakawaka.statistics.ridge import Ridge
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# Blocks of genes for the cross-validation of the ridge penalty.
BLOCKS = 5

# Bins within this distance of the TSS (bp) have a mean of their own.
NEAR = 1000

# The most features of the ridge on all bins: 4,000 take about 1.5 GB, and minutes instead of hours.
MAX_FEATURES = 4000

# The distance that probabilities of ridge regression keep from 0 and 1. A linear model may leave that range, where it gives no
# probability, and the log loss of a certain wrong prediction is infinite. With this distance it is at most ln 100 = 4.6.
UNSURE = 0.01

# Genes whose marks are read at a time.
GENES_AT_ONCE = 2000


def baselines(
    store: Iterable[PathLike],
    samples: PathLike,
    predictions: PathLike,
    *,
    run: str,
    target: targets.Target,
    seed: int,
    threads: int,
    genes: PathLike | None = None,
) -> None:
    """Write what the baselines of a run predict for every cell and gene, in the order of the store.

    Args:
        store: paths of the store's files.
        samples: path of the table of regimes.
        predictions: output path, a table with the columns cell, gene_id, regime, truth, and one for each baseline.
        run: the run, a column of `samples`.
        target: what is predicted, see targets.py.
        seed: seed of the ridge's blocks and of the trees.
        threads: number of threads of the trees and of linear algebra.
        genes: path of the table of genes that `split` writes, whose groups share a block of the ridge's cross-validation, or None.

    Raises:
        InputError: if no training sample of the run has a target.
    """
    opened = Store(store)
    regimes = read_regimes(samples, opened, run)
    truth = targets.values(opened, target, targets.fit(opened, target, regimes == TRAIN))
    trained, binary = (regimes == TRAIN) & np.isfinite(truth), targets.is_binary(target)
    if not trained.any():
        raise InputError(
            f"no training sample of the run {run} has an expression that the target `{target['transform']}` can be made of: "
            "give more genes or cells an expression, or use another transform (`expression.transform`)."
        )
    found = means(truth, trained, binary)
    if "histone" in opened.modules:
        # Limits apply to loaded libraries only.
        import sklearn.ensemble  # noqa: F401
        from threadpoolctl import threadpool_limits

        with threadpool_limits(threads):
            blocks = _blocks(opened, genes, seed)
            found |= _mark_baselines(opened, truth, trained, found["gene_mean"], binary, seed, blocks)
    write_run(predictions, opened, regimes, truth, found)
    log.info("%s: %s", run, ", ".join(found))


def means(truth: np.ndarray, trained: np.ndarray, binary: bool) -> dict[str, np.ndarray]:
    """Return the predictions [cell, gene] float64 of training_mean and gene_mean.

    Args:
        truth: [cell, gene] floats.
        trained: [cell, gene] bool, the training samples, at least one.
        binary: whether truths are labels; gene_mean then counts the training mean as one more sample.
    """
    values, count = np.where(trained, truth, 0.0).astype(np.float64), trained.sum(axis=0)
    mean, sums = values.sum() / count.sum(), values.sum(axis=0)
    of_gene = _chance(sums, count, mean) if binary else np.where(count, sums / np.maximum(count, 1), mean)
    return {"training_mean": np.full(truth.shape, mean), "gene_mean": np.broadcast_to(of_gene, truth.shape)}


def nearest_cell(profiles: np.ndarray, truth: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """Return the truth of each sample's gene in the nearest other training cell, [cell, gene] float64.

    The result is NaN where that is no training sample, and where there is no other training cell.

    Args:
        profiles: [cell, feature] floats. The nearest cell has the highest correlation; a constant profile is far from all others.
        truth: [cell, gene] floats.
        trained: [cell, gene] bool, the training samples.
    """
    correlations = _correlations(profiles)
    correlations[:, ~trained.any(axis=1)] = -np.inf
    np.fill_diagonal(correlations, -np.inf)
    nearest = correlations.argmax(axis=1)
    # Without another training cell, all correlations are -inf.
    known = trained[nearest] & np.isfinite(correlations.max(axis=1))[:, None]
    return np.where(known, truth[nearest], np.nan).astype(np.float64)


def label_chances(neighbour: np.ndarray, truth: np.ndarray, trained: np.ndarray) -> np.ndarray:
    """Return the probability of a 1 given a neighbour's label, [cell, gene] float64; NaN where the neighbour has no label.

    It is the share of 1s among the training samples whose neighbour has the same label. The base rate counts as one more sample.

    Args:
        neighbour: [cell, gene] floats, 0, 1 or NaN, as `nearest_cell` returns them.
        truth, trained: as for `nearest_cell`.
    """
    base, chances = truth[trained].mean(dtype=np.float64), np.full(neighbour.shape, np.nan)
    for label in (0, 1):
        with_label = truth[trained & (neighbour == label)]
        chances[neighbour == label] = _chance(with_label.sum(dtype=np.float64), len(with_label), base)
    return chances


def summaries(marks: np.ndarray, window: int) -> np.ndarray:
    """Return the mean, the maximum and the mean near the TSS of every mark, [gene, 3 * mark] of the dtype of the marks.

    Near bins overlap the `NEAR` bp on either side of the TSS, which is base window / 2 of the window.

    Args:
        marks: [gene, bin, mark] floats.
        window: length of the window in bp.
    """
    bins = marks.shape[1]
    # Bin n starts at base n * window / bins. Whole numbers keep the edges exact.
    first = max((window - 2 * NEAR) * bins // (2 * window), 0)
    end = -(-(window + 2 * NEAR) * bins // (2 * window))
    near = marks[:, first:end]
    return np.concatenate([marks.mean(axis=1), marks.max(axis=1), near.mean(axis=1)], axis=1)


def coarse(marks: np.ndarray, together: int) -> np.ndarray:
    """Return the means of every `together` neighbouring bins, [gene, ceil(bin / together), mark], of marks [gene, bin, mark].

    The last mean may be of fewer bins.
    """
    if together == 1:
        return marks
    starts = np.arange(0, marks.shape[1], together)
    count = np.diff(starts, append=marks.shape[1]).astype(marks.dtype)
    return np.add.reduceat(marks, starts, axis=1) / count[:, None]


def _chance(ones: np.ndarray, count: np.ndarray | int, base: float) -> np.ndarray:
    """Return the share of 1s among `count` samples and one more sample of the base rate."""
    return (ones + base) / (count + 1)


def _correlations(profiles: np.ndarray) -> np.ndarray:
    """Return the correlations [row, row] of profiles [row, column] float32; those with a constant row are -1."""
    # In float64, the mean of float32 numbers is exact for a constant row, so its length is 0.
    centred = profiles - profiles.mean(axis=1, dtype=np.float64, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1))
    products = np.outer(length, length)
    return np.where(products > 0, centred @ centred.T / np.where(products > 0, products, 1), -1)


def _mark_baselines(
    store: Store,
    truth: np.ndarray,
    trained: np.ndarray,
    gene_mean: np.ndarray,
    binary: bool,
    seed: int,
    blocks: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return the predictions [cell, gene] of the baselines that use the marks."""
    together, marks = _bins_together(*store.histone.shape[2:]), store.histone.shape[3]
    features = np.empty((*truth.shape, 3 * marks), np.float32)
    of_bins, of_summaries = _ridges(store, truth, trained, together, features, blocks)
    profiles = features[:, trained.any(axis=0), :marks].reshape(len(truth), -1)
    nearest = nearest_cell(profiles, truth, trained)
    if binary:
        nearest = label_chances(nearest, truth, trained)
    ridge_bins = np.empty(truth.shape)
    for cell, genes, values in _marks(store, "ridge on all bins predicts"):
        ridge_bins[cell, genes] = of_bins.predict(_flat(coarse(values, together)))
    ridges = {"ridge_bins": ridge_bins, "ridge_summaries": np.stack([of_summaries.predict(cell) for cell in features])}
    if binary:
        ridges = {name: np.clip(values, UNSURE, 1 - UNSURE) for name, values in ridges.items()}
    log.info("fitting boosted trees to %d samples", trained.sum())
    trees = _trees(features, truth, trained, binary, seed)
    return {"nearest_cell": np.where(np.isnan(nearest), gene_mean, nearest), **ridges, "trees_summaries": trees}


def _blocks(store: Store, genes: PathLike | None, seed: int) -> np.ndarray:
    """Return the block [gene] of each gene in the ridge's cross-validation: the random block of the first gene of its group."""
    blocks = np.random.default_rng(seed).integers(BLOCKS, size=len(store.genes))
    if genes is None:
        return blocks
    _, first, group = np.unique(read_groups(genes), return_index=True, return_inverse=True)
    return blocks[first[group]]


def _ridges(
    store: Store, truth: np.ndarray, trained: np.ndarray, together: int, features: np.ndarray, blocks: np.ndarray
) -> tuple[Ridge, Ridge]:
    """Return the fitted `Ridge` on all bins and the one on summaries; write all summaries into `features` [cell, gene, feature]."""
    _, _, bins, marks = store.histone.shape
    of_bins, of_summaries = Ridge(-(-bins // together) * marks, BLOCKS), Ridge(features.shape[2], BLOCKS)
    for cell, genes, values in _marks(store, "ridges read"):
        features[cell, genes] = summaries(values, store.info.window)
        rows = trained[cell, genes]
        known = truth[cell, genes][rows], blocks[genes][rows]
        of_bins.add(_flat(coarse(values, together))[rows], *known)
        of_summaries.add(features[cell, genes][rows], *known)
    of_bins.fit()
    of_summaries.fit()
    log.info("penalties of the ridges: %g on all bins, %g on summaries", of_bins.penalty, of_summaries.penalty)
    return of_bins, of_summaries


def _bins_together(bins: int, marks: int) -> int:
    """Return how many neighbouring bins are averaged so that the ridge on all bins has at most `MAX_FEATURES` features."""
    together = -(-bins // max(MAX_FEATURES // marks, 1))
    if together > 1:
        log.info(
            "ridge on all bins: the mean of every %d neighbouring bins is used, because %d bins of %d marks are more than %d features",
            *(together, bins, marks, MAX_FEATURES),
        )
    return together


def _marks(store: Store, doing: str) -> Iterator[tuple[int, slice, np.ndarray]]:
    """Yield (cell, slice of genes, marks [gene, bin, mark] float32), the input of a model; log `doing` and the progress."""
    cells = len(store.cells)
    progress = Progress(log, cells, "cells", logging.INFO)
    for cell in range(cells):
        for first in range(0, len(store.genes), GENES_AT_ONCE):
            genes = slice(first, first + GENES_AT_ONCE)
            yield cell, genes, store.histone_input(cell, genes)
        progress.advance(1, "%s: %d of %d cells", doing, cell + 1, cells)


def _flat(marks: np.ndarray) -> np.ndarray:
    """Return marks [gene, bin, mark] as features [gene, bin * mark]."""
    return marks.reshape(len(marks), -1)


def _trees(features: np.ndarray, truth: np.ndarray, trained: np.ndarray, binary: bool, seed: int) -> np.ndarray:
    """Return the predictions [cell, gene] of gradient-boosted trees with scikit-learn's default settings."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    kind = HistGradientBoostingClassifier if binary else HistGradientBoostingRegressor
    # No early stopping, because it would validate on random samples of training genes.
    seed = int(np.random.SeedSequence(seed).generate_state(1)[0])
    if binary and np.ptp(truth[trained]) == 0:
        return np.full(truth.shape, truth[trained][0], np.float64)
    trees = kind(early_stopping=False, random_state=seed).fit(features[trained], truth[trained])
    flat = features.reshape(-1, features.shape[-1])
    predicted = trees.predict_proba(flat)[:, 1] if binary else trees.predict(flat)
    return predicted.reshape(truth.shape)

"""Selection of k-mers for fixed filters: those whose presence correlates most with the residual targets of the training genes.

A motif that occurs once in a window is at one of ten thousand positions. From random initial weights, the gradient through a maximum
over all positions rarely finds it; a count of all k-mers of eight bases finds it within a second. The filters stay fixed, because
filters that are trained further memorise single genes by the bases next to the k-mer.
"""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from scipy.stats import norm, rankdata

from wakawaka.core.numba_jit import numba_jit
from wakawaka.genome.dna import N, decode
from wakawaka.statistics.ridge import Ridge
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# The number of random orders of the values. If no k-mer is related to them, each selection passes with a chance of 1 in 20.
PERMUTATIONS = 19
# A correlation that exceeds the limit by less than this fraction may differ from it by rounding alone.
ROUNDING = 1e-9
# The number of parts of the window whose mean histone values explain the targets, for each mark.
PARTS = 20
# The number of blocks of the cross-validation of this regression.
BLOCKS = 5


class _Kmer(NamedTuple):
    """A k-mer, the genes that have it and the |z| of its correlation."""

    kmer: np.ndarray
    genes: np.ndarray
    score: float


def select_kmers(
    codes: np.ndarray, values: np.ndarray, length: int, longest: int, count: int, seed: int
) -> list[np.ndarray]:
    """Return up to `count` k-mers, DNA codes [base] uint8, in the order of their selection.

    The selection is a matching pursuit (Mallat and Zhang, 1993). It takes the k-mer of `length` bases whose presence correlates most
    with the values, after those taken before have been regressed out; values are replaced by normal scores. It ends when no k-mer
    correlates better than with each of `PERMUTATIONS` random orders of normal scores. A k-mer that is taken is extended base by base
    at either end as long as its correlation rises.

    The random orders are those of single genes. In large families of genes with similar windows and expression, k-mers that are
    characteristic of the family may pass by chance.

    Args:
        codes: DNA codes [gene, position] uint8.
        values: [gene] floats.
        length: bases of a k-mer before it is extended, at most 12.
        longest: the most bases of a k-mer.
        count: the most k-mers.
        seed: seed of the random orders.
    """
    index = _kmer_numbers(codes, length)
    values = _normal_scores(values)
    limit = _chance_limit(index, values, 4**length, seed)
    known = np.ones((len(values), 1))
    kmers: list[np.ndarray] = []
    while len(kmers) < count:
        # Normal scores again, because the limit is valid for them: the residuals may have longer tails.
        residuals = _normal_scores(values - known @ np.linalg.lstsq(known, values, rcond=None)[0])
        scores = np.abs(_scores(*_sums(index, residuals, 4**length), residuals))
        best = int(scores.argmax())
        if scores[best] <= limit:
            break
        genes, starts = np.nonzero(index == best)
        found = _extended(codes, _bases(best, length), genes, starts, residuals, longest)
        kmers.append(found.kmer)
        known = np.column_stack([known, np.isin(np.arange(len(values)), found.genes)])
        log.info(
            "k-mer %s: in %d of %d genes, |z| = %.1f", decode(found.kmer), len(found.genes), len(values), found.score
        )
    log.info("%d k-mers correlate better than by chance (|z| above %.1f)", len(kmers), limit)
    return kmers


def residual_targets(
    store: Store, truth: np.ndarray, trained: np.ndarray, modules: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the training genes [gene] int, and their mean targets less what histone marks explain of them, [gene] float64.

    Args:
        store: the store.
        truth: targets [cell, gene].
        trained: mask [cell, gene] of the training samples.
        modules: the modules of the network. Without `histone`, only the mean of all genes is subtracted.
    """
    count = trained.sum(axis=0)
    genes = np.flatnonzero(count)
    values = np.where(trained, truth, 0).sum(axis=0, dtype=np.float64)[genes] / count[genes]
    if "histone" not in modules:
        return genes, values - values.mean()
    marks: Any = 0.0
    for cell in range(len(store.cells)):
        used = trained[cell, genes]
        if not used.any():
            continue
        parts = np.array_split(store.histone_input(cell, genes), min(PARTS, store.info.bins), axis=1)
        marks = marks + np.concatenate([part.mean(axis=1) for part in parts], axis=1) * used[:, None]
    marks = marks / count[genes, None]
    ridge = Ridge(marks.shape[1], BLOCKS)
    ridge.add(marks, values, np.arange(len(genes)) % BLOCKS)
    return genes, values - ridge.fit().predict(marks)


def set_filters(layer: keras.layers.Conv1D, kmers: Sequence[np.ndarray]) -> None:
    """Set each filter of a convolution of one-hot DNA to one of the k-mers; filters without a k-mer are zero.

    With a ReLU, a filter then responds with 1 to its k-mer and with 0 to all others. The k-mer is in the middle of the filter, which
    must not be shorter.
    """
    kernel, bias = (np.zeros_like(weight) for weight in layer.get_weights())
    for number, kmer in enumerate(kmers):
        first = (len(kernel) - len(kmer)) // 2
        kernel[first + np.arange(len(kmer)), kmer, number] = 1
        bias[number] = 1 - len(kmer)
    layer.set_weights([kernel, bias])


def _chance_limit(index: np.ndarray, values: np.ndarray, kmers: int, seed: int) -> float:
    """Return the largest |z| of any k-mer with random orders of the values."""
    rng = np.random.default_rng(seed)
    orders = (rng.permutation(values) for _ in range(PERMUTATIONS))
    return max(np.abs(_scores(*_sums(index, order, kmers), order)).max() for order in orders) * (1 + ROUNDING)


def _normal_scores(values: np.ndarray) -> np.ndarray:
    """Return normal scores with mean 0, so that a single extreme value does not decide on a k-mer."""
    scores = norm.ppf((rankdata(values) - 0.5) / len(values))
    return scores - scores.mean()


def _scores(genes: Any, sums: Any, values: np.ndarray) -> np.ndarray:
    """Return the z of the correlation of values with the presence of k-mers.

    Args:
        genes: the number of genes with each k-mer.
        sums: the sum of the values of these genes.
        values: [gene] floats, whose mean is 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = sums / np.sqrt(genes * (1 - genes / len(values))) / values.std()
    # A k-mer that no gene or every gene has does not correlate.
    return np.where(np.isfinite(scores), scores, 0)


def _extended(
    codes: np.ndarray, kmer: np.ndarray, genes: np.ndarray, starts: np.ndarray, values: np.ndarray, longest: int
) -> _Kmer:
    """Return a k-mer, extended base by base as long as its |z| rises.

    Args:
        codes: DNA codes [gene, position] uint8.
        kmer: DNA codes [base] uint8.
        genes, starts: [occurrence] int, where the k-mer occurs.
        values: [gene] floats, whose mean is 0.
        longest: the most bases.
    """
    while True:
        having = np.unique(genes)
        score = _score(having, values)
        candidates = []
        for before, place in ((True, starts - 1), (False, starts + len(kmer))) if len(kmer) < longest else ():
            inside = (place >= 0) & (place < codes.shape[1])
            bases = np.where(inside, codes[genes, np.clip(place, 0, codes.shape[1] - 1)], N)
            for base in range(N):
                candidates.append((_score(np.unique(genes[bases == base]), values), before, base, bases == base))
        if not candidates or max(candidates, key=lambda one: one[0])[0] <= score:
            return _Kmer(kmer, having, score)
        _, before, base, kept = max(candidates, key=lambda one: one[0])
        genes, starts = genes[kept], starts[kept] - before
        kmer = np.concatenate([[base], kmer] if before else [kmer, [base]]).astype(np.uint8)


def _score(genes: np.ndarray, values: np.ndarray) -> float:
    """Return the |z| of the correlation of values with a k-mer that these genes have."""
    return abs(float(_scores(np.array(len(genes)), values[genes].sum(), values)))


def _bases(number: int, length: int) -> np.ndarray:
    """Return the DNA codes [base] uint8 of the k-mer with a number."""
    return np.array(number // 4 ** np.arange(length)[::-1] % 4, np.uint8)


@numba_jit
def _kmer_numbers(codes: np.ndarray, length: int) -> np.ndarray:
    """Return the number of the k-mer that starts at each position, -1 for one with N: [gene, position] int32."""
    places = codes.shape[1] - length + 1
    index = np.full((codes.shape[0], places), -1, np.int32)
    for gene in range(codes.shape[0]):
        number, last_n = 0, -1
        for end in range(codes.shape[1]):
            if codes[gene, end] == N:
                last_n = end
            number = (number * 4 + (codes[gene, end] & 3)) % 4**length
            start = end - length + 1
            if start >= 0 and last_n < start:
                index[gene, start] = number
    return index


@numba_jit
def _sums(index: np.ndarray, values: np.ndarray, kmers: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of genes that have each k-mer, and the sum of their values: both [k-mer] float64."""
    genes, sums = np.zeros(kmers), np.zeros(kmers)
    last = np.full(kmers, -1, np.int32)
    for gene in range(index.shape[0]):
        for kmer in index[gene]:
            if kmer >= 0 and last[kmer] != gene:
                last[kmer] = gene
                genes[kmer] += 1
                sums[kmer] += values[gene]
    return genes, sums

"""The words (k-mers) of DNA whose presence tells most of the targets of the training genes, as filters.

A motif that a window holds once is one in ten thousand places. From random first weights the gradient through a maximum over all places
hardly ever finds it; counting all words of eight bases does, in a second. Filters that are trained further learn the few bases beside the
word by heart, gene by gene.
"""

import logging

import numpy as np
from scipy.stats import norm, rankdata

from wakawaka.core.numba_jit import compiled
from wakawaka.genome.dna import N, decode
from wakawaka.statistics.ridge import Ridge

log = logging.getLogger(__name__)

# With so many random orders the chance that a word is taken for telling though none is, is 1 in 20 for each word that is looked for.
PERMUTATIONS = 19
# As a part of the limit: what correlates as well but for rounding does not correlate better.
ROUNDING = 1e-9
# So many numbers per mark say what marks alone explain of a gene's mean target.
PARTS = 20


def telling_words(codes, values, length, longest, count, seed):
    """Return a list of up to `count` words, codes [letter] uint8, the most telling first.

    Matching pursuit (Mallat and Zhang, 1993): the word of `length` letters whose presence correlates most with the normal scores of what
    the words before it leave of the values, as long as no word correlates so well with any of `PERMUTATIONS` random orders of normal
    scores. It is then made longer at either end, letter by letter, as long as it correlates more for it. Orders are of single genes: of
    large families of genes with nearly the same window and expression, words that are theirs by chance may pass.

    Args:
        codes: [gene, position] uint8. values: [gene] floats.
        length: letters of a word at first, at most 12. longest: letters of a word at most. seed: of the random orders.
    """
    index = _numbers(codes, length)
    values = _normal_scores(values)
    rng = np.random.default_rng(seed)
    orders = (rng.permutation(values) for _ in range(PERMUTATIONS))
    limit = max(np.abs(_scores(*_sums(index, order, 4**length), order)).max() for order in orders) * (1 + ROUNDING)
    known = np.ones((len(values), 1))
    words = []
    while len(words) < count:
        # Once more as normal scores, for which the limit was found: the tails of what is left may be longer.
        rest = _normal_scores(values - known @ np.linalg.lstsq(known, values, rcond=None)[0])
        scores = np.abs(_scores(*_sums(index, rest, 4**length), rest))
        best = int(scores.argmax())
        if scores[best] <= limit:
            break
        word, genes, score = _grown(codes, _letters(best, length), *np.nonzero(index == best), rest, longest)
        words.append(word)
        known = np.column_stack([known, np.isin(np.arange(len(values)), genes)])
        log.info("word %s: in %d of %d genes, |z| = %.1f", decode(word), len(genes), len(rest), score)
    log.info("%d words tell more than chance would (|z| above %.1f)", len(words), limit)
    return words


def unexplained(store, truth, trained, modules):
    """Return (genes [gene] int, values [gene] float64): the training genes, and what marks leave of their mean targets.

    Args:
        store: `Store`. truth: [cell, gene] floats. trained: [cell, gene] bool, the training samples.
        modules: of the network: without `histone` marks explain nothing.
    """
    count = trained.sum(axis=0)
    genes = np.flatnonzero(count)
    values = np.where(trained, truth, 0).sum(axis=0, dtype=np.float64)[genes] / count[genes]
    if "histone" not in modules:
        return genes, values - values.mean()
    marks = 0.0
    for cell in range(len(store.cells)):
        there = trained[cell, genes]
        if not there.any():
            continue
        parts = np.array_split(store.histone_input(cell, genes), min(PARTS, store.info["bins"]), axis=1)
        marks = marks + np.concatenate([part.mean(axis=1) for part in parts], axis=1) * there[:, None]
    marks = marks / count[genes, None]
    ridge = Ridge(marks.shape[1], 5)
    ridge.add(marks, values, np.arange(len(genes)) % 5)
    return genes, values - ridge.fit().predict(marks)


def set_filters(layer, words):
    """Make each filter of a convolution of one-hot DNA a word, as far as there are words; the others are silent.

    With a ReLU a filter then answers 1 to its word and 0 to all that differs from it. The word, which must not be longer than the
    filter, lies in its middle.
    """
    kernel, bias = (np.zeros_like(weight) for weight in layer.get_weights())
    for number, word in enumerate(words):
        first = (len(kernel) - len(word)) // 2
        kernel[first + np.arange(len(word)), word, number] = 1
        bias[number] = 1 - len(word)
    layer.set_weights([kernel, bias])


def _normal_scores(values):
    """Return normal scores, their mean 0: a word that a single extreme value has is not telling."""
    scores = norm.ppf((rankdata(values) - 0.5) / len(values))
    return scores - scores.mean()


def _scores(genes, sums, values):
    """Return z of the correlation of values, whose mean is 0, with the presence of words: in `genes` many, with these `sums` of values."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = sums / np.sqrt(genes * (1 - genes / len(values))) / values.std()
    # A word that no gene or every gene has tells nothing.
    return np.where(np.isfinite(scores), scores, 0)


def _grown(codes, word, genes, starts, values, longest):
    """Return (word, the genes that have it, its |z|), a word of `genes` at `starts` [occurrence] made longer while that helps."""
    score = 0.0
    while True:
        there = np.unique(genes)
        score = abs(float(_scores(np.array(len(there)), values[there].sum(), values)))
        found = []
        for before, place in ((True, starts - 1), (False, starts + len(word))) if len(word) < longest else ():
            inside = (place >= 0) & (place < codes.shape[1])
            letters = np.where(inside, codes[genes, np.clip(place, 0, codes.shape[1] - 1)], N)
            for letter in range(N):
                some = np.unique(genes[letters == letter])
                better = abs(float(_scores(np.array(len(some)), values[some].sum(), values)))
                found.append((better, before, letter, letters == letter))
        if not found or max(found, key=lambda one: one[0])[0] <= score:
            return word, there, score
        _, before, letter, kept = max(found, key=lambda one: one[0])
        genes, starts = genes[kept], starts[kept] - before
        word = np.concatenate([[letter], word] if before else [word, [letter]]).astype(np.uint8)


def _letters(word, length):
    return np.array(word // 4 ** np.arange(length)[::-1] % 4, np.uint8)


@compiled
def _numbers(codes, length):
    """Return the number of the word that starts at each position, -1 of one with N."""
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


@compiled
def _sums(index, values, words):
    """Return the number of genes that have each word, and the sum of their values."""
    genes, sums = np.zeros(words), np.zeros(words)
    last = np.full(words, -1, np.int32)
    for gene in range(index.shape[0]):
        for word in index[gene]:
            if word >= 0 and last[word] != gene:
                last[word] = gene
                genes[word] += 1
                sums[word] += values[gene]
    return genes, sums

"""The folds: which genes and cells each run holds out, and the regime that every sample then has in it.

A fold mirrors the test set: it holds out cells and genes together. Genes of one group are always in one fold.
"""

from dataclasses import dataclass

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.splits.regimes import BOTH_UNSEEN, FINAL, LEAKING, TEST, TRAIN, UNSEEN_CELL, UNSEEN_GENE, fold_name

# What a fold holds out, as `folds.hold_out` says it: cells and genes together, genes in all cells, or random samples.
CELLS_AND_GENES, GENES, SAMPLES = "cells_and_genes", "genes", "samples"


@dataclass(frozen=True)
class Folds:
    """The folds and the regimes.

    Attributes:
        of_gene, of_cell: [gene] and [cell] integers, the fold that holds each out, from 0; -1 where none does.
        regimes: from a run (final, fold-1, ...) to the regimes [cell, gene] of the samples in it.
    """

    of_gene: np.ndarray
    of_cell: np.ndarray
    regimes: dict[str, np.ndarray]


def deal(
    group: np.ndarray, gene_out: np.ndarray, cell_out: np.ndarray, *, folds: int, hold_out: str, seed: int
) -> Folds:
    """Deal the training genes and cells into folds at random.

    Args:
        group: [gene] group numbers.
        gene_out, cell_out: masks [gene] and [cell] of the test set.
        folds: number of folds. hold_out: `CELLS_AND_GENES`, `GENES` or `SAMPLES`. seed: the seed of the random numbers.

    Raises:
        InputError: for fewer groups of genes or fewer cells than folds.
    """
    rng = np.random.default_rng(seed)
    of_gene = deal_groups(group, ~gene_out, folds, rng) if hold_out != SAMPLES else np.full(len(group), -1)
    of_cell = deal_cells(~cell_out, folds, rng) if hold_out == CELLS_AND_GENES else np.full(len(cell_out), -1)
    of_sample = rng.integers(folds, size=(len(cell_out), len(gene_out)))
    final = block_regimes(cell_out, gene_out)
    regimes = {FINAL: final}
    for fold in range(folds):
        random, blocks = np.where(of_sample == fold, LEAKING, TRAIN), block_regimes(of_cell == fold, of_gene == fold)
        regimes[fold_name(fold + 1)] = np.where(final == TRAIN, random if hold_out == SAMPLES else blocks, TEST)
    return Folds(of_gene, of_cell, regimes)


def deal_groups(group: np.ndarray, trained: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold [gene] of every training gene, -1 for others: large groups first, each to the smallest fold.

    Args:
        group: [gene] group numbers. trained: mask [gene].

    Raises:
        InputError: for fewer groups of training genes than folds.
    """
    sizes = np.bincount(group[trained], minlength=group.max() + 1)
    present = np.flatnonzero(sizes)
    if len(present) < folds:
        raise InputError(
            f"config key `folds.number` is {folds}, but the training genes form only {len(present)} groups that must stay together; "
            "lower it, or set `folds.hold_out: samples` and `allow_leakage: true` and note that the scores of these folds leak."
        )
    shuffled = rng.permutation(present)
    filled, home = np.zeros(folds, int), np.full(len(sizes), -1)
    for one in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        home[one] = np.argmin(filled)
        filled[home[one]] += sizes[one]
    return np.where(trained, home[group], -1)


def deal_cells(trained: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Return the fold [cell] of every training cell, -1 for others; `trained` is a mask [cell].

    Raises:
        InputError: for fewer training cells than folds.
    """
    count = int(trained.sum())
    if count < folds:
        raise InputError(
            f"config key `folds.number` is {folds}, but only {count} training cells have expression: "
            "set `folds.hold_out: genes`, which holds out genes in all cells, or lower `folds.number`."
        )
    fold = np.full(len(trained), -1)
    fold[trained] = rng.permutation(np.arange(count) % folds)
    return fold


def block_regimes(cell_out: np.ndarray, gene_out: np.ndarray) -> np.ndarray:
    """Return the regimes [cell, gene] when some cells and some genes are unseen; both are masks, [cell] and [gene]."""
    cell_out, gene_out = cell_out[:, None], gene_out[None, :]
    return np.select(
        [cell_out & gene_out, cell_out & ~gene_out, ~cell_out & gene_out],
        [BOTH_UNSEEN, UNSEEN_CELL, UNSEEN_GENE],
        TRAIN,
    )

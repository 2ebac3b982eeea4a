"""The splits: which sample trains which model, and in which regime each of the others stands.

The test set are the held-out cells and genes. The rest is cut into folds; a fold mirrors the test by holding out cells
and genes together. Genes that share bins or sequence stay in one group, and a group in one fold.
"""

import logging

import numpy as np
import pandas as pd

from . import targets
from .errors import InputError
from .files import open_text, readable, write_table
from .gene_ids import plain_id
from .parts import Warnings, some, write_warnings
from .regimes import BOTH_UNSEEN, HELD_OUT, LEAKING, TEST, TRAIN, UNSEEN_CELL, UNSEEN_GENE
from .shared_sequence import shared_sequence_pairs
from .store import Store

log = logging.getLogger(__name__)


def split(
    store, genes, cells, samples, audit, warnings, *, held_out_cells, held_out_genes, folds, hold_out, target, seed
):
    """Write the split.

    Genes and cells without any expression among the training samples are held out too: nothing can be learnt from them.

    Args:
        store: paths of the store.
        genes, cells, samples, audit: output paths. `samples` has a row per cell and gene, in the order of the store, and
            for each run (final, fold-1, ...) the sample's regime in it.
        warnings: output path of the table of the sentences that were logged as warnings.
        held_out_cells: list of str. held_out_genes: list of ids, or the path of a text file with one id per line.
        folds: number of folds. hold_out: cells_and_genes, genes or samples.
        target: dict, see targets.py.

    Raises:
        InputError: unknown or repeated ids in the list of held-out genes, nothing left to train on, in a fold too, fewer
            cells or groups of genes than folds, or a value that the target cannot be made of.
    """
    store, said = Store(store), Warnings()
    # The targets are not needed here, but a value that they cannot be made of should be found out before anything is trained.
    known = targets.known(store, target)
    if targets.is_binary(target):
        _check_labels(store, target, said)
    gene_out = _held_out_genes(store.genes, held_out_genes)
    cell_out = np.isin(store.cells, held_out_cells)
    gene_out, cell_out = _without_expression(store, known, gene_out, cell_out, said)
    group, grouped_by = _groups(store, said)
    rng = np.random.default_rng(seed)
    gene_fold = _deal_groups(group, ~gene_out, folds, rng, hold_out)
    cell_fold = _deal_cells(~cell_out, folds, rng, hold_out)
    regimes = {"final": _block_regimes(cell_out, gene_out)}
    sample_fold = rng.integers(folds, size=known.shape)
    for fold in range(folds):
        regimes[f"fold-{fold + 1}"] = _fold_regimes(fold, regimes["final"], gene_fold, cell_fold, sample_fold, hold_out)
    has_truth = {run: _has_truth(store, target, run, regime, known) for run, regime in regimes.items()}
    _warn_of_genes_without_truth(store, known, has_truth["final"], gene_out, said)
    _write(store, genes, cells, samples, gene_out, cell_out, gene_fold, cell_fold, group, regimes)
    write_table(_audit(regimes, has_truth, group), audit)
    log.info(
        "%d genes in %d groups (%s), the largest of %d",
        len(group),
        group.max() + 1,
        grouped_by,
        np.bincount(group).max(),
    )
    _warn_of_shared_groups(store, group, gene_out, said)
    write_warnings(said, warnings)


def _check_labels(store, target, said):
    """Refuse labels that are all the same, and warn of cells whose are."""
    labels = targets.values(store, target, {})
    found = [set(row[np.isfinite(row)].tolist()) for row in labels]
    why = (
        "where the lowest value of a cell, mostly 0, is that of half of its genes or more, it is the median too, and no gene is below it"
        if target["kind"] == "above_median"
        else "check the expression file"
    )
    if len(set.union(*found)) == 1:
        raise InputError(
            f"config key `expression.target` is {target['kind']}, but all labels are the same, so there is nothing to learn: {why}."
        )
    same = store.cells[[len(kinds) == 1 for kinds in found]]
    if len(same):
        said.add(f"all genes of {len(same)} cells have the same label: {some(same)}; {why}")


def _held_out_genes(genes, listed):
    """Return a mask [gene] of the listed ids."""
    where = "config key `held_out_genes`"
    if isinstance(listed, str):
        where = listed
        with readable(listed), open_text(listed) as file:
            listed = [line.strip() for line in file if line.strip()]
    listed = [plain_id(gene) for gene in listed]
    twice = [gene for gene, count in pd.Series(listed, dtype=str).value_counts().items() if count > 1]
    if twice:
        raise InputError(f"{where}: the gene {twice[0]} is listed twice; remove one.")
    unknown = sorted(set(listed) - set(genes.tolist()))
    if unknown:
        raise InputError(
            f"{where}: {len(unknown)} ids are not among the genes of the store: {some(unknown)}; "
            "correct or remove them (genes that one of the sources lacks are left out: see results/store/store.json)."
        )
    return np.isin(genes, listed)


def _without_expression(store, known, gene_out, cell_out, said):
    """Add cells and genes that no training sample has an expression for to the held-out ones."""
    what = "expression" if np.array_equal(known, np.isfinite(store.expression)) else "expression and reference"
    silent_cells = ~cell_out & ~known[:, ~gene_out].any(axis=1)
    cell_out = cell_out | silent_cells
    silent_genes = ~gene_out & ~known[~cell_out].any(axis=0)
    gene_out = gene_out | silent_genes
    for names, kind in ((store.cells[silent_cells], "cells"), (store.genes[silent_genes], "genes")):
        if len(names):
            said.add(f"{len(names)} training {kind} without any {what} are only predicted: {some(names)}")
    if not known[np.ix_(~cell_out, ~gene_out)].any():
        raise InputError(
            "no sample is left to train on: check `cells.train` and `held_out_genes` in config.yaml against the expression table."
        )
    return gene_out, cell_out


def _groups(store, said):
    """Return the group number [gene] of genes that must stay together, and in words what groups them.

    Coordinates and the user's groups both count. Genes without coordinates are compared with all others by their sequence;
    where no gene has any, the user's groups stand for them, and only genes without a group are compared.
    """
    table = store.gene_table
    placed, grouped = table["tss"].notna().to_numpy(), table["group"].notna().to_numpy()
    bare = ~placed if placed.any() else ~grouped
    pairs, reasons = [], []
    if placed.any():
        tss = table["tss"].fillna(-1).to_numpy(np.int64)
        pairs += overlapping_windows(table["chrom"].fillna("").to_numpy(str), tss, store.info["window"])
        reasons.append("overlapping windows")
    if grouped.any():
        first = {}
        pairs += [(first.setdefault(name, row), row) for row, name in table["group"].dropna().items()]
        reasons.append("the group column")
    if bare.any() and "dna" in store.modules:
        pairs += [pair for pair in shared_sequence_pairs(store.dna) if bare[list(pair)].any()]
        reasons.append("shared sequence")
    elif bare.any():
        said.add(
            f"genes without coordinates, groups or sequences to compare: {bare.sum()}; where their windows overlap those of others, "
            "folds share what they hold out; give all genes coordinates, or all a group (`genes.columns`)"
        )
    return connected(len(table), pairs), " and ".join(reasons) or "each by itself"


def overlapping_windows(chrom, tss, window):
    """Return pairs of rows whose windows overlap: neighbours on a chromosome with TSSs at most `window` bp apart.

    At exactly `window` bp a minus-strand gene's window and the plus-strand one to the right of it share a base. Pairs of
    neighbours are enough to connect chains of overlapping windows. Rows with an unknown TSS (-1) have none.
    """
    order = np.lexsort((tss, chrom))
    order = order[tss[order] >= 0]
    near = (chrom[order[1:]] == chrom[order[:-1]]) & (np.diff(tss[order]) <= window)
    return list(zip(order[:-1][near].tolist(), order[1:][near].tolist(), strict=True))


def connected(count, pairs):
    """Return the number [count] of the connected component of each of `count` nodes, numbered by first appearance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = np.array(pairs, np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(left), bool), (left, right)), shape=(count, count))
    labels = connected_components(graph, directed=False)[1]
    return pd.factorize(labels)[0]


def _deal_groups(group, trained, folds, rng, hold_out):
    """Return the fold [gene] of every training gene, -1 for others: large groups first, each to the smallest fold."""
    fold = np.full(len(group), -1)
    sizes = np.bincount(group[trained], minlength=group.max() + 1)
    present = np.flatnonzero(sizes)
    if hold_out == "samples":
        return fold
    if len(present) < folds:
        raise InputError(
            f"config key `folds.number` is {folds}, but the training genes form only {len(present)} groups "
            "that must stay together; lower it, or set `folds.hold_out: samples` and mind that its scores leak."
        )
    shuffled = rng.permutation(present)
    filled, home = np.zeros(folds, int), np.full(len(sizes), -1)
    for one in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
        home[one] = np.argmin(filled)
        filled[home[one]] += sizes[one]
    fold[trained] = home[group[trained]]
    return fold


def _deal_cells(trained, folds, rng, hold_out):
    """Return the fold [cell] of every training cell, -1 for others and where cells are not held out."""
    fold = np.full(len(trained), -1)
    if hold_out == "cells_and_genes":
        count = int(trained.sum())
        if count < folds:
            raise InputError(
                f"config key `folds.number` is {folds}, but only {count} training cells have expression: "
                "set `folds.hold_out: genes`, which holds out genes in all cells, or lower `folds.number`."
            )
        fold[trained] = rng.permutation(np.arange(count) % folds)
    return fold


def _block_regimes(cell_out, gene_out):
    """Return the regimes [cell, gene] when some cells and some genes are unseen."""
    cell_out, gene_out = cell_out[:, None], gene_out[None, :]
    return np.select(
        [cell_out & gene_out, cell_out & ~gene_out, ~cell_out & gene_out],
        [BOTH_UNSEEN, UNSEEN_CELL, UNSEEN_GENE],
        TRAIN,
    )


def _fold_regimes(fold, final, gene_fold, cell_fold, sample_fold, hold_out):
    if hold_out == "samples":
        inside = np.where(sample_fold == fold, LEAKING, TRAIN)
    else:
        inside = _block_regimes(cell_fold == fold, gene_fold == fold)
    return np.where(final == TRAIN, inside, TEST)


def _has_truth(store, target, run, regime, known):
    """Return the mask [cell, gene] of the samples that have a target in a run; refuse a run without any to train on."""
    trained = (regime == TRAIN) & known
    if not trained.any():
        raise InputError(
            f"config key `folds`: nothing with a known expression is left to train {run} on; "
            "set `folds.hold_out: genes`, name more training cells or take another `seed`."
        )
    has_truth = np.isfinite(targets.values(store, target, targets.fit(store, target, trained)))
    if not has_truth[trained].any():
        raise InputError(
            f"config key `expression.transform` is {target['transform']}, but no gene has two different values among the training "
            f"samples of {run}: name more training cells in `cells.train`, or take another transform."
        )
    return has_truth


def _warn_of_genes_without_truth(store, known, has_truth, gene_out, said):
    lost = known.any(axis=0) & ~has_truth.any(axis=0)
    if lost.any():
        said.add(
            f"{lost.sum()} genes, {(lost & gene_out).sum()} of them held out, have expression but not two training values that differ, "
            f"which a z-score takes: they are predicted, but neither trained on nor scored: {some(store.genes[lost])}."
        )


def _write(store, genes, cells, samples, gene_out, cell_out, gene_fold, cell_fold, group, regimes):
    def table(names, name, out, fold, **more):
        role = np.where(out, "held_out", "train")
        return pd.DataFrame({name: names, "set": role, "fold": pd.array(fold + 1).astype(object), **more}).replace(
            {"fold": {0: np.nan}}
        )

    write_table(table(store.genes, "gene_id", gene_out, gene_fold, group=group + 1), genes)
    write_table(table(store.cells, "cell", cell_out, cell_fold), cells)
    grid = {"cell": np.repeat(store.cells, len(store.genes)), "gene_id": np.tile(store.genes, len(store.cells))}
    write_table(pd.DataFrame({**grid, **{run: values.ravel() for run, values in regimes.items()}}), samples)


def _audit(regimes, has_truth, group):
    """Count every block of every run, and what it shares with the run's training samples."""
    rows = []
    for run, regime in regimes.items():
        trained = (regime == TRAIN) & has_truth[run]
        train_genes, train_cells = trained.any(axis=0), trained.any(axis=1)
        for name in (TRAIN, *HELD_OUT):
            block = regime == name
            if not block.any():
                continue
            block_genes, block_cells = block.any(axis=0), block.any(axis=1)
            shared = np.intersect1d(group[train_genes], group[block_genes])
            rows.append(
                {
                    "run": run,
                    "regime": name,
                    "cells": int(block_cells.sum()),
                    "genes": int(block_genes.sum()),
                    "samples": int(block.sum()),
                    "samples_with_truth": int((block & has_truth[run]).sum()),
                    "cells_also_trained_on": int((block_cells & train_cells).sum()),
                    "genes_also_trained_on": int((block_genes & train_genes).sum()),
                    "gene_groups_also_trained_on": len(shared),
                }
            )
    return pd.DataFrame(rows)


def _warn_of_shared_groups(store, group, gene_out, said):
    """The held-out genes are the user's choice: say so if they share windows with training genes."""
    both = np.intersect1d(group[gene_out], group[~gene_out])
    if len(both):
        genes = store.genes[gene_out & np.isin(group, both)]
        said.add(
            f"{len(genes)} held-out genes share bins or sequence with training genes, so their scores flatter: {some(genes)}"
        )

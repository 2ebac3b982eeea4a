"""The splits: which sample trains which model, and in which regime each of the others stands.

The test set are the held-out cells and genes. The rest is cut into folds; a fold mirrors the test by holding out cells
and genes together. Genes that share bins or sequence stay in one group, and a group in one fold.

What leaks all the same, because the lists of the user or the data want it so, the audit finds, and the split is refused.
"""

import hashlib
import logging

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import open_text, readable, write_table
from wakawaka.core.messages import Warnings, some, write_warnings
from wakawaka.genome.gene_ids import plain_id
from wakawaka.splits.overlap import shared_sequence_pairs
from wakawaka.splits.regimes import BOTH_UNSEEN, HELD_OUT, LEAKING, TEST, TRAIN, UNSEEN_CELL, UNSEEN_GENE
from wakawaka.splits.similarity import PARALOGUE, near_identical_pairs, similarity_table, sketch
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# The regimes of which no gene, and those of which no cell, may be trained on. Of random rows neither may: they always leak.
_NEW_GENES = (UNSEEN_GENE, BOTH_UNSEEN, LEAKING)
_NEW_CELLS = (UNSEEN_CELL, BOTH_UNSEEN, LEAKING)
# That one sentence tells of: every fold of random rows leaks, each in its own words.
_MOST_LEAKS = 2


def split(
    store,
    genes,
    cells,
    samples,
    audit,
    similarity,
    warnings,
    *,
    held_out_cells,
    held_out_genes,
    folds,
    hold_out,
    target,
    seed,
    allow_leakage,
):
    """Write the split.

    Genes and cells without any expression among the training samples are held out too: nothing can be learnt from them.

    Args:
        store: paths of the store.
        genes, cells, samples, audit, similarity: output paths. `samples` has a row per cell and gene, in the order of the store,
            and for each run (final, fold-1, ...) the sample's regime in it. `audit` has a row per run and regime, with what it
            shares with the training samples and, in `leak`, what of that it must not. `similarity` has a row for each gene
            that a run holds out, with the training window most similar to its own (see similarity.py).
        warnings: output path of the table of the sentences that were logged as warnings.
        held_out_cells: list of str. held_out_genes: list of ids, or the path of a text file with one id per line.
        folds: number of folds. hold_out: cells_and_genes, genes or samples.
        target: dict, see targets.py.
        allow_leakage: bool, whether a split that leaks is written all the same, with a warning.

    Raises:
        InputError: unknown or repeated ids in the list of held-out genes, nothing left to train on, in a fold too, fewer
            cells or groups of genes than folds, a value that the target cannot be made of, or a split that leaks.
    """
    store, said = Store(store), Warnings()
    # The targets are not needed here, but a value that they cannot be made of should be found out before anything is trained.
    known = targets.known(store, target)
    if targets.is_binary(target):
        _check_labels(store, target, said)
    listed = _held_out_genes(store.genes, held_out_genes)
    gene_out, cell_out = _without_expression(store, known, listed, np.isin(store.cells, held_out_cells), said)
    sketches = sketch(store.dna) if "dna" in store.modules else None
    group, links = _groups(store, sketches, said)
    gene_fold, cell_fold, regimes = _deal(group, gene_out, cell_out, folds, hold_out, seed)
    has_truth = {run: _has_truth(store, target, run, regime, known) for run, regime in regimes.items()}
    _warn_of_genes_without_truth(store, known, has_truth["final"], gene_out, said)
    audited = _audit(store, regimes, has_truth, group, links, _copied_cells(store))
    _refuse_leaks(store, audited, group, gene_out, listed, allow_leakage, said)
    _tell_of_unscored_genes(store, group, gene_out, known, said)
    similar = similarity_table(sketches, store.genes, _sides(regimes, has_truth))
    _tell_of_similar_windows(similar, said)
    _write(store, genes, cells, samples, gene_out, cell_out, gene_fold, cell_fold, group, regimes)
    write_table(audited, audit)
    write_table(similar, similarity)
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


def _groups(store, sketches, said):
    """Return the group number [gene] of genes that must stay together, and why: a dict from a reason to pairs of rows.

    Coordinates and the user's groups both count. Genes without coordinates are compared with all others by their sequence;
    where no gene has any, the user's groups stand for them, and only genes without a group are compared. Wherever they
    lie, genes whose windows are one sequence under two names stay together.
    """
    table = store.gene_table
    placed, grouped = table["tss"].notna().to_numpy(), table["group"].notna().to_numpy()
    bare = ~placed if placed.any() else ~grouped
    links = {}
    if placed.any():
        tss = table["tss"].fillna(-1).to_numpy(np.int64)
        chrom = table["chrom"].fillna("").to_numpy(str)
        links["overlapping windows"] = overlapping_windows(chrom, tss, store.info["window"])
    if grouped.any():
        first = {}
        links["the group column"] = [
            (first.setdefault(name, row), row) for row, name in table["group"].dropna().items()
        ]
    if bare.any() and "dna" in store.modules:
        links["shared sequence"] = [pair for pair in shared_sequence_pairs(store.dna) if bare[list(pair)].any()]
    elif bare.any():
        said.add(
            f"genes without coordinates, groups or sequences to compare: {bare.sum()}; where their windows overlap those of others, "
            "folds share what they hold out; give all genes coordinates, or all a group (`genes.columns`)"
        )
    if sketches is not None:
        links["near-identical sequence"] = near_identical_pairs(sketches)
    group = connected(len(table), [pair for pairs in links.values() for pair in pairs])
    reasons, largest = " and ".join(links) or "each by itself", np.bincount(group).max()
    log.info("%d genes in %d groups (%s), the largest of %d", len(group), group.max() + 1, reasons, largest)
    return group, links


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


def _deal(group, gene_out, cell_out, folds, hold_out, seed):
    """Return the fold [gene], the fold [cell], both -1 where there is none, and a dict from run to regimes [cell, gene]."""
    rng = np.random.default_rng(seed)
    gene_fold = _deal_groups(group, ~gene_out, folds, rng, hold_out)
    cell_fold = _deal_cells(~cell_out, folds, rng, hold_out)
    sample_fold = rng.integers(folds, size=(len(cell_out), len(gene_out)))
    regimes = {"final": _block_regimes(cell_out, gene_out)}
    for fold in range(folds):
        regimes[f"fold-{fold + 1}"] = _fold_regimes(fold, regimes["final"], gene_fold, cell_fold, sample_fold, hold_out)
    return gene_fold, cell_fold, regimes


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
            "that must stay together; lower it, or set `folds.hold_out: samples` and `allow_leakage: true` and mind that its scores leak."
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


def _trained(regime, has_truth):
    """Return the masks [cell] and [gene] of what a run is trained on."""
    trained = (regime == TRAIN) & has_truth
    return trained.any(axis=1), trained.any(axis=0)


def _sides(regimes, has_truth):
    """Return, for every run, the masks [gene] of those held out in all cells and of those trained on."""
    return {
        run: (np.isin(regime, (UNSEEN_GENE, BOTH_UNSEEN)).any(axis=0), _trained(regime, has_truth[run])[1])
        for run, regime in regimes.items()
    }


def _copied_cells(store):
    """Return the number [cell] of each cell's marks: cells with the same ones in every bin of every gene have the same number."""
    if "histone" not in store.modules:
        return np.arange(len(store.cells))
    # Cells without any reads are not copies of each other.
    digests = [
        hashlib.sha256(np.ascontiguousarray(marks)).hexdigest() if marks.any() else name
        for marks, name in zip(store.histone, store.cells, strict=True)
    ]
    return np.unique(digests, return_inverse=True)[1]


def _audit(store, regimes, has_truth, group, links, marks):
    """Count every block of every run, and what it shares with the run's training samples."""
    rows = []
    for run, regime in regimes.items():
        train_cells, train_genes = _trained(regime, has_truth[run])
        for name in (TRAIN, *HELD_OUT):
            block = regime == name
            if not block.any():
                continue
            block_genes, block_cells = block.any(axis=0), block.any(axis=1)
            # What has no truth is not scored, so that no score can flatter.
            scored = block & has_truth[run]
            leaks = []
            if name in _NEW_GENES:
                leaks += _leaking_genes(store, group, links, scored.any(axis=0), train_genes)
            if name in _NEW_CELLS:
                held_cells = scored.any(axis=1)
                leaks += _leaking("cells are trained on too", store.cells[held_cells & train_cells])
                copies = held_cells & ~train_cells & np.isin(marks, marks[train_cells])
                leaks += _leaking("cells have the very marks of training cells", store.cells[copies])
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
                    "gene_groups_also_trained_on": len(np.intersect1d(group[train_genes], group[block_genes])),
                    "leak": "; ".join(leaks) or np.nan,
                }
            )
    return pd.DataFrame(rows)


def _leaking(what, names):
    return [f"{len(names)} {what} ({some(names)})"] if len(names) else []


def _leaking_genes(store, group, links, held, trained):
    """Name the held-out genes that are trained on themselves, and those with a training gene of their group beside them."""
    beside = held & ~trained & np.isin(group, group[trained])
    partners = _partners(group, links, beside, trained) if beside.any() else {}
    pairs = [f"{store.genes[gene]} with {store.genes[other]}: {why}" for gene, (other, why) in partners.items()]
    return _leaking("genes are trained on too", store.genes[held & trained]) + _leaking(
        "genes share a group with training genes", pairs
    )


def _partners(group, links, beside, trained):
    """Return {row: (row of a training gene of its group, why it is)} of the genes in `beside`.

    The training gene is one that the gene is linked to itself, where there is one, else the first of those of its group.
    """
    partners = {}
    for reason, pairs in links.items():
        for pair in pairs:
            for gene, other in (pair, pair[::-1]):
                if beside[gene] and trained[other]:
                    partners.setdefault(gene, (other, reason))
    first = {group[row]: row for row in np.flatnonzero(trained)[::-1]}
    for gene in np.flatnonzero(beside).tolist():
        partners.setdefault(gene, (first[group[gene]], "by way of others"))
    return dict(sorted(partners.items()))


def _refuse_leaks(store, audited, group, gene_out, listed, allow, said):
    """Refuse a split of which a held-out block shares what it must not with the training samples, or warn of it."""
    leaks = audited[audited["leak"].notna()]
    if not len(leaks):
        return
    where = leaks["run"] + " (" + leaks["regime"] + ")"
    found = [
        f"of what {', '.join(places)} holds out, {leak}" for leak, places in where.groupby(leaks["leak"], sort=False)
    ]
    more = [f"{len(found) - _MOST_LEAKS} more leaks are like these"] if len(found) > _MOST_LEAKS else []
    found = f"the split leaks: {'; '.join(found[:_MOST_LEAKS] + more)}"
    if allow:
        said.add(f"{found}; `allow_leakage` is true, so it is used, but these scores flatter")
        return
    cures = ["set `folds.hold_out` to cells_and_genes or genes"] if (leaks["regime"] == LEAKING).any() else []
    if leaks["leak"].str.contains("the very marks").any():
        cures.append("leave one of each two copies out of `cells`, or correct its files")
    cures += _cure_of_groups(store, group, gene_out, listed)
    raise InputError("; ".join([found, *cures, "or set `allow_leakage: true`, and the report says in red what leaks."]))


def _tell_of_unscored_genes(store, group, gene_out, known, said):
    """Warn of held-out genes whose expression is not known here, but may be elsewhere, that share a group with training genes."""
    beside = gene_out & ~known.any(axis=0) & np.isin(group, group[~gene_out])
    if beside.any():
        said.add(
            f"{beside.sum()} held-out genes without expression share bins or sequence with training genes: nothing is scored on them "
            f"here, and scores that others take of them flatter: {some(store.genes[beside])}"
        )


def _cure_of_groups(store, group, gene_out, listed):
    """Say which ids to add to `held_out_genes`, or to remove from it, so that no group stands on both sides."""
    both = np.isin(group, np.intersect1d(group[gene_out], group[~gene_out]))
    if not both.any():
        return []
    add, remove = store.genes[both & ~gene_out], store.genes[both & gene_out]
    log.info("with these genes added, `held_out_genes` would not leak: %s", " ".join(add))
    cure = f"put each group on one side: add {some(add)} to `held_out_genes` (the log of split lists all)"
    # Those without expression are held out without being listed.
    removable = listed[both & gene_out].all()
    return [f"{cure}, or remove {some(remove)} from it" if removable else cure]


def _tell_of_similar_windows(similar, said):
    """Warn of held-out genes that may have a paralogue among the training genes, the most similar ones by name."""
    alike = similar[similar["similarity"] > PARALOGUE].sort_values("similarity", ascending=False, kind="stable")
    if len(alike):
        columns = (alike[name] for name in ("gene_id", "similar_to", "similarity", "run"))
        pairs = [f"{gene} like {other} ({part:.2f}, {run})" for gene, other, part, run in zip(*columns, strict=True)]
        said.add(
            f"{len(alike)} of {len(similar)} held-out genes have a window of which more than {PARALOGUE:.0%} stands in that of one "
            f"training gene too, as between paralogues; their scores may flatter: {some(pairs)}; see similarity.tsv"
        )
    elif len(similar):
        log.info("none of %d held-out genes has a window like that of a training gene", len(similar))

"""Split the samples: which of them trains which model, and in which regime each of the others is predicted.

The held-out cells and genes are the test set. The rest is dealt into folds. groups.py finds the genes that must stay
together, folds.py deals them, and audit.py refuses a split that leaks.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_text, readable, write_table
from wakawaka.core.messages import Warnings, shorten_list, write_warnings
from wakawaka.genome.gene_ids import plain_id
from wakawaka.splits.audit import Plan, audit, refuse_leaks, warn_of_similar_windows, warn_of_unscored_genes
from wakawaka.splits.folds import Folds, deal
from wakawaka.splits.groups import find_groups
from wakawaka.splits.regimes import FINAL, TRAIN
from wakawaka.splits.samples import write_samples
from wakawaka.splits.similarity import similarity_table, sketch
from wakawaka.store import targets
from wakawaka.store.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitFiles:
    """The paths of the tables that `split` writes.

    Attributes:
        genes, cells: the set (train or held_out) and the fold of every gene and cell, and the group of every gene.
        samples: the regimes, see samples.py.
        audit: a row per run and regime with what it shares with the training samples and, in `leak`, what of that it
            must not.
        similarity: a row for each gene that a run holds out, with the training window most similar to its own.
        warnings: the sentences that are logged as warnings.
    """

    genes: PathLike
    cells: PathLike
    samples: PathLike
    audit: PathLike
    similarity: PathLike
    warnings: PathLike


@dataclass(frozen=True)
class SplitSettings:
    """The settings of a split.

    Attributes:
        held_out_cells: names of cells.
        held_out_genes: gene ids, or the path of a text file with one id per line.
        folds: number of folds.
        hold_out: what a fold holds out: cells_and_genes, genes or samples.
        target: what is predicted, see targets.py.
        seed: the seed of the random numbers.
        allow_leakage: whether a split that leaks is written all the same, with a warning.
    """

    held_out_cells: Sequence[str]
    held_out_genes: Sequence[str] | str
    folds: int
    hold_out: str
    target: targets.Target
    seed: int
    allow_leakage: bool


def split(store: Sequence[PathLike], files: SplitFiles, settings: SplitSettings) -> None:
    """Write the split.

    Genes and cells without any expression among the training samples are held out too, because nothing can be learnt
    from them.

    Args:
        store: paths of the store. files: what to write. settings: how to split.

    Raises:
        InputError: for unknown or repeated ids in the list of held-out genes; if nothing is left to train a run on; for
            fewer cells or groups of genes than folds; for a value that the target cannot be made of; for a split that
            leaks.
    """
    opened, warned = Store(store), Warnings()
    # A value that the target cannot be made of is found here, before anything is trained.
    known = targets.known(opened, settings.target)
    if targets.is_binary(settings.target):
        _check_labels(opened, settings.target, warned)
    listed = _listed_genes(opened.genes, settings.held_out_genes)
    gene_out, cell_out = _test_set(opened, known, listed, np.isin(opened.cells, settings.held_out_cells), warned)
    sketches = sketch(opened.dna) if "dna" in opened.modules else None
    groups = find_groups(opened, sketches, warned)
    folds = deal(
        groups.number, gene_out, cell_out, folds=settings.folds, hold_out=settings.hold_out, seed=settings.seed
    )
    with_target = {
        run: _with_target(opened, settings.target, run, (regime == TRAIN) & known)
        for run, regime in folds.regimes.items()
    }
    _warn_of_genes_without_target(opened, known, with_target[FINAL], gene_out, warned)
    plan = Plan(opened, groups, listed, gene_out, cell_out, known, folds.regimes, with_target)
    audited = audit(plan)
    refuse_leaks(plan, audited, settings.allow_leakage, warned)
    warn_of_unscored_genes(plan, warned)
    similar = similarity_table(sketches, opened.genes, plan.gene_sides())
    warn_of_similar_windows(similar, warned)
    _write(files, plan, folds)
    write_table(audited, files.audit)
    write_table(similar, files.similarity)
    write_warnings(warned, files.warnings)


def _check_labels(store: Store, target: targets.Target, warnings: Warnings) -> None:
    """Refuse labels that are all the same, and warn of cells whose labels are."""
    labels = targets.values(store, target, {})
    found = [set(row[np.isfinite(row)].tolist()) for row in labels]
    why = (
        "no gene is below the median of a cell where half of its genes or more have its lowest value, mostly 0"
        if target["kind"] == "above_median"
        else "check the expression file"
    )
    if len(set().union(*found)) == 1:
        raise InputError(
            f"config key `expression.target` is {target['kind']}, but all labels are the same, so there is nothing to learn: {why}."
        )
    same = store.cells[[len(kinds) == 1 for kinds in found]]
    if len(same):
        warnings.add(f"all genes of {len(same)} cells have the same label: {shorten_list(same)}; {why}")


def _listed_genes(genes: np.ndarray, listed: Sequence[str] | str) -> np.ndarray:
    """Return a mask [gene] of the listed ids; `listed` is a list or the path of a file."""
    where = "config key `held_out_genes`"
    if isinstance(listed, str):
        where = listed
        with readable(listed), open_text(listed) as file:
            listed = [line.strip() for line in file if line.strip()]
    ids = [plain_id(gene) for gene in listed]
    twice = [gene for gene, count in pd.Series(ids, dtype=str).value_counts().items() if count > 1]
    if twice:
        raise InputError(f"{where}: the gene {twice[0]} is listed twice; remove one.")
    unknown = sorted(set(ids) - set(genes.tolist()))
    if unknown:
        raise InputError(
            f"{where}: {len(unknown)} ids are not among the genes of the store: {shorten_list(unknown)}; "
            "correct or remove them (genes that one of the sources lacks are left out: see results/store/warnings.tsv)."
        )
    return np.isin(genes, ids)


def _test_set(
    store: Store, known: np.ndarray, gene_out: np.ndarray, cell_out: np.ndarray, warnings: Warnings
) -> tuple[np.ndarray, np.ndarray]:
    """Return the masks [gene] and [cell] of the test set.

    Cells and genes without a known value in any training sample are added to what is held out.

    Args:
        known: mask [cell, gene] of the samples with a known expression.
        gene_out, cell_out: masks of what the config holds out.
    """
    what = "expression" if np.array_equal(known, np.isfinite(store.expression)) else "expression and reference"
    silent_cells = ~cell_out & ~known[:, ~gene_out].any(axis=1)
    cell_out = cell_out | silent_cells
    silent_genes = ~gene_out & ~known[~cell_out].any(axis=0)
    gene_out = gene_out | silent_genes
    for names, kind in ((store.cells[silent_cells], "cells"), (store.genes[silent_genes], "genes")):
        if len(names):
            warnings.add(f"{len(names)} training {kind} without any {what} are only predicted: {shorten_list(names)}")
    if not known[np.ix_(~cell_out, ~gene_out)].any():
        raise InputError(
            "no sample is left to train on: check `cells.train` and `held_out_genes` in config.yaml against the expression table."
        )
    return gene_out, cell_out


def _with_target(store: Store, target: targets.Target, run: str, trained: np.ndarray) -> np.ndarray:
    """Return the mask [cell, gene] of the samples that have a target in a run.

    Args:
        trained: mask [cell, gene] of the training samples with a known expression.

    Raises:
        InputError: if there is nothing to train the run on.
    """
    if not trained.any():
        raise InputError(
            f"config key `folds`: nothing with a known expression is left to train {run} on; "
            "set `folds.hold_out: genes`, name more training cells or take another `seed`."
        )
    found = np.isfinite(targets.values(store, target, targets.fit(store, target, trained)))
    if not found[trained].any():
        raise InputError(
            f"config key `expression.transform` is {target['transform']}, but no gene has two different values among the training "
            f"samples of {run}: name more training cells in `cells.train`, or take another transform."
        )
    return found


def _warn_of_genes_without_target(
    store: Store, known: np.ndarray, with_target: np.ndarray, gene_out: np.ndarray, warnings: Warnings
) -> None:
    lost = known.any(axis=0) & ~with_target.any(axis=0)
    if lost.any():
        warnings.add(
            f"{lost.sum()} genes, {(lost & gene_out).sum()} of them held out, have expression but not two different training values, "
            f"which a z-score needs: they are predicted, but neither trained on nor scored: {shorten_list(store.genes[lost])}."
        )


def _write(files: SplitFiles, plan: Plan, folds: Folds) -> None:
    """Write the tables of genes, cells and samples."""
    store = plan.store
    genes = {"gene_id": store.genes, **_set_and_fold(plan.gene_out, folds.of_gene), "group": plan.groups.number + 1}
    write_table(pd.DataFrame(genes), files.genes)
    write_table(pd.DataFrame({"cell": store.cells, **_set_and_fold(plan.cell_out, folds.of_cell)}), files.cells)
    write_samples(files.samples, store, plan.regimes)


def _set_and_fold(out: np.ndarray, fold: np.ndarray) -> dict[str, object]:
    """Return the columns `set` (train or held_out) and `fold`, which is counted from 1; NA where there is none."""
    return {"set": np.where(out, "held_out", "train"), "fold": pd.Series(fold + 1, dtype="Int64").where(fold >= 0)}

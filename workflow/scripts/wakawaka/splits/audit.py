"""The audit of a split: what held-out samples share with training samples, and what to do about it.

A split that leaks is refused, unless the config allows it.
"""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.splits.groups import Groups
from wakawaka.splits.regimes import BOTH_UNSEEN, HELD_OUT, LEAKING, TRAIN, UNSEEN_CELL, UNSEEN_GENE
from wakawaka.splits.similarity import PARALOGUE
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# The regimes whose genes, and those whose cells, must not be trained on. Random rows always leak both.
NEW_GENES = (UNSEEN_GENE, BOTH_UNSEEN, LEAKING)
NEW_CELLS = (UNSEEN_CELL, BOTH_UNSEEN, LEAKING)
# The leaks that one sentence names: every fold of random rows leaks, and no two folds leak the same.
MOST_LEAKS = 2
COPIED_CELLS = "cells have the same marks as training cells"


@dataclass(frozen=True)
class Plan:
    """A split before it is written.

    Attributes:
        store: what is split.
        groups: the groups of genes that must stay on one side.
        listed: mask [gene] of the genes that the config holds out.
        gene_out, cell_out: masks [gene] and [cell] of the test set.
        known: mask [cell, gene] of the samples with a known expression.
        regimes: from a run to the regimes [cell, gene].
        with_target: from a run to the mask [cell, gene] of the samples that have a target in it.
    """

    store: Store
    groups: Groups
    listed: np.ndarray
    gene_out: np.ndarray
    cell_out: np.ndarray
    known: np.ndarray
    regimes: dict[str, np.ndarray]
    with_target: dict[str, np.ndarray]

    def trained(self, run: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the masks [cell] and [gene] of what a run is trained on."""
        trained = (self.regimes[run] == TRAIN) & self.with_target[run]
        return trained.any(axis=1), trained.any(axis=0)

    def gene_sides(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Return, for every run, the masks [gene] of the genes held out in all cells and of those trained on."""
        return {
            run: (np.asarray(np.isin(regime, (UNSEEN_GENE, BOTH_UNSEEN)).any(axis=0)), self.trained(run)[1])
            for run, regime in self.regimes.items()
        }


def audit(plan: Plan) -> pd.DataFrame:
    """Return a row per run and regime: its size, what it shares with training samples, and what of that is a leak."""
    copies = _copied_cells(plan.store)
    rows = []
    for run, regimes in plan.regimes.items():
        train_cells, train_genes = plan.trained(run)
        for regime in (TRAIN, *HELD_OUT):
            samples = regimes == regime
            if not samples.any():
                continue
            genes, cells = samples.any(axis=0), samples.any(axis=1)
            # Samples without a target are not scored, so that they cannot overstate a score.
            scored = samples & plan.with_target[run]
            leaks = []
            if regime in NEW_GENES:
                leaks += _leaking_genes(plan, scored.any(axis=0), train_genes)
            if regime in NEW_CELLS:
                leaks += _leaking_cells(plan.store.cells, copies, scored.any(axis=1), train_cells)
            shared_groups = np.intersect1d(plan.groups.number[train_genes], plan.groups.number[genes])
            rows.append(
                {
                    "run": run,
                    "regime": regime,
                    "cells": int(cells.sum()),
                    "genes": int(genes.sum()),
                    "samples": int(samples.sum()),
                    "samples_with_truth": int(scored.sum()),
                    "cells_also_trained_on": int((cells & train_cells).sum()),
                    "genes_also_trained_on": int((genes & train_genes).sum()),
                    "gene_groups_also_trained_on": len(shared_groups),
                    "leak": "; ".join(leaks) or np.nan,
                }
            )
    return pd.DataFrame(rows)


def _copied_cells(store: Store) -> np.ndarray:
    """Return a number [cell] for each cell's marks: cells with the same values in every bin of every gene share it."""
    if "histone" not in store.modules:
        return np.arange(len(store.cells))
    # Cells without any reads are not copies of each other.
    digests = [
        hashlib.sha256(np.ascontiguousarray(marks).data).hexdigest() if marks.any() else name
        for marks, name in zip(store.histone, store.cells, strict=True)
    ]
    return np.unique(digests, return_inverse=True)[1]


def _leak(what: str, names: Sequence[str] | np.ndarray) -> list[str]:
    return [f"{len(names)} {what} ({shorten_list(names)})"] if len(names) else []


def _leaking_cells(names: np.ndarray, copies: np.ndarray, held: np.ndarray, trained: np.ndarray) -> list[str]:
    """Describe held-out cells that are trained on or are copies of training cells; `held` and `trained` are masks."""
    same = held & ~trained & np.isin(copies, copies[trained])
    return _leak("cells are trained on too", names[held & trained]) + _leak(COPIED_CELLS, names[same])


def _leaking_genes(plan: Plan, held: np.ndarray, trained: np.ndarray) -> list[str]:
    """Describe held-out genes that are trained on or share a group with training genes; the masks are [gene]."""
    names = plan.store.genes
    partners = _partners(plan.groups, plan.groups.shared(held & ~trained, trained), trained)
    pairs = [f"{names[gene]} with {names[other]}: {why}" for gene, (other, why) in partners.items()]
    return _leak("genes are trained on too", names[held & trained]) + _leak(
        "genes share a group with training genes", pairs
    )


def _partners(groups: Groups, held: np.ndarray, trained: np.ndarray) -> dict[int, tuple[int, str]]:
    """Return, for the row of each held-out gene, that of a training gene of its group, and why they share it.

    It is a training gene that is linked to the held-out one directly, where there is one, else the first of the group.
    """
    if not held.any():
        return {}
    partners: dict[int, tuple[int, str]] = {}
    for reason, pairs in groups.links.items():
        for pair in pairs:
            for gene, other in (pair, pair[::-1]):
                if held[gene] and trained[other]:
                    partners.setdefault(gene, (other, reason))
    first = {groups.number[row]: row for row in np.flatnonzero(trained)[::-1]}
    for gene in np.flatnonzero(held).tolist():
        partners.setdefault(gene, (first[groups.number[gene]], "through other genes"))
    return dict(sorted(partners.items()))


def refuse_leaks(plan: Plan, audited: pd.DataFrame, allow: bool, warnings: Warnings) -> None:
    """Refuse a split that leaks or, where that is allowed, warn of it.

    Args:
        audited: as `audit` returns it.
        allow: whether the config allows leaks.

    Raises:
        InputError: naming what leaks where, and how to mend it.
    """
    leaks = audited[audited["leak"].notna()]
    if leaks.empty:
        return
    where = leaks["run"] + " (" + leaks["regime"] + ")"
    found = [f"in {', '.join(places)}, {leak}" for leak, places in where.groupby(leaks["leak"], sort=False)]
    more = [f"{len(found) - MOST_LEAKS} more leaks are like these"] if len(found) > MOST_LEAKS else []
    sentence = f"the split leaks: {'; '.join(found[:MOST_LEAKS] + more)}"
    if allow:
        warnings.add(f"{sentence}; `allow_leakage` is true, so it is used, but these scores are overstated")
        return
    cures = ["set `folds.hold_out` to cells_and_genes or genes"] if (leaks["regime"] == LEAKING).any() else []
    if leaks["leak"].str.contains(COPIED_CELLS).any():
        cures.append("leave one of each two copies out of `cells`, or correct its files")
    cures += _cure_of_groups(plan)
    allowed = "or set `allow_leakage: true`; the report then names in red what leaks."
    raise InputError("; ".join([sentence, *cures, allowed]))


def _cure_of_groups(plan: Plan) -> list[str]:
    """Return which ids to add to `held_out_genes`, or to remove from it, so that every group is on one side."""
    number, out = plan.groups.number, plan.gene_out
    both = np.isin(number, np.intersect1d(number[out], number[~out]))
    if not both.any():
        return []
    add, remove = plan.store.genes[both & ~out], plan.store.genes[both & out]
    log.info("with these genes added, `held_out_genes` would not leak: %s", " ".join(add))
    cure = f"put each group on one side: add {shorten_list(add)} to `held_out_genes` (the log of split lists all)"
    # Genes without expression are held out without being listed.
    removable = plan.listed[both & out].all()
    return [f"{cure}, or remove {shorten_list(remove)} from it" if removable else cure]


def warn_of_unscored_genes(plan: Plan, warnings: Warnings) -> None:
    """Warn of held-out genes without expression that share a group with training genes.

    Nothing is scored on them here, but others may know their expression.
    """
    shared = plan.groups.shared(plan.gene_out & ~plan.known.any(axis=0), ~plan.gene_out)
    if shared.any():
        warnings.add(
            f"{shared.sum()} held-out genes without expression share bins or sequence with training genes; they are not scored here, "
            f"and scores of them from elsewhere are overstated: {shorten_list(plan.store.genes[shared])}"
        )


def warn_of_similar_windows(similar: pd.DataFrame, warnings: Warnings) -> None:
    """Warn of held-out genes that may have a paralogue among the training genes; the most similar ones are named.

    Args:
        similar: as `similarity_table` returns it.
    """
    paralogues = similar[similar["similarity"] > PARALOGUE].sort_values("similarity", ascending=False, kind="stable")
    if len(paralogues):
        columns = (paralogues[name] for name in ("gene_id", "similar_to", "similarity", "run"))
        pairs = [f"{gene} and {other} ({part:.2f}, {run})" for gene, other, part, run in zip(*columns, strict=True)]
        warnings.add(
            f"{len(paralogues)} of {len(similar)} held-out genes have a window of which more than {PARALOGUE:.0%} stands in that of one "
            f"training gene too, as between paralogues; their scores may be overstated: {shorten_list(pairs)}; see similarity.tsv"
        )
    elif len(similar):
        log.info("none of %d held-out genes has a window like that of a training gene", len(similar))

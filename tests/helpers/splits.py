"""Splits of small stores."""

import itertools

import numpy as np
import pandas as pd
import pytest

from helpers.stores import write_store
from wakawaka.core.errors import InputError
from wakawaka.splits.split import SplitFiles, SplitSettings, split

WINDOW = 100
CELLS = [f"c{number}" for number in range(6)]
OUTPUTS = {"genes": "genes.tsv", "cells": "cells.tsv", "samples": "samples.tsv.gz", "audit": "audit.tsv"}
OUTPUTS |= {"similarity": "similarity.tsv", "warnings": "warnings.tsv"}
VALUE = {"kind": "value", "transform": "none"}

# The TSSs of genes: G0 and G1 overlap, and G3, G4 and G5 in a chain, in which G3 and G5 do not overlap.
NEIGHBOURS = [0, 50, 1000, 3000, 3080, 3160, *(np.arange(6, 16) * 1000)]


def make_store(folder, count=40, cells=CELLS, tss=None, chrom=None, group=None, dna=None, expression=None, ids=None):
    """Write a store of genes G0, G1 ..., 1,000 bp apart unless `tss` says otherwise; return its paths."""
    ids = ids or [f"G{number}" for number in range(count)]
    count = len(ids)
    if expression is None:
        expression = np.random.default_rng(0).normal(size=(len(cells), count))
    table = {"tss": np.arange(count) * 1000 if tss is None else tss}
    table |= {name: values for name, values in (("chrom", chrom), ("group", group)) if values is not None}
    expression = np.array(expression, np.float32)
    known = {cell: row[np.isfinite(row)] for cell, row in zip(cells, expression, strict=True)}
    medians = {cell: float(np.median(row)) for cell, row in known.items() if len(row)}
    (folder / "store").mkdir(parents=True, exist_ok=True)
    return write_store(
        folder / "store", cells=cells, genes=ids, marks=0, bins=1, window=WINDOW,
        table=table, info={"medians": medians}, histone=None, dna=dna, expression=expression, scale=None,
    )  # fmt: skip


def make_split(folder, store, held_out_cells=(), held_out_genes=(), **options):
    """Split the store; return the genes, cells and audit as tables and the regimes as a dict from run to [cell, gene].

    Random rows leak, and are allowed to unless `options` says otherwise.
    """
    outputs = {key: folder / name for key, name in OUTPUTS.items()}
    genes = held_out_genes if isinstance(held_out_genes, str) else list(held_out_genes)
    options = {"folds": 3, "hold_out": "cells_and_genes", "target": VALUE, "seed": 1} | options
    options = {"allow_leakage": options["hold_out"] == "samples"} | options
    split(store, SplitFiles(**outputs), SplitSettings(list(held_out_cells), genes, **options))
    tables = [pd.read_csv(path, sep="\t", keep_default_na=False) for path in outputs.values()]
    genes, cells, samples, audit, _, _ = tables
    # A row for every cell and gene, in the order of the store.
    assert list(zip(samples["cell"], samples["gene_id"], strict=True)) == [
        *itertools.product(cells["cell"], genes["gene_id"])
    ]
    runs = ["final", *(f"fold-{number}" for number in range(1, options["folds"] + 1))]
    assert samples.columns.tolist() == ["cell", "gene_id", *runs]
    shape = len(cells), len(genes)
    return genes, cells, audit, {run: samples[run].to_numpy(str).reshape(shape) for run in runs}


def check_blocks(regime):
    """Check that every sample that is no other fold's business stands in the regime that it is said to stand in."""
    train_cells, train_genes = (regime == "train").any(axis=1), (regime == "train").any(axis=0)
    seen = {
        ("train", True, True),
        ("unseen_cell", False, True),
        ("unseen_gene", True, False),
        ("both_unseen", False, False),
    }
    for cell, gene in np.argwhere(regime != "test"):
        assert (regime[cell, gene], bool(train_cells[cell]), bool(train_genes[gene])) in seen


def refusal(folder, store, *args, **options):
    """Return the sentence that a split is refused with; nothing may have been written."""
    with pytest.raises(InputError) as caught:
        make_split(folder, store, *args, **options)
    assert not any((folder / output).exists() for output in OUTPUTS.values())
    return str(caught.value)


def leaks(audit):
    """Return {(run, regime): leak} of an audit, without the blocks that leak nothing."""
    rows = audit[audit["leak"] != "-"]
    return dict(zip(zip(rows["run"], rows["regime"], strict=True), rows["leak"], strict=True))


def naive_groups(neighbours, count):
    """Number the genes' groups by spreading the lowest number to all neighbours until nothing changes."""
    group = list(range(count))
    while True:
        spread = [
            min([group[gene], *(group[other] for other in range(count) if neighbours(gene, other))])
            for gene in range(count)
        ]
        if spread == group:
            return np.array(group)
        group = spread


def check_groups(genes, regimes, expected):
    """Check that the groups are the expected ones, and that no fold trains on a gene of a held-out gene's group."""
    assert np.array_equal(pd.factorize(genes["group"])[0], pd.factorize(expected)[0])
    for run, regime in regimes.items():
        if run != "final":
            trained = expected[(regime == "train").any(axis=0)]
            unseen = expected[np.isin(regime, ["unseen_gene", "both_unseen"]).any(axis=0)]
            assert len(unseen) and not set(trained) & set(unseen)

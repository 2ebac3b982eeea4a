"""A store and a table of regimes full of random numbers, of any size; measures nothing by itself."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from common import BINS, MARKS, WINDOW, progress

from wakawaka.core.files import save_array, write_table
from wakawaka.genome.dna import N
from wakawaka.splits.regimes import BOTH_UNSEEN, TRAIN, UNSEEN_CELL, UNSEEN_GENE

# One gene of so many has a run of N in its window, of so many positions. Windows with N are rare in a genome.
GENES_PER_GAP = 500
GAP = 300


def write_random_store(folder, *, cells, genes, held_out_cells=0, held_out_genes=0, seed=1):
    """Write a store and samples.tsv.gz with the regimes of run `final`; return (folder of the store, path of the table).

    Counts, bases and expression (never negative) are independent of each other: nothing can be learnt from them. The last cells and
    genes are the held-out ones.
    """
    store = Path(folder) / "store"
    store.mkdir()
    rng = np.random.default_rng(seed)
    cell = np.array([f"E{number:03}" for number in range(1, cells + 1)])
    gene = np.array([f"ENSG{number:011}" for number in range(1, genes + 1)])
    _write_histone(store / "histone.npy", cells, genes, rng)
    _write_dna(store / "dna.npy", genes, rng)
    save_array(rng.gamma(2.0, 1.0, (cells, genes)).astype(np.float32), store / "expression.npy")
    write_table(pd.DataFrame({"cell": cell}), store / "cells.tsv")
    places = {"chrom": "chr1", "tss": np.arange(1, genes + 1) * 3 * WINDOW, "strand": "+", "group": "-"}
    write_table(pd.DataFrame({"gene_id": gene, **places}), store / "genes.tsv")
    info = {"cells": cells, "genes": genes, "marks": MARKS, "window": WINDOW, "bins": BINS, "bin_size": WINDOW // BINS}
    info |= {"scale": "counts", "warnings": [], "sources": []}
    (store / "store.json").write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    samples = Path(folder) / "samples.tsv.gz"
    seen_cell = np.arange(cells)[:, None] < cells - held_out_cells
    seen_gene = np.arange(genes) < genes - held_out_genes
    regimes = np.where(
        seen_cell, np.where(seen_gene, TRAIN, UNSEEN_GENE), np.where(seen_gene, UNSEEN_CELL, BOTH_UNSEEN)
    )
    table = {"cell": np.repeat(cell, genes), "gene_id": np.tile(gene, cells), "final": regimes.ravel()}
    write_table(pd.DataFrame(table), samples)
    return store, samples


def _write_histone(path, cells, genes, rng):
    """Write counts [cell, gene, bin, mark] uint16, cell by cell, so that memory holds one of them."""
    array = np.lib.format.open_memmap(path, "w+", np.uint16, (cells, genes, BINS, len(MARKS)))
    for number in range(cells):
        array[number] = rng.integers(0, 20, array.shape[1:], np.uint16)
        if (number + 1) % 20 == 0:
            progress("random store: %d of %d cells", number + 1, cells)
    array.flush()


def _write_dna(path, genes, rng):
    codes = rng.integers(0, 4, (genes, WINDOW), np.uint8)
    codes[::GENES_PER_GAP, WINDOW // 3 : WINDOW // 3 + GAP] = N
    save_array(codes, path)

"""A store and a table of regimes of random numbers, of any size; measures nothing by itself."""

from pathlib import Path

import numpy as np
import pandas as pd
from common import BINS, MARKS, WINDOW, progress

from wakawaka.core.files import PathLike, save_array
from wakawaka.genome.dna import N
from wakawaka.splits.regimes import BOTH_UNSEEN, FINAL, TRAIN, UNSEEN_CELL, UNSEEN_GENE
from wakawaka.splits.samples import write_samples
from wakawaka.store.store import Store, StoreInfo, write_cell_table, write_gene_table

# One gene in GENES_PER_GAP has a run of N in its window, of GAP bp. Windows with N are rare in a genome.
GENES_PER_GAP = 500
GAP = 300


def write_random_store(
    folder: PathLike, *, cells: int, genes: int, held_out_cells: int = 0, held_out_genes: int = 0, seed: int = 1
) -> tuple[Path, Path]:
    """Write a store, and samples.tsv.gz with the regimes of run `final`; return (folder of the store, table's path).

    Counts, bases and expression (never negative) are independent of each other, so nothing can be learnt from them. The
    last cells and genes are the held-out ones.
    """
    store = Path(folder) / "store"
    store.mkdir()
    rng = np.random.default_rng(seed)
    cell = np.array([f"E{number:03}" for number in range(1, cells + 1)])
    gene = np.array([f"ENSG{number:011}" for number in range(1, genes + 1)])
    _write_histone(store / "histone.npy", cells, genes, rng)
    _write_dna(store / "dna.npy", genes, rng)
    save_array(rng.gamma(2.0, 1.0, (cells, genes)).astype(np.float32), store / "expression.npy")
    write_cell_table(cell, store / "cells.tsv")
    places = {"chrom": "chr1", "tss": np.arange(1, genes + 1) * 3 * WINDOW, "strand": "+", "group": ""}
    write_gene_table(pd.DataFrame({"gene_id": gene, **places}), store / "genes.tsv")
    sizes = {"cells": cells, "genes": genes, "window": WINDOW, "bins": BINS, "bin_size": WINDOW // BINS}
    StoreInfo(**sizes, marks=list(MARKS), strand_aware=True, scale="counts", depth={}).write(store / "store.json")
    samples = Path(folder) / "samples.tsv.gz"
    seen_cell = np.arange(cells)[:, None] < cells - held_out_cells
    seen_gene = np.arange(genes) < genes - held_out_genes
    of_seen_cells = np.where(seen_gene, TRAIN, UNSEEN_GENE)
    of_held_out_cells = np.where(seen_gene, UNSEEN_CELL, BOTH_UNSEEN)
    regimes = np.where(seen_cell, of_seen_cells, of_held_out_cells)
    write_samples(samples, Store([store / "genes.tsv", store / "cells.tsv"]), {FINAL: regimes})
    return store, samples


def _write_histone(path: Path, cells: int, genes: int, rng: np.random.Generator) -> None:
    """Write counts [cell, gene, bin, mark] uint16, cell by cell, so that only one cell is in memory."""
    array = np.lib.format.open_memmap(path, "w+", np.uint16, (cells, genes, BINS, len(MARKS)))
    for number in range(cells):
        array[number] = rng.integers(0, 20, array.shape[1:], np.uint16)
        if (number + 1) % 20 == 0:
            progress("random store: %d of %d cells", number + 1, cells)
    array.flush()


def _write_dna(path: Path, genes: int, rng: np.random.Generator) -> None:
    """Write codes [gene, position] uint8."""
    codes = rng.integers(0, 4, (genes, WINDOW), np.uint8)
    codes[::GENES_PER_GAP, WINDOW // 3 : WINDOW // 3 + GAP] = N
    save_array(codes, path)

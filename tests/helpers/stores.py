"""Stores of random values, or of given ones: in the files that the pipeline has, or without files."""

from functools import cached_property

import numpy as np
import pandas as pd

from wakawaka.core.files import save_array
from wakawaka.store.store import Store, StoreInfo, write_cell_table, write_gene_table


def write_store(
    folder, *, cells=3, genes=4, bins=20, window=100, marks=2, scale="counts", strand_aware=True, seed=1, table=None, info=None, **arrays
):  # fmt: skip
    """Write a store; return the paths of its files.

    Args:
        folder: an existing folder.
        cells, genes, marks: their numbers or their names.
        bins: number of bins. window: bp. scale: of the histone values. seed: of random values.
        table: further columns of genes.tsv, as a dict of arrays; they are alike for all genes otherwise.
        info: dict of further content of store.json.
        arrays: histone [cell, gene, bin, mark], dna [gene, position], expression [cell, gene], reference [gene], with the types that
            they shall have. Of the first three, those that are not given are random; None leaves one out.
    """
    cells, genes, marks = (_names(given, letter) for given, letter in ((cells, "C"), (genes, "G"), (marks, "M")))
    shape, rng = (len(cells), len(genes)), np.random.default_rng(seed)
    random = {
        "histone": rng.poisson(4, (*shape, bins, len(marks))).astype(np.uint16),
        "dna": rng.integers(0, 5, (len(genes), window)).astype(np.uint8),
        "expression": rng.normal(size=shape).astype(np.float32),
    }
    arrays = {name: array for name, array in (random | arrays).items() if array is not None}
    about = {"marks": marks, "bins": bins, "window": window, "scale": scale, "strand_aware": strand_aware}
    info_of(len(cells), len(genes), **about, **(info or {})).write(folder / "store.json")
    columns = {"gene_id": genes, "chrom": "1", "tss": 5, "strand": "+", "group": ""}
    write_gene_table(pd.DataFrame(columns | (table or {})), folder / "genes.tsv")
    write_cell_table(cells, folder / "cells.tsv")
    for name, array in arrays.items():
        save_array(array, folder / f"{name}.npy")
    return [folder / name for name in ("store.json", "genes.tsv", "cells.tsv", *(f"{name}.npy" for name in arrays))]


def store_of(folder, **settings):
    """Return a store that `write_store` has written."""
    return Store(write_store(folder, **settings))


def store_with(**known):
    """Return a store without files. `known` is what it would read from them: values of `Store`'s attributes, as `genes` or `dna`."""
    store = Store([])
    for name, value in known.items():
        assert isinstance(getattr(Store, name), cached_property), f"a store reads no {name}"
        # That is where a cached property is kept once it was read.
        vars(store)[name] = value
    return store


def info_of(cells=3, genes=4, *, marks=("M00", "M01"), bins=20, window=100, scale="counts", strand_aware=True, **more):
    """Return the content of store.json, with other values where some are given."""
    sizes = {"cells": cells, "genes": genes, "marks": list(marks), "window": window, "bins": bins}
    return StoreInfo(**sizes, bin_size=window // bins, scale=scale, strand_aware=strand_aware, **more)


def _names(given, letter):
    return [f"{letter}{number:02}" for number in range(given)] if isinstance(given, int) else list(given)

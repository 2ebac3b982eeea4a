"""A store without the test set: what the search for settings reads instead of the whole one."""

import json
import logging
from pathlib import Path

import numpy as np

from wakawaka.core.files import atomic, read_table, write_table
from wakawaka.splits.regimes import TRAIN, read_regimes
from wakawaka.store.store import Store

log = logging.getLogger(__name__)

# Whether the axes that an array begins with are cells and genes, or genes alone.
WITH_CELLS = {"histone.npy": True, "expression.npy": True, "dna.npy": False, "reference.npy": False}

# Bytes that are copied together.
_BLOCK = 1 << 22

# Of store.json, what is known cell by cell.
_BY_CELL = ("depth", "medians")


def withhold(store, samples, withheld, table):
    """Write a store of the cells and genes that the final model is trained on, and the regimes that they have in the folds.

    A cell or gene all of whose samples are in the test set is not there, neither its values nor its name: store.json also leaves
    out the files that the store was made of. Only the medians of the training cells, which labels may be made of, are of all genes of
    the expression file, as they are everywhere. Arrays are copied block by block, as they are.

    Args:
        store: paths of the whole store. samples: path of the table of regimes, as `split` writes it.
        withheld: output paths, with the file names of the store. table: output path of the regimes, without those of the final run.
    """
    whole, (paths, withheld) = Store(store), ({Path(path).name: path for path in files} for files in (store, withheld))
    trained = read_regimes(samples, whole, "final") == TRAIN
    cells, genes = np.flatnonzero(trained.any(axis=1)), np.flatnonzero(trained.any(axis=0))
    for name in withheld.keys() & WITH_CELLS.keys():
        _copy(paths[name], withheld[name], cells if WITH_CELLS[name] else None, genes)
    for name, rows in (("cells.tsv", cells), ("genes.tsv", genes)):
        # As text: a TSS is a whole number or unknown.
        write_table(read_table(paths[name], dtype=str, na_values=[]).iloc[rows], withheld[name])
    rows = np.ravel_multi_index(np.ix_(cells, genes), trained.shape).ravel()
    write_table(read_table(samples, dtype=str).drop(columns="final").iloc[rows], table)
    with atomic(withheld["store.json"]) as temporary:
        temporary.write_text(json.dumps(_about(whole, cells, genes), indent=2) + "\n", encoding="utf-8")
    kept = len(cells), len(trained), len(genes), trained.shape[1]
    log.info("%d of %d cells and %d of %d genes are not in the test set", *kept)


def _about(store, cells, genes):
    info = store.info | {"cells": len(cells), "genes": len(genes), "sources": []}
    names = store.cells[cells].tolist()
    for key in _BY_CELL:
        if info.get(key):
            info[key] = {cell: info[key][cell] for cell in names if cell in info[key]}
    return info


def _copy(source, target, cells, genes):
    """Copy the genes of an array, of some cells where `cells` are the first axis (None: they are not), some genes at a time."""
    array = np.load(source, mmap_mode="r", allow_pickle=False)
    shape = (len(genes), *array.shape[1:]) if cells is None else (len(cells), len(genes), *array.shape[2:])
    header = {"descr": array.dtype.str, "fortran_order": False, "shape": shape}
    with atomic(target) as temporary, open(temporary, "wb") as file:
        # Not through a memory map, whose pages would be resident.
        np.lib.format.write_array_header_1_0(file, header)
        for values in [array] if cells is None else map(array.__getitem__, cells):
            size = max(_BLOCK // max(values[:1].nbytes, 1), 1)
            for start in range(0, len(genes), size):
                file.write(np.ascontiguousarray(values[genes[start : start + size]]).data)

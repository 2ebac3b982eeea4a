"""A store without the test set, which the search of hyperparameters reads."""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from wakawaka.core.files import PathLike
from wakawaka.splits.regimes import FINAL, TRAIN
from wakawaka.splits.samples import read_samples, write_samples
from wakawaka.store.arrays import copy_rows
from wakawaka.store.store import Store, write_cell_table, write_gene_table

log = logging.getLogger(__name__)

# Whether the first axes of an array are cells and genes, or genes alone.
WITH_CELLS = {"histone.npy": True, "expression.npy": True, "dna.npy": False, "reference.npy": False}


def drop_test_set(
    store: Sequence[PathLike], samples: PathLike, reduced_store: Sequence[PathLike], reduced_samples: PathLike
) -> None:
    """Write a store of the cells and genes that the final model is trained on, and their regimes in the folds.

    Cells and genes all of whose samples are in the test set are removed, with their values and names. store.json does not name the
    source files either. The medians of the training cells, which may define labels, stay those of all genes of the expression file.
    Arrays are copied block by block, unchanged.

    Args:
        store: paths of the whole store.
        samples: path of the table of regimes, as `split` writes it.
        reduced_store: output paths, with the file names of the store.
        reduced_samples: output path of the table of regimes, without those of the final run.
    """
    whole = Store(store)
    paths, outputs = ({Path(path).name: path for path in files} for files in (store, reduced_store))
    regimes = read_samples(samples, whole)
    trained = regimes.pop(FINAL) == TRAIN
    cells, genes = np.flatnonzero(trained.any(axis=1)), np.flatnonzero(trained.any(axis=0))
    for name in outputs.keys() & WITH_CELLS.keys():
        copy_rows(paths[name], outputs[name], genes, cells if WITH_CELLS[name] else None)
    write_cell_table(whole.cells[cells], outputs["cells.tsv"])
    write_gene_table(whole.gene_table.iloc[genes], outputs["genes.tsv"])
    whole.info.subset(whole.cells[cells].tolist(), len(genes)).write(outputs["store.json"])
    write_samples(
        reduced_samples, Store(outputs.values()), {run: values[np.ix_(cells, genes)] for run, values in regimes.items()}
    )
    kept = len(cells), len(trained), len(genes), trained.shape[1]
    log.info("%d of %d cells and %d of %d genes are not in the test set", *kept)

"""The tables of a split that later steps read.

samples.tsv.gz has the regime of every sample in every run: a row per cell and gene, in the order of the store, and a
column per run. genes.tsv has the group of every gene, and similarity.tsv how similar the windows of held-out genes are
to those of training genes.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, read_table, write_table
from wakawaka.store.store import Store


def write_samples(path: PathLike, store: Store, regimes: Mapping[str, np.ndarray]) -> None:
    """Write the regimes [cell, gene] of every run."""
    columns = {run: values.ravel() for run, values in regimes.items()}
    write_table(pd.DataFrame({**store.sample_names(), **columns}), path)


def read_samples(path: PathLike, store: Store) -> dict[str, np.ndarray]:
    """Return the regimes of every run, each [cell, gene] array of str.

    Raises:
        AssertionError: if the table is of another store.
    """
    table = read_table(path, dtype=str)
    return {run: _regimes(table, run, store, path) for run in table.columns.drop(["cell", "gene_id"])}


def read_regimes(path: PathLike, store: Store, run: str) -> np.ndarray:
    """Return the regimes of one run, [cell, gene] array of str.

    Raises:
        AssertionError: if the table is of another store.
    """
    return _regimes(read_table(path, usecols=["cell", "gene_id", run], dtype=str), run, store, path)


def _regimes(table: pd.DataFrame, run: str, store: Store, path: PathLike) -> np.ndarray:
    cells, genes = store.shape
    same = len(table) == cells * genes
    same = same and table["cell"].iloc[-1] == store.cells[-1] and table["gene_id"].iloc[-1] == store.genes[-1]
    assert same, f"{path} is of another store"
    return table[run].to_numpy(str).reshape(cells, genes)


def read_groups(path: PathLike) -> np.ndarray:
    """Return the group [gene] int64 of every gene, of genes.tsv."""
    return read_table(path)["group"].to_numpy(np.int64)


def read_similarity(path: PathLike, run: str, genes: np.ndarray | pd.Series) -> np.ndarray:
    """Return the similarity [gene] float64 of each gene to the most similar training gene of a run, of similarity.tsv.

    It is NaN for genes that the run does not hold out, and where it is not known.
    """
    table = read_table(path)
    by_gene = table[table["run"] == run].set_index("gene_id")["similarity"]
    return by_gene.reindex(pd.Index(genes)).to_numpy(np.float64)

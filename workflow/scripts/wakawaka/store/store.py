"""Reading the store; what it holds is described in build_store.py."""

import json
from functools import cached_property
from pathlib import Path

import numpy as np

from wakawaka.core.files import read_table


class Store:
    """The arrays of the store, memory-mapped and opened on first use.

    Args:
        paths: the paths of the store's files; each is known by its file name.
        shuffled_dna: a seed with which every gene is given the DNA of another one, the same in all runs; None leaves each its own.
        z_scores: whether `histone_input` gives z-scores: less the mean and divided by the standard deviation of the bin and mark over
            all genes of the cell.

    Attributes:
        info: dict, the content of store.json.
        genes, cells: [gene] and [cell] arrays of str.
        expression: [cell, gene] float32, NaN where not known, read-only; what is predicted is made of it in targets.py.
        reference: [gene] float32, NaN where not known, read-only: the reference column of log2 ratios.
        histone: [cell, gene, bin, mark] uint16, uint32 or float32, read-only.
        dna: [gene, position] uint8 codes, read-only.
    """

    def __init__(self, paths, shuffled_dna=None, z_scores=False):
        self._paths = {Path(path).name: Path(path) for path in paths}
        self._shuffled_dna, self._z_scores = shuffled_dna, z_scores

    @cached_property
    def info(self):
        return json.loads(self._paths["store.json"].read_text(encoding="utf-8"))

    @cached_property
    def gene_table(self):
        """DataFrame with gene_id, chrom, tss (0-based), strand and group, NaN where not known."""
        # A strand of "-" is no missing value.
        unknown = {name: ["-"] for name in ("chrom", "tss", "group")}
        return read_table(self._paths["genes.tsv"], na_values=unknown)

    @cached_property
    def genes(self):
        return self.gene_table["gene_id"].to_numpy(str)

    @cached_property
    def cells(self):
        return read_table(self._paths["cells.tsv"])["cell"].to_numpy(str)

    @cached_property
    def expression(self):
        return self._array("expression.npy")

    @cached_property
    def reference(self):
        return self._array("reference.npy")

    @cached_property
    def histone(self):
        return self._array("histone.npy")

    @cached_property
    def dna(self):
        dna = self._array("dna.npy")
        return dna if self._shuffled_dna is None else dna[_others(len(dna), self._shuffled_dna)]

    @property
    def modules(self):
        """The modules that the store has inputs for, in the order of a model's inputs."""
        return [module for module in ("histone", "dna") if f"{module}.npy" in self._paths]

    @property
    def sizes(self):
        """The sizes of a model's inputs: dict with marks, bins and window."""
        return {"marks": len(self.info["marks"]), "bins": self.info["bins"], "window": self.info["window"]}

    def histone_input(self, cells, genes):
        """Return the model's histone input [sample, bin, mark] float32 of paired index arrays: ln(count + 1), the signal, or z-scores."""
        values = self._marks(cells, genes)
        if self._z_scores:
            means, deviations = self._moments
            values = (values - means[cells]) / deviations[cells]
        return values

    def _marks(self, cells, genes):
        values = self.histone[cells, genes]
        return np.log1p(values, dtype=np.float32) if self.info["scale"] == "counts" else values

    @cached_property
    def _moments(self):
        """The mean and the standard deviation over the genes, 1 where it is 0: each [cell, bin, mark] float32."""
        means, deviations = np.zeros((2, self.histone.shape[0], *self.histone.shape[2:]), np.float32)
        for cell in range(len(means)):
            values = self._marks(cell, slice(None))
            means[cell] = values.mean(axis=0, dtype=np.float64)
            deviations[cell] = values.std(axis=0, dtype=np.float64)
        deviations[deviations == 0] = 1
        return means, deviations

    def _array(self, name):
        return np.load(self._paths[name], mmap_mode="r", allow_pickle=False)


def _others(count, seed):
    """Return a random permutation [count] that leaves nothing in its place."""
    order = np.random.default_rng(seed).permutation(count)
    result = np.empty(count, np.int64)
    result[order] = np.roll(order, 1)
    return result

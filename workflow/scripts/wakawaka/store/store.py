"""Read the store that build_store.py writes: its arrays, its tables and store.json."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, atomic, read_table, write_table

# The columns of genes.tsv.
GENE_COLUMNS = ("gene_id", "chrom", "tss", "strand", "group")

# An index of one axis of the arrays: one place, several, or a slice.
Index = int | slice | Sequence[int] | np.ndarray


@dataclass(frozen=True)
class StoreInfo:
    """The content of store.json.

    Attributes:
        cells, genes: their numbers.
        marks: names of the histone marks, empty without histone marks.
        window: length of the windows in bp. bins: number of bins in a window. bin_size: length of a bin in bp.
        strand_aware: whether downstream is into the gene in every window.
        scale: the scale of the histone values: counts, log1p or signal; None without histone marks.
        depth: the reads of every cell and mark that passed the filters, None for a cell whose source does not say it;
            None without histone marks.
        counting: how reads were counted, None where the source does not say it.
        medians: the median expression of each cell over all genes of the expression source; None without expression.
        sources: path and SHA-256 of every source file.
    """

    cells: int
    genes: int
    marks: list[str]
    window: int
    bins: int
    bin_size: int
    strand_aware: bool
    scale: str | None
    depth: dict[str, Any] | None = None
    counting: dict[str, Any] | None = None
    medians: dict[str, float] | None = None
    sources: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def read(cls, path: PathLike) -> Self:
        """Return the content of a store.json."""
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))

    def write(self, path: PathLike) -> None:
        """Write store.json, atomically; what is not known of a source that is not used is left out."""
        content = asdict(self)
        for key, without in (("depth", self.depth), ("counting", self.depth), ("medians", self.medians)):
            if without is None:
                del content[key]
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

    def subset(self, cells: Iterable[str], genes: int) -> Self:
        """Return the content for a store of only these cells and so many genes; the source files are left out."""
        names = list(cells)

        def kept(by_cell: dict[str, Any] | None) -> dict[str, Any] | None:
            return None if by_cell is None else {cell: by_cell[cell] for cell in names if cell in by_cell}

        return replace(
            self, cells=len(names), genes=genes, depth=kept(self.depth), medians=kept(self.medians), sources=[]
        )


def write_gene_table(table: pd.DataFrame, path: PathLike) -> None:
    """Write genes.tsv.

    Args:
        table: a row per gene with `GENE_COLUMNS`; NaN, an empty text or a TSS of -1 where not known.
    """
    # An empty field would read as "-", which a strand may be.
    table = table[list(GENE_COLUMNS)].replace("", np.nan)
    write_table(table.assign(tss=table["tss"].where(table["tss"] >= 0).astype("Int64")), path)


def read_gene_table(path: PathLike) -> pd.DataFrame:
    """Return genes.tsv: gene_id, chrom, tss (0-based), strand and group, NaN where not known."""
    # A strand of "-" is no missing value.
    return read_table(path, na_values={name: ["-"] for name in ("chrom", "tss", "group")})


def write_cell_table(cells: Sequence[str] | np.ndarray, path: PathLike) -> None:
    """Write cells.tsv; `cells` are the names, in the order of the arrays."""
    write_table(pd.DataFrame({"cell": cells}), path)


class Store:
    """The arrays of the store, memory-mapped and opened on first use.

    Args:
        paths: the paths of the store's files; each is known by its file name.
        permuted_genes: a seed with which every gene is given the DNA of another one, the same in all runs; None leaves
            each its own.
        z_scores: whether `histone_input` gives z-scores: less the mean and divided by the standard deviation of the bin
            and mark over all genes of the cell.
    """

    def __init__(self, paths: Iterable[PathLike], permuted_genes: int | None = None, z_scores: bool = False) -> None:
        self._paths = {Path(path).name: Path(path) for path in paths}
        self._permuted_genes, self._z_scores = permuted_genes, z_scores

    @cached_property
    def info(self) -> StoreInfo:
        """The content of store.json."""
        return StoreInfo.read(self._paths["store.json"])

    @cached_property
    def gene_table(self) -> pd.DataFrame:
        """The table of genes, as `read_gene_table` returns it."""
        return read_gene_table(self._paths["genes.tsv"])

    @cached_property
    def genes(self) -> np.ndarray:
        """The gene ids, [gene] array of str."""
        return self.gene_table["gene_id"].to_numpy(str)

    @cached_property
    def cells(self) -> np.ndarray:
        """The names of the cells, [cell] array of str."""
        return read_table(self._paths["cells.tsv"])["cell"].to_numpy(str)

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of cells and genes: the shape of an array with a value per sample."""
        return len(self.cells), len(self.genes)

    @cached_property
    def expression(self) -> np.ndarray:
        """The expression [cell, gene] float32, NaN where not known, read-only; targets.py makes the targets of it."""
        return self._array("expression.npy")

    @cached_property
    def reference(self) -> np.ndarray:
        """The reference column of log2 ratios, [gene] float32, NaN where not known, read-only."""
        return self._array("reference.npy")

    @cached_property
    def histone(self) -> np.ndarray:
        """The histone values [cell, gene, bin, mark] uint16, uint32 or float32, read-only."""
        return self._array("histone.npy")

    @cached_property
    def dna(self) -> np.ndarray:
        """The DNA codes [gene, position] uint8, read-only; those of other genes where genes are permuted."""
        dna = self._array("dna.npy")
        return dna if self._permuted_genes is None else dna[_derangement(len(dna), self._permuted_genes)]

    @property
    def modules(self) -> list[str]:
        """The modules that the store has inputs for, in the order of a model's inputs."""
        return [module for module in ("histone", "dna") if f"{module}.npy" in self._paths]

    @property
    def sizes(self) -> dict[str, int]:
        """The sizes of a model's inputs: marks, bins and window (bp)."""
        return {"marks": len(self.info.marks), "bins": self.info.bins, "window": self.info.window}

    def sample_names(self) -> dict[str, np.ndarray]:
        """Return the columns `cell` and `gene_id` [sample] of a table with a row per sample.

        The samples are in the order of a flattened [cell, gene] array.
        """
        return {"cell": np.repeat(self.cells, len(self.genes)), "gene_id": np.tile(self.genes, len(self.cells))}

    def histone_input(self, cells: Index, genes: Index) -> np.ndarray:
        """Return the histone input [sample, bin, mark] float32: ln(count + 1), the signal, or z-scores of these.

        Args:
            cells, genes: paired indices of the samples.
        """
        values = self._marks(cells, genes)
        if self._z_scores:
            means, deviations = self._moments
            values = (values - means[cells]) / deviations[cells]
        return values

    def _marks(self, cells: Index, genes: Index) -> np.ndarray:
        values = self.histone[cells, genes]
        return np.log1p(values, dtype=np.float32) if self.info.scale == "counts" else values

    @cached_property
    def _moments(self) -> tuple[np.ndarray, np.ndarray]:
        """The mean and the standard deviation over the genes (1 instead of 0), each [cell, bin, mark] float32."""
        means, deviations = np.zeros((2, self.histone.shape[0], *self.histone.shape[2:]), np.float32)
        for cell in range(len(means)):
            values = self._marks(cell, slice(None))
            means[cell] = values.mean(axis=0, dtype=np.float64)
            deviations[cell] = values.std(axis=0, dtype=np.float64)
        deviations[deviations == 0] = 1
        return means, deviations

    def _array(self, name: str) -> np.ndarray:
        return np.load(self._paths[name], mmap_mode="r", allow_pickle=False)


def _derangement(count: int, seed: int) -> np.ndarray:
    """Return a random permutation [count] int64 that leaves nothing in its place."""
    order = np.random.default_rng(seed).permutation(count)
    result = np.empty(count, np.int64)
    result[order] = np.roll(order, 1)
    return result

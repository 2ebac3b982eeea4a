"""The windows of the genes, cut from a genome of any format."""

import mmap
from collections.abc import Mapping

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.genome.dna import N
from wakawaka.genome.windows import check_inside, chromosome_key, match_chromosomes, window_starts
from wakawaka.sources.parsed import read_parsed, write_parsed


class Windows:
    """The windows around the TSSs of genes, on the plus strand; a reader fills them. See `window_starts` for their positions.

    For each record of a genome, in the order of the file, a reader calls `record` and fills the codes into the windows that it
    returns. In the end, the reader calls `match` with the lengths of the records, and then `write`.

    Args:
        genome: path, for sentences and the parsed. genes: path of the parsed genes. window: even number of bp.
        strand_aware: whether minus-strand genes will be reverse-complemented.

    Attributes:
        values: [gene, position] uint8, the codes. `match` writes N beyond a chromosome's ends; rows of genes without a record stay 0.
        starts: [gene] int64, the 0-based first base of each window, which may lie before the chromosome's beginning.
        warnings: `Warnings` so far.
        rows: dict from the annotation's chromosomes to the row numbers [window] int64 of their genes, in the order of the genome.
        chromosomes: dict from the annotation's chromosome names to those of the records; `match` fills it.
    """

    def __init__(self, genome: PathLike, genes: PathLike, window: int, strand_aware: bool) -> None:
        _, self._gene = read_parsed(genes)
        self._genome, self.warnings = genome, Warnings()
        self.chromosomes: dict[str, str] = {}
        chrom = self._gene["chrom"]
        self.starts = window_starts(self._gene["tss"], self._gene["strand"], window, strand_aware)
        size = len(chrom) * window
        # Not allocated by numpy, which asks for huge pages: on a virtual machine, finding as many of them may take long.
        self.values = np.frombuffer(mmap.mmap(-1, max(size, 1)), np.uint8, size).reshape(len(chrom), window)
        placed = np.flatnonzero((chrom != "") & (self._gene["tss"] >= 0))
        # In the order of the genome, because reading forwards is faster.
        order = placed[np.lexsort((self.starts[placed], chrom[placed]))]
        names, first = np.unique(chrom[order], return_index=True)
        self.rows = dict(zip(names.tolist(), np.split(order, first[1:]), strict=False))
        # The annotation's names and the records' names of each chromosome, by its key.
        self._wanted: dict[str, list[str]] = {}
        self._met: dict[str, list[str]] = {}
        for name in self.rows:
            self._wanted.setdefault(chromosome_key(name), []).append(name)

    def record(self, name: str) -> dict[str, np.ndarray]:
        """Return the windows to cut from the record of this name: a dict from chromosome names to rows [window] int64 by start.

        A genome may have both 1 and chr1, of which one matches the annotation's name better. If that record comes second, its windows
        are returned a second time, and its codes replace those of the first.
        """
        met = self._met.setdefault(chromosome_key(name), [])
        met.append(name)
        wanted = self._wanted.get(chromosome_key(name), [])
        if not wanted:
            return {}
        gene = {"chrom": np.array(wanted), "tss": np.zeros(len(wanted), np.int64)}
        matched = match_chromosomes(gene, met, self._genome)
        return {chrom: self.rows[chrom] for chrom in wanted if matched[chrom] == name}

    def match(self, lengths: Mapping[str, int]) -> None:
        """Match the genome's records (a dict from names to bp) with the annotation. A warning counts genes without a sequence.

        Raises:
            InputError: genes without coordinates, a TSS beyond its chromosome's end, or no chromosome in common.
        """
        self.chromosomes = match_chromosomes(self._gene, lengths, self._genome)
        self._lengths = {chrom: lengths[name] for chrom, name in self.chromosomes.items()}
        try:
            check_inside(self._genome, self._gene, self._lengths)
        except InputError as error:
            # A FASTA file has no end mark, so a truncated one looks like a genome with a short last chromosome.
            raise InputError(
                f"{error} Or the genome's file is truncated; compare its size with the original's."
            ) from None
        self._located = np.isin(self._gene["chrom"], list(self.chromosomes)) & (self._gene["tss"] >= 0)
        if not self._located.all():
            self.warnings.add(
                f"{self._genome}: {(~self._located).sum()} genes have no sequence, because the genome lacks their chromosome "
                f"or their place is not known: {shorten_list(self._gene['gene_id'][~self._located])}."
            )
        window = self.values.shape[1]
        for chrom, length in self._lengths.items():
            rows = self.rows[chrom]
            for row in rows[(self.starts[rows] < 0) | (self.starts[rows] + window > length)]:
                places = self.starts[row] + np.arange(window)
                self.values[row, (places < 0) | (places >= length)] = N

    def write(self, parsed: PathLike) -> None:
        """Write the parsed sequences of the genes that have a sequence."""
        about = {"order": "genomic", "assemblies": [{"path": str(self._genome), "lengths": self._lengths}]}
        rows = np.flatnonzero(self._located)
        # In place, because a second array of all windows would double the memory.
        for place, row in enumerate(rows):
            if place != row:
                self.values[place] = self.values[row]
        gene_id = self._gene["gene_id"][rows]
        write_parsed(parsed, self._genome, self.warnings, about=about, gene_id=gene_id, values=self.values[: len(rows)])

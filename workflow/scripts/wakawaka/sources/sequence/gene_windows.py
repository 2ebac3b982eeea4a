"""The windows of the genes, cut from a genome in whatever format: the sequence part."""

import mmap

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.messages import Warnings, some
from wakawaka.genome.dna import N
from wakawaka.genome.windows import check_inside, match_chromosomes, window_starts
from wakawaka.sources.parsed import read_part, write_part


class Windows:
    """The windows around the TSSs of genes, on the plus strand, as `window_starts` says: empty, until a reader fills them.

    A reader asks with `record` for the windows of each record of a genome, in the order of the file, fills in their codes,
    and tells `match` in the end how long the records were. Then the windows can be written.

    Args:
        genome: path, for sentences and the part. genes: path of the genes part. window: even number of bp.
        oriented: whether minus-strand genes will be turned round.

    Attributes:
        values: [gene, position] uint8, the codes. Beyond a chromosome's ends `match` writes N; genes that it finds no record for have
            no codes.
        starts: [gene] int64, the 0-based first base of each window, which may lie before the chromosome's beginning.
        warnings: `Warnings`.
        rows: dict from the annotation's chromosome names to the numbers [window] int64 of the genes there, in the order of the genome.
        chromosomes: dict from the annotation's chromosome names to the records', once they are matched.
    """

    def __init__(self, genome, genes, window, oriented):
        _, self._gene = read_part(genes)
        self._genome, self.warnings, self.chromosomes = genome, Warnings(), {}
        chrom = self._gene["chrom"]
        self.starts = window_starts(self._gene["tss"], self._gene["strand"], window, oriented)
        size = len(chrom) * window
        # Not numpy's own memory, for which it asks for huge pages: a virtual machine may take long to find as many of them.
        self.values = np.frombuffer(mmap.mmap(-1, max(size, 1)), np.uint8, size).reshape(len(chrom), window)
        placed = np.flatnonzero((chrom != "") & (self._gene["tss"] >= 0))
        # In the order of the genome, because reading forwards is faster.
        order = placed[np.lexsort((self.starts[placed], chrom[placed]))]
        names, first = np.unique(chrom[order], return_index=True)
        self.rows = dict(zip(names.tolist(), np.split(order, first[1:]), strict=False))
        # The annotation's and the records' names that may be one chromosome's, by what they have in common.
        self._wanted, self._met = {}, {}
        for name in self.rows:
            self._wanted.setdefault(_bare(name), []).append(name)

    def record(self, name):
        """Return the windows to cut from the record of this name: a dict from chromosome names to rows [window] int64 by start.

        Which record is which chromosome is only known once all were met: of a genome with both 1 and chr1, one may be a better
        match than the other. The better one's windows are then asked for a second time.
        """
        met = self._met.setdefault(_bare(name), [])
        met.append(name)
        wanted = self._wanted.get(_bare(name), [])
        if not wanted:
            return {}
        gene = {"chrom": np.array(wanted), "tss": np.zeros(len(wanted), np.int64)}
        matched = match_chromosomes(gene, met, self._genome)
        return {chrom: self.rows[chrom] for chrom in wanted if matched[chrom] == name}

    def match(self, lengths):
        """Compare the genome's records, a dict from names to bp, with the annotation; genes that have no sequence are counted.

        Raises:
            InputError: genes without coordinates, a TSS beyond its chromosome's end, or no chromosome in common.
        """
        self.chromosomes = match_chromosomes(self._gene, lengths, self._genome)
        self._lengths = {chrom: lengths[name] for chrom, name in self.chromosomes.items()}
        try:
            check_inside(self._genome, self._gene, self._lengths)
        except InputError as error:
            # Nothing marks the end of a FASTA file, so half of one is a genome with a short last chromosome.
            raise InputError(
                f"{error} Or the genome's file is truncated; compare its size with the original's."
            ) from None
        self._located = np.isin(self._gene["chrom"], list(self.chromosomes)) & (self._gene["tss"] >= 0)
        if not self._located.all():
            self.warnings.add(
                f"{self._genome}: {(~self._located).sum()} genes have no sequence, because the genome lacks their chromosome "
                f"or their place is not known: {some(self._gene['gene_id'][~self._located])}."
            )
        window = self.values.shape[1]
        for chrom, length in self._lengths.items():
            rows = self.rows[chrom]
            for row in rows[(self.starts[rows] < 0) | (self.starts[rows] + window > length)]:
                places = self.starts[row] + np.arange(window)
                self.values[row, (places < 0) | (places >= length)] = N

    def write(self, part):
        """Write the sequence part of the genes that have a sequence."""
        about = {"order": "genomic", "assemblies": [{"path": str(self._genome), "lengths": self._lengths}]}
        rows = np.flatnonzero(self._located)
        # In place: a second array of all windows would need as much memory again.
        for place, row in enumerate(rows):
            if place != row:
                self.values[place] = self.values[row]
        gene_id = self._gene["gene_id"][rows]
        write_part(part, self._genome, self.warnings, about=about, gene_id=gene_id, values=self.values[: len(rows)])


def _bare(name):
    """Return what names that may be the same chromosome's have in common, to `match_chromosomes`."""
    bare = name.removeprefix("chr")
    return "M" if bare == "MT" else bare

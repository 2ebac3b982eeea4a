"""One histone mark of one cell from alignments (BAM, CRAM, BED, tagAlign) or tracks (bigWig)."""

import zlib

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import readable
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.genome.windows import check_inside, match_chromosomes, window_starts
from wakawaka.sources.histone.bam import alignment_lengths, alignment_reads
from wakawaka.sources.histone.bed import bed_reads
from wakawaka.sources.histone.bigwig import BIGBED, MAGIC, bigwig_lengths, bigwig_means
from wakawaka.sources.histone.bin_counts import count_reads
from wakawaka.sources.parsed import compact_counts, read_parsed, start_checksums, write_parsed


def read_mark(
    files, genes, parsed, *, mark, bins, window, strand_aware, counting, min_mapq, duplicates, scale, threads=1
):
    """Write the values of one mark: reads counted, or a track averaged, in the bins of every gene at a known place.

    Several files are replicates: reads are summed, means of bigWig tracks averaged. The arrays are gene_id [gene] and values
    [gene, bin]: uint16 or uint32 counts of reads, or float32 means of a track. `about` has the number of reads (`depth`, None
    for a track), the rules of counting, and what the files say of the assembly.

    Args:
        files: paths, of BAM, CRAM, bigWig, BED or tagAlign files, told by their content. genes: path of the parsed genes.
        mark: its name, for sentences. bins: number of bins. window: bp. strand_aware: as for `window_starts`.
        counting, min_mapq, duplicates: as for `count_reads` and `alignment_reads`; duplicates `position` counts one of
            the reads of one file that are alike.
        scale: `counts`, `log1p` or `signal`; only the last allows a track to have negative values.
        threads: that read a BAM file with an index.

    Raises:
        InputError: what the readers of the formats refuse; reads and bigWig files together; chromosomes of another
            assembly; negative values that the scale does not allow.
    """
    files = [str(file) for file in files]
    formats = {file: file_format(file) for file in files}
    start_checksums(files)
    warnings = Warnings()
    gene = _placed(genes, files[0], warnings)
    starts = window_starts(gene["tss"], gene["strand"], window, strand_aware)
    rules = {"counting": counting, "min_mapq": min_mapq, "duplicates": duplicates}
    reader = _Reader(gene, starts, {"bins": bins, "bin_size": window // bins}, rules, threads, warnings)
    if _are_tracks(mark, files, formats):
        values, depth = reader.mean(files, scale), None
    else:
        values, depth = reader.count(files, formats)
    about = {
        "depth": depth,
        "counting": {"rule": counting, "min_mapq": min_mapq, "duplicates": duplicates},
        "assemblies": reader.assemblies,
    }
    write_parsed(parsed, files, warnings, about=about, gene_id=gene["gene_id"], values=values)


def file_format(path):
    """Return `BAM`, `CRAM`, `bigWig` or `BED` (all that is none of the others), by a file's content. Raises InputError."""
    with readable(path), open(path, "rb") as file:
        start = file.read(1 << 16)
    if not start:
        raise InputError(
            f"{path}: the file is empty (0 bytes), as a failed download leaves it; fetch or make it again."
        )
    if start[:4] == b"CRAM":
        return "CRAM"
    if start[:4] in (MAGIC, BIGBED):
        return "bigWig"
    if start[:2] == b"\x1f\x8b":
        try:
            if zlib.decompressobj(wbits=31).decompress(start, 4) == b"BAM\1":
                return "BAM"
        except zlib.error:
            # The reader of text says what is wrong.
            pass
    return "BED"


def _placed(genes, path, warnings):
    """Return the arrays of the parsed genes, of genes at known places only. Raises InputError if there are none."""
    _, gene = read_parsed(genes)
    match_chromosomes(gene, gene["chrom"], path)
    placed = (gene["chrom"] != "") & (gene["tss"] >= 0)
    if not placed.all():
        unplaced = gene["gene_id"][~placed]
        warnings.add(
            f"{genes}: {len(unplaced)} genes have no histone marks, because their place is not known: {shorten_list(unplaced)}."
        )
    return {name: column[placed] for name, column in gene.items()}


def _are_tracks(mark, files, formats):
    """Whether a mark's files are bigWig tracks. Raises InputError if only some are."""
    tracks = [file for file in files if formats[file] == "bigWig"]
    if tracks and len(tracks) < len(files):
        reads = next(file for file in files if file not in tracks)
        raise InputError(
            f"{reads}: this file of {mark} holds reads, but {tracks[0]} of the same mark and cell is a bigWig track; "
            "replicates must be all of one kind."
        )
    return bool(tracks)


class _Reader:
    """The bins of one mark, and what its files say of the assembly.

    Args:
        gene: arrays of the parsed genes. starts: [gene] int64. bins: dict of the number of bins and their size.
        rules: dict of counting, min_mapq and duplicates. threads: int. warnings: `Warnings`.
    """

    def __init__(self, gene, starts, bins, rules, threads, warnings):
        self._gene, self._starts, self._bins, self._rules = gene, starts, bins, rules
        self._threads, self._warnings = threads, warnings
        self.assemblies = []

    def count(self, files, formats):
        """Return (counts [gene, bin] uint16 or uint32, number of reads) of the replicates."""
        total, depth = 0, 0
        for file in files:
            counts, reads = self._count(file, formats[file])
            if not reads:
                self._warnings.add(f"{file}: not a single read counts; its numbers are all zero.")
            total, depth = total + counts, depth + reads
        return compact_counts(total, shorten_list(files)), depth

    def _count(self, path, form):
        min_mapq, duplicates = self._rules["min_mapq"], self._rules["duplicates"]
        if form == "BED":
            names = None
            reads = bed_reads(path, min_mapq)
        else:
            names = self._names(path, alignment_lengths(path))
            filters = {"min_mapq": min_mapq, "duplicates": duplicates}
            reads = alignment_reads(path, **filters, warnings=self._warnings, threads=self._threads)
        options = {"counting": self._rules["counting"], "unique": duplicates == "position", "names": names}
        counts, depth, reach = count_reads(path, reads, self._gene, self._starts, **options, **self._bins)
        if names is None:
            self.assemblies.append({"path": path, "reach": reach})
        return counts, depth

    def mean(self, files, scale):
        """Return the mean [gene, bin] float32 of the replicates."""
        return (sum(self._mean(file, scale).astype(float) for file in files) / len(files)).astype(np.float32)

    def _mean(self, path, scale):
        names = self._names(path, bigwig_lengths(path))
        means = bigwig_means(path, self._gene, self._starts, names, **self._bins)
        if scale != "signal" and means.min(initial=0) < 0:
            gene, position = np.unravel_index(means.argmin(), means.shape)
            raise InputError(
                f"{path}: the mean of gene {self._gene['gene_id'][gene]}, bin {position + 1}, is {means[gene, position]:g}, but "
                f"the scale `{scale}` does not allow negative values; set `histone.scale: signal`."
            )
        return means

    def _names(self, path, lengths):
        """Return a dict from the annotation's chromosome names to those of a file with a header."""
        names = match_chromosomes(self._gene, lengths, path)
        self.assemblies.append({"path": path, "lengths": {chrom: lengths[name] for chrom, name in names.items()}})
        check_inside(path, self._gene, self.assemblies[-1]["lengths"])
        lacking = self._gene["gene_id"][~np.isin(self._gene["chrom"], list(names))]
        if len(lacking):
            self._warnings.add(
                f"{path}: {len(lacking)} genes have zeros, because the file lacks their chromosome: {shorten_list(lacking)}."
            )
        return names

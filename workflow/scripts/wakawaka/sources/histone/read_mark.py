"""One histone mark of one cell from alignments (BAM, CRAM, BED, tagAlign) or tracks (bigWig)."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, readable
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.genome.windows import Assembly, check_inside, match_chromosomes, window_starts
from wakawaka.sources.histone.bam import alignment_lengths, alignment_reads
from wakawaka.sources.histone.bed import bed_reads
from wakawaka.sources.histone.bigwig import BIGBED, MAGIC, bigwig_lengths, bigwig_means
from wakawaka.sources.histone.bin_counts import count_reads
from wakawaka.sources.parsed import compact_counts, read_parsed, start_checksums, write_parsed


def read_mark(
    files: Sequence[PathLike],
    genes: PathLike,
    parsed: PathLike,
    *,
    mark: str,
    bins: int,
    window: int,
    strand_aware: bool,
    counting: str,
    min_mapq: int,
    duplicates: str,
    scale: str,
    threads: int = 1,
) -> None:
    """Write the values of one mark in the bins of every gene at a known place: counts of reads, or means of a track.

    Several files are replicates: counts are summed, means averaged. The arrays are gene_id [gene] and values [gene, bin]: uint16 or
    uint32 counts of reads, or float32 means of a track. `about` has the number of reads (`depth`, None for a track), the counting
    rules, and what the files state about the assembly. The many arguments are the params of the rule, one by one.

    Args:
        files: BAM, CRAM, bigWig, BED or tagAlign files; their content decides. genes: path of the parsed genes. parsed: the output.
        mark: its name, for sentences. bins: number of bins. window: bp. strand_aware: as for `window_starts`.
        counting, min_mapq, duplicates: as for `count_reads` and `alignment_reads`. With duplicates `position`, reads of one file with
            the same place and strand count once.
        scale: `counts`, `log1p` or `signal`; only under `signal` may a track have negative values.
        threads: the number of threads that read a BAM file with an index.

    Raises:
        InputError: as the readers of the formats; for reads and bigWig files together; chromosomes of another assembly; negative values
            that the scale does not allow.
    """
    paths = [str(file) for file in files]
    formats = {path: file_format(path) for path in paths}
    start_checksums(paths)
    warnings = Warnings()
    gene = _placed(genes, paths[0], warnings)
    starts = window_starts(gene["tss"], gene["strand"], window, strand_aware)
    rules = {"counting": counting, "min_mapq": min_mapq, "duplicates": duplicates}
    reader = _Reader(gene, starts, {"bins": bins, "bin_size": window // bins}, rules, threads, warnings)
    if _are_tracks(mark, paths, formats):
        values, depth = reader.mean(paths, scale), None
    else:
        values, depth = reader.count(paths, formats)
    about = {
        "depth": depth,
        "counting": {"rule": counting, "min_mapq": min_mapq, "duplicates": duplicates},
        "assemblies": reader.assemblies,
    }
    write_parsed(parsed, paths, warnings, about=about, gene_id=gene["gene_id"], values=values)


def file_format(path: PathLike) -> str:
    """Return `BAM`, `CRAM`, `bigWig` or `BED` (any other content). Raises InputError for an empty or unreadable file."""
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
            # The reader of BED reports what is wrong.
            pass
    return "BED"


def _placed(genes: PathLike, path: PathLike, warnings: Warnings) -> dict[str, np.ndarray]:
    """Return the arrays of the parsed genes, with genes at known places only. Raises InputError if there are none."""
    _, gene = read_parsed(genes)
    match_chromosomes(gene, gene["chrom"], path)
    placed = (gene["chrom"] != "") & (gene["tss"] >= 0)
    if not placed.all():
        unplaced = gene["gene_id"][~placed]
        warnings.add(
            f"{genes}: {len(unplaced)} genes have no histone marks, because their place is not known: {shorten_list(unplaced)}."
        )
    return {name: column[placed] for name, column in gene.items()}


def _are_tracks(mark: str, files: Sequence[str], formats: Mapping[str, str]) -> bool:
    """Return whether a mark's files are bigWig tracks. Raises InputError if only some are."""
    tracks = [file for file in files if formats[file] == "bigWig"]
    if tracks and len(tracks) < len(files):
        reads = next(file for file in files if file not in tracks)
        raise InputError(
            f"{reads}: this file of {mark} holds reads, but {tracks[0]} of the same mark and cell is a bigWig track; "
            "replicates must be all of one kind."
        )
    return bool(tracks)


class _Reader:
    """Reads the files of one mark into the bins of genes, and collects what the files state about the assembly.

    Args:
        gene: arrays of the parsed genes. starts: [gene] int64, the first base of bin 0. bins: dict of `bins` and `bin_size`.
        rules: dict of `counting`, `min_mapq` and `duplicates`. threads: number of threads. warnings: `Warnings` so far.

    Attributes:
        assemblies: list with one `Assembly` for each file.
    """

    def __init__(
        self,
        gene: dict[str, np.ndarray],
        starts: np.ndarray,
        bins: dict[str, int],
        rules: dict[str, Any],
        threads: int,
        warnings: Warnings,
    ) -> None:
        self._gene, self._starts, self._bins, self._rules = gene, starts, bins, rules
        self._threads, self._warnings = threads, warnings
        self.assemblies: list[Assembly] = []

    def count(self, files: Sequence[str], formats: Mapping[str, str]) -> tuple[np.ndarray, int]:
        """Return (counts [gene, bin] uint16 or uint32, number of reads) of the replicates."""
        total, depth = np.zeros((len(self._starts), self._bins["bins"]), np.int64), 0
        for file in files:
            counts, reads = self._count(file, formats[file])
            if not reads:
                self._warnings.add(f"{file}: not a single read counts; its numbers are all zero.")
            total, depth = total + counts, depth + reads
        return compact_counts(total, shorten_list(files)), depth

    def _count(self, path: str, form: str) -> tuple[np.ndarray, int]:
        """Return (counts [gene, bin] int64, number of reads) of one file of reads."""
        min_mapq, duplicates = self._rules["min_mapq"], self._rules["duplicates"]
        names: dict[str, str] | None = None
        if form == "BED":
            reads = bed_reads(path, min_mapq)
        else:
            names = self._names(path, alignment_lengths(path))
            reads = alignment_reads(
                path, min_mapq=min_mapq, duplicates=duplicates, warnings=self._warnings, threads=self._threads
            )
        options: dict[str, Any] = {"counting": self._rules["counting"], "unique": duplicates == "position"}
        options |= {"names": names} | self._bins
        counts, depth, reach = count_reads(path, reads, self._gene, self._starts, **options)
        if names is None:
            self.assemblies.append({"path": path, "reach": reach})
        return counts, depth

    def mean(self, files: Sequence[str], scale: str) -> np.ndarray:
        """Return the mean [gene, bin] float32 of the replicates."""
        total = np.zeros((len(self._starts), self._bins["bins"]))
        for file in files:
            total += self._mean(file, scale)
        return (total / len(files)).astype(np.float32)

    def _mean(self, path: str, scale: str) -> np.ndarray:
        """Return the means [gene, bin] float32 of one track. Raises InputError for values that the scale does not allow."""
        names = self._names(path, bigwig_lengths(path))
        means = bigwig_means(path, self._gene, self._starts, names, **self._bins)
        if scale != "signal" and means.min(initial=0) < 0:
            gene, position = np.unravel_index(means.argmin(), means.shape)
            raise InputError(
                f"{path}: the mean of gene {self._gene['gene_id'][gene]}, bin {position + 1}, is {means[gene, position]:g}, but "
                f"the scale `{scale}` does not allow negative values; set `histone.scale: signal`."
            )
        return means

    def _names(self, path: str, lengths: Mapping[str, int]) -> dict[str, str]:
        """Return a dict from the annotation's chromosome names to those of a file, from the `lengths` in the file's header."""
        names = match_chromosomes(self._gene, lengths, path)
        self.assemblies.append({"path": path, "lengths": {chrom: lengths[name] for chrom, name in names.items()}})
        check_inside(path, self._gene, self.assemblies[-1]["lengths"])
        lacking = self._gene["gene_id"][~np.isin(self._gene["chrom"], list(names))]
        if len(lacking):
            self._warnings.add(
                f"{path}: {len(lacking)} genes have zeros, because the file lacks their chromosome: {shorten_list(lacking)}."
            )
        return names

"""Alignments and tracks that give the counts of the built-in example: tagAlign, BAM, CRAM and bigWig."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyBigWig
import pysam

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, atomic
from wakawaka.example.example_tables import write_gzip

# The length of reads, that of Roadmap's, and the shortest and longest fragment of paired-end files (bp).
READ, FRAGMENTS = 36, (120, 300)
MAPPING_QUALITY = 60
# Bits of a SAM flag: in a proper pair; the read is reversed, its mate is reversed; the read is the first, the second of its pair.
PAIRED, REVERSE, MATE_REVERSE, FIRST, SECOND = 0x1 | 0x2, 0x10, 0x20, 0x40, 0x80

# From names of chromosomes to their letters; all reads are on the first one.
Genome = Mapping[str, str]


class Bins(NamedTuple):
    """Bins in genomic order.

    Attributes:
        start, end: [bin] int, 0-based and half open, cut at the ends of the chromosome.
        size: length of an uncut bin in bp.
    """

    start: np.ndarray
    end: np.ndarray
    size: int


Writer = Callable[[PathLike, np.random.Generator, np.ndarray, Bins, Genome], None]


def writer_of(path: PathLike) -> Writer:
    """Return the function that writes a file of this suffix; its arguments are path, rng, counts [bin], bins and genome.

    Raises:
        InputError: for an unknown suffix.
    """
    for suffix, write in WRITERS.items():
        if str(path).endswith(suffix):
            return write
    raise InputError(f"{path}: reads are simulated in files whose names end in {', '.join(WRITERS)}; rename this one.")


def _draw_midpoints(rng: np.random.Generator, counts: np.ndarray, bins: Bins) -> np.ndarray:
    """Return a random position for every count, within its bin and on the chromosome."""
    return rng.integers(np.repeat(bins.start, counts), np.repeat(bins.end, counts))


def around(midpoint: np.ndarray, span: np.ndarray | int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return start and end of stretches of `span` bp with (start + end) // 2 = midpoint; they are shorter at a chromosome's ends."""
    span = np.minimum(span, np.minimum(2 * midpoint + 1, 2 * (length - midpoint)))
    start = midpoint - span // 2
    return start, start + span


def _draw_reads(
    rng: np.random.Generator, counts: np.ndarray, bins: Bins, length: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return start, end and strand (true: reversed) of one read per count."""
    midpoint = _draw_midpoints(rng, counts, bins)
    return *around(midpoint, READ, length), rng.random(len(midpoint)) < 0.5


def write_tag_align(path: PathLike, rng: np.random.Generator, counts: np.ndarray, bins: Bins, genome: Genome) -> None:
    """Write one read per count as tagAlign, the format of Roadmap, in random order as in some of its files."""
    name, letters = next(iter(genome.items()))
    start, end, reverse = _draw_reads(rng, counts, bins, len(letters))
    order = rng.permutation(len(start))
    columns = {
        "chrom": name,
        "start": start,
        "end": end,
        "name": "N",
        "score": 1000,
        "strand": np.where(reverse, "-", "+"),
    }
    text = pd.DataFrame(columns).iloc[order].to_csv(sep="\t", header=False, index=False, lineterminator="\n")
    write_gzip(text, path)


def write_single(path: PathLike, rng: np.random.Generator, counts: np.ndarray, bins: Bins, genome: Genome) -> None:
    """Write one read per count as BAM, or as CRAM for a path that ends in .cram."""
    letters = next(iter(genome.values()))
    start, end, reverse = _draw_reads(rng, counts, bins, len(letters))
    order = np.argsort(start, kind="stable")
    start, end, reverse = (column[order].tolist() for column in (start, end, reverse))
    header = _header(genome)
    columns = zip(range(len(start)), start, end, reverse, strict=True)
    _write_sorted(
        path, header, [_read(header, letters, number, a, b, REVERSE * back) for number, a, b, back in columns]
    )


def write_paired(path: PathLike, rng: np.random.Generator, counts: np.ndarray, bins: Bins, genome: Genome) -> None:
    """Write the two ends of one fragment per count as BAM; the fragment has the midpoint."""
    letters = next(iter(genome.values()))
    midpoint = _draw_midpoints(rng, counts, bins)
    span = rng.integers(*FRAGMENTS, size=len(midpoint), endpoint=True)
    start, end = (column.tolist() for column in around(midpoint, span, len(letters)))
    header, lines = _header(genome), []
    for number, (a, b, swap) in enumerate(zip(start, end, (rng.random(len(start)) < 0.5).tolist(), strict=True)):
        ordinals = (SECOND, FIRST) if swap else (FIRST, SECOND)
        reach = min(READ, b - a)
        left = _read(header, letters, number, a, a + reach, PAIRED | MATE_REVERSE | ordinals[0])
        right = _read(header, letters, number, b - reach, b, PAIRED | REVERSE | ordinals[1])
        for line, mate, template in ((left, right, b - a), (right, left, a - b)):
            line.next_reference_id, line.next_reference_start = 0, mate.reference_start
            line.template_length = template
            lines.append(line)
    _write_sorted(path, header, sorted(lines, key=lambda line: line.reference_start))


def _header(genome: Genome) -> Any:
    chromosomes = [{"SN": name, "LN": len(letters)} for name, letters in genome.items()]
    return pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": chromosomes})


def _read(header: Any, letters: str, number: int, start: int, end: int, flag: int) -> Any:
    """Return the alignment of a read without mismatches to the first chromosome."""
    line = pysam.AlignedSegment(header)
    line.query_name, line.flag, line.mapping_quality = f"r{number}", flag, MAPPING_QUALITY
    line.reference_id, line.reference_start, line.cigartuples = 0, start, [(pysam.CMATCH, end - start)]
    line.query_sequence = letters[start:end]
    return line


def _write_sorted(path: PathLike, header: Any, lines: list[Any]) -> None:
    """Write alignments that are sorted by position."""
    # The CRAM contains the letters of the reads, so that reading it needs no genome.
    mode, options = ("wc", [b"no_ref=1"]) if str(path).endswith(".cram") else ("wb", None)
    with atomic(path) as temporary:
        with pysam.AlignmentFile(str(temporary), mode, header=header, format_options=options) as file:
            for line in lines:
                file.write(line)
        if mode == "wc":
            _blank_id(temporary)


def _blank_id(path: PathLike) -> None:
    """Replace the path in a CRAM file's definition by zeros, because it would make equal files differ."""
    with open(path, "r+b") as file:
        # It follows the letters CRAM and two bytes of version (CRAM specification 3.0, section 6).
        file.seek(6)
        file.write(bytes(20))


def write_bigwig(path: PathLike, rng: np.random.Generator, counts: np.ndarray, bins: Bins, genome: Genome) -> None:
    """Write a track as bigWig: the mean over a bin is its count, with zero beyond the end of the chromosome."""
    name = next(iter(genome))
    covered = counts > 0
    start, end = bins.start[covered], bins.end[covered]
    with atomic(path) as temporary, pyBigWig.open(str(temporary), "w") as file:
        file.addHeader([(chromosome, len(letters)) for chromosome, letters in genome.items()])
        file.addEntries([name] * len(start), start, ends=end, values=counts[covered] * (bins.size / (end - start)))


# The first suffix that fits a path sets what writes it.
WRITERS: dict[str, Writer] = {
    ".tagAlign.gz": write_tag_align,
    ".paired.bam": write_paired,
    ".bam": write_single,
    ".cram": write_single,
    ".bw": write_bigwig,
}

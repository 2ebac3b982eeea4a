"""Reads and fragments of CRAM files, which pysam decodes, and the checksums of their blocks."""

import itertools
import logging
import os
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pysam

from wakawaka.core.files import PathLike
from wakawaka.core.progress import Progress
from wakawaka.sources.histone import bam_records
from wakawaka.sources.histone.bam_records import (
    MATE_UNMAPPED,
    PAIRED,
    PROPER,
    READ_1,
    READ_2,
    REVERSE,
    SECONDARY,
    SUPPLEMENTARY,
    UNMAPPED,
    Columns,
)

log = logging.getLogger(__name__)

# (whether it counts, start, end, flag) of a read or fragment.
_Span = tuple[bool, int, int, int]

# A read or fragment that counts.
READ = np.dtype([("chrom", "i4"), ("start", "i8"), ("end", "i8"), ("strand", "i1")])
# No container of a CRAM has more slices; writers make one or a few.
_SLICES = 10_000


def cram_batches(
    path: PathLike, file: pysam.AlignmentFile, raw: BinaryIO, rejected: int, min_mapq: int, tally: Counter
) -> Iterator[Columns]:
    """Yield the reads of a CRAM in batches of `BATCH`, as `Records.batches` does; add to the tally what the warnings count.

    Args:
        path, file, raw: the path, pysam's open file, and the binary file that it reads.
        rejected: flags of alignments that do not count. min_mapq: the lowest mapping quality of those that do.
        tally: as `Records.tally`.

    Raises:
        ValueError: for a checksum that does not match; what pysam raises for damaged files.
    """
    _check_cram(path)
    progress = Progress(log, os.path.getsize(path) / 1e6, "MB", logging.INFO)
    reads, total = counted_reads(file, rejected, min_mapq, tally), 0
    while len(batch := np.fromiter(itertools.islice(reads, bam_records.BATCH), READ)):
        yield batch["chrom"].copy(), batch["start"].copy(), batch["end"].copy(), batch["strand"].copy()
        total += len(batch)
        progress.advance(raw.tell() / 1e6 - progress.done, "%s: %d reads so far", path, total)


def counted_reads(
    file: pysam.AlignmentFile, rejected: int, min_mapq: int, tally: Counter
) -> Iterator[tuple[int, int, int, int]]:
    """Yield (number of the chromosome, start, end, strand) of every read and fragment that counts; see `cram_batches`."""
    mates: dict[tuple[int, str], _Span] = {}
    for read in file:
        flag = read.flag
        if flag & (UNMAPPED | SECONDARY | SUPPLEMENTARY):
            continue
        counts = not flag & rejected and read.mapping_quality >= min_mapq
        chrom, start, end = read.reference_id, read.reference_start, read.reference_end
        if chrom < 0 or start < 0 or end is None or (end - start == 1 and not _covers(read)):
            tally["placeless"] += counts
            counts = False
        if flag & PAIRED:
            if flag & PROPER and not flag & MATE_UNMAPPED and read.next_reference_id == chrom:
                counts, start, end, flag = _with_mate(
                    mates, (chrom, _template(read)), (counts, start, end, flag), tally
                )
            elif not flag & MATE_UNMAPPED:
                # A complete file has as many of these first reads as second ones, whether they pass the filters or not.
                if flag & READ_1:
                    tally["first"] += 1
                elif flag & READ_2:
                    tally["second"] += 1
                    continue
        if counts:
            yield chrom, start, end, -1 if flag & REVERSE else 1
    for (chrom, _), (counts, start, end, flag) in mates.items():
        if counts:
            tally["alone"] += 1
            yield chrom, start, end, -1 if flag & REVERSE else 1


def _template(read: pysam.AlignedSegment) -> str:
    """Return the name that both mates have. In old files, their names end in /1 and /2."""
    name = read.query_name
    return name[:-2] if name.endswith(("/1", "/2")) else name


def _with_mate(mates: dict[tuple[int, str], _Span], key: tuple[int, str], read: _Span, tally: Counter) -> _Span:
    """Return the fragment that a read completes. Without its mate, the read is kept in `mates`, and the result does not count."""
    mate = mates.pop(key, None)
    if mate is None:
        mates[key] = read
        return False, 0, 0, 0
    if not (mate[3] ^ read[3]) & READ_1:
        # Two reads of one name and number: the partner of the earlier one is missing.
        mates[key] = read
        tally["alone"] += mate[0]
        return mate
    flag = read[3] if read[3] & READ_1 else mate[3]
    counts = read[0] and mate[0]
    return (counts, min(read[1], mate[1]), max(read[2], mate[2]), flag) if counts else (False, 0, 0, 0)


def _covers(read: pysam.AlignedSegment) -> bool:
    """Return whether an alignment covers a base of the reference. htslib reports one base where it covers none."""
    # M, D, N, = and X consume bases of the reference.
    return any(operation in (0, 2, 3, 7, 8) and length for operation, length in read.cigartuples)


def _check_cram(path: PathLike) -> None:
    """Compare the checksums of all containers and blocks of a CRAM 3; htslib leaves out those of blocks that are not compressed.

    CRAM 2 has no checksums. Source: CRAM specification, sections 7 and 8.

    Raises:
        ValueError: for a checksum that does not match, or a truncated container.
    """
    with open(path, "rb") as file:
        if file.read(26)[4:5] != b"\3":
            return
        # A container's header is at most so long, except for the list of its slices.
        while start := file.read(1024):
            size, place = int.from_bytes(start[:4], "little"), 4
            # Skip chromosome, start, span, number of records, number of the first record, number of bases, number of blocks.
            for most in (4, 4, 4, 4, 8, 8, 4):
                _, place = _number(start, place, most)
            slices, place = _number(start, place)
            if slices > _SLICES:
                raise ValueError("slices")
            for _ in range(slices):
                if place > len(start) - 16:
                    start += file.read(1024)
                _, place = _number(start, place)
            _check_sum(start[: place + 4])
            file.seek(place + 4 - len(start), os.SEEK_CUR)
            _check_blocks(file.read(size), size)


def _check_blocks(data: bytes, size: int) -> None:
    """Compare the checksums of the blocks of a container whose content has `size` bytes. Raises ValueError."""
    place = 0
    while place < size:
        # Method, kind, identifier, size, decompressed size.
        _, end = _number(data, place + 2)
        length, end = _number(data, end)
        _, end = _number(data, end)
        end += length + 4
        _check_sum(data[place:end], end - place)
        place = end


def _check_sum(data: bytes, size: int | None = None) -> None:
    """Raise a ValueError unless the last four bytes are the CRC-32 of the others, and there are `size` bytes."""
    if len(data) != (size or len(data)) or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise ValueError("checksum")


def _number(data: bytes, place: int, most: int = 4) -> tuple[int, int]:
    """Return (value, end) of a number in ITF8 at a place. With `most=8`, the number is in LTF8, and only the end is right."""
    if place >= len(data):
        raise ValueError("truncated")
    # The number of leading ones in the first byte is the number of bytes that follow.
    more = min(8 - (data[place] ^ 0xFF).bit_length(), most)
    end = place + 1 + more
    value = int.from_bytes(data[place:end], "big") & ((1 << (7 * more + 7)) - 1)
    if more == 4:
        # Of the first and the last byte, four bits each.
        value = (value & 0xFFFFFFF00) >> 4 | value & 0xF
    return value, end

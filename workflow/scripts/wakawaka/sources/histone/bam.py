"""Reads and fragments from BAM and CRAM files."""

import contextlib
import itertools
import logging
import os
import struct
import threading
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from queue import Full, Queue

import numpy as np
import pysam
from isal import isal_zlib

from wakawaka.core.errors import InputError
from wakawaka.core.files import BGZF_END, open_bytes, readable, reading_progress
from wakawaka.core.progress import Progress
from wakawaka.sources.histone import bam_records
from wakawaka.sources.histone.bam_index import PartReader, find_index, index_parts
from wakawaka.sources.histone.bam_records import (
    DUPLICATE,
    FAILED,
    MATE_UNMAPPED,
    PAIRED,
    PROPER,
    READ_1,
    READ_2,
    REVERSE,
    SECONDARY,
    SUPPLEMENTARY,
    UNMAPPED,
    Records,
)

log = logging.getLogger(__name__)

# No part of a BAM that a thread reads is smaller, in bytes.
_LEAST = 4 << 20
# Batches of a part that wait for those of the parts before it.
_WAITING = 4
# What pysam, isal and the readers here raise for a damaged file.
_BROKEN = (
    OSError, ValueError, NotImplementedError, OverflowError, MemoryError, EOFError, zlib.error, isal_zlib.error, struct.error
)  # fmt: skip
_MISFIT = (
    "%s: its index is damaged, or older than the file, or of another, so one thread reads the file from start to end; make the "
    "index anew (`samtools index`)."
)

# How a complete file ends (SAM specification 4.1.2; CRAM specification 3 and 2.1, section 9).
_ENDS = {
    "BAM": (BGZF_END,),
    "CRAM": (
        bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
        bytes.fromhex("0b000000ffffffff0fe0454f460000000001000001000606010001000100"),
    ),
}
# A read of a CRAM.
_READ = np.dtype([("chrom", "i4"), ("start", "i8"), ("end", "i8"), ("strand", "i1")])
# No container of a CRAM has more slices; writers make one or a few.
_SLICES = 10_000
# QNAME to PNEXT. For SEQ, and for TLEN where chromosomes are mixed, htslib would need a CRAM's reference.
_FIELDS = b"required_fields=0xff"


def alignment_lengths(path):
    """Return a dict from the chromosome names of a BAM's or CRAM's header to their lengths. Raises InputError."""
    with _opened(path) as (file, _):
        return dict(zip(file.references, file.lengths, strict=True))


def alignment_reads(path, *, min_mapq, duplicates, warnings, threads=1):
    """Yield the reads and fragments of a BAM or CRAM, batch by batch, in no particular order.

    Unmapped, secondary, supplementary and QC-failed alignments never count, and neither do those of a mapping quality
    below `min_mapq`, nor flagged duplicates unless `duplicates` is `keep`. A single read is its span on the reference:
    deletions and introns included, clipped ends not (as `bedtools multicov` without `-split`). A proper pair is one
    fragment from the first to the last base of both, on the strand of read 1, if both mates count. A pair that is not
    proper is its read 1 alone, or its read 2 alone if read 1 is unmapped; so it is none where read 1 is mapped, but not in
    the file. A proper mate whose partner is not in the file is a read by itself. Mates have one name, but for a `/1` or
    `/2` at its end. No index and no order is needed, and no reference, which is never looked for.

    Args:
        path: BAM or CRAM file. min_mapq: int. duplicates: `flagged`, `position` (here the same) or `keep`.
        warnings: `Warnings`; counts mates without a partner, and what is left out: reads 2 that lack their read 1 (the
            surplus of reads 2 of improper pairs over their reads 1, so at least as many), and alignments without a place
            or CIGAR.
        threads: how many chromosomes of a BAM are read at the same time, if there is an index beside it.

    Yields:
        (names, chrom, start, end, strand): names is the header's list of chromosomes, chrom int32 [read] a read's place in
        it, start and end int64 [read] (0-based, end not included), strand int8 [read] (1 or -1); at most `BATCH` reads.

    Raises:
        InputError: a file that is truncated or damaged.
    """
    rejected = FAILED | (0 if duplicates == "keep" else DUPLICATE)
    tally = Counter()
    with _opened(path) as (file, raw):
        names = list(file.references)
        if file.is_cram:
            batches = _cram_batches(path, file, raw, rejected, min_mapq, tally)
        else:
            batches = _bam_batches(path, file, (len(names), rejected, min_mapq), tally, threads)
        for batch in batches:
            if len(batch[0]):
                yield names, *batch
    if tally["alone"]:
        warnings.add(
            f"{path}: {tally['alone']} properly paired reads whose mate is not in the file are counted by themselves."
        )
    if tally["second"] > tally["first"]:
        warnings.add(
            f"{path}: at least {tally['second'] - tally['first']} second reads of pairs that are not proper are left out, because "
            "such a pair counts by its first read, which is mapped, but not in the file."
        )
    if tally["placeless"]:
        warnings.add(
            f"{path}: {tally['placeless']} alignments without a position or without a CIGAR that covers a base are left out, "
            "because their place is not known."
        )


def _bam_batches(path, file, rules, tally, threads):
    """Yield (chrom, start, end, strand) of a BAM's reads; fill the tally. Rules are the first arguments of `Records`."""
    parts = _parts(path, file.references, threads)
    done = 0
    if len(parts) > 1:
        try:
            for batch in _side_by_side(path, parts, rules, tally, threads):
                done += len(batch[0])
                yield batch
            return
        except _BROKEN:
            # The index is wrong or the file; to read it from its start tells.
            pass
    for batch in _in_order(path, file.references, rules, tally):
        # What the parts gave is the beginning of this, read for read.
        known = min(done, len(batch[0]))
        done -= known
        yield tuple(column[known:] for column in batch)
    if len(parts) > 1:
        log.warning(_MISFIT, path)


def _parts(path, names, threads):
    """Return the parts of a BAM that as many threads can read, or an empty list; the log says if that is for want of an index."""
    index = find_index(path)
    if index is None:
        log.info(
            "%s: there is no index beside it, so one thread reads it from start to end; with one (`samtools index %s`, after "
            "`samtools sort`) and two cores, several chromosomes are read side by side.",
            path,
            path,
        )
    if index is None or threads == 1:
        return []
    try:
        with pysam.BGZFile(str(path)) as file:
            _skip_header(file, names)
            begin = file.tell()
        # A few for each thread, so that they end at about the same time.
        return index_parts(index, begin, len(names), max(os.path.getsize(path) // (8 * threads), _LEAST))
    except _BROKEN:
        log.warning(_MISFIT, path)
        return []


def _in_order(path, names, rules, tally):
    """Yield the batches of a BAM that is read from its start to its end; fill the tally."""
    records = Records(*rules)
    with open_bytes(path) as file:
        _skip_header(file, names)
        yield from records.batches(file)
    yield from records.alone()
    tally.update(records.tally)


def _skip_header(file, names):
    """Read a BAM's header (SAM specification, 4.2). Raises ValueError if it has other chromosomes than `names`."""
    magic, length = struct.unpack("<4si", file.read(8))
    file.read(length)
    (count,) = struct.unpack("<i", file.read(4))
    found = []
    while len(found) < min(count, len(names) + 1):
        (length,) = struct.unpack("<i", file.read(4))
        found.append(file.read(length + 4)[:length].split(b"\0")[0].decode())
    if magic != b"BAM\1" or found != list(names):
        raise ValueError("header")


def _side_by_side(path, parts, rules, tally, threads):
    """Yield the batches of a BAM's parts, which threads read ahead, in their order; fill the tally.

    Mates that form a fragment are on one chromosome, and so in one part; those without a partner come last. Of the parts
    behind the one whose batches are yielded, `threads` are in memory, with up to `_WAITING` batches each.
    """
    advance, stop, readers = reading_progress(path), threading.Event(), []

    def put(batches, batch):
        while not stop.is_set():
            with contextlib.suppress(Full):
                batches.put(batch, timeout=0.1)
                return

    def read(part, records, batches):
        try:
            with PartReader(path, part, advance) as file:
                for batch in records.batches(file):
                    put(batches, batch)
                    if stop.is_set():
                        return
            put(batches, None)
        except BaseException as error:
            put(batches, error)

    with ThreadPoolExecutor(threads) as pool:
        try:
            for number in range(len(parts)):
                for part in parts[len(readers) : number + threads + 1]:
                    readers.append((Records(*rules, part.first, part.last), Queue(_WAITING)))
                    pool.submit(read, part, *readers[-1])
                while (batch := readers[number][1].get()) is not None:
                    if isinstance(batch, BaseException):
                        raise batch
                    yield batch
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
    for records, _ in readers:
        yield from records.alone()
        tally.update(records.tally)


def _cram_batches(path, file, raw, rejected, min_mapq, tally):
    """Yield (chrom, start, end, strand) of a CRAM's reads; fill the tally."""
    _check_cram(path)
    progress = Progress(log, os.path.getsize(path) / 1e6, "MB", logging.INFO)
    reads, total = _counted(file, rejected, min_mapq, tally), 0
    while len(batch := np.fromiter(itertools.islice(reads, bam_records.BATCH), _READ)):
        yield tuple(batch[name].copy() for name in _READ.names)
        total += len(batch)
        progress.advance(raw.tell() / 1e6 - progress.done, "%s: %d reads so far", path, total)


def _counted(file, rejected, min_mapq, tally):
    """Yield (number of the chromosome, start, end, strand) of every read and fragment that counts; fill the tally."""
    mates = {}
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
                # A whole file has as many of these first reads as of second ones, whether they pass the filters or not.
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


def _template(read):
    """Return the name that both mates have; old files have them end in /1 and /2."""
    name = read.query_name
    return name[:-2] if name.endswith(("/1", "/2")) else name


def _with_mate(mates, key, read, tally):
    """Return (whether it counts, start, end, flag) of the fragment that a read completes; until then, none counts."""
    mate = mates.pop(key, None)
    if mate is None:
        mates[key] = read
        return False, 0, 0, 0
    if not (mate[3] ^ read[3]) & READ_1:
        # Two of one name and number: the partner of the earlier one is missing.
        mates[key] = read
        tally["alone"] += mate[0]
        return mate
    flag = read[3] if read[3] & READ_1 else mate[3]
    counts = read[0] and mate[0]
    return (counts, min(read[1], mate[1]), max(read[2], mate[2]), flag) if counts else (False, 0, 0, 0)


def _covers(read):
    """Whether an alignment covers a base of the reference; htslib says one base where it covers none."""
    # M, D, N, =, X
    return any(operation in (0, 2, 3, 7, 8) and length for operation, length in read.cigartuples)


@contextlib.contextmanager
def _opened(path):
    """Yield (open BAM or CRAM, the file that it is read from); what goes wrong inside becomes an `InputError`."""
    _check_end(path)
    damaged = f"{path}: the alignment file is truncated or damaged; fetch or make it again."
    file = None
    with _quietly(), open(path, "rb") as raw:
        try:
            # By its number, as by its name htslib would read the index, too, and crash if that is damaged. pysam complains of
            # a damaged header here, and raises the error besides.
            with contextlib.redirect_stderr(None):
                file = pysam.AlignmentFile(raw.fileno(), "r", check_sq=False, format_options=[_FIELDS])
            yield file, raw
        except _BROKEN as error:
            raise InputError(damaged) from error
        finally:
            if file is not None:
                # The error that reading it met is reported again.
                with contextlib.suppress(OSError):
                    file.close()


def _check_end(path):
    """Refuse a file that is cut off, which pysam reads as if it were whole."""
    with readable(path), open(path, "rb") as file:
        kind = "CRAM" if file.read(4) == b"CRAM" else "BAM"
        ends = _ENDS[kind]
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - max(map(len, ends)), 0))
        if not file.read().endswith(ends):
            raise InputError(
                f"{path}: the {kind} file is truncated: it does not end with the end-of-file mark; fetch or make it again."
            )


def _check_cram(path):
    """Check the checksums of a CRAM 3; htslib leaves out those of blocks that are not compressed. Raises ValueError.

    The containers and blocks are those of sections 7 and 8 of the CRAM specification; CRAM 2 has no checksums.
    """
    with open(path, "rb") as file:
        if file.read(26)[4:5] != b"\3":
            return
        # The header of a container is no longer than this, but for the list of its slices.
        while start := file.read(1024):
            size, place = int.from_bytes(start[:4], "little"), 4
            # Chromosome, start, span and number of records; number of the first and of the bases; number of blocks.
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


def _check_blocks(data, size):
    place = 0
    while place < size:
        # Method, kind, identifier, size, size once unpacked.
        _, end = _number(data, place + 2)
        length, end = _number(data, end)
        _, end = _number(data, end)
        end += length + 4
        _check_sum(data[place:end], end - place)
        place = end


def _check_sum(data, size=None):
    if len(data) != (size or len(data)) or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise ValueError("checksum")


def _number(data, place, most=4):
    """Return (value, place behind it) of a number in ITF8, or where it has up to 8 bytes more, LTF8 (the place only)."""
    if place >= len(data):
        raise ValueError("truncated")
    # As many bytes follow as the first has leading ones.
    more = min(8 - (data[place] ^ 0xFF).bit_length(), most)
    end = place + 1 + more
    value = int.from_bytes(data[place:end], "big") & ((1 << (7 * more + 7)) - 1)
    if more == 4:
        # 4 bits of the first byte and of the last.
        value = (value & 0xFFFFFFF00) >> 4 | value & 0xF
    return value, end


@contextlib.contextmanager
def _quietly():
    """Keep htslib from looking for a CRAM's reference, on the network above all, and from talking about damaged files."""
    before = {name: os.environ.get(name) for name in ("REF_PATH", "REF_CACHE")}
    os.environ |= dict.fromkeys(before, os.devnull)
    verbosity = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(verbosity)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

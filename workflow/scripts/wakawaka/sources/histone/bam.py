"""Reads and fragments from BAM and CRAM files: which alignments count, and BAM files read by one or several threads."""

import contextlib
import logging
import os
import struct
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Full, Queue
from typing import Any, BinaryIO

import pysam
from isal import isal_zlib

from wakawaka.core.errors import InputError
from wakawaka.core.files import BGZF_END, PathLike, open_bytes, readable, reading_progress
from wakawaka.core.messages import Warnings
from wakawaka.sources.histone.bam_index import Part, PartReader, find_index, index_parts
from wakawaka.sources.histone.bam_records import (
    DUPLICATE,
    FAILED,
    Columns,
    Records,
)
from wakawaka.sources.histone.cram import cram_batches

log = logging.getLogger(__name__)

# (number of chromosomes in the header, flags of alignments that do not count, lowest mapping quality).
_Rules = tuple[int, int, int]

# The least size of the part of a BAM that one thread reads, in bytes.
_LEAST = 4 << 20
# The most batches of a part in memory, while those of earlier parts are processed.
_WAITING = 4
# What pysam, isal and the readers here raise for a damaged file. `Any`, because isal's type hints give its exception no type.
_BROKEN: Any = (
    OSError, ValueError, NotImplementedError, OverflowError, MemoryError, EOFError, zlib.error, isal_zlib.error, struct.error
)  # fmt: skip
_MISFIT = (
    "%s: its index is damaged, older than the file or of another file, so one thread reads the file from start to end; make the "
    "index anew (`samtools index`)."
)

# The last bytes of a complete file (SAM specification 4.1.2; CRAM specification 3 and 2.1, section 9).
_ENDS = {
    "BAM": (BGZF_END,),
    "CRAM": (
        bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
        bytes.fromhex("0b000000ffffffff0fe0454f460000000001000001000606010001000100"),
    ),
}
# The fields QNAME to PNEXT. For SEQ, and for TLEN where chromosomes are mixed, htslib would need a CRAM's reference.
_FIELDS = b"required_fields=0xff"


def alignment_lengths(path: PathLike) -> dict[str, int]:
    """Return a dict from the chromosomes in the header of a BAM or CRAM to their bp. Raises InputError for a damaged file."""
    with _opened(path) as (file, _):
        return dict(zip(file.references, file.lengths, strict=True))


def alignment_reads(
    path: PathLike, *, min_mapq: int, duplicates: str, warnings: Warnings, threads: int = 1
) -> Iterator[tuple[list[str], *Columns]]:
    """Yield the reads and fragments of a BAM or CRAM in batches, in no particular order.

    These never count: alignments that are unmapped, secondary, supplementary or QC-failed, or whose mapping quality is below
    `min_mapq`; and flagged duplicates, unless `duplicates` is `keep`.
    A single read is its span on the reference: with deletions and introns, without clipped ends (as `bedtools multicov` without
    `-split`). A proper pair is one fragment from the first to the last base of both mates, on the strand of read 1, if both count.
    A pair that is not proper is its read 1 alone, or its read 2 if read 1 is unmapped. If read 1 is mapped but not in the file, the
    pair does not count. A proper mate whose partner is not in the file is a read by itself. Mates have the same name, except for a
    `/1` or `/2` at its end. No index, no order and no reference is needed; a reference is never looked for.

    Args:
        path: BAM or CRAM file. min_mapq: lowest mapping quality. duplicates: `flagged`, `position` (here the same) or `keep`.
        warnings: `Warnings` so far. It gets the numbers of mates without a partner, of reads 2 whose read 1 is missing (the surplus of
            reads 2 over reads 1 in pairs that are not proper, a lower bound), and of alignments without a place or CIGAR.
        threads: how many chromosomes of a BAM are read at the same time, if there is an index next to it.

    Yields:
        (names, chrom, start, end, strand): names is the header's list of chromosomes, chrom [read] int32 are places in it, start and
        end [read] int64 are 0-based, the end not included, strand [read] int8 is 1 or -1; at most `BATCH` reads.

    Raises:
        InputError: a file that is truncated or damaged.
    """
    rejected = FAILED | (0 if duplicates == "keep" else DUPLICATE)
    tally: Counter = Counter()
    batches: Iterator[Columns]
    with _opened(path) as (file, raw):
        names = list(file.references)
        if file.is_cram:
            batches = cram_batches(path, file, raw, rejected, min_mapq, tally)
        else:
            batches = _bam_batches(path, file, (len(names), rejected, min_mapq), tally, threads)
        for batch in batches:
            if len(batch[0]):
                yield names, *batch
    _warn_left_out(path, tally, warnings)


def _warn_left_out(path: PathLike, tally: Counter, warnings: Warnings) -> None:
    """Add the warnings that a tally calls for."""
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


def _bam_batches(
    path: PathLike, file: pysam.AlignmentFile, rules: _Rules, tally: Counter, threads: int
) -> Iterator[Columns]:
    """Yield the batches of a BAM's reads, by several threads if there is an index; add to the tally what the warnings count."""
    parts = _parts(path, file.references, threads)
    done = 0
    if len(parts) > 1:
        try:
            for batch in _in_parallel(path, parts, rules, tally, threads):
                done += len(batch[0])
                yield batch
            return
        except _BROKEN:
            # The index or the file is damaged. Reading the file from its start shows which of them.
            pass
    for batch in _in_order(path, file.references, rules, tally):
        # The reads that the parts have yielded are the first ones here, in the same order.
        known = min(done, len(batch[0]))
        done -= known
        chrom, start, end, strand = batch
        yield chrom[known:], start[known:], end[known:], strand[known:]
    if len(parts) > 1:
        log.warning(_MISFIT, path)


def _parts(path: PathLike, names: Sequence[str], threads: int) -> list[Part]:
    """Return the parts of a BAM for several threads to read. The list is empty without an index (the log says so), or if it is wrong."""
    index = find_index(path)
    if index is None:
        log.info(
            "%s: there is no index next to it, so one thread reads it from start to end; with one (`samtools index %s`, after "
            "`samtools sort`) and two cores, several chromosomes are read at the same time.",
            path,
            path,
        )
    if index is None or threads == 1:
        return []
    try:
        with pysam.BGZFile(str(path)) as file:
            _skip_header(file, names)
            begin = file.tell()
        # Several for each thread, so that the threads end at about the same time.
        return index_parts(index, begin, len(names), max(os.path.getsize(path) // (8 * threads), _LEAST))
    except _BROKEN:
        log.warning(_MISFIT, path)
        return []


def _in_order(path: PathLike, names: Sequence[str], rules: _Rules, tally: Counter) -> Iterator[Columns]:
    """Yield the batches of a BAM that one thread reads from its start to its end; add to the tally what the warnings count."""
    records = Records(*rules)
    with open_bytes(path) as file:
        _skip_header(file, names)
        yield from records.batches(file)
    yield from records.alone()
    tally.update(records.tally)


def _skip_header(file: BinaryIO | pysam.BGZFile, names: Sequence[str]) -> None:
    """Read a BAM's header (SAM specification, 4.2). Raises ValueError if it has other chromosomes than `names`."""
    magic, length = struct.unpack("<4si", file.read(8))
    file.read(length)
    (count,) = struct.unpack("<i", file.read(4))
    found: list[str] = []
    while len(found) < min(count, len(names) + 1):
        (length,) = struct.unpack("<i", file.read(4))
        found.append(file.read(length + 4)[:length].split(b"\0")[0].decode())
    if magic != b"BAM\1" or found != list(names):
        raise ValueError("header")


def _in_parallel(
    path: PathLike, parts: Sequence[Part], rules: _Rules, tally: Counter, threads: int
) -> Iterator[Columns]:
    """Yield the batches of a BAM's parts in their order, while threads read ahead; add to the tally what the warnings count.

    Mates that form a fragment are on one chromosome, and so in one part; those without a partner come last. Besides the part whose
    batches are yielded, the next `threads` parts are in memory, with up to `_WAITING` batches each.
    """
    advance, stop = reading_progress(path), threading.Event()
    readers: list[tuple[Records, Queue]] = []

    def put(batches: Queue, batch: Columns | BaseException | None) -> None:
        while not stop.is_set():
            with contextlib.suppress(Full):
                batches.put(batch, timeout=0.1)
                return

    def read(part: Part, records: Records, batches: Queue) -> None:
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


@contextlib.contextmanager
def _opened(path: PathLike) -> Iterator[tuple[pysam.AlignmentFile, BinaryIO]]:
    """Yield (pysam's open BAM or CRAM, the binary file that it reads); errors inside become an `InputError`."""
    _check_end(path)
    damaged = f"{path}: the alignment file is truncated or damaged; fetch or make it again."
    file = None
    with _quietly(), open(path, "rb") as raw:
        try:
            # Opened by its number: by its name, htslib would read the index too, and crash if that is damaged. pysam prints errors of
            # a damaged header, and also raises them.
            with contextlib.redirect_stderr(None):
                file = pysam.AlignmentFile(raw.fileno(), "r", check_sq=False, format_options=[_FIELDS])
            yield file, raw
        except _BROKEN as error:
            raise InputError(damaged) from error
        finally:
            if file is not None:
                # Closing reports the error of reading again.
                with contextlib.suppress(OSError):
                    file.close()


def _check_end(path: PathLike) -> None:
    """Raise an InputError for a truncated file, which pysam reads as if it were complete."""
    with readable(path), open(path, "rb") as file:
        kind = "CRAM" if file.read(4) == b"CRAM" else "BAM"
        ends = _ENDS[kind]
        file.seek(0, os.SEEK_END)
        file.seek(max(file.tell() - max(map(len, ends)), 0))
        if not file.read().endswith(ends):
            raise InputError(
                f"{path}: the {kind} file is truncated: it does not end with the end-of-file mark; fetch or make it again."
            )


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Keep htslib from looking for a CRAM's reference (also on the network), and from printing about damaged files."""
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

"""Reads and fragments from BAM and CRAM files."""

import contextlib
import logging
import os
import zlib
from array import array

import numpy as np
import pysam

from .errors import InputError
from .files import BGZF_END, readable
from .progress import Progress

log = logging.getLogger(__name__)

# Reads in a batch.
BATCH = 1_000_000

# Flags of the SAM specification, section 1.4.
_PAIRED, _PROPER, _UNMAPPED, _MATE_UNMAPPED, _REVERSE = 0x1, 0x2, 0x4, 0x8, 0x10
_READ_1, _READ_2 = 0x40, 0x80
_SECONDARY, _FAILED, _DUPLICATE, _SUPPLEMENTARY = 0x100, 0x200, 0x400, 0x800

# How a complete file ends (SAM specification 4.1.2; CRAM specification 3 and 2.1, section 9).
_ENDS = {
    "BAM": (BGZF_END,),
    "CRAM": (
        bytes.fromhex("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
        bytes.fromhex("0b000000ffffffff0fe0454f460000000001000001000606010001000100"),
    ),
}
# No container of a CRAM has more slices; writers make one or a few.
_SLICES = 10_000
# QNAME to PNEXT. For SEQ, and for TLEN where chromosomes are mixed, htslib would need a CRAM's reference.
_FIELDS = b"required_fields=0xff"


def alignment_lengths(path):
    """Return a dict from the chromosome names of a BAM's or CRAM's header to their lengths. Raises InputError."""
    with _opened(path) as file:
        return dict(zip(file.references, file.lengths, strict=True))


def alignment_reads(path, *, min_mapq, duplicates, warnings):
    """Yield (chromosome, start [read] int64, end [read] int64, strand [read] int8: 1 or -1) of a BAM or CRAM, batch by batch.

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

    Raises:
        InputError: a file that is truncated or damaged.
    """
    rejected = _FAILED | (0 if duplicates == "keep" else _DUPLICATE)
    with _opened(path) as file:
        if file.is_cram:
            _check_cram(path)
        progress = Progress(log, os.path.getsize(path) / 1e6, "MB")
        batch, reads, tally = _Batch(), 0, dict.fromkeys(("alone", "placeless", "first", "second"), 0)
        for read in _counted(file, rejected, min_mapq, tally):
            batch.add(*read)
            if len(batch) == BATCH:
                yield from batch.by_chromosome(file.references)
                reads, batch = reads + BATCH, _Batch()
                position = (file.tell() >> 16 if file.is_bam else file.tell()) / 1e6
                progress.advance(position - progress.done, "%s: %d reads so far", path, reads)
        yield from batch.by_chromosome(file.references)
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


def _counted(file, rejected, min_mapq, tally):
    """Yield (number of the chromosome, start, end, strand) of every read and fragment that counts; fill the tally."""
    mates = {}
    for read in file:
        flag = read.flag
        if flag & (_UNMAPPED | _SECONDARY | _SUPPLEMENTARY):
            continue
        counts = not flag & rejected and read.mapping_quality >= min_mapq
        chrom, start, end = read.reference_id, read.reference_start, read.reference_end
        if chrom < 0 or start < 0 or end is None or (end - start == 1 and not _covers(read)):
            tally["placeless"] += counts
            counts = False
        if flag & _PAIRED:
            if flag & _PROPER and not flag & _MATE_UNMAPPED and read.next_reference_id == chrom:
                counts, start, end, flag = _with_mate(
                    mates, (chrom, _template(read)), (counts, start, end, flag), tally
                )
            elif not flag & _MATE_UNMAPPED:
                # A whole file has as many of these first reads as of second ones, whether they pass the filters or not.
                if flag & _READ_1:
                    tally["first"] += 1
                elif flag & _READ_2:
                    tally["second"] += 1
                    continue
        if counts:
            yield chrom, start, end, -1 if flag & _REVERSE else 1
    for (chrom, _), (counts, start, end, flag) in mates.items():
        if counts:
            tally["alone"] += 1
            yield chrom, start, end, -1 if flag & _REVERSE else 1


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
    if not (mate[3] ^ read[3]) & _READ_1:
        # Two of one name and number: the partner of the earlier one is missing.
        mates[key] = read
        tally["alone"] += mate[0]
        return mate
    flag = read[3] if read[3] & _READ_1 else mate[3]
    counts = read[0] and mate[0]
    return (counts, min(read[1], mate[1]), max(read[2], mate[2]), flag) if counts else (False, 0, 0, 0)


class _Batch:
    """Reads collected one by one."""

    def __init__(self):
        self.columns = array("i"), array("q"), array("q"), array("b")
        self._append = [column.append for column in self.columns]

    def __len__(self):
        return len(self.columns[0])

    def add(self, *read):
        for append, value in zip(self._append, read, strict=True):
            append(value)

    def by_chromosome(self, names):
        """Yield (chromosome, start, end, strand) for every chromosome."""
        types = np.int32, np.int64, np.int64, np.int8
        columns = [np.frombuffer(column, dtype) for column, dtype in zip(self.columns, types, strict=True)]
        order = np.argsort(columns[0], kind="stable")
        chroms, start, end, strand = (column[order] for column in columns)
        cuts = np.flatnonzero(np.diff(chroms)) + 1
        for chrom, *reads in zip(*(np.split(column, cuts) for column in (chroms, start, end, strand)), strict=True):
            if len(chrom):
                yield names[chrom[0]], *reads


def _covers(read):
    """Whether an alignment covers a base of the reference; htslib says one base where it covers none."""
    # M, D, N, =, X
    return any(operation in (0, 2, 3, 7, 8) and length for operation, length in read.cigartuples)


@contextlib.contextmanager
def _opened(path):
    """Yield an open BAM or CRAM; what goes wrong inside becomes an `InputError`."""
    _check_end(path)
    damaged = f"{path}: the alignment file is truncated or damaged; fetch or make it again."
    file = None
    with _quietly():
        try:
            # pysam complains of a damaged header here, and raises the error besides.
            with contextlib.redirect_stderr(None):
                file = pysam.AlignmentFile(str(path), "r", check_sq=False, format_options=[_FIELDS])
            yield file
        except (OSError, ValueError, NotImplementedError, OverflowError, MemoryError) as error:
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

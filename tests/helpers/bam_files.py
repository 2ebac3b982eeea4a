"""SAM lines, the BAM and CRAM files made of them, and what is read from these."""

import struct
import zlib

import numpy as np
import pysam

from wakawaka.core.files import BGZF_END
from wakawaka.core.messages import Warnings
from wakawaka.sources.histone.bam import alignment_reads

HEADER = "@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:5000\n@SQ\tSN:chr2\tLN:3000\n"
# Flags of a proper pair: read 1 on the plus strand and on the minus strand, and their mates.
PLUS_1, MINUS_2, MINUS_1, PLUS_2 = 99, 147, 83, 163


def line(name, flag, chrom="chr1", pos=100, mapq=60, cigar="36M", mate="=", mate_pos=100):
    """A line of SAM; positions here are 0-based."""
    mate, mate_pos = (mate, mate_pos) if flag & 1 else ("*", -1)
    return f"{name}\t{flag}\t{chrom}\t{pos + 1}\t{mapq}\t{cigar}\t{mate}\t{mate_pos + 1}\t0\t*\t*\n"


def write(path, lines, form="bam", header=HEADER):
    text = path.with_suffix(".sam")
    text.write_text(header + "".join(lines))
    pysam.view("--no-PG", "-O", form, "-o", str(path), str(text), catch_stdout=False)
    text.unlink()
    return path


def reads_of(path, min_mapq=0, duplicates="flagged", threads=1):
    """Return (sorted reads, warnings without the path)."""
    reads, warnings = [], Warnings()
    for names, *columns in alignment_reads(
        path, min_mapq=min_mapq, duplicates=duplicates, warnings=warnings, threads=threads
    ):
        assert [column.dtype for column in columns] == [np.int32, np.int64, np.int64, np.int8]
        rows = zip(*(column.tolist() for column in columns), strict=True)
        reads += [(names[chrom], *read) for chrom, *read in rows]
    return sorted(reads), [sentence.removeprefix(f"{path}: ") for sentence in warnings]


SOME = [
    line(f"r{i}", [0, 16, PLUS_1, 1024][i % 4], f"chr{1 + i % 2}", i * 7 % 900, cigar="10M5D9M3S") for i in range(300)
]


def bgzf(data):
    """Compress as a BGZF file of one block."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = deflate.compress(data) + deflate.flush()
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", len(body) + 25)
    return head + body + struct.pack("<II", zlib.crc32(data), len(data)) + BGZF_END

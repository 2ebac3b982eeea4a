"""Sequences of the genes' windows, cut from a genome in UCSC's 2bit format.

2bit: https://genome.ucsc.edu/FAQ/FAQformat.html#format7
"""

import logging
import os

import numpy as np
import py2bit

from wakawaka.core.errors import InputError
from wakawaka.core.files import readable
from wakawaka.core.progress import Progress
from wakawaka.genome.dna import encode
from wakawaka.sources.parsed import digest_ahead
from wakawaka.sources.sequence.gene_windows import Windows

log = logging.getLogger(__name__)

_MAGIC = 0x1A412743


def read_2bit(genome, genes, part, *, window, oriented):
    """Write the sequence part of a 2bit file. Masked bases are bases as others.

    Args:
        genome: path. genes: path of the genes part. window: even number of bp. oriented: whether minus-strand genes will be
            turned round.

    Raises:
        InputError: what is no 2bit file, is damaged, or is of a kind that py2bit does not read (big-endian, or version 1);
            and what `Windows.match` refuses. The format has no checksum: a flipped base cannot be noticed.
    """
    digest_ahead(genome)
    windows = Windows(genome, genes, window, oriented)
    with readable(genome):
        lengths = _lengths(genome)
    windows.match(lengths)
    with py2bit.open(str(genome)) as file:
        progress = Progress(log, len(windows.starts), "windows", logging.INFO)
        for chrom, name in windows.chromosomes.items():
            for row in windows.rows[chrom]:
                start = int(windows.starts[row])
                first, last = max(start, 0), min(start + window, lengths[name])
                windows.values[row, first - start : last - start] = _codes(genome, file, name, first, last)
                progress.advance(1, "%d of %d windows cut", progress.done + 1, progress.total)
    windows.write(part)


def _codes(genome, file, name, first, last):
    codes = encode(file.sequence(name, first, last))
    if len(codes) != last - first:
        raise InputError(
            f"{genome}: {name}:{first + 1}-{last} holds {len(codes)} letters instead of {last - first}; the file may be damaged."
        )
    return codes


class _Damaged(Exception):
    pass


def _lengths(path):
    """Return a dict from chromosome names to bp, once every record is known to lie inside the file: py2bit believes it all."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        magic, version = (int.from_bytes(file.read(4), "little") for _ in range(2))
    if magic == int.from_bytes(_MAGIC.to_bytes(4, "little"), "big"):
        raise InputError(
            f"{path}: this 2bit file was made on a big-endian computer and cannot be read; make it again (twoBitToFa, faToTwoBit)."
        )
    if size < 16 or magic != _MAGIC:
        raise InputError(f"{path}: this is no 2bit file, by its first bytes; check `sequence.path` in config.yaml.")
    if version != 0:
        raise InputError(
            f"{path}: this 2bit file is of version {version}, but only version 0 can be read; make it again without -long (faToTwoBit)."
        )
    content = np.memmap(path, np.uint8, "r")
    try:
        return _records(content)
    except _Damaged as error:
        raise InputError(f"{path}: the 2bit file is truncated or damaged: {error}; fetch or make it again.") from error


def _words(content, place, count):
    """Return `count` numbers of 32 bits from a place in the file."""
    if place + 4 * count > len(content):
        raise _Damaged("it ends too early")
    return content[place : place + 4 * count].view("<u4").astype(np.int64)


def _records(content):
    """Return a dict from the names of the index to the lengths of their records, which are checked."""
    lengths, spans, place = {}, [], 16
    for _ in range(int(_words(content, 8, 1)[0])):
        behind = place + 1 + int(content[place]) if place < len(content) else len(content)
        offset = int(_words(content, behind, 1)[0])
        name = content[place + 1 : behind].tobytes().decode("latin-1")
        if not (name and name.isascii() and name.isprintable()) or name in lengths:
            raise _Damaged(f"the name {name!r} in its index is none, or stands there twice")
        lengths[name], end = _record(content, name, offset)
        spans.append((offset, end, name))
        place = behind + 4
    if not lengths:
        raise _Damaged("it has no chromosomes")
    end = place
    for start, behind, name in sorted(spans):
        if start < end:
            raise _Damaged(f"the record of {name} overlaps another")
        end = behind
    return lengths


def _record(content, name, offset):
    """Return (bp, end of the record in the file) of a chromosome."""
    length, place = int(_words(content, offset, 1)[0]), offset + 4
    for blocks in ("blocks of N", "masked blocks"):
        count = int(_words(content, place, 1)[0])
        starts, sizes = _words(content, place + 4, 2 * count).reshape(2, count)
        place += 4 + 8 * count
        ends = starts + sizes
        if (ends > length).any() or (starts[1:] < ends[:-1]).any():
            raise _Damaged(f"the {blocks} of {name} overlap or go on beyond its {length} bases")
    if _words(content, place, 1)[0] != 0:
        raise _Damaged(f"the record of {name} is none")
    end = place + 4 + (length + 3) // 4
    if end > len(content):
        raise _Damaged(f"it ends within {name}")
    return length, end

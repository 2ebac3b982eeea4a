"""Sequences of the genes' windows, cut from a genome in UCSC's 2bit format.

2bit: https://genome.ucsc.edu/FAQ/FAQformat.html#format7
"""

import logging
import os
from typing import Any

import numpy as np
import py2bit

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, readable
from wakawaka.core.progress import Progress
from wakawaka.genome.dna import encode
from wakawaka.sources.parsed import start_checksums
from wakawaka.sources.sequence.gene_windows import Windows

log = logging.getLogger(__name__)

_MAGIC = 0x1A412743


def read_2bit(genome: PathLike, genes: PathLike, parsed: PathLike, *, window: int, strand_aware: bool) -> None:
    """Write the parsed sequences of a 2bit file. Masked bases are read like others.

    Args:
        genome: path. genes: path of the parsed genes. parsed: the output. window: even number of bp.
        strand_aware: whether minus-strand genes will be reverse-complemented.

    Raises:
        InputError: a file that is not 2bit, is damaged, or is of a kind that py2bit does not read (big-endian, or version 1); and what
            `Windows.match` refuses. The format has no checksum, so a changed base cannot be noticed.
    """
    start_checksums(genome)
    windows = Windows(genome, genes, window, strand_aware)
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
    windows.write(parsed)


def _codes(genome: PathLike, file: Any, name: str, first: int, last: int) -> np.ndarray:
    """Return the codes of bases [first, last) of a record. Raises InputError if the file holds fewer."""
    codes = encode(file.sequence(name, first, last))
    if len(codes) != last - first:
        raise InputError(
            f"{genome}: {name}:{first + 1}-{last} holds {len(codes)} letters instead of {last - first}; the file may be damaged."
        )
    return codes


class _Damaged(Exception):
    """A 2bit file is damaged; the message says where."""


def _lengths(path: PathLike) -> dict[str, int]:
    """Return a dict from chromosome names to bp, after a check that every record is inside the file; py2bit does not check.

    Raises:
        InputError: as for `read_2bit`.
    """
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


def _words(content: np.ndarray, place: int, count: int) -> np.ndarray:
    """Return `count` unsigned numbers of 32 bits from a place in the file, as int64."""
    if place + 4 * count > len(content):
        raise _Damaged("it ends too early")
    return content[place : place + 4 * count].view("<u4").astype(np.int64)


def _records(content: np.ndarray) -> dict[str, int]:
    """Return a dict from the names in the index to the bp of their records. Raises _Damaged."""
    lengths: dict[str, int] = {}
    spans: list[tuple[int, int, str]] = []
    place = 16
    for _ in range(int(_words(content, 8, 1)[0])):
        behind = place + 1 + int(content[place]) if place < len(content) else len(content)
        offset = int(_words(content, behind, 1)[0])
        name = content[place + 1 : behind].tobytes().decode("latin-1")
        if not (name and name.isascii() and name.isprintable()) or name in lengths:
            raise _Damaged(f"the name {name!r} in its index is not valid, or stands there twice")
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


def _record(content: np.ndarray, name: str, offset: int) -> tuple[int, int]:
    """Return (bp, end of the record in the file) of a chromosome. Raises _Damaged."""
    length, place = int(_words(content, offset, 1)[0]), offset + 4
    for blocks in ("blocks of N", "masked blocks"):
        count = int(_words(content, place, 1)[0])
        starts, sizes = _words(content, place + 4, 2 * count).reshape(2, count)
        place += 4 + 8 * count
        ends = starts + sizes
        if (ends > length).any() or (starts[1:] < ends[:-1]).any():
            raise _Damaged(f"the {blocks} of {name} overlap or go on beyond its {length} bases")
    if _words(content, place, 1)[0] != 0:
        raise _Damaged(f"the record of {name} is not valid")
    end = place + 4 + (length + 3) // 4
    if end > len(content):
        raise _Damaged(f"it ends within {name}")
    return length, end

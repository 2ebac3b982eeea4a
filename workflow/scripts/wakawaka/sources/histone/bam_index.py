"""Parts of a BAM file that can be read at the same time, from its index (SAM specification, section 5.2; CSI specification)."""

import gzip
import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from isal import igzip

from wakawaka.core.files import PathLike


class Part(NamedTuple):
    """A part of a BAM file: from one virtual offset to another, and its first and last chromosome (as in `Records`).

    A virtual offset is the place of a BGZF block << 16 | a place in its unpacked bytes. The file's end is None.
    """

    begin: int
    end: int | None
    first: int
    last: int


def find_index(path: PathLike) -> Path | None:
    """Return the path of the index next to a BAM file, or None."""
    path = Path(path)
    names = [path.with_name(f"{path.name}.bai"), path.with_suffix(".bai"), path.with_name(f"{path.name}.csi")]
    return next((name for name in names if name.is_file()), None)


def index_parts(index: PathLike, begin: int, chrom_count: int, least: int) -> list[Part]:
    """Return a list of the `Part`s of a BAM file, in their order, which cover all of its records.

    A part is a chromosome, or several where they are small; the last has the records without a chromosome.

    Args:
        index: path of a BAI or CSI. begin: virtual offset of the first record. chrom_count: number of chromosomes in the
            header. least: no part but the last is shorter (compressed bytes).

    Raises:
        ValueError: an index that cannot be read, is damaged or is of another file.
    """
    try:
        data = Path(index).read_bytes()
        places = _places(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data, chrom_count)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise ValueError("index") from error
    cuts = [(begin, 0)]
    for place, chrom in places:
        if place < cuts[-1][0]:
            raise ValueError("index")
        if place > cuts[-1][0] and (place >> 16) - (cuts[-1][0] >> 16) >= least:
            cuts.append((place, chrom))
    ends = [*cuts[1:], (None, chrom_count + 1)]
    return [Part(begin, end, first, after - 1) for (begin, first), (end, after) in zip(cuts, ends, strict=True)]


def _places(data: bytes, chrom_count: int) -> list[tuple[int, int]]:
    """Return a list of (virtual offset of the first record, chromosome); the last is of those without a chromosome."""
    is_bai = data[:4] == b"BAI\1"
    places: list[tuple[int, int]] = []
    if is_bai:
        depth, at, head = 5, 4, struct.Struct("<Ii")
    elif data[:4] == b"CSI\1":
        depth, more = struct.unpack_from("<ii", data, 8)
        at, head = 16 + more, struct.Struct("<IQi")
    else:
        raise ValueError("index")
    # The number of the pseudo-bin, which holds counts instead of places.
    counts = (8 ** (depth + 1) - 1) // 7 + 1
    if struct.unpack_from("<i", data, at) != (chrom_count,):
        raise ValueError("index")
    at, behind = at + 4, 0
    for chrom in range(chrom_count):
        begins: list[int] = []
        bins, at = struct.unpack_from("<i", data, at)[0], at + 4
        for _ in range(bins):
            number, *_, chunks = head.unpack_from(data, at)
            at += head.size
            if chunks > 0 and number != counts:
                begins += struct.unpack_from("<Q", data, at)
                behind = max(behind, *struct.unpack_from("<Q", data, at + 16 * chunks - 8))
            at += 16 * max(chunks, 0)
        if begins:
            places.append((min(begins), chrom))
        if is_bai:
            at += 4 + 8 * struct.unpack_from("<i", data, at)[0]
    return [*places, (behind, chrom_count)] if places else []


class PartReader(io.RawIOBase):
    """The unpacked bytes of a part of a BAM file. The checksums of all blocks that end in it are checked.

    Args:
        path: the path of the BAM. part: the `Part`. advance: called with the number of bytes whenever some are read.

    Raises:
        ValueError, or what isal raises, also while reading: offsets that do not fit this file, or a damaged file.
    """

    def __init__(self, path: PathLike, part: Part, advance: Callable[[int], None]) -> None:
        self._path, self._advance = path, advance
        # The block in which the next part begins, and the number of its bytes that are still of this part.
        self._end: int | None = None if part.end is None else part.end >> 16
        self._tail = 0 if part.end is None else part.end & 0xFFFF
        self._left: int | None
        block, skipped = part.begin >> 16, part.begin & 0xFFFF
        if block == self._end:
            self._open(block, None, self._tail - skipped)
        else:
            self._open(block, self._end, None)
        if len(self._file.read(skipped)) < skipped:
            raise ValueError("offset")

    def readinto(self, buffer: Any) -> int:
        count = self._file.readinto(memoryview(buffer)[: self._left])
        if self._left is not None:
            self._left -= count
        elif not count and self._tail and self._end is not None:
            self._close()
            self._open(self._end, None, self._tail)
            return self.readinto(buffer)
        return count

    def close(self) -> None:
        self._close()
        super().close()

    def _open(self, begin: int, end: int | None, left: int | None) -> None:
        self._raw = _Section(self._path, begin, end, self._advance)
        self._file, self._left = igzip.IGzipFile(fileobj=self._raw, mode="rb"), left

    def _close(self) -> None:
        self._file.close()
        self._raw.close()


class _Section(io.FileIO):
    """The bytes of a file from one place to another."""

    def __init__(self, path: PathLike, begin: int, end: int | None, advance: Callable[[int], None]) -> None:
        super().__init__(path)
        self._left = os.fstat(self.fileno()).st_size - begin if end is None else end - begin
        self._advance = advance
        self.seek(begin)

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(memoryview(buffer)[: max(self._left, 0)]) or 0
        self._left -= count
        if count:
            self._advance(count)
        return count

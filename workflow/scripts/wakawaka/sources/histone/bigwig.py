"""Means of a bigWig track in the bins of genes."""

import contextlib
import logging
import os
import struct
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import numpy as np
import pyBigWig

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, readable
from wakawaka.core.progress import Progress

log = logging.getLogger(__name__)

# The first four bytes of a bigWig, and the last four since version 4 of the format.
MAGIC = bytes.fromhex("26fc8f88")
# The first four bytes of a bigBed.
BIGBED = bytes.fromhex("ebf28987")
_TREE_MAGIC, _INDEX_MAGIC = 0x78CA8C91, 0x2468ACE0
# Magic, version, zoom levels, offsets of the chromosomes, data and index, field counts (2), offset of autoSql and of the
# summary, size of the buffer, offset of the extension.
_HEADER = struct.Struct("<4sHHQQQHHQQIQ")
_ZOOM_BYTES = 24
_CHROMOSOMES = struct.Struct("<IIIIQQ")
_INDEX = struct.Struct("<IIQIIIIQII")
_NODE = struct.Struct("<BBH")
_LEAF = np.dtype([("range", "<u4", 4), ("offset", "<u8"), ("size", "<u8")])
_BRANCH = np.dtype([("range", "<u4", 4), ("offset", "<u8")])


def bigwig_lengths(path: PathLike) -> dict[str, int]:
    """Return a dict from the chromosome names of a bigWig to their lengths in bp. Raises InputError."""
    with _opened(path) as file:
        return dict(file.chroms())


def bigwig_means(
    path: PathLike,
    gene: Mapping[str, np.ndarray],
    starts: np.ndarray,
    names: Mapping[str, str],
    *,
    bins: int,
    bin_size: int,
) -> np.ndarray:
    """Return the mean of a bigWig track in every bin, [gene, bin] float32.

    The mean is over all bases of a bin. It uses the values of the bases, not the summaries in the file. Bases without a value,
    with NaN, or beyond the chromosome's ends count as zero. So the mean of a depth track times the bin size is the sum of the
    reads' overlaps with the bin.

    Args:
        path: the bigWig.
        gene: arrays of the parsed genes.
        starts: [gene] int64, the first base of the first bin, 0-based.
        names: dict from the annotation's chromosome names to those of the file. Genes on other chromosomes are zero.
        bins: number of bins.
        bin_size: bp per bin.

    Raises:
        InputError: for a file that is no bigWig, is truncated or damaged, or holds an infinite value.
    """
    means = np.zeros((len(starts), bins), np.float32)
    with _opened(path) as file:
        lengths = file.chroms()
        progress = Progress(log, len(starts), "genes", logging.INFO)
        # In the order of the file, because forward reading is faster.
        for row in np.lexsort([starts, gene["chrom"]]):
            name = names.get(gene["chrom"][row])
            progress.advance(1, "%s", path)
            if name is None:
                continue
            start = int(starts[row])
            first, last = max(start, 0), min(start + bins * bin_size, lengths[name])
            if first >= last:
                continue
            values = np.zeros(bins * bin_size)
            values[first - start : last - start] = _values(file, name, first, last)
            means[row] = values.reshape(bins, bin_size).mean(axis=1)
            if not np.isfinite(means[row]).all():
                raise InputError(f"{path}: a value at {name}:{first + 1}-{last} is infinite; make the track again.")
    return means


def _values(file: Any, name: str, first: int, last: int) -> np.ndarray:
    """Return the values of an open bigWig on the bases [first, last) of a chromosome, 0 for bases without one."""
    found = file.values(name, first, last, numpy=True)
    return np.where(np.isnan(found), 0, found)


@contextlib.contextmanager
def _opened(path: PathLike) -> Iterator[Any]:
    """Yield an open bigWig. Errors of the library inside the block become an `InputError`."""
    try:
        _check_structure(path)
        with pyBigWig.open(str(path)) as file:
            yield file
    except (RuntimeError, OverflowError, MemoryError, ValueError, struct.error) as error:
        raise InputError(f"{path}: the bigWig file is truncated or damaged; fetch or make it again.") from error


def _check_structure(path: PathLike) -> None:
    """Check the header and the trees of a bigWig.

    The library does not check the numbers in them: a damaged number crashes the whole process.
    Source of the format: Kent et al. 2010, Bioinformatics 26:2204, supplement.

    Raises:
        InputError: for a file that is no bigWig.
        ValueError, struct.error: for a damaged one.
    """
    with readable(path), open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        start = file.read(_HEADER.size)
        if start[:4] != MAGIC:
            what = "a bigBed, which holds no track" if start[:4] == BIGBED else "no bigWig file"
            raise InputError(f"{path}: this is {what}; name a bigWig, BAM, CRAM or BED file.")
        _, version, zooms, tree, data, index, _, _, _, summary, _, _ = _HEADER.unpack(start)
        file.seek(max(size - 4, 0))
        _need(version < 4 or file.read() == MAGIC)
        _need(all(_HEADER.size <= offset < size for offset in (tree, data, index)) and summary < size)
        _need(_HEADER.size + _ZOOM_BYTES * zooms <= min(tree, data, summary or tree))
        _check_index(file, size, index, _check_chromosomes(file, size, tree))


def _check_chromosomes(file: BinaryIO, size: int, offset: int) -> int:
    """Check the tree of chromosomes at an offset of a file of `size` bytes; return their number."""
    magic, most, key, value, count, _ = _CHROMOSOMES.unpack(_read(file, size, offset, _CHROMOSOMES.size))
    _need(magic == _TREE_MAGIC and 0 < key < 2**16 and value == 8)
    items = np.dtype([("name", f"S{key}"), ("id", "<u4"), ("length", "<u4")])
    branches = np.dtype([("name", f"S{key}"), ("offset", "<u8")])
    leaves = list(_leaves(file, size, offset + _CHROMOSOMES.size, items, branches))
    found = np.concatenate(leaves) if leaves else np.empty(0, items)
    _need(len(found) == count and len(np.unique(found["name"])) == count and (found["name"] != b"").all())
    _need(np.array_equal(np.sort(found["id"]), np.arange(count)) and (found["length"] > 0).all())
    _need(all(len(leaf) <= most for leaf in leaves))
    return count


def _check_index(file: BinaryIO, size: int, offset: int, chromosomes: int) -> None:
    """Check the index of the data blocks. Raises ValueError or struct.error."""
    magic, _, count, *_ = _INDEX.unpack(_read(file, size, offset, _INDEX.size))
    _need(magic == _INDEX_MAGIC)
    found = 0
    for blocks in _leaves(file, size, offset + _INDEX.size, _LEAF, _BRANCH):
        found += len(blocks)
        first, start, last, end = blocks["range"].T.astype(np.int64)
        _need(((first < last) | ((first == last) & (start < end))).all() and (last < chromosomes).all())
        _need((blocks["size"] <= size).all() and (blocks["offset"] <= size - blocks["size"]).all())
    _need(found > 0 or not count)


def _leaves(file: BinaryIO, size: int, root: int, leaf: np.dtype, branch: np.dtype) -> Iterator[np.ndarray]:
    """Yield the items of every leaf of a tree.

    Args:
        file, size: the open file and its length in bytes.
        root: offset of the root.
        leaf, branch: dtypes of the items of leaves and of inner nodes.

    Raises:
        ValueError: for a node outside the file, or one that is reached twice, so that the tree would have no end.
    """
    offsets, seen = [root], set[int]()
    while offsets:
        offset = offsets.pop()
        _need(offset not in seen)
        seen.add(offset)
        is_leaf, _, count = _NODE.unpack(_read(file, size, offset, _NODE.size))
        _need(is_leaf in (0, 1))
        dtype = leaf if is_leaf else branch
        items = np.frombuffer(_read(file, size, offset + _NODE.size, count * dtype.itemsize), dtype)
        if is_leaf:
            yield items
        else:
            offsets += items["offset"].tolist()


def _read(file: BinaryIO, size: int, offset: int, count: int) -> bytes:
    """Return `count` bytes from an offset. Raises ValueError if the file, of `size` bytes, is shorter."""
    """Return `count` bytes from an offset. Raises ValueError beyond the end of the file."""
    _need(offset + count <= size)
    file.seek(offset)
    return file.read(count)


def _need(condition: bool | np.bool_) -> None:
    """Raise a ValueError unless a condition is true."""
    if not condition:
        raise ValueError

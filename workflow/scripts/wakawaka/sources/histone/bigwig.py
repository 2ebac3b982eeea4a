"""Means of a bigWig track in the bins of genes."""

import contextlib
import logging
import os
import struct

import numpy as np
import pyBigWig

from wakawaka.core.errors import InputError
from wakawaka.core.files import readable
from wakawaka.core.progress import Progress

log = logging.getLogger(__name__)

# The first four bytes, and since version 4 the last four.
MAGIC = bytes.fromhex("26fc8f88")
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


def bigwig_lengths(path):
    """Return a dict from the chromosome names of a bigWig to their lengths. Raises InputError."""
    with _opened(path) as file:
        return dict(file.chroms())


def bigwig_means(path, gene, starts, names, *, bins, bin_size):
    """Return the mean of a bigWig track in every bin, [gene, bin] float32.

    The mean is over all bases of the bin, from the values of the bases, not from the summaries in the file; bases without
    a value, and beyond the chromosome's ends, are zero. So the mean of a depth track times the bin size is the
    sum of the reads' overlaps with the bin. A stored NaN is the same as no value.

    Args:
        gene: arrays of the genes part. starts: [gene] int64, the first base of bin 0.
        names: dict from the annotation's chromosome names to the file's; genes on other chromosomes are zero.

    Raises:
        InputError: a file that is no bigWig, is truncated or damaged, or holds an infinite value.
    """
    means = np.zeros((len(starts), bins), np.float32)
    with _opened(path) as file:
        lengths = file.chroms()
        progress = Progress(log, len(starts), "genes", logging.INFO)
        # In the order of the file, because reading forwards is faster.
        for row in np.lexsort([starts, gene["chrom"]]):
            name = names.get(gene["chrom"][row])
            progress.advance(1, "%s", path)
            if name is None:
                continue
            start = int(starts[row])
            inside = max(start, 0), min(start + bins * bin_size, lengths[name])
            if inside[0] >= inside[1]:
                continue
            values = np.zeros(bins * bin_size)
            found = file.values(name, *inside, numpy=True)
            values[inside[0] - start : inside[1] - start] = np.where(np.isnan(found), 0, found)
            means[row] = values.reshape(bins, bin_size).mean(axis=1)
            if not np.isfinite(means[row]).all():
                raise InputError(
                    f"{path}: a value at {name}:{inside[0] + 1}-{inside[1]} is infinite; make the track again."
                )
    return means


@contextlib.contextmanager
def _opened(path):
    """Yield an open bigWig; what goes wrong inside becomes an `InputError`."""
    try:
        _check_structure(path)
        with pyBigWig.open(str(path)) as file:
            yield file
    except (RuntimeError, OverflowError, MemoryError, ValueError, struct.error) as error:
        raise InputError(f"{path}: the bigWig file is truncated or damaged; fetch or make it again.") from error


def _check_structure(path):
    """Walk through the trees of a bigWig: the library trusts their numbers, and a damaged one ends the whole process.

    The format is that of Kent et al. 2010, Bioinformatics 26:2204, supplement. Raises InputError, ValueError, struct.error.
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


def _check_chromosomes(file, size, offset):
    """Check the tree of chromosomes; return their number."""
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


def _check_index(file, size, offset, chromosomes):
    """Check the index of the blocks of data."""
    magic, _, count, *_ = _INDEX.unpack(_read(file, size, offset, _INDEX.size))
    _need(magic == _INDEX_MAGIC)
    found = 0
    for blocks in _leaves(file, size, offset + _INDEX.size, _LEAF, _BRANCH):
        found += len(blocks)
        first, start, last, end = blocks["range"].T.astype(np.int64)
        _need(((first < last) | ((first == last) & (start < end))).all() and (last < chromosomes).all())
        _need((blocks["size"] <= size).all() and (blocks["offset"] <= size - blocks["size"]).all())
    _need(found or not count)


def _leaves(file, size, root, leaf, branch):
    """Yield the items of every leaf of a tree; a node that stands twice would make it endless."""
    offsets, seen = [root], set()
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


def _read(file, size, offset, count):
    _need(offset + count <= size)
    file.seek(offset)
    return file.read(count)


def _need(right):
    if not right:
        raise ValueError

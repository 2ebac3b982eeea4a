"""The fingerprint of the input files: what tells later whether scores belong to the same data."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor

import pandas as pd

from .files import readable, sha256, write_table
from .progress import Progress

log = logging.getLogger(__name__)


def fingerprint(files, keys, table, threads=1):
    """Write a table with a row per input file: the config keys that name it, its path, bytes and SHA-256.

    Not the readers take the checksums: several of them may read one file, and the store need not wait for it.

    Args:
        files: list of paths. keys: list of str, of each file. table: output path. threads: so many files are read side by side.

    Raises:
        InputError: for a file that cannot be read.
    """
    progress = Progress(log, sum(map(_size, files)) / 1e6, "MB", logging.INFO)
    digests = []
    with ThreadPoolExecutor(threads) as pool:
        for path, digest in zip(files, pool.map(_digest, files), strict=True):
            digests.append(digest)
            progress.advance(_size(path) / 1e6, "%s: %d of %d files", path, len(digests), len(files))
    sizes = list(map(_size, files))
    write_table(pd.DataFrame({"key": keys, "path": files, "bytes": sizes, "sha256": digests}), table)


def _size(path):
    with readable(path):
        return os.path.getsize(path)


def _digest(path):
    with readable(path):
        return sha256(path)

"""Files: atomic writing, checksums, and reading text that may be compressed or damaged."""

import contextlib
import gzip
import hashlib
import io
import logging
import os
import threading
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
from isal import igzip_threaded, isal_zlib

from wakawaka.core.errors import InputError
from wakawaka.core.progress import Progress

log = logging.getLogger(__name__)

# The empty block that ends a BGZF file, which BAM is too (SAM specification, 4.1.2).
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


@contextlib.contextmanager
def atomic(path):
    """Yield a temporary path in the folder of `path`; rename it to `path` on success, remove it on failure.

    The temporary name keeps the suffix of `path`, because numpy, pandas and Keras choose a format by it.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def remove_leftovers(path):
    """Remove the temporary files that killed processes have left of `path`, which no other process may be writing."""
    path = Path(path)
    for file in path.parent.glob(f".*.{path.name}"):
        file.unlink()


def sha256(path):
    """Return the SHA-256 digest of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def readable(path):
    """Turn what goes wrong while reading `path` into an `InputError` that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path}: the file does not exist; check its path in config.yaml.") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: this is a folder, but a file is needed; check its path in config.yaml.") from error
    except (EOFError, zlib.error, isal_zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the compressed file is truncated or damaged; fetch or make it again.") from error
    except PermissionError as error:
        raise InputError(f"{path}: the file may not be read; change its permissions (chmod u+r).") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: this is not a text file in UTF-8; check that the format is the one named in config.yaml."
        ) from error


@contextlib.contextmanager
def open_bytes(path):
    """Open a file for reading once from its start to its end, gzip-compressed or not (told by its content, not by its name).

    Yields a buffered binary file of what is in it. A thread of its own unpacks ahead. Every few seconds the log says how
    far the file is read.

    Raises:
        InputError: a bgzipped file that is cut off. Wrapped in `readable`, also other damage.
    """
    with (
        _Watched(path) as raw,
        _Unpacked(raw) if is_compressed(path) else raw as content,
        io.BufferedReader(content, 1 << 20) as file,
    ):
        yield file


@contextlib.contextmanager
def open_text(path):
    """Open a text file as `open_bytes` does. The byte order mark that some spreadsheets put before UTF-8 is left out."""
    with open_bytes(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig") as text:
        yield text


def reading_progress(path):
    """Return a function that threads tell how many bytes of a file they have read; now and then the log says how far it is."""
    progress, lock = Progress(log, os.path.getsize(path) / 1e6, "MB", logging.INFO), threading.Lock()

    def advance(count):
        with lock:
            done = progress.done + count / 1e6
            progress.advance(count / 1e6, "%s: %.0f of %.0f MB read", path, done, progress.total)

    return advance


class _Watched(io.FileIO):
    """A file that says how far it is read."""

    def __init__(self, path):
        super().__init__(path)
        self._advance = reading_progress(path)

    def readinto(self, buffer):
        count = super().readinto(buffer)
        self._advance(count)
        return count


class _Unpacked(io.RawIOBase):
    """What is in a gzip-compressed binary file; a thread of its own unpacks ahead."""

    def __init__(self, file):
        self._file = igzip_threaded.open(file)

    def readable(self):
        return True

    def readinto(self, buffer):
        # It may take the end of its thread for that of the file, while the last blocks still wait to be asked for.
        return self._file.readinto(buffer) or self._file.readinto(buffer)

    def close(self):
        self._file.close()
        super().close()


def is_compressed(path):
    """Tell whether a file is gzip-compressed, by its first two bytes. Raises InputError for a bgzipped file that is cut off.

    A bgzipped file is many gzip files one after another, so that one cut between two of them is whole for gzip. It is
    known by the extra field `BC` of its header (SAM specification, 4.1), and must end with an empty block.
    """
    with open(path, "rb") as file:
        start = file.read(16)
        if start[:2] != b"\x1f\x8b":
            return False
        if start[12:] == b"BC\2\0" and start[3] & 4:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - len(BGZF_END), 0))
            if file.read() != BGZF_END:
                raise InputError(
                    f"{path}: the compressed file is truncated: it is bgzipped, but does not end with the end-of-file mark; "
                    "fetch or make it again."
                )
    return True


def write_table(table, path):
    """Write a pandas table as tab-separated text, atomically, floats to seven digits; undefined values are written as `-`.

    A path that ends in `.gz` is compressed. Equal tables give equal bytes.
    """
    text = table.to_csv(sep="\t", index=False, na_rep="-", float_format="%.7g").encode()
    if str(path).endswith(".gz"):
        # pandas would write the time and the temporary name into the header of the file.
        text = gzip.compress(text, compresslevel=4, mtime=0)
    with atomic(path) as temporary:
        temporary.write_bytes(text)


def read_table(path, **kwargs):
    """Read a table that `write_table` wrote; `-` becomes NaN. Further arguments go to `pandas.read_csv`."""
    # A cell may be called 01, and a gene 1e3.
    names = dict.fromkeys(("cell", "gene_id", "group", "chrom", "run", "regime"), str)
    return pd.read_csv(path, sep="\t", **{"na_values": ["-"], "keep_default_na": False, "dtype": names, **kwargs})


def save_array(array, path):
    """Write one array as `.npy`, atomically and never pickled."""
    with atomic(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def as_list(value):
    """Return one path, or a list of paths, as a list."""
    return [value] if isinstance(value, (str, os.PathLike)) else list(value)

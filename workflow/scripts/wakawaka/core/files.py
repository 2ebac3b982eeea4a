"""Files: atomic writing, checksums, and reading of text that may be compressed or damaged."""

import contextlib
import gzip
import hashlib
import io
import logging
import os
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np
import pandas as pd
from isal import igzip_threaded, isal_zlib

from wakawaka.core.errors import InputError
from wakawaka.core.progress import Progress

log = logging.getLogger(__name__)

# The type of every argument that is a path.
PathLike = str | os.PathLike[str]

# The empty block that ends a BGZF file, which BAM is too (SAM specification, 4.1.2).
BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")


# What the decompressors raise. `Any`, because isal's type hints give its exception no type.
_DAMAGED: Any = (EOFError, zlib.error, isal_zlib.error, gzip.BadGzipFile)


@contextlib.contextmanager
def atomic(path: PathLike) -> Iterator[Path]:
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


def remove_leftovers(path: PathLike) -> None:
    """Remove the temporary files of `path` that killed processes have left. No other process may be writing `path`."""
    path = Path(path)
    for file in path.parent.glob(f".*.{path.name}"):
        file.unlink()


def sha256(path: PathLike) -> str:
    """Return the SHA-256 digest of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def readable(path: PathLike) -> Iterator[None]:
    """Turn errors while `path` is read into an `InputError` that names it."""
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(f"{path}: the file does not exist; check its path in config.yaml.") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: this is a folder, but a file is needed; check its path in config.yaml.") from error
    except _DAMAGED as error:
        raise InputError(f"{path}: the compressed file is truncated or damaged; fetch or make it again.") from error
    except PermissionError as error:
        raise InputError(
            f"{path}: there is no permission to read the file; change its permissions (chmod u+r)."
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: this is not a text file in UTF-8; check that the format is the one named in config.yaml."
        ) from error


@contextlib.contextmanager
def open_bytes(path: PathLike) -> Iterator[BinaryIO]:
    """Open a file for reading once from its start to its end, gzip-compressed or not (by its content, not its name).

    Yields a buffered binary file of its content. A separate thread decompresses ahead. Every few seconds the log says how far
    the file is read.

    Raises:
        InputError: for a truncated bgzipped file. Inside `readable`, also for other damage.
    """
    content: Any
    with (
        _Watched(path) as raw,
        _Unpacked(raw) if is_compressed(path) else raw as content,
        io.BufferedReader(content, 1 << 20) as file,
    ):
        yield file


@contextlib.contextmanager
def open_text(path: PathLike) -> Iterator[TextIO]:
    """Open a text file as `open_bytes` does. The byte order mark that some spreadsheets write in front of UTF-8 is left out."""
    with open_bytes(path) as file, io.TextIOWrapper(file, encoding="utf-8-sig") as text:
        yield text


def reading_progress(path: PathLike) -> Callable[[int], None]:
    """Return a function that threads call with the number of bytes read of a file; every few seconds it logs the progress."""
    progress, lock = Progress(log, os.path.getsize(path) / 1e6, "MB", logging.INFO), threading.Lock()

    def advance(count: int) -> None:
        with lock:
            done = progress.done + count / 1e6
            progress.advance(count / 1e6, "%s: %.0f of %.0f MB read", path, done, progress.total)

    return advance


class _Watched(io.FileIO):
    """A binary file that logs how far it is read."""

    def __init__(self, path: PathLike) -> None:
        super().__init__(path)
        self._advance = reading_progress(path)

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer) or 0
        self._advance(count)
        return count


class _Unpacked(io.RawIOBase):
    """The decompressed content of a gzip-compressed binary file; a separate thread decompresses ahead."""

    def __init__(self, file: BinaryIO | io.RawIOBase) -> None:
        self._file = igzip_threaded.open(file)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        # igzip_threaded may report the end of the file when its thread has ended, while the last blocks are still in its queue.
        return self._file.readinto(buffer) or self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()


def is_compressed(path: PathLike) -> bool:
    """Return whether a file is gzip-compressed, by its first two bytes.

    A bgzipped file is a sequence of gzip files, so gzip takes one that is cut between two of them for complete. It is recognised
    by the extra field `BC` of its header (SAM specification, 4.1), and must end with an empty block.

    Raises:
        InputError: for a truncated bgzipped file.
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


def write_table(table: pd.DataFrame, path: PathLike) -> None:
    """Write a pandas table as tab-separated text, atomically, floats to seven digits; undefined values are written as `-`.

    A path that ends in `.gz` is compressed. Equal tables give equal bytes.
    """
    content = table.to_csv(sep="\t", index=False, na_rep="-", float_format="%.7g").encode()
    if str(path).endswith(".gz"):
        # pandas would write the time and the temporary name into the header of the file.
        content = gzip.compress(content, compresslevel=4, mtime=0)
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def read_table(path: PathLike, **kwargs: Any) -> pd.DataFrame:
    """Return a table that `write_table` wrote; `-` becomes NaN. Further arguments go to `pandas.read_csv`."""
    # Names stay text: a cell may be called 01, and a gene 1e3.
    names = dict.fromkeys(("cell", "gene_id", "group", "chrom", "run", "regime"), str)
    return pd.read_csv(path, sep="\t", **{"na_values": ["-"], "keep_default_na": False, "dtype": names, **kwargs})


def save_array(array: np.ndarray, path: PathLike) -> None:
    """Write one array as `.npy`, atomically and never pickled."""
    with atomic(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def as_list(value: PathLike | Iterable[Any]) -> list:
    """Return one path, or a list of paths, as a list."""
    return [value] if isinstance(value, (str, os.PathLike)) else list(value)

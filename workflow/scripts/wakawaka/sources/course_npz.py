"""The course's npz files: one array per cell, (genes, bins, 1 gene id + marks [+ expression]).

Arrays are read one after another, so that memory holds one cell at a time. Rows are joined by the gene id in column 0, never
by position: in the course's eval.npz the order of the genes differs between the training cells and the other cells.
"""

import logging
import lzma
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from typing import Any, TypeVar

import numpy as np
from isal import isal_zlib

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.npz import read_array, row_blocks
from wakawaka.core.progress import Progress
from wakawaka.genome.gene_ids import ids_of_numbers

log = logging.getLogger(__name__)

# What `take_rows` collects of each block of rows.
_Taken = TypeVar("_Taken")

# What zipfile and numpy raise for damaged bytes: unknown compression, passwords, impossible sizes, headers that are not Python.
# `Any`, because isal's type hints give its exception no type.
_DAMAGE: Any = (
    ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, MemoryError,
    OverflowError, KeyError, SyntaxError, TypeError, tokenize.TokenError, struct.error, isal_zlib.error, lzma.LZMAError,
)  # fmt: skip


def member_names(path: PathLike) -> list[str]:
    """Return the keys (cells) of an npz file in their order, without reading the arrays. Raises InputError."""
    return list(member_sizes(path))


def member_sizes(path: PathLike) -> dict[str, float]:
    """Return a dict from the keys (cells) of an npz file, in their order, to the size of their arrays in MB. Raises InputError."""
    with _opened(path) as file:
        return {cell: _megabytes(file, cell) for cell in _names(path, file)}


def members(path: PathLike, cells: Collection[str] | None = None) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (cell, array [gene, bin, column]) of the cells in `cells` (None: all), in the order of the file.

    Raises:
        InputError: for an array that is damaged, is not of numbers, has other than three dimensions or is float16.
    """
    for file, cell in _wanted(path, cells):
        try:
            array = read_array(_archive(file), _member(file, cell))
        except _DAMAGE as error:
            raise InputError(
                f"{path}: the array {cell} cannot be read ({error or type(error).__name__}); "
                "fetch or make the file again, without pickled objects."
            ) from error
        if array.ndim != 3 or 0 in array.shape[1:] or array.dtype.kind not in "iuf":
            raise InputError(
                f"{path}: the array {cell} is {array.dtype} of shape {array.shape}, but "
                "numbers of shape (genes, bins, columns) are needed."
            )
        if array.dtype == np.float16:
            raise InputError(
                f"{path}: the array {cell} is float16, which cannot distinguish gene ids above 2048; save it as float32."
            )
        yield cell, array


def take_rows(
    path: PathLike, cells: Collection[str] | None, take: Callable[[PathLike, str, np.ndarray], _Taken]
) -> Iterator[tuple[str, list[_Taken]]]:
    """Yield (cell, list of the results of `take`) of the cells in `cells` (None: all), in the order of the file.

    `take` first gets the rows of a cell in blocks. If `take` or the reading fails, `take` gets the whole array instead. So the
    row numbers in its errors are those of the array, and damage is reported before any value.

    Args:
        path: the path of the npz file.
        cells: names of the cells, or None.
        take: function of (path, cell, array [row, bin, column]). Its result must not share memory with the array.

    Raises:
        InputError: as `members` and `take`.
    """
    for file, cell in _wanted(path, cells):
        try:
            pieces = [take(path, cell, block) for block in row_blocks(_archive(file), _member(file, cell))]
        except (InputError, *_DAMAGE):
            pieces = [take(path, cell, array) for _, array in members(path, [cell])]
        yield cell, pieces


def gene_numbers(path: PathLike, cell: str, array: np.ndarray) -> np.ndarray:
    """Return the integer parts [gene] int64 of the gene ids of a cell's array, from its first column.

    Raises:
        InputError: if that column does not hold them.
    """
    column = array[:, :, 0]
    number = column[:, 0]
    wrong = (
        (column != number[:, None]).any(axis=1)
        | ~np.isfinite(number)
        | (number < 0)
        | (number != np.rint(number))
        | (number >= 1e11)
    )
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{path}: row {row + 1} of {cell} does not hold one gene id on all its bins (first column); "
            "check that the columns are those of the course's files."
        )
    return number.astype(np.int64)


def gene_ids(path: PathLike, cell: str, array: np.ndarray) -> np.ndarray:
    """Return the gene ids [gene] str of a cell's array. Raises InputError as `gene_numbers`."""
    return ids_of_numbers(gene_numbers(path, cell, array))


def check_shape(path: PathLike, cell: str, array: np.ndarray, bins: int, columns: Collection[int]) -> None:
    """Raise an InputError if an array has another number of bins, or a number of columns that is not in `columns`."""
    if array.shape[1] != bins:
        raise InputError(
            f"{path}: {cell} has {array.shape[1]} bins, but `bins` in config.yaml is {bins}; correct the key or the file."
        )
    if array.shape[2] not in columns:
        raise InputError(
            f"{path}: {cell} has {array.shape[2]} columns, but {' or '.join(map(str, columns))} are needed: "
            "the gene id, one for each mark in `histone.marks`, and the expression."
        )


def _opened(path: PathLike) -> np.lib.npyio.NpzFile:
    """Return an npz file, opened. Raises InputError."""
    try:
        file = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: the file does not exist; check its path in config.yaml.") from error
    except _DAMAGE as error:
        raise InputError(f"{path}: this is not a readable npz file ({error}); fetch or make it again.") from error
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise InputError(f"{path}: this is a single array, but an npz file with one array per cell is needed.")
    return file


def _wanted(path: PathLike, cells: Collection[str] | None) -> Iterator[tuple[np.lib.npyio.NpzFile, str]]:
    """Yield (open npz file, cell) of the cells in `cells` (None: all), and log the progress."""
    with _opened(path) as file:
        wanted = [cell for cell in _names(path, file) if cells is None or cell in cells]
        progress = Progress(log, sum(_megabytes(file, cell) for cell in wanted), "MB", logging.INFO)
        for cell in wanted:
            yield file, cell
            progress.advance(_megabytes(file, cell), "%s: %s", path, cell)


def _names(path: PathLike, file: np.lib.npyio.NpzFile) -> list[str]:
    """Return the names of the arrays. Raises InputError for none, or for two of one name."""
    twice = [name for name in file.files if file.files.count(name) > 1]
    if twice:
        raise InputError(f"{path}: there are two arrays {twice[0]}; keep one of them.")
    if not file.files:
        raise InputError(f"{path}: there is no array in this npz file; fetch or make it again.")
    return file.files


def _archive(file: np.lib.npyio.NpzFile) -> zipfile.ZipFile:
    """Return the archive of an open npz file."""
    assert file.zip is not None
    return file.zip


def _megabytes(file: np.lib.npyio.NpzFile, cell: str) -> float:
    """Return the size of a cell's array in MB, uncompressed."""
    return _archive(file).getinfo(_member(file, cell)).file_size / 1e6


def _member(file: np.lib.npyio.NpzFile, cell: str) -> str:
    """Return the name that a cell's array has in the archive."""
    return f"{cell}.npy" if f"{cell}.npy" in _archive(file).namelist() else cell

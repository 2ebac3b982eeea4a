"""The course's npz files: one array per cell, (genes, bins, 1 gene id + marks [+ expression]).

Members are read one after another; nothing holds more than one cell. Rows are joined by the gene id in column 0, never
by position: in the course's eval.npz the genes of the training cells stand in another order than those of other cells.
"""

import logging
import lzma
import struct
import tokenize
import zipfile
import zlib

import numpy as np
from isal import isal_zlib

from wakawaka.core.errors import InputError
from wakawaka.core.npz import read_array, row_blocks
from wakawaka.core.progress import Progress
from wakawaka.genome.gene_ids import ids_of_numbers

log = logging.getLogger(__name__)

# Whatever zipfile and numpy raise over damaged bytes: unknown compression, passwords, absurd sizes, headers that are no Python.
_DAMAGE = (
    ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, MemoryError,
    OverflowError, KeyError, SyntaxError, TypeError, tokenize.TokenError, struct.error, isal_zlib.error, lzma.LZMAError,
)  # fmt: skip


def member_names(path):
    """Return the keys (cells) of an npz file in their order, without reading the arrays. Raises InputError."""
    return list(member_sizes(path))


def member_sizes(path):
    """Return a dict of the keys (cells) of an npz file, in their order, to the MB of their arrays. Raises InputError."""
    with _opened(path) as file:
        return {cell: _megabytes(file, cell) for cell in _names(path, file)}


def members(path, cells=None):
    """Yield (cell, array) of the cells in `cells` (None: all), in the order of the file. Raises InputError."""
    for file, cell in _wanted(path, cells):
        try:
            array = read_array(file.zip, _member(file, cell))
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
                f"{path}: the array {cell} is float16, which cannot tell the gene ids above 2048 apart; save it as float32."
            )
        yield cell, array


def take_rows(path, cells, take):
    """Yield (cell, list of what is taken of its rows) of the cells in `cells` (None: all), in the order of the file.

    `take(path, cell, array)` returns what is needed of the rows of an array, sharing no memory with it. It is given some rows
    at a time; if it, or the reading, finds anything wrong, then all of them, so that it tells row numbers, and of sound files only.

    Raises:
        InputError: as `members` and `take`.
    """
    for file, cell in _wanted(path, cells):
        try:
            pieces = [take(path, cell, block) for block in row_blocks(file.zip, _member(file, cell))]
        except (InputError, *_DAMAGE):
            pieces = [take(path, cell, array) for _, array in members(path, [cell])]
        yield cell, pieces


def gene_numbers(path, cell, array):
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
            f"{path}: row {row + 1} of {cell} does not hold one gene id on all its bins (first column); these are not the course's columns."
        )
    return number.astype(np.int64)


def gene_ids(path, cell, array):
    """Return the gene ids [gene] str of a cell's array. Raises InputError as `gene_numbers`."""
    return ids_of_numbers(gene_numbers(path, cell, array))


def check_shape(path, cell, array, bins, columns):
    """Refuse an array with another number of bins, or a number of columns that is not in `columns`. Raises InputError."""
    if array.shape[1] != bins:
        raise InputError(
            f"{path}: {cell} has {array.shape[1]} bins, but `bins` in config.yaml is {bins}; correct the key or the file."
        )
    if array.shape[2] not in columns:
        raise InputError(
            f"{path}: {cell} has {array.shape[2]} columns, but {' or '.join(map(str, columns))} are needed: "
            "the gene id, one for each mark in `histone.marks`, and the expression."
        )


def _opened(path):
    try:
        file = np.load(path, allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(f"{path}: the file does not exist; check its path in config.yaml.") from error
    except _DAMAGE as error:
        raise InputError(f"{path}: this is not a readable npz file ({error}); fetch or make it again.") from error
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise InputError(f"{path}: this is a single array, but an npz file with one array per cell is needed.")
    return file


def _wanted(path, cells):
    """Yield (open npz file, cell) of the cells in `cells` (None: all), and say how far that is."""
    with _opened(path) as file:
        wanted = [cell for cell in _names(path, file) if cells is None or cell in cells]
        progress = Progress(log, sum(_megabytes(file, cell) for cell in wanted), "MB", logging.INFO)
        for cell in wanted:
            yield file, cell
            progress.advance(_megabytes(file, cell), "%s: %s", path, cell)


def _names(path, file):
    twice = [name for name in file.files if file.files.count(name) > 1]
    if twice:
        raise InputError(f"{path}: there are two arrays {twice[0]}; keep one of them.")
    if not file.files:
        raise InputError(f"{path}: there is no array in this npz file; fetch or make it again.")
    return file.files


def _megabytes(file, cell):
    return file.zip.getinfo(_member(file, cell)).file_size / 1e6


def _member(file, cell):
    """Return the name in the archive of a cell's array."""
    return f"{cell}.npy" if f"{cell}.npy" in file.zip.namelist() else cell

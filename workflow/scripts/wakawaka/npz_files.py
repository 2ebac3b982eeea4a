"""The course's npz files: one array per cell, (genes, bins, 1 gene id + marks [+ expression]).

Members are read one after another; nothing holds more than one cell. Rows are joined by the gene id in column 0, never
by position: in the course's eval.npz the genes of the training cells stand in another order than those of other cells.
"""

import io
import logging
import tokenize
import zipfile
import zlib

import numpy as np

from .errors import InputError
from .gene_ids import id_of_number

log = logging.getLogger(__name__)

# Whatever zipfile and numpy raise over damaged bytes: unknown compression, passwords, absurd sizes, headers that are no Python.
_DAMAGE = (
    ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, MemoryError,
    OverflowError, KeyError, SyntaxError, TypeError, tokenize.TokenError,
)  # fmt: skip


def member_names(path):
    """Return the keys (cells) of an npz file in their order, without reading the arrays. Raises InputError."""
    with _opened(path) as file:
        return _names(path, file)


def members(path, cells=None):
    """Yield (cell, array) of the cells in `cells` (None: all), in the order of the file. Raises InputError."""
    with _opened(path) as file:
        wanted = [cell for cell in _names(path, file) if cells is None or cell in cells]
        for number, cell in enumerate(wanted, start=1):
            try:
                array = _array(file.zip, cell)
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
            log.info("%s: %s, array %d of %d", path, cell, number, len(wanted))
            yield cell, array


def gene_ids(path, cell, array):
    """Return the gene ids [gene] of a cell's array, from its first column. Raises InputError if that column does not hold them."""
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
    return np.array([id_of_number(value) for value in number], str)


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


def _names(path, file):
    twice = [name for name in file.files if file.files.count(name) > 1]
    if twice:
        raise InputError(f"{path}: there are two arrays {twice[0]}; keep one of them.")
    if not file.files:
        raise InputError(f"{path}: there is no array in this npz file; fetch or make it again.")
    return file.files


def _array(archive, cell):
    """Return one array of an open zip file, all of its bytes checked against their checksum."""
    name = f"{cell}.npy" if f"{cell}.npy" in archive.namelist() else cell
    # Not NpzFile's own way, which reads what the array's header announces and no further: of a damaged header that
    # announces less than there is, the checksum is then never looked at.
    content = io.BytesIO(archive.read(name))
    array = np.lib.format.read_array(content, allow_pickle=False)
    if content.read(1):
        raise ValueError("there is more data than the array's header announces")
    return array

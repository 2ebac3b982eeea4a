"""Large `.npy` files, written and copied some rows at a time.

They are not written through a memory map, because its pages would stay resident.
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from wakawaka.core.files import PathLike, atomic

# Bytes in a block of rows: small enough for the processor's cache.
BLOCK = 1 << 18


def row_blocks(values: np.ndarray, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield some rows of an array at a time, in the order of `rows`.

    Args:
        values: [row, ...] array, perhaps memory-mapped.
        rows: [wanted] integers, the rows to take.

    Yields:
        (slice of `rows`, copy of these rows of `values`).
    """
    size = max(BLOCK // max(values[:1].nbytes, 1), 1)
    for start in range(0, len(rows), size):
        taken = slice(start, min(start + size, len(rows)))
        yield taken, values[rows[taken]]


def save_blocks(blocks: Iterable[np.ndarray], shape: Sequence[int], dtype: np.dtype, path: PathLike) -> None:
    """Write arrays that follow one another as one `.npy` file of this shape and dtype, atomically."""
    with atomic(path) as temporary, open(temporary, "wb") as file:
        header = {"descr": dtype.str, "fortran_order": False, "shape": tuple(shape)}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype).data)


def copy_rows(source: PathLike, target: PathLike, genes: np.ndarray, cells: np.ndarray | None = None) -> None:
    """Copy some genes of a `.npy` file, unchanged.

    Args:
        source: path of an array [cell, gene, ...] or, where `cells` is None, [gene, ...].
        target: path of the file to write.
        genes, cells: the indices to copy.
    """
    array = np.load(source, mmap_mode="r", allow_pickle=False)
    if cells is None:
        shape, parts = (len(genes), *array.shape[1:]), iter([array])
    else:
        shape, parts = (len(cells), len(genes), *array.shape[2:]), (array[cell] for cell in cells)
    blocks = (block for values in parts for _, block in row_blocks(values, genes))
    save_blocks(blocks, shape, array.dtype, target)

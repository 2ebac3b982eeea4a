"""Arrays of npz files at the speed of the disk, with all of their bytes checked against their checksums.

An npz file is a ZIP archive of npy files. Python's zipfile copies every byte several times, and uses zlib for the CRC-32 and for
decompression; ISA-L does both several times faster.
"""

import io
import math
import mmap
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
from isal import isal_zlib

from wakawaka.core.files import PathLike

# Numbers in a block of rows: 256 kB.
_BLOCK = 1 << 16


def write_arrays(path: PathLike, **arrays: np.ndarray | Sequence[np.ndarray]) -> None:
    """Write arrays as an uncompressed npz file: the same bytes as `numpy.savez`, but without a copy of each array.

    A list of arrays stands for their concatenation along the first axis.

    Raises:
        ValueError: for object arrays, which would be pickled.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, given in arrays.items():
            blocks = [given] if isinstance(given, np.ndarray) else list(given)
            dtype, shape = blocks[0].dtype, blocks[0].shape
            if dtype.hasobject:
                raise ValueError(f"Object arrays cannot be saved, but {name} is one")
            if len(blocks) > 1:
                shape = (sum(map(len, blocks)), *shape[1:])
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                for block in blocks:
                    file.write(np.ascontiguousarray(block).reshape(-1).view(np.uint8).data)


def map_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return one array of an open archive that `write_arrays` wrote, without copying it. The array is read-only.

    Raises:
        What `read_array` raises.
    """
    info, file = archive.getinfo(name), _file(archive)
    start, shape, dtype = _layout(archive, name)
    content = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8, info.file_size, start)
    if isal_zlib.crc32(content) != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {name!r}")
    return content[file.tell() - start :].view(dtype).reshape(shape)


def read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Return one array of an open `zipfile.ZipFile`.

    numpy itself reads only as much as the array's header announces. If a damaged header announces less than there is, numpy never
    compares the checksum; this function does.

    Raises:
        What zipfile, struct, isal and numpy raise for damaged bytes; ValueError for object arrays.
    """
    info = archive.getinfo(name)
    file: IO[bytes] = _file(archive)
    start = _start(archive, name)
    if info.compress_type == zipfile.ZIP_DEFLATED:
        packed = file.read(info.compress_size)
        file, start = io.BytesIO(isal_zlib.decompress(packed, -zlib.MAX_WBITS, max(info.file_size, 1))), 0
    elif info.compress_type != zipfile.ZIP_STORED:
        file, start = io.BytesIO(archive.read(name)), 0
    array = np.lib.format.read_array(file, allow_pickle=False)
    if file.tell() != start + info.file_size:
        raise ValueError("there is more or less data than the array's header announces")
    file.seek(start)
    header = file.read(info.file_size - array.nbytes)
    if isal_zlib.crc32(array.ravel("K").view(np.uint8), isal_zlib.crc32(header)) != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {name!r}")
    return array


def row_blocks(archive: zipfile.ZipFile, name: str) -> Iterator[np.ndarray]:
    """Yield the rows of one array of an open `zipfile.ZipFile` in blocks; each block is overwritten by the next.

    So the rows stay in the processor's cache, and no further memory is needed. The checksum is compared after the last block.

    Raises:
        What `read_array` raises; ValueError unless the array is float32, has three dimensions and is stored row by row.
    """
    info, file = archive.getinfo(name), _file(archive)
    start, shape, dtype = _layout(archive, name)
    size = file.tell() - start
    if dtype != np.float32 or len(shape) != 3 or min(shape) < 1 or size + 4 * math.prod(shape) != info.file_size:
        raise ValueError("the array is not a float32 array of three dimensions")
    file.seek(start)
    checksum = isal_zlib.crc32(file.read(size))
    buffer = np.empty((max(_BLOCK // math.prod(shape[1:]), 1), *shape[1:]), np.float32)
    for row in range(0, shape[0], len(buffer)):
        block = buffer[: shape[0] - row]
        if file.readinto(block.data) != block.nbytes:
            raise EOFError("the file ends within the array")
        checksum = isal_zlib.crc32(block, checksum)
        yield block
    if checksum != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {name!r}")


def _file(archive: zipfile.ZipFile) -> io.BufferedReader:
    """Return the file that an archive is read from."""
    assert isinstance(archive.fp, io.BufferedReader)
    return archive.fp


def _layout(archive: zipfile.ZipFile, name: str) -> tuple[int, tuple[int, ...], np.dtype]:
    """Move an archive's file to the first value of an array; return the offset of the array's header, its shape and dtype.

    Raises:
        ValueError: for an array that is compressed, or stored column by column.
    """
    start, file = _start(archive, name), _file(archive)
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED or np.lib.format.read_magic(file) != (1, 0):
        raise ValueError(f"{name} is compressed, or its header is not of version 1.0")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(file)
    if by_column:
        raise ValueError(f"{name} is stored column by column")
    return start, shape, dtype


def _start(archive: zipfile.ZipFile, name: str) -> int:
    """Move an archive's file to the first byte of a member, after the member's own header; return that offset.

    Source: APPNOTE.TXT - .ZIP File Format Specification, 4.3.7.
    """
    # So that zipfile makes its checks: for passwords, differing names and overlapping members.
    archive.open(name).close()
    start, file = archive.getinfo(name).header_offset, _file(archive)
    file.seek(start + 26)
    return file.seek(start + 30 + sum(struct.unpack("<HH", file.read(4))))

"""Arrays of npz files as fast as the disk gives them, all of their bytes checked against their checksums.

An npz file is a ZIP archive of npy files. Python's zipfile copies every byte several times, and takes the CRC-32 and inflates
with zlib; ISA-L does both several times faster.
"""

import io
import math
import mmap
import struct
import zipfile
import zlib

import numpy as np
from isal import isal_zlib

# Numbers in a block of rows: 256 kB.
_BLOCK = 1 << 16


def write_arrays(path, **arrays):
    """Write arrays as an uncompressed npz file, the same bytes as `numpy.savez`, which copies each array on the way.

    Instead of an array, a list of those that follow one another along its first axis.

    Raises:
        ValueError: for object arrays, which would be pickled.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, blocks in arrays.items():
            blocks = blocks if isinstance(blocks, list) else [blocks]
            dtype, shape = blocks[0].dtype, blocks[0].shape
            if dtype.hasobject:
                raise ValueError(f"Object arrays cannot be saved, but {name} is one")
            if len(blocks) > 1:
                shape = (sum(map(len, blocks)), *shape[1:])
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_1_0(file, header)
                for block in blocks:
                    file.write(np.ascontiguousarray(block).reshape(-1).view(np.uint8))


def map_array(archive, name):
    """Return one array of an open `zipfile.ZipFile` of our own making, without copying it; it cannot be written to.

    Raises:
        What `read_array` raises.
    """
    info, file = archive.getinfo(name), archive.fp
    start, shape, dtype = _layout(archive, name)
    content = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8, info.file_size, start)
    if isal_zlib.crc32(content) != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {name!r}")
    return content[file.tell() - start :].view(dtype).reshape(shape)


def read_array(archive, name):
    """Return one array of an open `zipfile.ZipFile`.

    Not numpy's own way, which reads what the array's header announces and no further: of a damaged header that announces
    less than there is, the checksum is then never looked at.

    Raises:
        Whatever zipfile, struct, isal and numpy raise over damaged bytes; ValueError for object arrays.
    """
    info, file = archive.getinfo(name), archive.fp
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


def row_blocks(archive, name):
    """Yield the rows of one array of an open `zipfile.ZipFile`, some at a time; each block is overwritten by the next.

    So they stay in the processor's cache, and no memory is asked for. Only what `read_array` finds nothing wrong with is
    yielded to the end.

    Raises:
        What `read_array` raises; ValueError for other arrays than float32 of three dimensions, stored row by row.
    """
    info, file = archive.getinfo(name), archive.fp
    start, shape, dtype = _layout(archive, name)
    size = file.tell() - start
    if dtype != np.float32 or len(shape) != 3 or min(shape) < 1 or size + 4 * math.prod(shape) != info.file_size:
        raise ValueError("the array is of another kind")
    file.seek(start)
    checksum = isal_zlib.crc32(file.read(size))
    buffer = np.empty((max(_BLOCK // math.prod(shape[1:]), 1), *shape[1:]), np.float32)
    for row in range(0, shape[0], len(buffer)):
        block = buffer[: shape[0] - row]
        if file.readinto(block) != block.nbytes:
            raise EOFError("the file ends within the array")
        checksum = isal_zlib.crc32(block, checksum)
        yield block
    if checksum != info.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {name!r}")


def _layout(archive, name):
    """Put an archive's file where the values of an array begin; return where its header does, and its shape and dtype.

    Raises:
        ValueError: for an array that is compressed, or stored column by column.
    """
    start = _start(archive, name)
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED or np.lib.format.read_magic(archive.fp) != (1, 0):
        raise ValueError(f"{name} is not stored as it is")
    shape, by_column, dtype = np.lib.format.read_array_header_1_0(archive.fp)
    if by_column:
        raise ValueError(f"{name} is stored column by column")
    return start, shape, dtype


def _start(archive, name):
    """Put an archive's file where the bytes of a member begin, behind its own header; return that place.

    Source: APPNOTE.TXT - .ZIP File Format Specification, 4.3.7.
    """
    # For the sake of what zipfile looks for: passwords, other names, members that overlap.
    archive.open(name).close()
    start = archive.getinfo(name).header_offset
    archive.fp.seek(start + 26)
    return archive.fp.seek(start + 30 + sum(struct.unpack("<HH", archive.fp.read(4))))

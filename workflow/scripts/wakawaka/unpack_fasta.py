"""A gzip-compressed genome, unpacked: only plain and bgzipped files can be read at any place."""

import gzip
import logging
import os

from .errors import InputError
from .files import atomic, readable
from .progress import Progress

log = logging.getLogger(__name__)

_BLOCK = 1 << 22


def is_plain_gzip(path):
    """Tell whether a file is gzip-compressed, but not bgzipped; False if it cannot be read.

    BGZF is gzip whose first member has an extra field `BC` (https://samtools.github.io/hts-specs/SAMv1.pdf, 4.1).
    """
    try:
        with open(path, "rb") as file:
            head = file.read(12)
            extra = file.read(int.from_bytes(head[10:12], "little")) if len(head) == 12 and head[3] & 4 else b""
    except OSError:
        return False
    if head[:2] != b"\x1f\x8b":
        return False
    while len(extra) >= 4:
        if extra[:2] == b"BC":
            return False
        extra = extra[4 + int.from_bytes(extra[2:4], "little") :]
    return True


def unpack_fasta(genome, unpacked):
    """Unpack a gzip-compressed FASTA file.

    Raises:
        InputError: a file that is truncated or damaged, or not a FASTA.
    """
    with readable(genome), open(genome, "rb") as packed, gzip.open(packed) as file, atomic(unpacked) as temporary:
        progress = Progress(log, os.path.getsize(genome) / 1e6, "MB", logging.INFO)
        with open(temporary, "wb") as out:
            block = file.read(_BLOCK)
            if block[:1] != b">":
                raise InputError(
                    f"{genome}: this is no FASTA file, because what is packed in it does not start with `>`; "
                    "check `sequence.path` in config.yaml."
                )
            while block:
                out.write(block)
                progress.advance(packed.tell() / 1e6 - progress.done, "%.0f MB unpacked", out.tell() / 1e6)
                block = file.read(_BLOCK)
    log.info("%s: %.1f MB unpacked", genome, os.path.getsize(unpacked) / 1e6)

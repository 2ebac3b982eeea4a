"""Slow and obvious readings, by the definition of each format, that the readers are compared with."""

import gzip
import re
import zlib

import numpy as np


def unpacked(content):
    """Return bytes without gzip compression, if there is any; None where it is truncated or damaged."""
    try:
        return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
    except (EOFError, OSError, zlib.error):
        return None


def lines_of(content):
    """Return the lines of bytes, whatever the ends of lines and without a byte order mark; None where they are no UTF-8.

    Of a text that ends with the end of a line, the last line is empty.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def table_lines(content):
    """Return the same without comments before the header and blank lines at the end; None where nothing is left."""
    lines = lines_of(content) or []
    while lines and lines[0].startswith("#"):
        del lines[0]
    while lines and not lines[-1].strip():
        del lines[-1]
    return lines or None


def bare(field):
    """Return a field without the quotes around it."""
    return field[1:-1] if len(field) > 1 and field[0] == field[-1] == '"' else field


def value_of(field):
    """Return a field's number, rounded to float32, None where it is not known. Raises ValueError where it is no finite number."""
    if field in ("", "NA", "NaN", "nan", "na", "-"):
        return None
    blank = r"[ \t\n\r\f\v]*"
    if not re.fullmatch(rf"{blank}[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?{blank}", field):
        raise ValueError(field)
    with np.errstate(over="ignore"):
        value = float(np.float32(float(field)))
    if not np.isfinite(value):
        raise ValueError(field)
    return value


def slow_windows(records, genes, window, strand_aware):
    """Cut windows letter by letter; `records` is a dict of letters, `genes` tuples (id, chromosome, 0-based TSS, strand)."""
    windows = {}
    for gene_id, chrom, tss, strand in genes:
        first = tss - window // 2 + (1 if strand_aware and strand == "-" else 0)
        letters = records[chrom].upper()
        letters = [letters[place] if 0 <= place < len(letters) else "N" for place in range(first, first + window)]
        windows[gene_id] = "".join("N" if letter in "RYSWKMBDHV" else letter for letter in letters)
    return windows

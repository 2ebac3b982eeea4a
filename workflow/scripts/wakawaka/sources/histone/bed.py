"""Reads from BED and tagAlign files, plain or gzip-compressed, in bounded memory."""

import io
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_bytes, readable

# Bytes of text parsed at a time.
CHUNK = 16 << 20

# The highest position in BAM (SAM specification, 4.2). No known chromosome is longer.
_LAST = 2**31 - 1

# The first six fields of BED, in their order.
_FIELDS: dict[str, Any] = {
    "chrom": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "name": pl.String,
    "score": pl.Float64,
    "strand": pl.String,
}
# A line to put first: polars takes the number of fields from the first line, but lines may differ in it.
_SIX_FIELDS = b"chr\t0\t1\t.\t0\t.\n"
_STRANDS = ("+", "-", ".", None)
# The spellings that polars reads as numbers.
_WHOLE = re.compile(rb" *[+-]?\d{1,18}")
_NUMBER = re.compile(rb" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# A fourth field that is a missing value in a bedGraph, or the name of a read in a BED.
_UNKNOWN = (b".", b"na", b"nan", b"inf", b"-inf")
# The number of lines with such a field after which the file is taken for a BED.
_UNDECIDED = 1000
# How lines without a read begin.
_COMMENTS = ("track", "browser", "#")
# The type of a track in the format of the UCSC Genome Browser.
_TRACK_TYPE = re.compile(rb"track\s.*\btype\s*=\s*[\"']?(\w+)", re.IGNORECASE)
# Formats that hold no reads, by the type of the track: what they are, and the remedy.
_OTHER_FORMATS = {
    b"bedgraph": "a bedGraph, which holds no reads: convert it with bedGraphToBigWig and name the bigWig",
    b"wiggle_0": "a wiggle file, which holds no reads: convert it with wigToBigWig and name the bigWig",
    b"peaks": "a file of peaks, which are no reads: name the reads they were found in (BAM, CRAM, BED, tagAlign), or a bigWig",
}
_OTHER_FORMATS |= dict.fromkeys((b"narrowpeak", b"broadpeak", b"gappedpeak"), _OTHER_FORMATS[b"peaks"])


def bed_reads(
    path: PathLike, min_mapq: float = 0
) -> Iterator[tuple[list[str], np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the reads of a file in batches: (names, chrom [read] int32, start [read] int64, end [read] int64, strand [read] int8).

    `names` is a list of chromosomes, and `chrom` holds places in it. Strands are 1, -1 or 0 (unknown). Positions are 0-based,
    and the end is not included. Lines may come in any order and have 3 or more tab-separated fields. The strand is field 6, if
    there is one. Blank lines and `track`, `browser` and `#` lines are left out wherever they stand.

    Args:
        path: BED or tagAlign file, gzip-compressed (also bgzip) or not, by its content.
        min_mapq: if above 0, reads with a lower score are left out. The score is field 5, which `bedtools bamtobed` fills with
            the mapping quality.

    Raises:
        InputError: for a line that is no read (the sentence has its number); for a bedGraph, a wiggle file or peaks (see
            `_check_form`); for a file that is no text; for a truncated or damaged gzip file.
    """
    line, checked = 1, False
    for chunk in _chunks(path):
        checked = checked or _check_form(path, chunk, line)
        frame = _parsed(chunk, min_mapq)
        if frame is None:
            frame = _parsed_by_line(path, chunk, line, min_mapq)
        # Three times as fast as bytes.count.
        line += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord("\n")))
        if min_mapq > 0:
            frame = frame.filter(pl.col("score") >= min_mapq)
        strand = pl.when(pl.col("strand") == "+").then(1).when(pl.col("strand") == "-").then(-1).otherwise(0)
        frame = frame.with_columns(strand.cast(pl.Int8).alias("strand"))
        names = frame["chrom"].unique(maintain_order=True).to_list()
        chrom = frame["chrom"].cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int32)
        yield names, chrom, *(frame[name].to_numpy() for name in ("start", "end", "strand"))


def _chunks(path: PathLike) -> Iterator[bytes]:
    """Yield the content of a file in pieces of whole lines. Raises InputError for a file that is no text."""
    with readable(path), open_bytes(path) as file:
        rest, first = b"", True
        while block := file.read(CHUNK):
            if first:
                block, first = block.removeprefix(b"\xef\xbb\xbf"), False
            if b"\0" in block:
                raise InputError(
                    f"{path}: this is neither text (BED, tagAlign) nor a BAM, CRAM or bigWig file; check the path and the format."
                )
            cut = block.rfind(b"\n") + 1
            if not cut:
                rest += block
                if len(rest) >= CHUNK:
                    raise InputError(
                        f"{path}: there is a line of more than {CHUNK >> 20} MB, so this is no BED file; check the path."
                    )
                continue
            chunk, rest = b"".join((rest, memoryview(block)[:cut])), block[cut:]
            # A search for one character is much faster than a search for two.
            yield chunk.replace(b"\r\n", b"\n") if b"\r" in chunk else chunk
        if rest:
            yield rest.removesuffix(b"\r")


def _check_form(path: PathLike, chunk: bytes, first: int) -> bool:
    """Return whether the lines of a chunk decide that the file holds reads.

    A bedGraph has four fields, the last a number. A narrowPeak or broadPeak has numbers in the fields 7 to 9 that BED cannot
    have there: positions within the read and a colour are neither fractions nor negative. Peaks with whole numbers only cannot
    be distinguished from reads. A fourth field that means "not known" decides nothing, so the next line is looked at.

    Args:
        path: the file.
        chunk: whole lines.
        first: line number of the first of them.

    Raises:
        InputError: if the first line that decides is one of a bedGraph or a peak.
    """
    undecided = 0
    for number, line in enumerate(io.BytesIO(chunk), start=first):
        line = line.removesuffix(b"\n")
        if not _may_be_read(line):
            continue
        fields = line.split(b"\t")
        if len(fields) == 4 and fields[3].strip().lower() in _UNKNOWN and undecided < _UNDECIDED:
            undecided += 1
            continue
        if len(fields) == 4 and _NUMBER.fullmatch(fields[3]):
            raise InputError(
                f"{path}, line {number}: this is {_OTHER_FORMATS[b'bedgraph']} (if these are reads named by numbers, remove the "
                "fourth column)."
            )
        numbers = len(fields) in (9, 10) and fields[5] in (b"+", b"-", b".") and all(map(_NUMBER.fullmatch, fields[6:]))
        if numbers and re.search(rb"[-.eE]", b"".join(fields[6:9])):
            raise InputError(
                f"{path}, line {number}: this is {_OTHER_FORMATS[b'peaks']} (if these are reads with further numbers, remove the "
                "columns from the seventh on)."
            )
        return True
    return False


def _may_be_read(line: bytes) -> bool:
    """Return whether a line is neither blank, nor a comment, nor a `track` or `browser` line."""
    return bool(line.strip()) and not line.startswith(b"#") and not re.match(rb"(track|browser)(\s|$)", line)


def _parsed(chunk: bytes, min_mapq: float) -> pl.DataFrame | None:
    """Return a table of the reads, one per line, or None if any line is not a plain read."""
    # polars would read a number that a carriage return follows.
    if b"\r" in chunk:
        return None
    names = _columns(min_mapq)
    places = list(_FIELDS)
    try:
        frame = pl.read_csv(
            _SIX_FIELDS + chunk,
            separator="\t",
            has_header=False,
            schema={f"column_{place}": dtype for place, dtype in enumerate(_FIELDS.values(), start=1)},
            columns=[places.index(name) for name in names],
            quote_char=None,
            comment_prefix="#",
            truncate_ragged_lines=True,
        )[1:]
    except pl.exceptions.PolarsError:
        return None
    frame.columns = names
    start, end = pl.col("start"), pl.col("end")
    wrong = [pl.col("chrom").is_null(), start.is_null(), end.is_null(), start < 0, end <= start, end > _LAST]
    if min_mapq > 0:
        wrong += [pl.col("score").is_null(), ~pl.col("score").is_finite()]
    if frame.select(pl.any_horizontal(wrong).any()).item():
        return None
    odd = any(name.startswith(_COMMENTS) for name in frame["chrom"].unique())
    return None if odd or not set(frame["strand"].unique()) <= set(_STRANDS) else frame


def _parsed_by_line(path: PathLike, chunk: bytes, first: int, min_mapq: float) -> pl.DataFrame:
    """Return the table of `_parsed`, line by line; lines without a read are left out.

    Raises:
        InputError: for the first line that should be a read and is none.
    """
    rows = []
    for number, line in enumerate(chunk.split(b"\n"), start=first):
        if _may_be_read(line):
            try:
                rows.append(_read(line, min_mapq))
            except ValueError as error:
                raise InputError(f"{path}, line {number}: {error}.") from None
        elif (track := _TRACK_TYPE.match(line)) and track[1].lower() in _OTHER_FORMATS:
            raise InputError(f"{path}, line {number}: this is {_OTHER_FORMATS[track[1].lower()]}.")
    return pl.DataFrame(rows, schema={name: _FIELDS[name] for name in _columns(min_mapq)}, orient="row")


def _columns(min_mapq: float) -> list[str]:
    """Return the names of the fields that are needed."""
    return ["chrom", "start", "end", *(["score"] if min_mapq > 0 else []), "strand"]


def _read(line: bytes, min_mapq: float) -> tuple[Any, ...]:
    """Return the fields of one line that `_columns` names. Raises ValueError with the reason if the line is no read."""
    fields = line.split(b"\t")
    if len(fields) < 3:
        raise ValueError(
            f"{len(fields)} fields where BED has at least 3 (chromosome, start, end), separated by single tabs{_hint(line)}"
        )
    try:
        chrom = fields[0].decode()
    except UnicodeDecodeError:
        raise ValueError("the chromosome is not text in UTF-8; check that this is a BED file") from None
    if not chrom:
        raise ValueError("the chromosome is empty")
    for name, field in (("start", fields[1]), ("end", fields[2])):
        if not _WHOLE.fullmatch(field):
            raise ValueError(f"the {name} is {_text(field)}, but it must be a whole number{_hint(line)}")
    start, end = int(fields[1]), int(fields[2])
    if start < 0:
        raise ValueError(f"the start is {start}, but BED counts from 0")
    if end <= start:
        raise ValueError(f"the end {end} is not after the start {start}: a read has at least one base")
    if end > _LAST:
        raise ValueError(f"the end is {end}, which is beyond any chromosome")
    strand = fields[5].decode("latin-1") or None if len(fields) > 5 else None
    if strand not in _STRANDS:
        raise ValueError(f"the strand (field 6) is {_text(fields[5])}, but it must be +, - or .")
    if min_mapq <= 0:
        return chrom, start, end, strand
    score = fields[4] if len(fields) > 4 else b""
    if not _NUMBER.fullmatch(score) or not math.isfinite(float(score)):
        raise ValueError(
            f"the score (field 5) is {_text(score)}, but `histone.min_mapq` needs the mapping quality there; "
            "correct the file or set the key to 0"
        )
    return chrom, start, end, float(score), strand


def _hint(line: bytes) -> str:
    """Return the end of a sentence about a line that is no read: the format that it may be of, or nothing."""
    if re.match(rb"@(HD|SQ|RG|PG|CO)\t", line):
        return "; this looks like SAM: convert it with `samtools view -b`"
    if re.match(rb"(fixed|variable)Step\s", line):
        return f"; this looks like {_OTHER_FORMATS[b'wiggle_0']}"
    return ""


def _text(field: bytes) -> str:
    """Return the first 40 bytes of a field as text in quotes."""
    return repr(field[:40].decode("utf-8", "replace"))

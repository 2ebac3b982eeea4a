"""Reads from BED and tagAlign files, plain or gzip-compressed, in bounded memory."""

import io
import math
import re

import numpy as np
import polars as pl

from wakawaka.core.errors import InputError
from wakawaka.core.files import open_bytes, readable

# Bytes of text parsed at a time.
CHUNK = 16 << 20

# The highest position that BAM can hold too; no known chromosome is longer.
_LAST = 2**31 - 1

# The six first fields of BED, in their order.
_FIELDS = {
    "chrom": pl.String,
    "start": pl.Int64,
    "end": pl.Int64,
    "name": pl.String,
    "score": pl.Float64,
    "strand": pl.String,
}
# polars takes the number of fields from the first line, and lines may differ in it.
_SIX_FIELDS = b"chr\t0\t1\t.\t0\t.\n"
_STRANDS = ("+", "-", ".", None)
# What polars takes for a number, too.
_WHOLE = re.compile(rb" *[+-]?\d{1,18}")
_NUMBER = re.compile(rb" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
# What a bedGraph has where nothing was measured, and a BED as the name of a read; and for how many lines to look on then.
_UNKNOWN = (b".", b"na", b"nan", b"inf", b"-inf")
_UNDECIDED = 1000
_NO_READ = ("track", "browser", "#")
# The types of UCSC's tracks that hold no reads.
_TRACK_TYPE = re.compile(rb"track\s.*\btype\s*=\s*[\"']?(\w+)", re.IGNORECASE)
_NO_READS = {
    b"bedgraph": "a bedGraph, which holds no reads: convert it with bedGraphToBigWig and name the bigWig",
    b"wiggle_0": "a wiggle file, which holds no reads: convert it with wigToBigWig and name the bigWig",
    b"peaks": "a file of peaks, which are no reads: name the reads they were found in (BAM, CRAM, BED, tagAlign), or a bigWig",
}
_NO_READS |= dict.fromkeys((b"narrowpeak", b"broadpeak", b"gappedpeak"), _NO_READS[b"peaks"])


def bed_reads(path, min_mapq=0):
    """Yield (names, chrom [read] int32, start [read] int64, end [read] int64, strand [read] int8), batch by batch.

    Chrom are numbers in names, a list of chromosomes; strands are 1, -1 or 0 (unknown). Positions are 0-based, the end is
    not included. Lines may come in any order and have 3 or more tab-separated fields; blank lines and `track`, `browser`
    and `#` lines are left out wherever they stand. The strand is field 6, if any.

    Args:
        path: BED or tagAlign file, gzip-compressed (also bgzip) or not, told by its content.
        min_mapq: where above 0, reads with a lower score (field 5, which `bedtools bamtobed` fills with the mapping
            quality) are left out.

    Raises:
        InputError: a line that is no read, with its number; a bedGraph, a wiggle file or one of peaks, see `_check_form`; a
            file that is no text; a truncated or damaged gzip.
    """
    line, checked = 1, False
    for chunk in _chunks(path):
        checked = checked or _check_form(path, chunk, line)
        frame = _parsed(chunk, min_mapq)
        if frame is None:
            frame = _parsed_by_line(path, chunk, line, min_mapq)
        # In a third of the time of bytes.count.
        line += int(np.count_nonzero(np.frombuffer(chunk, np.uint8) == ord("\n")))
        if min_mapq > 0:
            frame = frame.filter(pl.col("score") >= min_mapq)
        strand = pl.when(pl.col("strand") == "+").then(1).when(pl.col("strand") == "-").then(-1).otherwise(0)
        frame = frame.with_columns(strand.cast(pl.Int8).alias("strand"))
        names = frame["chrom"].unique(maintain_order=True).to_list()
        chrom = frame["chrom"].cast(pl.Enum(names)).to_physical().to_numpy().astype(np.int32)
        yield names, chrom, *(frame[name].to_numpy() for name in ("start", "end", "strand"))


def _chunks(path):
    """Yield whole lines as bytes."""
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
            # To look for one sign is much faster than for two.
            yield chunk.replace(b"\r\n", b"\n") if b"\r" in chunk else chunk
        if rest:
            yield rest.removesuffix(b"\r")


def _check_form(path, chunk, first):
    """Refuse a file whose first read is an interval with a value, or a peak. Return whether the chunk tells.

    A bedGraph has four fields, the last a number. A narrowPeak or broadPeak has numbers in the fields 7 to 9 that BED
    cannot have there: positions within the read and a colour are neither fractions nor negative. Peaks of whole numbers
    only are not told from reads. A fourth field that says "not known" may be of either, so that the next lines tell.
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
                f"{path}, line {number}: this is {_NO_READS[b'bedgraph']} (of reads with a number for a name, remove the "
                "fourth column)."
            )
        numbers = len(fields) in (9, 10) and fields[5] in (b"+", b"-", b".") and all(map(_NUMBER.fullmatch, fields[6:]))
        if numbers and re.search(rb"[-.eE]", b"".join(fields[6:9])):
            raise InputError(
                f"{path}, line {number}: this is {_NO_READS[b'peaks']} (of reads with numbers of your own, remove the "
                "columns from the seventh on)."
            )
        return True
    return False


def _may_be_read(line):
    return bool(line.strip()) and not line.startswith(b"#") and not re.match(rb"(track|browser)(\s|$)", line)


def _parsed(chunk, min_mapq):
    """Return a table of the reads, or None if a line is no plain read."""
    # polars takes a number before it as such.
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
    odd = any(name.startswith(_NO_READ) for name in frame["chrom"].unique())
    return None if odd or not set(frame["strand"].unique()) <= set(_STRANDS) else frame


def _parsed_by_line(path, chunk, first, min_mapq):
    """Return the same table, slowly: it names the first wrong line and leaves harmless oddities out."""
    rows = []
    for number, line in enumerate(chunk.split(b"\n"), start=first):
        if _may_be_read(line):
            try:
                rows.append(_read(line, min_mapq))
            except ValueError as error:
                raise InputError(f"{path}, line {number}: {error}.") from None
        elif (track := _TRACK_TYPE.match(line)) and track[1].lower() in _NO_READS:
            raise InputError(f"{path}, line {number}: this is {_NO_READS[track[1].lower()]}.")
    return pl.DataFrame(rows, schema={name: _FIELDS[name] for name in _columns(min_mapq)}, orient="row")


def _columns(min_mapq):
    return ["chrom", "start", "end", *(["score"] if min_mapq > 0 else []), "strand"]


def _read(line, min_mapq):
    """Return the fields of one line. Raises ValueError with a sentence."""
    fields = line.split(b"\t")
    if len(fields) < 3:
        raise ValueError(
            f"{len(fields)} fields where BED has at least 3 (chromosome, start, end), separated by single tabs{_hint(line)}"
        )
    try:
        chrom = fields[0].decode()
    except UnicodeDecodeError:
        raise ValueError("the chromosome is no text in UTF-8; check that this is a BED file") from None
    if not chrom:
        raise ValueError("the chromosome is empty")
    for name, field in (("start", fields[1]), ("end", fields[2])):
        if not _WHOLE.fullmatch(field):
            raise ValueError(f"the {name} is {_text(field)}, but it must be a whole number{_hint(line)}")
    start, end = int(fields[1]), int(fields[2])
    if start < 0:
        raise ValueError(f"the start is {start}, but BED counts from 0")
    if end <= start:
        raise ValueError(f"the end {end} is not behind the start {start}: a read has at least one base")
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


def _hint(line):
    """Return what a line that is no read may be, to be put behind a sentence."""
    if re.match(rb"@(HD|SQ|RG|PG|CO)\t", line):
        return "; this looks like SAM: convert it with `samtools view -b`"
    if re.match(rb"(fixed|variable)Step\s", line):
        return f"; this looks like {_NO_READS[b'wiggle_0']}"
    return ""


def _text(field):
    return repr(field[:40].decode("utf-8", "replace"))

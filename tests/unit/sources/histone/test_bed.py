import gzip
import math
import re

import hypothesis.strategies as st
import numpy as np
import pysam
import pytest
from hypothesis import example, given, settings

from helpers.damage import damaged_bytes, damaged_text
from helpers.real_data import real
from helpers.references import unpacked
from wakawaka.core.errors import InputError
from wakawaka.sources.histone import bed as module
from wakawaka.sources.histone.bed import bed_reads

TEXT = "chr1\t5\t9\tN\t30\t+\nchr2\t0\t1\tN\t7.5\t-\nchr1\t5\t9\tN\t0\t.\n"
FIELDS = "1 fields where BED has at least 3 (chromosome, start, end), separated by single tabs"
READS = [("chr1", 5, 9, 0), ("chr1", 5, 9, 1), ("chr2", 0, 1, -1)]


def reads_of(path, min_mapq=0):
    reads = []
    for names, *columns in bed_reads(path, min_mapq):
        assert [column.dtype for column in columns] == [np.int32, np.int64, np.int64, np.int8]
        reads += [(names[chrom], *read) for chrom, *read in zip(*(column.tolist() for column in columns), strict=True)]
    return sorted(reads)


def read(tmp_path, content, min_mapq=0):
    path = tmp_path / "reads.bed"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return reads_of(path, min_mapq)


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        TEXT.rstrip("\n"),
        gzip.compress(TEXT.encode(), mtime=0),
        # As bgzip writes it: members one after another, cut within a line, and an empty one at the end.
        gzip.compress(TEXT.encode()[:13], mtime=0) + gzip.compress(TEXT.encode()[13:], mtime=0) + gzip.compress(b"", mtime=0),
        gzip.compress(TEXT.encode(), mtime=0) + b"\0" * 512,
        "\N{BYTE ORDER MARK}" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.rstrip("\n").replace("\n", "\r\n") + "\r",
        TEXT.replace("\n", "\t\n"),
        TEXT.replace("\n", "\t\n", 1),
        TEXT.replace("\n", "\n\n \n\t\t\n"),
        TEXT.replace("\n", "\t1\t2\t0,0,0\t1\t4\t0\n"),
        TEXT.replace("\n", "\t1\t2\t0,0,0\t1\t4\t0\tx\n", 2),
        'browser position chr1:1-9\ntrack name="a b"\n#chrom\tstart\tend\n' + TEXT.replace("chr2", "track\tx\ty\n#\nbrowser\nchr2"),
        "track\t1\t2\n" + TEXT + "browser \t1\t2\n",
        TEXT.replace("\t.\n", "\t\n"),
        TEXT.replace("\t.\n", "\n"),
        TEXT.replace("\tN\t0\t.\n", "\n"),
        "chr1\t5\t9\n" + TEXT.replace("chr1\t5\t9\tN\t0\t.\n", ""),
        TEXT.replace("\tN\t", "\tN\xe9\t").encode("latin-1"),
        TEXT.replace("\tN\t", '\t"\t'),
        TEXT.replace("\tN\t30\t", "\t\t\t"),
        TEXT.replace("\t9\t", "\t+09\t").replace("\t5\t", "\t 5\t"),
    ],
)  # fmt: skip
def test_reads(tmp_path, monkeypatch, content):
    assert read(tmp_path, content) == READS
    # Lines, and the end of a line, cut between chunks.
    for chunk in (60, 61, 62):
        monkeypatch.setattr(module, "CHUNK", chunk)
        assert read(tmp_path, content) == READS


@pytest.mark.parametrize("comment", ["", "# made by me\n\n", "browser position chr1\ntrack name=x\n"])
@pytest.mark.parametrize("min_mapq", [0, 5])
@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("chr1\t0\t900\t3.5", "a bedGraph, which holds no reads: convert it with bedGraphToBigWig and name the bigWig (if"),
        ("chr1\t0\t900\t0", "a bedGraph"),
        ("chr1\t0\t900\t-1e-3", "a bedGraph"),
        ("chr1\t200\t236\tp1\t500\t.\t5.1\t3.2\t2.1\t50", "a file of peaks, which are no reads: name the reads they were found in"),
        ("chr1\t200\t236\tp1\t500\t+\t5\t-1\t2\t-1", "a file of peaks"),
        ("chr1\t200\t236\t.\t500\t-\t5.25\t3\t2", "a file of peaks"),
        ("track type=bedGraph name=x", "a bedGraph, which holds no reads"),
        ('track name="a b" type = "bedGraph"', "a bedGraph, which holds no reads"),
        ("track type=wiggle_0", "a wiggle file, which holds no reads: convert it with wigToBigWig and name the bigWig"),
        ("track\ttype=narrowPeak", "a file of peaks"),
        ("track type='broadPeak'", "a file of peaks"),
    ],
)  # fmt: skip
def test_other_things_than_reads(tmp_path, monkeypatch, comment, min_mapq, line, says):
    path = tmp_path / "reads.bed"
    for chunk in (module.CHUNK, 70):
        monkeypatch.setattr(module, "CHUNK", chunk)
        for compress in (bytes, gzip.compress):
            for content in (f"{comment}{line}\n", f"{comment}{line}", f"{comment}{line}\r\n{TEXT}"):
                path.write_bytes(compress(content.encode()))
                with pytest.raises(InputError) as error:
                    reads_of(path, min_mapq)
                assert str(error.value).startswith(f"{path}, line {comment.count(chr(10)) + 1}: this is {says}")


@pytest.mark.parametrize("value", ["nan", ".", "NA"])
def test_a_bedgraph_that_begins_with_what_is_not_known(tmp_path, value):
    path = tmp_path / "reads.bed"
    path.write_text(f"chr1\t0\t900\t{value}\nchr1\t900\t2000\t7.5\n")
    with pytest.raises(InputError, match="line 2: this is a bedGraph"):
        reads_of(path)
    # Nothing but names.
    assert len(read(tmp_path, f"chr1\t5\t9\t{value}\n" * 1200)) == 1200


@pytest.mark.parametrize(
    "more",
    ["", "\tname", "\t9a", "\t", "\t7\t0", "\tN\t0\t.\t5\t9\t0", "\tN\t0\t.\t5\t9\t255,0,0", "\tN\t0\t.\t5\t9\t.",
     "\tN\t0\t.\t5\t9\t0\t1\t4\t0", "\tN\t0\t.\t5.5\t9", "\tN\t0\t.\t5.5\t9\tx"],
)  # fmt: skip
def test_reads_that_look_like_other_things(tmp_path, more):
    # The first line decides.
    assert read(tmp_path, f"track name=bedGraph\nchr1\t5\t9{more}\nchr1\t6\t9\t7\n") == [
        ("chr1", 5, 9, 0),
        ("chr1", 6, 9, 0),
    ]


def test_a_bgzipped_file_cut_between_its_blocks(tmp_path):
    (tmp_path / "plain").write_text("".join(f"chr1\t{place}\t{place + 5}\n" for place in range(20000)))
    pysam.tabix_compress(str(tmp_path / "plain"), str(tmp_path / "reads.bed"))
    whole = (tmp_path / "reads.bed").read_bytes()
    assert len(read(tmp_path, whole)) == 20000
    for size in (int.from_bytes(whole[16:18], "little") + 1, len(whole) - 28, len(whole) - 1):
        with pytest.raises(InputError, match=r"reads\.bed: the compressed file is truncated: it is bgzipped, but"):
            read(tmp_path, whole[:size])


def test_an_empty_file_has_no_reads(tmp_path):
    for content in ("", "\n", "# nothing\n", gzip.compress(b"")):
        assert read(tmp_path, content) == []


def test_mapping_quality_is_the_score(tmp_path):
    assert read(tmp_path, TEXT, 1) == READS[1:]
    assert read(tmp_path, TEXT, 8) == [READS[1]]
    assert read(tmp_path, TEXT, 30) == [READS[1]]
    assert read(tmp_path, TEXT, 31) == []
    assert read(tmp_path, "track\n" + TEXT, 8) == [READS[1]]


def test_a_chromosome_may_be_called_like_a_line_that_is_no_read(tmp_path):
    assert read(tmp_path, TEXT.replace("chr2", "tracked")) == [*READS[:2], ("tracked", 0, 1, -1)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("chr1 5 9 N 0 +", FIELDS + "."),
        ("chr1\t5", "2 fields where BED has at least 3"),
        ("@SQ\tSN:chr1", FIELDS.replace("1", "2") + "; this looks like SAM: convert it with `samtools view -b`."),
        ("@HD\tVN:1.6\tSO:coordinate", "the start is 'VN:1.6', but it must be a whole number; this looks like SAM: convert it"),
        ("@PG\tID:samtools\tPN:samtools\tVN:1", "the start is 'ID:samtools', but it must be a whole number; this looks like SAM"),
        ("@CO\tx\ty", "the start is 'x', but it must be a whole number; this looks like SAM"),
        ("fixedStep chrom=chr1 start=1 step=10", FIELDS + "; this looks like a wiggle file, which holds no reads: convert it with"),
        ("variableStep\tchrom=chr1\tspan=5", "the start is 'chrom=chr1', but it must be a whole number; this looks like a wiggle file"),
        ("\t5\t9", "the chromosome is empty"),
        ("chr1\t\t9", "the start is '', but it must be a whole number"),
        ("chr1\t5\t9.0", "the end is '9.0', but it must be a whole number"),
        ("chr1\tchr1\t9", "the start is 'chr1', but it must be a whole number"),
        ("chr1\t5 \t9", "the start is '5 ', but it must be a whole number"),
        ("chr1\t5\t99999999999999999999", "the end is '99999999999999999999', but it must be a whole number"),
        ("chr1\t-1\t9", "the start is -1, but BED counts from 0"),
        ("chr1\t9\t9", "the end 9 is not after the start 9"),
        ("chr1\t9\t5\tN\t0\t+", "the end 5 is not after the start 9"),
        ("chr1\t9\t2147483648", "the end is 2147483648, which is beyond any chromosome"),
        ("chr1\t5\t9\tN\t0\t*", "the strand (field 6) is '*', but it must be +, - or ."),
        ('chr1\t5\t9\t"N\t0\t-"', "the strand (field 6) is '-\"', but"),
        ("chr1\t5\t9\tN\t0\t+-", "the strand (field 6) is '+-', but"),
        ("chr1\t5\t9\tN\t0\t1", "the strand (field 6) is '1', but"),
    ],
)  # fmt: skip
def test_refused(tmp_path, monkeypatch, line, says):
    path = tmp_path / "reads.bed"
    for chunk in (module.CHUNK, 70):
        monkeypatch.setattr(module, "CHUNK", chunk)
        for before in ("", TEXT, "#\n\n" + TEXT * 5):
            for content in (
                before + line,
                before + line + "\n" + TEXT,
                (before + line + "\n" + TEXT).replace("\n", "\r\n"),
            ):
                for compress in (bytes, gzip.compress):
                    path.write_bytes(compress(content.encode()))
                    with pytest.raises(InputError) as error:
                        reads_of(path)
                    assert str(error.value).startswith(f"{path}, line {before.count(chr(10)) + 1}: {says}")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("c\t1\t2", ""),
        ("c\t1\t2\tN", ""),
        ("c\t1\t2\tN\t", ""),
        ("c\t1\t2\tN\t.\t+", "."),
        ("c\t1\t2\tN\tnan", "nan"),
        ("c\t1\t2\tN\tinf\t+", "inf"),
        ("c\t1\t2\tN\t1e999", "1e999"),
        ("c\t1\t2\tN\t1_0", "1_0"),
    ],
)
def test_refused_score(tmp_path, line, what):
    assert len(read(tmp_path, TEXT + line)) == 4
    with pytest.raises(InputError) as error:
        read(tmp_path, TEXT + line, 1)
    assert f", line 4: the score (field 5) is {what!r}, but `histone.min_mapq` needs the mapping quality there" in str(
        error.value
    )


def test_refused_files(tmp_path):
    whole = gzip.compress(TEXT.encode() * 50, mtime=0)
    flipped = bytearray(whole)
    flipped[-6] ^= 1
    for content in (whole[:-1], whole[:30], whole[:8], whole + whole[:40], bytes(flipped)):
        with pytest.raises(InputError, match="reads.bed: the compressed file is truncated or damaged"):
            read(tmp_path, content)
    for content in (b"\x89PNG\r\n\0\0", TEXT.encode("utf-16"), gzip.compress(b"BAM\1\0\0")):
        with pytest.raises(InputError, match="reads.bed: this is neither text"):
            read(tmp_path, content)
    with pytest.raises(InputError, match="line 1: the chromosome is not text in UTF-8"):
        read(tmp_path, b"\xe9\t1\t2\n")
    with pytest.raises(InputError, match=r"nothing.bed: the file does not exist"):
        reads_of(tmp_path / "nothing.bed")


def test_endless_line(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CHUNK", 1000)
    with pytest.raises(InputError, match="this is no BED file"):
        read(tmp_path, "chr1\t" + "5" * 3000)


def strict(data, min_mapq):
    """Read as the documentation says, line by line; None: to be refused."""
    data = unpacked(data)
    if data is None or b"\0" in data:
        return None
    reads, first = [], True
    for line in data.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\r").replace(b"\r\n", b"\n").split(b"\n"):
        words = line.split()
        if not words or line[:1] == b"#" or (line[:1].strip() and words[0] in (b"track", b"browser")):
            continue
        fields = line.split(b"\t")
        number = rb" *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?"
        numbers = [bool(re.fullmatch(number, field)) for field in fields]
        if first and len(fields) == 4 and numbers[3]:
            return None
        peak = len(fields) in (9, 10) and fields[5] in (b"+", b"-", b".") and all(numbers[6:])
        if first and peak and not all(field.strip(b" +").isdigit() for field in fields[6:9]):
            return None
        first = False
        try:
            chrom = fields[0].decode()
            assert chrom and all(re.fullmatch(rb" *[-+]?[0-9]{1,18}", field) for field in fields[1:3])
            start, end = int(fields[1]), int(fields[2])
            strand = {b"+": 1, b"-": -1, b".": 0, b"": 0}[fields[5] if len(fields) > 5 else b""]
            assert 0 <= start < end < 2**31
            if min_mapq:
                assert re.fullmatch(number, fields[4])
                assert math.isfinite(float(fields[4]))
        except (AssertionError, IndexError, KeyError, UnicodeDecodeError):
            return None
        if not min_mapq or float(fields[4]) >= min_mapq:
            reads.append((chrom, start, end, strand))
    return sorted(reads)


WHOLE = (TEXT + "track name=x\n#\n\nchr3\t1\t2\n" + TEXT).encode()


@settings(deadline=None, max_examples=600)
@given(data=damaged_text(WHOLE, most=5), min_mapq=st.sampled_from([0, 0, 5]), chunk=st.sampled_from([1 << 20, 90]))
@example(data=b"chr1\t5\t9\tN\t6\r\t", min_mapq=5, chunk=1 << 20)
@example(data=WHOLE, min_mapq=0, chunk=90)
@example(data=b"#\nchr1\t5\t9\t7\nchr1\t5\t9\tN\t0\t-\n", min_mapq=0, chunk=90)
@example(data=b"chr1\t5\t9\nchr1\t5\t9\tN\t0\t-\n", min_mapq=0, chunk=1 << 20)
def test_damaged_files(tmp_path_factory, data, min_mapq, chunk):
    path = tmp_path_factory.getbasetemp() / "damaged.bed"
    path.write_bytes(data)
    expected = strict(data, min_mapq)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        if expected is None:
            with pytest.raises(InputError, match=r"damaged.bed"):
                reads_of(path, min_mapq)
        else:
            assert reads_of(path, min_mapq) == expected


@settings(deadline=None, max_examples=300)
@given(damaged_bytes(gzip.compress((TEXT * 3).encode(), mtime=0)))
def test_damaged_gzip(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "damaged.bed.gz"
    path.write_bytes(data)
    expected = strict(data, 0)
    if expected is None:
        with pytest.raises(InputError, match=r"damaged.bed.gz"):
            reads_of(path)
    else:
        assert reads_of(path) == expected


def test_roadmap_tagalign():
    path = real("E003_reads/tagAlign/E003-H3K4me3.tagAlign.gz")
    lines = [line.split() for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    assert reads_of(path, 1000) == sorted((line[0], int(line[1]), int(line[2]), 1) for line in lines)
    assert reads_of(path, 1001) == []

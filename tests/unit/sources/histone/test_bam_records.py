"""BAM as the compiled code reads it, beside the slow reading by pysam, which CRAM has; and by parts with an index."""

import gzip
import itertools
import logging
import re
import struct
import threading

import hypothesis.strategies as st
import numpy as np
import pysam
import pytest
from hypothesis import given, settings

from helpers.bam_files import HEADER, MINUS_2, PLUS_1, SOME, bgzf, line, reads_of, write
from helpers.damage import damaged_bytes
from wakawaka.core import progress
from wakawaka.core.errors import InputError
from wakawaka.core.files import BGZF_END
from wakawaka.core.messages import Warnings
from wakawaka.sources.histone import bam, bam_records, cram
from wakawaka.sources.histone.bam import alignment_reads
from wakawaka.sources.histone.bam_index import find_index, index_parts

# What pysam says besides raising the error, when it could not open a file.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

NAMES = ["chr1", "chr2", "chrM"]
OPERATIONS = "MIDNSHP=X"


def header(names=NAMES, text=None):
    text = "".join(f"@SQ\tSN:{name}\tLN:5000\n" for name in NAMES) if text is None else text
    rows = b"".join(struct.pack("<i", len(name) + 1) + name.encode() + b"\0\x88\x13\0\0" for name in names)
    return b"BAM\1" + struct.pack("<i", len(text)) + text.encode() + struct.pack("<i", len(names)) + rows


def record(name=b"r\0", flag=0, chrom=0, pos=100, mapq=60, cigar=((36, "M"),), bases=0, mate=-1, tags=b""):
    """The bytes of a record; `bases` is the length of the read."""
    codes = [length << 4 | OPERATIONS.index(operation) for length, operation in cigar]
    body = struct.pack("<iiBBHHHiiii", chrom, pos, len(name), mapq, 4680, len(codes), flag, bases, mate, -1, 0)
    body += name + struct.pack(f"<{len(codes)}I", *codes) + b"\x11" * ((bases + 1) // 2) + b"\x20" * bases + tags
    return struct.pack("<i", len(body)) + body


def save(path, records, cuts=(), head=None):
    """Write a BAM whose blocks end at `cuts`."""
    data = (header() if head is None else head) + b"".join(records)
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts), *range(0, len(data), 0xF000)})
    blocks = [bgzf(data[begin:end]).removesuffix(BGZF_END) for begin, end in itertools.pairwise(places)]
    path.write_bytes(b"".join(blocks) + BGZF_END)
    return path


def slow_reads_of(path, *options):
    """What pysam's loop reads of a BAM."""

    def batches(path, file, rules, tally, threads):
        reads = np.fromiter(cram.counted_reads(file, *rules[1:], tally), cram.READ)
        yield tuple(reads[name].copy() for name in reads.dtype.names)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bam, "_bam_batches", batches)
        return reads_of(path, *options)


REFUSED = "{}: the alignment file is truncated or damaged; fetch or make it again."


def or_refused(read, *arguments):
    try:
        return read(*arguments)
    except InputError as error:
        return str(error)


def long_cigar(cigar, kind=b"I"):
    codes = [length << 4 | OPERATIONS.index(operation) for length, operation in cigar]
    return b"CGB" + kind + struct.pack(f"<i{len(codes)}I", len(codes), *codes)


TAGS = st.sampled_from(
    [
        b"",
        b"NMC\1",
        b"MDZ36\0",
        b"XSs\1\2XAA+",
        b"XBBc\2\0\0\0ab",
        b"XBBZ\2\0\0\0ab",
        b"XZZopen",
        b"XX?",
        b"CGZ10M\0",
        b"CGBC\2\0\0\0ab",
        b"XF",
    ]
)
FLAGS = st.sampled_from(
    [0, 16, 4, 256, 512, 1024, 2048, 1 | 2 | 64, 1 | 2 | 128, 1 | 2 | 64 | 16, 1 | 2, 1 | 64, 1 | 128, 73, 133, 195]
)
CIGARS = st.lists(st.tuples(st.integers(0, 40), st.sampled_from(OPERATIONS)), max_size=3)


@st.composite
def records(draw):
    cigar, tags = draw(CIGARS), b"".join(draw(st.lists(TAGS, max_size=2)))
    # Where htslib would refuse the file, it seldom matters.
    length = sum(size for size, operation in cigar if operation in "MIS=X")
    bases = draw(st.sampled_from([length] * 6 + [0, 0, 0, length + 1]))
    if draw(st.integers(0, 3)) == 0:
        bases = length
        tags = (
            draw(st.sampled_from([tags, b""]))
            + long_cigar(cigar, draw(st.sampled_from([b"I", b"I", b"i", b"f"])))
            + tags
        )
        cigar = [(length, "S"), *draw(st.lists(st.just((draw(st.integers(0, 90)), "N")), max_size=1))]
    return record(
        draw(
            st.sampled_from(
                [b"a\0", b"a/1\0", b"a/2\0", b"b/3\0", b"/1\0", b"1\0", b"/\0", b"12345678\0", b"123456789/1\0"]
            )
        ),
        draw(FLAGS),
        draw(st.sampled_from([0] * 9 + [1] * 9 + [2, -1] * 4 + [3, -2])),
        draw(st.sampled_from([0, 5, 100, 2**31 - 1, -1, -7])),
        draw(st.sampled_from([0, 10, 255])),
        cigar,
        bases,
        draw(st.sampled_from([0] * 9 + [1] * 9 + [-1] * 9 + [2, 3, -2])),
        tags,
    )


@settings(deadline=None, max_examples=400)
@given(
    rows=st.lists(records(), max_size=8),
    cuts=st.lists(st.integers(0, 1000), max_size=3),
    options=st.tuples(st.sampled_from([0, 10]), st.sampled_from(["flagged", "keep"])),
)
def test_equals_pysam(tmp_path_factory, rows, cuts, options):
    path = save(tmp_path_factory.getbasetemp() / "reads.bam", rows, cuts)
    assert or_refused(reads_of, path, *options) == or_refused(slow_reads_of, path, *options)


@settings(deadline=None, max_examples=400)
@given(st.data())
def test_damaged_records_are_read_or_refused_as_by_pysam(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    payload = gzip.decompress(write(folder / "whole.x", SOME[:12]).read_bytes())
    path = folder / "damaged.x"
    path.write_bytes(bgzf(data.draw(damaged_bytes(payload))))
    found, expected = or_refused(reads_of, path), or_refused(slow_reads_of, path)
    if found != expected:
        # Names are ASCII (SAM specification, section 1.4); pysam only refuses those that are not UTF-8.
        assert found == REFUSED.format(path) and not all(
            read.query_name.isascii() for read in pysam.AlignmentFile(path)
        )


def test_names_are_ascii(tmp_path):
    path = save(tmp_path / "reads.bam", [record(name=b"\xff\0", flag=99, mate=0)])
    with pytest.raises(InputError, match="truncated or damaged"):
        reads_of(path)


def test_long_cigars(tmp_path):
    """More operations than the field for their number can tell, written by htslib; and where N says something else."""
    rows = [line("a", 16, cigar="1M1D" * 40_000).replace("\t*\t*\n", f"\t{'A' * 40_000}\t*\n"), line("b", 0)]
    path = write(tmp_path / "a.bam", rows, header=HEADER.replace("5000", "500000"))
    assert reads_of(path)[0] == [("chr1", 100, 136, 1), ("chr1", 100, 80_100, -1)]
    for tags, end in [
        (long_cigar([(5, "M"), (7, "D"), (5, "M")]), 117),
        (b"NMC\1" + long_cigar([(5, "M"), (7, "N"), (5, "S")]), 112),
        (b"CGZ5M7D5M\0", 190),
        (b"", 190),
    ]:
        path = save(tmp_path / "b.bam", [record(cigar=[(10, "S"), (90, "N")], bases=10, tags=tags)])
        # A CIGAR that clips the whole read has no base of it, but htslib does not mind.
        assert reads_of(path) == slow_reads_of(path) == ([("chr1", 100, end, 1)], [])


def test_records_of_any_length_and_blocks_that_end_anywhere(tmp_path, monkeypatch):
    rows = [record(pos=number, bases=0, tags=b"XXZ" + b"x" * 1000 * number + b"\0") for number in range(30)]
    expected = [("chr1", number, number + 36, 1) for number in range(30)]
    path = save(tmp_path / "reads.bam", rows, range(100, 5000, 37))
    for size in (37, 64, 1000, 1 << 20):
        monkeypatch.setattr(bam_records, "_CHUNK", size)
        assert reads_of(path) == (expected, [])


@pytest.mark.parametrize("order", ["mixed", "first", "beside"])
def test_many_mates_wait(tmp_path, order):
    generator = np.random.default_rng(3)
    count = 3000
    ones = [record(b"run:%d:lane:%d\0" % (i, i % 7), PLUS_1, i % 3, pos=i, mate=i % 3) for i in range(count)]
    twos = [record(b"run:%d:lane:%d\0" % (i, i % 7), MINUS_2, i % 3, pos=i + 200, mate=i % 3) for i in range(count)]
    lone = [record(b"lone%d\0" % i, PLUS_1, 0, pos=i, mate=0) for i in range(500)]
    rows = {"mixed": [*ones, *twos, *lone], "first": [*ones, *lone, *twos[::-1]]}
    rows["beside"] = [*itertools.chain(*zip(ones, twos, strict=True)), *lone]
    rows = [rows[order][i] for i in generator.permutation(2 * count + 500)] if order == "mixed" else rows[order]
    expected = [(NAMES[i % 3], i, i + 236, 1) for i in range(count)] + [("chr1", i, i + 36, 1) for i in range(500)]
    reads, warnings = reads_of(save(tmp_path / "reads.bam", rows))
    assert reads == sorted(expected)
    assert warnings == ["500 properly paired reads whose mate is not in the file are counted by themselves."]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 40), max_size=200))
def test_the_table_of_mates(steps):
    """Mates come and go; slots are few, so that many want the same one."""
    table, known = np.zeros(64, bam_records._MATE), {}
    for key in steps:
        # Every hash wants one of the last slots, or the first.
        place = bam_records._slot(table, np.uint64(key), np.uint64(60 + key % 5))
        assert (table[place]["state"] > 0) == (key in known)
        if key in known:
            assert table[place]["end"] == known.pop(key)
            bam_records._remove(table, place)
        else:
            known[key] = len(known) + 1000 * key
            table[place] = (key, 60 + key % 5, known[key], 0, 0, 1)
    for some in (table, bam_records._grown(table)):
        found = {int(mate["high"]): int(mate["end"]) for mate in some if mate["state"]}
        assert found == known


def test_the_header_is_that_of_pysam(tmp_path):
    # htslib takes the names from the list, not from the text.
    path = save(tmp_path / "reads.bam", [record(chrom=1)], head=header(["a", "b"], ""))
    assert reads_of(path) == ([("b", 100, 136, 1)], [])
    # A name of which the end is missing, or lies within it.
    for head in (header(["a", "b"]), header()[:40], header()[:-5] + b"X" + header()[-4:], header(["a\0c", "b"], "")):
        path = save(tmp_path / "reads.bam", [record()], head=head)
        assert or_refused(reads_of, path) == or_refused(slow_reads_of, path)


# Four chromosomes, of which one has no reads; pairs, a mate without a partner, reads without a place.
CHROMS = ("chr1", "chr2", "empty", "chrM")
SORTED = "@HD\tVN:1.6\tSO:coordinate\n" + "".join(f"@SQ\tSN:{name}\tLN:5000\n" for name in CHROMS)
ROWS = [
    *[line(f"s{i}", 16 * (i % 2), "chr1", 10 * i) for i in range(40)],
    *[line(f"p{i}", PLUS_1, "chr2", 10 * i, mate_pos=300 + 10 * i) for i in range(30)],
    *[line(f"p{i}", MINUS_2, "chr2", 300 + 10 * i, mate_pos=10 * i) for i in range(29)],
    line("p29", MINUS_2, "chrM", 5, mate_pos=10),
    line("t", 4, "chrM", 700, cigar="*"),
    *[line(f"u{i}", 4, "*", -1, cigar="*") for i in range(20)],
]
WITHOUT_INDEX = "there is no index next to it, so one thread reads it from start to end"
MISFIT = "its index is damaged, older than the file or of another file"


@pytest.fixture
def indexed(tmp_path, monkeypatch, caplog):
    """A sorted BAM with an index, of which every chromosome is a part."""
    monkeypatch.setattr(bam, "_LEAST", 0)
    monkeypatch.setattr(bam.os.path, "getsize", lambda path: 1)
    caplog.set_level(logging.INFO, "wakawaka")
    path = write(tmp_path / "reads.bam", ROWS, header=SORTED)
    index(path)
    return path


def index(path, *options):
    pysam.index(*options, str(path))


def rewritten(path, cuts):
    """Write the same file with blocks that end elsewhere."""
    data = gzip.decompress(path.read_bytes())
    return save(path, [data], cuts, head=b"")


def parts_of(path, least=0):
    with pysam.AlignmentFile(path) as file:
        return index_parts(find_index(path), file.tell(), len(CHROMS), least)


@pytest.mark.parametrize("kind", ["reads.bam.bai", "reads.bai", "reads.bam.csi"])
@pytest.mark.parametrize("cuts", [[], range(0, 8000, 97), range(0, 8000, 1000)])
def test_parts_give_what_the_whole_gives(indexed, caplog, kind, cuts):
    path = rewritten(indexed, cuts)
    indexed.with_name("reads.bam.bai").unlink()
    index(path, *["-c"] * kind.endswith("csi"))
    next(path.parent.glob("reads.bam.*i")).rename(path.with_name(kind))
    expected = slow_reads_of(path)
    assert len(expected[0]) == 40 + 29 + 2 and expected[1][0].startswith("2 properly paired reads")
    assert [(part.first, part.last) for part in parts_of(path)] == [(0, 0), (1, 2), (3, 3), (4, 4)]
    whole = reads_of(path)
    # Nothing but the parts is read.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bam, "_in_order", None)
        for threads in (2, 3, 9):
            assert reads_of(path, threads=threads) == whole == expected
    assert MISFIT not in caplog.text and WITHOUT_INDEX not in caplog.text


def test_parts_that_are_ahead_wait(indexed, monkeypatch):
    expected = reads_of(indexed)
    monkeypatch.setattr(bam_records, "BATCH", 1)
    monkeypatch.setattr(bam, "_WAITING", 1)
    monkeypatch.setattr(bam, "_in_order", None)
    assert reads_of(indexed, threads=3) == expected


def test_without_an_index_the_log_says_that_one_would_help(indexed, caplog):
    expected = reads_of(indexed, threads=2)
    assert WITHOUT_INDEX not in caplog.text
    indexed.with_name("reads.bam.bai").unlink()
    for threads in (1, 2):
        caplog.clear()
        assert reads_of(indexed, threads=threads) == expected
        assert (
            f"{indexed}: {WITHOUT_INDEX}; with one (`samtools index {indexed}`, after `samtools sort`)" in caplog.text
        )


def test_small_chromosomes_are_one_part(indexed):
    assert len(parts_of(indexed, 1 << 20)) == 1


def test_an_index_of_another_file(indexed, caplog, monkeypatch):
    other = write(indexed.with_name("other.bam"), ROWS[20:-20], header=SORTED)
    index(rewritten(other, range(0, 9000, 1000)))
    expected = reads_of(indexed)
    monkeypatch.setattr(bam_records, "BATCH", 7)
    for wrong in (other.with_name("other.bam.bai").read_bytes(), b"", b"BAI\1", b"\x1f\x8b\x08", b"text"):
        indexed.with_name("reads.bam.bai").write_bytes(wrong)
        caplog.clear()
        assert reads_of(indexed, threads=2) == expected
        assert f"{indexed}: {MISFIT}" in caplog.text and "`samtools index`" in caplog.text


def test_a_file_changed_after_it_was_indexed(indexed, caplog, monkeypatch):
    """The index fits in its places, but not in what is there: parts have already given reads when that is noticed."""
    # One block, so that places stay the same.
    data = gzip.decompress(rewritten(indexed, ()).read_bytes())
    index(indexed)
    place, places = parts_of(indexed)[0].begin, []
    monkeypatch.setattr(bam_records, "BATCH", 3)
    while place < len(data):
        places.append(place)
        place += 4 + struct.unpack_from("<i", data, place)[0]
    for number in (0, 39, 40, 70, 98, 99, 100, len(places) - 1):
        for chrom in (-1, 0, 1, 2, 3):
            changed = bytearray(data)
            struct.pack_into("<i", changed, places[number] + 4, chrom)
            save(indexed, [bytes(changed)], head=b"")
            caplog.clear()
            assert reads_of(indexed, threads=2) == slow_reads_of(indexed)
            same = struct.unpack_from("<i", data, places[number] + 4)[0] == chrom
            # The part of chr2 reaches to chrM, as no reads are between.
            assert (MISFIT in caplog.text) != (same or (chrom, 40 <= number < 99) == (2, True))


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_damaged_indices(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "indexed.bam"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bam, "_LEAST", 0)
        patch.setattr(bam.os.path, "getsize", lambda path: 1)
        rewritten(write(path, ROWS, header=SORTED), data.draw(st.sampled_from([(), range(0, 9000, 500)])))
        index(path)
        beside = path.with_name("indexed.bam.bai")
        beside.write_bytes(data.draw(damaged_bytes(beside.read_bytes())))
        assert reads_of(path, threads=2) == slow_reads_of(path)


def test_damage_anywhere_is_refused_with_an_index_as_without(indexed):
    whole = rewritten(indexed, range(0, 9000, 300)).read_bytes()
    index(indexed)
    expected, parts = reads_of(indexed), parts_of(indexed)
    refused = 0
    for place in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        indexed.write_bytes(damaged)
        found = or_refused(reads_of, indexed, 0, "flagged", 2)
        # What htslib alone reads is only the header.
        assert found == or_refused(reads_of, indexed) or place < parts[0].begin >> 16
        assert found == expected or isinstance(found, str)
        refused += isinstance(found, str)
    assert refused > len(whole) / 3 * 0.8


def test_parts_show_their_progress(indexed, caplog, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", -1)
    reads_of(indexed, threads=2)
    assert re.search(r"reads.bam: \d+ of \d+ MB read, \d+ MB/s, .* left", caplog.text)


def test_who_stops_early_waits_for_no_thread(indexed, monkeypatch):
    monkeypatch.setattr(bam_records, "BATCH", 1)
    before = threading.active_count()
    batches = alignment_reads(indexed, min_mapq=0, duplicates="keep", warnings=Warnings(), threads=2)
    next(batches)
    batches.close()
    assert threading.active_count() == before


@pytest.mark.parametrize(
    ("place", "form", "value"),
    # The length of the record, of its name, of the CIGAR and of the read; the numbers of the chromosomes.
    [
        *[(0, "<i", value) for value in (75, 73, 31, 0, -1, 1 << 30)],
        *[(12, "<B", value) for value in (0, 4, 255)],
        *[(16, "<H", value) for value in (2, 65535)],
        *[(20, "<i", value) for value in (24, 2**31 - 1, -1, -(2**31))],
        *[(place, "<i", value) for place in (4, 24) for value in (3, -2)],
    ],
)
def test_impossible_records(tmp_path, place, form, value):
    good = record(b"ab\0", cigar=[(22, "M")], bases=22, pos=7)
    assert struct.unpack_from("<i", good) == (72,) and reads_of(save(tmp_path / "a.bam", [good] * 3))[0]
    bad = bytearray(good)
    struct.pack_into(form, bad, place, value)
    path = save(tmp_path / "b.bam", [good, bytes(bad), good])
    assert or_refused(reads_of, path) == or_refused(slow_reads_of, path) == REFUSED.format(path)

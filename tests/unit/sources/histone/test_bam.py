import contextlib
import gzip
import os
import shutil
import subprocess

import hypothesis.strategies as st
import numpy as np
import pysam
import pytest
from hypothesis import given, settings

from helpers.bam_files import HEADER, MINUS_1, MINUS_2, PLUS_1, PLUS_2, SOME, bgzf, line, reads_of, write
from helpers.damage import damaged_bytes
from wakawaka.core.errors import InputError
from wakawaka.core.messages import Warnings
from wakawaka.sources.histone import bam_records
from wakawaka.sources.histone.bam import alignment_lengths, alignment_reads

# What pysam says besides raising the error, when it could not open a file.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

FORMATS = ("bam", "cram,no_ref", "cram,no_ref,version=2.1")


def read(tmp_path, lines, form="bam", **options):
    return reads_of(write(tmp_path / "reads.x", lines, form), **options)


@pytest.mark.parametrize("form", FORMATS)
def test_single_reads(tmp_path, form):
    lines = [
        line("a", 0),
        line("b", 16, "chr2", 0),
        line("c", 0, cigar="5S20M2D10M3I4S"),
        line("d", 16, cigar="10M300N26M5H"),
        line("e", 0, cigar="10=1X5P10M"),
        line("a", 0),
    ]
    expected = [
        ("chr1", 100, 121, 1),
        ("chr1", 100, 132, 1),
        ("chr1", 100, 136, 1),
        ("chr1", 100, 136, 1),
        ("chr1", 100, 436, -1),
        ("chr2", 0, 36, -1),
    ]
    # Not sorted, not indexed.
    assert read(tmp_path, lines, form) == (expected, [])
    assert alignment_lengths(tmp_path / "reads.x") == {"chr1": 5000, "chr2": 3000}


def test_filters(tmp_path):
    flags = {0: 10, 16: 9, 4: 60, 256: 60, 272: 60, 512: 60, 1024: 60, 2048: 60, 1040: 60, 3072: 60, 1536: 60}
    lines = [line(f"r{flag}", flag, pos=flag, mapq=mapq) for flag, mapq in flags.items()]
    starts = {
        options: [read[1] for read in read(tmp_path, lines, min_mapq=options[0], duplicates=options[1])[0]]
        for options in [(0, "flagged"), (0, "position"), (10, "flagged"), (0, "keep"), (10, "keep"), (61, "keep")]
    }
    assert starts == {
        (0, "flagged"): [0, 16],
        (0, "position"): [0, 16],
        (10, "flagged"): [0],
        (0, "keep"): [0, 16, 1024, 1040],
        (10, "keep"): [0, 1024, 1040],
        (61, "keep"): [],
    }


@pytest.mark.parametrize("form", FORMATS)
def test_pairs_are_fragments(tmp_path, form):
    lines = [
        line("a", PLUS_1, pos=100, mate_pos=250),
        line("b", PLUS_2, pos=120, mate_pos=90, cigar="50M"),
        line("a", MINUS_2, pos=250, mate_pos=100),
        line("b", MINUS_1, pos=90, mate_pos=120, cigar="36M"),
        # The first mate is within the other.
        line("c", PLUS_1, "chr2", pos=10, mate_pos=5, cigar="10M"),
        line("c", MINUS_2, "chr2", pos=5, mate_pos=10, cigar="100M"),
    ]
    expected = [("chr1", 90, 170, -1), ("chr1", 100, 286, 1), ("chr2", 5, 105, 1)]
    for some in (lines, lines[::-1]):
        assert read(tmp_path, some, form) == (expected, [])


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ({"flag": 1024}, {}),
        ({"flag": 512}, {"duplicates": "keep"}),
        ({"mapq": 9}, {"min_mapq": 10}),
        ({"flag": 2048}, {}),
    ],
)
@pytest.mark.parametrize("which", [0, 1])
def test_a_pair_of_which_one_mate_does_not_count(tmp_path, change, options, which):
    mates = [{"flag": PLUS_1, "pos": 100, "mate_pos": 250}, {"flag": MINUS_2, "pos": 250, "mate_pos": 100}]
    mates[which] |= {"flag": mates[which]["flag"] | change.get("flag", 0)} | {
        k: v for k, v in change.items() if k != "flag"
    }
    for some in (mates, mates[::-1]):
        reads, warnings = read(tmp_path, [line("a", **mate) for mate in some], **options)
        if change.get("flag") == 2048:
            # Supplementary alignments are no mates: the real one is missing.
            assert len(reads) == 1 and warnings[0].startswith("1 properly paired reads whose mate is not in the file")
        else:
            assert (reads, warnings) == ([], [])


def test_pairs_that_are_not_proper_count_once(tmp_path):
    lines = [
        # Too far apart: read 1 alone.
        line("a", 65, pos=100, mate_pos=4000),
        line("a", 129, pos=4000, mate_pos=100),
        # On two chromosomes, in spite of the flag.
        line("b", 67, pos=200, mate="chr2", mate_pos=7),
        line("b", 131, "chr2", pos=7, mate="chr1", mate_pos=200),
        # Read 1 is not mapped: read 2.
        line("c", 77 - 8, pos=300, mate_pos=300, cigar="*"),
        line("c", 137 + 16, pos=300, mate_pos=300),
        # Read 2 is not mapped: read 1.
        line("d", 73, pos=400, mate_pos=400),
        line("d", 133, pos=400, mate_pos=400, cigar="*"),
        # Read 1 is mapped, but does not count: none.
        line("e", 65, pos=500, mate_pos=600, mapq=1),
        line("e", 129, pos=600, mate_pos=500),
        # Not proper, in spite of the flag.
        line("g", 75, pos=700, mate_pos=700),
        line("g", 133, pos=700, mate_pos=700, cigar="*"),
        # Both are not mapped.
        line("f", 77, "*", -1, cigar="*", mate="*", mate_pos=-1),
        line("f", 141, "*", -1, cigar="*", mate="*", mate_pos=-1),
    ]
    expected = [("chr1", 100, 136, 1), ("chr1", 200, 236, 1), ("chr1", 300, 336, -1), ("chr1", 400, 436, 1)]
    expected.append(("chr1", 700, 736, 1))
    for form in FORMATS[:2]:
        assert read(tmp_path, lines, form, min_mapq=2) == (expected, [])


def test_mates_whose_partner_is_missing(tmp_path):
    lines = [
        line("a", PLUS_1, pos=100, mate_pos=250),
        line("b", MINUS_2, pos=100, mate_pos=50),
        # The same name twice.
        line("c", PLUS_1, pos=300, mate_pos=400),
        line("c", PLUS_1, pos=310, mate_pos=410),
        line("c", MINUS_2, pos=410, mate_pos=310),
        line("d", PLUS_1 | 1024, pos=100, mate_pos=250),
    ]
    reads, warnings = read(tmp_path, lines)
    assert reads == [("chr1", 100, 136, -1), ("chr1", 100, 136, 1), ("chr1", 300, 336, 1), ("chr1", 310, 446, 1)]
    assert warnings == ["3 properly paired reads whose mate is not in the file are counted by themselves."]


@pytest.mark.parametrize("form", FORMATS)
def test_names_of_mates_that_end_in_their_numbers(tmp_path, form):
    lines = [
        line("x/1", PLUS_1, pos=100, mate_pos=250),
        line("x/2", MINUS_2, pos=250, mate_pos=100),
        line("y/2", PLUS_2, pos=300, mate_pos=450),
        line("y/1", MINUS_1, pos=450, mate_pos=300),
        # Not numbers of mates.
        line("z/3", PLUS_1, pos=500, mate_pos=600),
        line("z/4", PLUS_1, pos=500, mate_pos=700),
        line("z/4", MINUS_2, pos=700, mate_pos=500),
        line("z/3", MINUS_2, pos=600, mate_pos=500),
        # Of reads that are not paired a name says nothing.
        line("w/1", 0, pos=800),
        line("w/2", 0, pos=800),
    ]
    spans = [(100, 286, 1), (300, 486, -1), (500, 636, 1), (500, 736, 1), (800, 836, 1), (800, 836, 1)]
    assert read(tmp_path, lines, form) == ([("chr1", *span) for span in spans], [])


def test_second_reads_whose_first_is_missing(tmp_path):
    def pair(name, first=True, second=True, **options):
        return [
            *[line(name, 65, pos=100, mate_pos=4000, **options)] * first,
            *[line(name, 129, pos=4000, mate_pos=100, **options)] * second,
        ]

    whole, lone = pair("a") + pair("b", mapq=0), pair("c", first=False) + pair("d", first=False)
    unmapped = line("e", 137, pos=300, mate_pos=300)
    assert read(tmp_path, [*whole, unmapped], min_mapq=1) == ([("chr1", 100, 136, 1), ("chr1", 300, 336, 1)], [])
    reads, warnings = read(tmp_path, [*whole, *lone], min_mapq=1)
    assert reads == [("chr1", 100, 136, 1)]
    assert warnings == [
        "at least 2 second reads of pairs that are not proper are left out, because such a pair counts by its first read, "
        "which is mapped, but not in the file."
    ]
    # A first read alone counts as it would beside its second.
    assert read(tmp_path, [*whole, *pair("f", second=False)], min_mapq=1) == ([("chr1", 100, 136, 1)] * 2, [])


def test_alignments_without_a_place(tmp_path):
    path = tmp_path / "reads.bam"
    header = pysam.AlignmentHeader.from_text(HEADER)
    with pysam.AlignmentFile(path, "wb", header=header) as file:
        for name, flag, chrom, start, mapq, cigar in [
            ("a", 0, 0, 100, 60, None),
            ("b", 0, -1, -1, 60, "36M"),
            ("c", 0, 0, -1, 60, "36M"),
            ("d", 16, 0, 100, 60, "36I"),
            ("e", 0, 0, 100, 60, "1M35S"),
            ("f", 4, 0, 100, 60, None),
            ("g", 0, 0, 100, 0, None),
        ]:
            record = pysam.AlignedSegment(header)
            record.query_name, record.flag, record.reference_id, record.reference_start = name, flag, chrom, start
            record.mapping_quality, record.cigarstring = mapq, cigar
            file.write(record)
    reads, warnings = reads_of(path, min_mapq=1)
    assert reads == [("chr1", 100, 101, 1)]
    assert warnings == [
        "4 alignments without a position or without a CIGAR that covers a base are left out, because their place is not known."
    ]


def test_batches(tmp_path, monkeypatch):
    lines = [line(f"r{i}", 0, f"chr{1 + i % 2}", i) for i in range(23)]
    path, cram = write(tmp_path / "reads.bam", lines), write(tmp_path / "reads.cram", lines, "cram,no_ref")
    mates = [line(f"r{i}", PLUS_1, f"chr{1 + i % 2}", i) for i in range(23)]
    alone = write(tmp_path / "alone.bam", mates)
    expected = {some: reads_of(some) for some in (path, cram, alone)}
    assert expected[path] == expected[cram] and len(expected[alone][0]) == 23
    for size in (1, 5, 23):
        monkeypatch.setattr(bam_records, "BATCH", size)
        for some in (path, cram, alone):
            batches = list(alignment_reads(some, min_mapq=0, duplicates="keep", warnings=Warnings()))
            assert {len(batch[1]) for batch in batches} <= {size, 23 % size} - {0}
            assert reads_of(some) == expected[some]


def test_no_reads(tmp_path):
    for form in FORMATS:
        assert read(tmp_path, [], form) == ([], [])
    path = write(tmp_path / "unaligned.bam", [line("a", 4, "*", -1, cigar="*")], header="@HD\tVN:1.6\n")
    assert reads_of(path) == ([], []) and alignment_lengths(path) == {}


def test_cram_without_its_reference(tmp_path, monkeypatch, capfd):
    bases = "".join("ACGT"[number * 7 % 11 % 4] for number in range(5000))
    genome = tmp_path / "genome.fa"
    genome.write_text(f">chr1\n{bases}\n>chr2\n{bases[:3000]}\n")
    pysam.faidx(str(genome))
    text = tmp_path / "reads.sam"
    lines = [line("a", 0), line("b", 16, "chr2", 500), line("c", PLUS_1, mate_pos=300), line("c", MINUS_2, pos=300)]
    bodies = [row.split("\t") for row in lines]
    for body in bodies:
        place = int(body[3]) - 1
        body[9:] = [bases[place : place + 30] + "TTTTTT", "I" * 36 + "\n"]
    text.write_text(HEADER + "".join("\t".join(body) for body in bodies))
    path = tmp_path / "reads.cram"
    pysam.view("-C", "-T", str(genome), "-o", str(path), str(text), catch_stdout=False)
    assert b"genome.fa" in pysam.view("-H", str(path)).encode()
    for file in tmp_path.glob("genome.fa*"):
        file.unlink()
    # Nothing must ask this for a reference.
    monkeypatch.setenv("REF_PATH", "http://127.0.0.1:9/%s")
    monkeypatch.delenv("REF_CACHE", raising=False)
    expected = [("chr1", 100, 136, 1), ("chr1", 100, 336, 1), ("chr2", 500, 536, -1)]
    assert reads_of(path) == (expected, [])
    assert os.environ["REF_PATH"] == "http://127.0.0.1:9/%s" and "REF_CACHE" not in os.environ
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("form", FORMATS)
def test_truncated_and_damaged_files(tmp_path, capfd, form):
    path = write(tmp_path / "reads.x", SOME, form)
    whole = path.read_bytes()
    end = 28 if form == "bam" else 30 if "2.1" in form else 38
    for cut in (1, end - 1, end, end + 1, len(whole) // 2, len(whole) - 30, len(whole)):
        path.write_bytes(whole[:-cut])
        with pytest.raises(
            InputError, match=r"reads.x: the (BAM|CRAM) file is truncated: it does not end with the end-of-file"
        ):
            reads_of(path)
    # Cut in the middle, but ended as it should be.
    for cut in (40, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:cut] + whole[-end:])
        with pytest.raises(InputError, match=r"reads.x: the alignment file is truncated or damaged"):
            reads_of(path)
    # htslib's own complaints would only be in the way.
    assert capfd.readouterr().err == ""
    with pytest.raises(InputError, match=r"nothing.bam: the file does not exist"):
        reads_of(tmp_path / "nothing.bam")


@pytest.mark.parametrize("form", FORMATS[:2])
def test_damaged_bytes(tmp_path, form):
    """Both formats have checksums: a flipped bit is noticed, or it was none of the reads'. (CRAM 2 has none.)"""
    path = write(tmp_path / "reads.x", SOME[:40], form)
    whole = path.read_bytes()
    expected = reads_of(path)
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with contextlib.suppress(InputError):
            assert reads_of(path) == expected


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_damaged_records(tmp_path_factory, data):
    """Records damaged before their checksum was made: nobody can notice every one, but none ends in another exception."""
    folder = tmp_path_factory.getbasetemp()
    payload = gzip.decompress(write(folder / "whole.x", SOME).read_bytes())
    path = folder / "damaged.x"
    path.write_bytes(bgzf(data.draw(damaged_bytes(payload))))
    with contextlib.suppress(InputError):
        reads_of(path)
        alignment_lengths(path)


def slow_reads(records, min_mapq, duplicates):
    """The rules, one after another, over dicts of records; every template has a name of its own."""
    reads = []
    templates = {}
    for record in records:
        if not record["flag"] & (4 | 256 | 2048):
            templates.setdefault(record["name"], []).append(record)
    for mates in templates.values():
        for record in mates:
            bad = record["flag"] & (512 if duplicates == "keep" else 512 | 1024)
            record["passes"] = not bad and record["mapq"] >= min_mapq
            record["end"] = record["pos"] + {"36M": 36, "5S30M": 30, "10M80N6M": 96, "4M3D4M2I": 11}[record["cigar"]]
            same = record["mate"] in ("=", record["chrom"])
            record["proper"] = bool(record["flag"] & 1 and record["flag"] & 2 and not record["flag"] & 8 and same)
        if len(mates) == 2 and all(record["proper"] for record in mates) and mates[0]["chrom"] == mates[1]["chrom"]:
            if all(record["passes"] for record in mates):
                first = next(record for record in mates if record["flag"] & 64)
                start, end = min(record["pos"] for record in mates), max(record["end"] for record in mates)
                reads.append((first["chrom"], start, end, -1 if first["flag"] & 16 else 1))
            continue
        for record in mates:
            read_2 = record["flag"] & 1 and record["flag"] & 128 and not record["proper"] and not record["flag"] & 8
            if record["passes"] and not read_2:
                reads.append((record["chrom"], record["pos"], record["end"], -1 if record["flag"] & 16 else 1))
    return sorted(reads)


RECORD = st.fixed_dictionaries(
    {
        "chrom": st.sampled_from(["chr1", "chr2"]),
        "pos": st.integers(0, 60),
        "mapq": st.sampled_from([0, 20, 255]),
        "cigar": st.sampled_from(["36M", "5S30M", "10M80N6M", "4M3D4M2I"]),
        "mate": st.sampled_from(["=", "=", "chr1", "chr2"]),
    }
)
OTHER_FLAGS = st.sampled_from([0, 0, 16, 2, 2, 18, 8, 10, 4, 512, 1024, 256, 2048, 1026])


@st.composite
def files(draw):
    records = []
    for number in range(draw(st.integers(0, 6))):
        for flag in draw(st.sampled_from([[0], [1 + 64, 1 + 128], [1 + 64], [1 + 128]])):
            records.append(draw(RECORD) | {"name": f"r{number}", "flag": flag | draw(OTHER_FLAGS)})
    return draw(st.permutations(records))


@settings(deadline=None, max_examples=150)
@given(records=files(), min_mapq=st.sampled_from([0, 20]), duplicates=st.sampled_from(["flagged", "keep"]))
def test_equals_the_rules_one_by_one(tmp_path_factory, records, min_mapq, duplicates):
    path = tmp_path_factory.getbasetemp() / "reads.bam"
    lines = [line(**{name: value for name, value in record.items() if name in KEYS}) for record in records]
    write(path, lines)
    assert reads_of(path, min_mapq, duplicates)[0] == slow_reads(records, min_mapq, duplicates)


KEYS = ("name", "flag", "chrom", "pos", "mapq", "cigar", "mate")


@pytest.mark.parametrize(
    ("options", "view"), [({}, ["-F", "3844"]), ({"min_mapq": 20, "duplicates": "keep"}, ["-F", "2820", "-q", "20"])]
)
def test_single_reads_equal_samtools(tmp_path, options, view):
    generator = np.random.default_rng(1)
    flags = generator.choice([0, 16, 4, 256, 512, 1024, 2048], 500)
    lines = [line(f"r{i}", flag, pos=i, mapq=generator.integers(0, 60)) for i, flag in enumerate(flags)]
    path = write(tmp_path / "reads.bam", lines)
    rows = [row.split("\t") for row in pysam.view(*view, str(path)).splitlines()]
    expected = sorted((row[2], int(row[3]) - 1, int(row[3]) + 35, -1 if int(row[1]) & 16 else 1) for row in rows)
    assert 0 < len(expected) < 500 and reads_of(path, **options)[0] == expected


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="bedtools is not installed")
def test_spans_equal_bedtools(tmp_path):
    generator = np.random.default_rng(2)
    cigars = ["36M", "5S31M", "10M200N26M", "20M3D16M", "20M4I12M", "3H30M3S", "8=1X10M"]
    starts = np.sort(generator.integers(0, 900, 200))
    flags = generator.choice([0, 16, 1024, 512], 200)
    lines = [
        line(f"r{i}", flags[i], pos=starts[i], mapq=generator.integers(0, 60), cigar=cigars[i % len(cigars)])
        for i in range(200)
    ]
    path = write(tmp_path / "reads.bam", lines, header=HEADER.replace("VN:1.6", "VN:1.6\tSO:coordinate"))
    pysam.index(str(path))
    windows = tmp_path / "windows.bed"
    windows.write_text("".join(f"chr1\t{start}\t{start + 1}\n" for start in range(1300)))
    for options, arguments in [({}, []), ({"min_mapq": 30}, ["-q", "30"]), ({"duplicates": "keep"}, ["-D"])]:
        command = ["bedtools", "multicov", *arguments, "-bams", path, "-bed", windows]
        rows = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        depth = np.zeros(1300, int)
        for _, start, end, _ in reads_of(path, **options)[0]:
            depth[start:end] += 1
        assert depth.max() > 3 and depth.tolist() == [int(row.split("\t")[3]) for row in rows]

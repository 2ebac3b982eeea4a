import csv
import gzip
import hashlib
import shutil
import subprocess

import numpy as np
import pysam
import pytest

from helpers.real_data import real
from helpers.small_files import read_cell, write_alignments, write_bigwig, write_parsed_genes
from wakawaka.core.errors import InputError
from wakawaka.genome.windows import window_starts
from wakawaka.sources.histone.read_mark import file_format
from wakawaka.sources.parsed import read_parsed

MARKS = ["H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3"]
LENGTHS = {"chr1": 1000, "chr2": 300, "chr9": 50}


def genes(path, places):
    """Write a parsed genes of (chromosome, TSS, strand)."""
    return write_parsed_genes(path, [(f"G{row}", *place) for row, place in enumerate(places)])


PLACES = [("chr1", 120, "+"), ("chr2", 100, "-"), ("", -1, "."), ("chr1", 10, ".")]


def bed(path, reads):
    path.write_text(
        "".join(f"{chrom}\t{start}\t{end}\tN\t{score}\t{strand}\n" for chrom, start, end, score, strand in reads)
    )
    return path


def bam(path, reads, form="b"):
    return write_alignments(path, LENGTHS, reads, form)


def bigwig(path, entries):
    return write_bigwig(path, LENGTHS, entries)


def read(tmp_path, files, places=PLACES, bins=4, window=40, **options):
    """Read [(mark, path), ...]; return (about, parsed)."""
    parsed = genes(tmp_path / "genes.npz", places) if isinstance(places, list) else places
    read_cell(files, parsed, tmp_path / "parsed.npz", bins=bins, window=window, **options)
    return read_parsed(tmp_path / "parsed.npz")


READS = [("chr1", 99, 112, 30, "+"), ("chr2", 100, 101, 5, "-"), ("chr2", 120, 130, 9, "-"), ("chr1", 0, 3, 30, "+")]
# Bins of G0 from 100, of G1 (minus strand) from 81, of G3 from -10.
COUNTS = [[1, 1, 0, 0], [0, 1, 0, 1], [0, 1, 0, 0]]


@pytest.mark.parametrize("form", ["bed", "bed.gz", "BAM", "CRAM"])
def test_reads(tmp_path, form):
    # The names of the files do not matter.
    path = tmp_path / "reads.x"
    if form in ("BAM", "CRAM"):
        bam(path, READS, form[0].lower())
        assembly = {"path": str(path), "lengths": {"chr1": 1000, "chr2": 300}}
    else:
        bed(path, READS)
        path.write_bytes(path.read_bytes() if form == "bed" else gzip.compress(path.read_bytes()))
        assembly = {"path": str(path), "reach": {"chr1": 112, "chr2": 130}}
    assert file_format(path) == (form if form in ("BAM", "CRAM") else "BED")
    about, parsed = read(tmp_path, [("K4", path)])
    assert parsed["gene_id"].tolist() == ["G0", "G1", "G3"]
    assert parsed["values"].dtype == np.uint16 and parsed["values"][:, :, 0].tolist() == COUNTS
    assert about["scale"] == "counts" and about["order"] == "genomic" and about["depth"] == {"K4": 4}
    assert about["counting"] == {"rule": "overlap", "min_mapq": 0, "duplicates": "flagged"}
    assert about["assemblies"] == [assembly]
    assert [source["path"] for source in about["sources"]] == [str(path)]
    assert about["warnings"] == [
        f"{tmp_path}/genes.npz: 1 genes have no histone marks, because their place is not known: G2."
    ]
    about, parsed = read(tmp_path, [("K4", path)], strand_aware=False)
    assert parsed["values"][:, :, 0].tolist() == [COUNTS[0], [0, 0, 1, 0], COUNTS[2]]


def test_settings_reach_the_readers(tmp_path):
    path = bed(tmp_path / "a.bed", READS + READS)
    for options, first, depth in [
        ({}, [2, 2, 0, 0], 8),
        ({"min_mapq": 9}, [2, 2, 0, 0], 6),
        ({"min_mapq": 31}, [0, 0, 0, 0], 0),
        ({"duplicates": "position"}, [1, 1, 0, 0], 4),
        ({"counting": "midpoint"}, [2, 0, 0, 0], 8),
        ({"counting": "five_prime"}, [0, 0, 0, 0], 8),
    ]:
        about, parsed = read(tmp_path, [("K4", path)], **options)
        assert parsed["values"][0, :, 0].tolist() == first and about["depth"] == {"K4": depth}
        keys = {"rule": "counting", "min_mapq": "min_mapq", "duplicates": "duplicates"}
        assert all(about["counting"][name] == options[key] for name, key in keys.items() if key in options)


def test_replicates_are_summed_and_marks_kept_apart(tmp_path):
    one, two = bed(tmp_path / "a", READS), bam(tmp_path / "b", READS[:1])
    about, parsed = read(
        tmp_path, [("K4", one), ("K9", bed(tmp_path / "c", READS[1:2])), ("K4", two)], marks=["K9", "K4"]
    )
    assert parsed["values"][:, :, 1].tolist() == [[2, 2, 0, 0], *COUNTS[1:]]
    assert parsed["values"][:, :, 0].tolist() == [[0] * 4, [0, 1, 0, 0], [0] * 4]
    assert about["depth"] == {"K9": 1, "K4": 5}
    assert [assembly["path"] for assembly in about["assemblies"]] == [str(tmp_path / name) for name in "cab"]


def test_counts_above_65535(tmp_path):
    _, parsed = read(tmp_path, [("K4", bed(tmp_path / "a", READS[:1] * 65536)), ("K9", bed(tmp_path / "b", READS))])
    assert parsed["values"].dtype == np.uint32 and parsed["values"][0, 0].tolist() == [65536, 1]


TRACK = [("chr1", 100, 110, 3), ("chr1", 110, 115, 1.5), ("chr2", 81, 101, 2)]
MEANS = [[3, 0.75, 0, 0], [2, 2, 0, 0], [0, 0, 0, 0]]


def test_tracks(tmp_path):
    path = bigwig(tmp_path / "a", TRACK)
    assert file_format(path) == "bigWig"
    about, parsed = read(tmp_path, [("K4", path)])
    assert parsed["values"].dtype == np.float32 and parsed["values"][:, :, 0].tolist() == MEANS
    assert about["scale"] == "counts" and about["depth"] == {"K4": None}
    assert about["assemblies"] == [{"path": str(path), "lengths": {"chr1": 1000, "chr2": 300}}]
    other = bigwig(tmp_path / "b", [("chr1", 100, 110, 4), ("chr1", 130, 131, -2)])
    about, parsed = read(tmp_path, [("K4", path), ("K4", other)], scale="signal")
    expected = np.float32([[3.5, 0.375, 0, -0.1], [1, 1, 0, 0], [0, 0, 0, 0]])
    assert np.allclose(parsed["values"][:, :, 0], expected, atol=1e-7) and about["scale"] == "signal"


@pytest.mark.parametrize("scale", ["counts", "log1p", "signal"])
def test_reads_beside_tracks(tmp_path, scale):
    files = [("K4", bed(tmp_path / "a", READS * 3)), ("K9", bigwig(tmp_path / "b", TRACK))]
    about, parsed = read(tmp_path, files, scale=scale)
    counts = 3 * np.array(COUNTS)
    expected = counts if scale == "counts" else np.log1p(counts)
    assert parsed["values"].dtype == np.float32 and about["scale"] == scale
    assert np.array_equal(parsed["values"][:, :, 0], expected.astype(np.float32))
    assert parsed["values"][:, :, 1].tolist() == MEANS
    assert about["depth"] == {"K4": 12, "K9": None}


def test_reads_are_counts_whatever_the_scale(tmp_path):
    about, parsed = read(tmp_path, [("K4", bed(tmp_path / "a", READS))], scale="signal")
    assert about["scale"] == "counts" and parsed["values"].dtype == np.uint16


def test_warnings(tmp_path):
    places = [*PLACES[:2], ("chr3", 5, "+")]
    # Nothing but comments is a file without reads, but nothing at all is none.
    (tmp_path / "b").write_text("# no reads\n")
    files = [
        ("K4", bam(tmp_path / "a", READS)),
        ("K9", tmp_path / "b"),
        ("K36", bigwig(tmp_path / "c", TRACK)),
    ]
    about, parsed = read(tmp_path, files, places)
    assert about["warnings"] == [
        f"{tmp_path}/a: 1 genes have zeros, because the file lacks their chromosome: G2.",
        f"{tmp_path}/b: not a single read counts; its numbers are all zero.",
        f"{tmp_path}/c: 1 genes have zeros, because the file lacks their chromosome: G2.",
    ]
    assert about["assemblies"][1] == {"path": str(tmp_path / "b"), "reach": {}}
    assert not parsed["values"][:, :, 1].any() and not parsed["values"][2].any() and parsed["values"][0, 0, 0] == 1


@pytest.mark.parametrize(
    ("make", "places", "options", "says"),
    [
        (bam, [("chr2", 300, "+")], {}, "a: the TSS of gene G0 is at chr2:301, beyond the chromosome's 300 bases"),
        (bigwig, [("chr2", 300, "+")], {}, "a: the TSS of gene G0 is at chr2:301, beyond the chromosome's 300 bases"),
        (bam, [("chr3", 30, "+")], {}, r"a: none of the annotation's chromosomes \(chr3\) is in this file"),
        (bed, [("chr3", 30, "+")], {}, r"a: none of the annotation's chromosomes \(chr3\) is in this file"),
        (bed, [("chr3", -1, "+")], {}, "a: no gene has a known place"),
        (bigwig, [("chr1", 120, "+")], {}, r"a: the mean of gene G0, bin 4, is -0\.2, but the scale `counts` does not allow"),
        (bigwig, [("chr1", 120, "+")], {"scale": "log1p"}, "scale `log1p` does not allow negative values; set `histone.scale: signal`"),
    ],
)  # fmt: skip
def test_refused(tmp_path, make, places, options, says):
    content = [*TRACK[:2], ("chr1", 138, 140, -1)] if make is bigwig else READS
    with pytest.raises(InputError, match=says):
        read(tmp_path, [("K4", make(tmp_path / "a", content))], places, **options)
    assert not list(tmp_path.glob("*parsed.npz"))


def test_reads_and_tracks_of_one_mark(tmp_path):
    files = [("K4", bigwig(tmp_path / "a", TRACK)), ("K4", bed(tmp_path / "b", READS))]
    with pytest.raises(InputError) as error:
        read(tmp_path, files)
    assert str(error.value).startswith(f"{tmp_path}/b: this file of K4 holds reads, but {tmp_path}/a of the same mark")


def test_other_files(tmp_path):
    path = tmp_path / "a"
    for content, says in [
        (b"\x87\x89\xf2\xeb"[::-1] + bytes(100), "this is a bigBed"),
        (b"", r"the file is empty \(0 bytes\), as a failed download leaves it; fetch or make it again"),
        (b"CRAM", "the CRAM file is truncated"),
        (gzip.compress(b"BAM\1"), "the BAM file is truncated"),
        (b"\x1f\x8b\x08\x04", "the compressed file is truncated or damaged"),
        (b"PK\3\4\0\0", "this is neither text"),
        (b"@HD\tVN:1.6\n", "line 1: 2 fields where BED has at least 3"),
        (b"@HD\tVN:1.6\tSO:coordinate\n", "line 1: the start is 'VN:1.6', .* this looks like SAM"),
        (b"chr1\t0\t900\t3.5\n", "line 1: this is a bedGraph"),
        (gzip.compress(b"track type=bedGraph\nchr1\t0\t900\t3.5\n"), "line 2: this is a bedGraph"),
        (b"1\t5\t9\nchr1\t5\t9\n", "this file has reads on 1 and on chr1"),
    ]:
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"a(:|,) {says}"):
            read(tmp_path, [("K4", path)])
    with pytest.raises(InputError, match="the file does not exist"):
        read(tmp_path, [("K4", tmp_path / "b")])


# Real data


def table(path, delimiter="\t"):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


@pytest.fixture
def e003(tmp_path):
    """(folder, parsed genes, expected counts [gene, bin, mark], arguments) of the 143 genes around which E003's reads are."""
    data = real("E003_reads")
    rows = table(data / "genes.tsv")
    parsed = genes(tmp_path / "genes.npz", [(row["chrom"], int(row["tss_hg19"]), ".") for row in rows])
    with np.load(data / "E003_kaggle_style.npz", allow_pickle=False) as file:
        expected = file["E003"]
    assert expected[:, 0, 0].tolist() == [int(row["gene_id"][4:]) for row in rows]
    return data, parsed, expected[:, :, 1:6], {"bins": 100, "window": 10000}


@pytest.mark.parametrize("form", ["tagAlign", "bam", "cram"])
def test_reads_of_e003(tmp_path, e003, form):
    data, parsed, expected, options = e003
    paths = [data / "tagAlign" / f"E003-{mark}.tagAlign.gz" for mark in MARKS]
    if form != "tagAlign":
        paths = [data / "bam" / f"E003-{mark}.bam" for mark in MARKS]
    if form == "cram":
        for number, path in enumerate(paths):
            paths[number] = tmp_path / f"{path.name}.cram"
            pysam.view("-O", "cram,no_ref", "-o", str(paths[number]), str(path), catch_stdout=False)
    about, content = read(tmp_path, list(zip(MARKS, paths, strict=True)), parsed, **options)
    assert content["values"].dtype == np.uint16 and np.array_equal(content["values"], expected)
    assert about["depth"] == dict(zip(MARKS, [142151, 115922, 112246, 203922, 81267], strict=True))
    assert about["warnings"] == []


def test_tracks_of_e003(tmp_path, e003):
    data, parsed, _, options = e003
    paths = [data / "bigwig" / f"E003-{mark}.bw" for mark in MARKS]
    _, content = read(tmp_path, list(zip(MARKS, paths, strict=True)), parsed, **options)
    _, gene = read_parsed(parsed)
    starts = window_starts(gene["tss"], gene["strand"], 10000, True)
    for column, mark in enumerate(MARKS):
        reads = {}
        text = gzip.decompress((data / "tagAlign" / f"E003-{mark}.tagAlign.gz").read_bytes()).decode()
        for line in text.splitlines():
            chrom, start, end, *_ = line.split()
            reads.setdefault(chrom, []).append((int(start), int(end)))
        reads = {chrom: np.array(rows) for chrom, rows in reads.items()}
        for row, (chrom, start) in enumerate(zip(gene["chrom"], starts, strict=True)):
            edges = start + 100 * np.arange(101)
            near = reads.get(chrom, np.empty((0, 2), int))
            near = near[(near[:, 1] > edges[0]) & (near[:, 0] < edges[-1])]
            overlap = np.minimum(near[:, 1, None], edges[1:]) - np.maximum(near[:, 0, None], edges[:-1])
            depth = np.maximum(overlap, 0).sum(axis=0)
            assert np.array_equal(content["values"][row, :, column], (depth / 100).astype(np.float32))


def chr21_genes(data):
    """The genes of both of the folder's tables: 102 TSSs with a strand, then the beginnings of 384 transcripts."""
    places = [(row["chrom"], int(row["tss_hg19"]), row["strand"]) for row in table(data / "deepchrome_genes.tsv")]
    for line in (data / "genes.bed").read_text().splitlines():
        chrom, start, end, _, _, strand = line.split("\t")
        places.append((chrom, int(end) - 1 if strand == "-" else int(start), strand))
    return places


CHR21_MARKS = ["H3K4me3", "H3K36me3", "H3K9me3"]


def chr21_counts(tmp_path, data, strand_aware):
    """Return the counts of stranded reads, some of them of 36 and some of 72 bases: [gene, bin, mark]."""
    files = [(mark, data / f"{mark}.bam") for mark in CHR21_MARKS]
    about, parsed = read(tmp_path, files, chr21_genes(data), bins=100, window=10000, strand_aware=strand_aware)
    assert about["warnings"] == [] and about["depth"] == {"H3K4me3": 74534, "H3K36me3": 102893, "H3K9me3": 100864}
    return parsed["values"]


# SHA-256 of the counts that `bedtools multicov -bams H3K4me3.bam H3K36me3.bam H3K9me3.bam -bed bins.bed` of bedtools 2.30.0
# prints in its three last columns, as little-endian uint32 in the order of its lines. The lines of bins.bed are the bins of
# 100 bases of every gene of `chr21_genes`, in that order, from the leftmost to the rightmost: with t the 0-based TSS, from
# t - 5000 on, and for genes on the minus strand from t - 4999 on where the windows are strand_aware.
CHR21_SHA256 = {
    True: "250697e5116ef140455bdf4e7c33ef1307f223c132c76e38faf4d54ff33a3252",
    False: "c5541cab448968dc4444a5cf4f2605b2712003ae534adbeee39e815b1047dc7a",
}


@pytest.mark.parametrize("strand_aware", [True, False])
def test_stranded_reads_of_chr21(tmp_path, strand_aware):
    counts = chr21_counts(tmp_path, real("chr21_bams"), strand_aware)
    assert hashlib.sha256(counts.astype("<u4").tobytes()).hexdigest() == CHR21_SHA256[strand_aware]


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="bedtools is not installed")
@pytest.mark.parametrize("strand_aware", [True, False])
def test_stranded_reads_of_chr21_equal_bedtools(tmp_path, strand_aware):
    data = real("chr21_bams")
    bins = tmp_path / "bins.bed"
    # Of all genes it takes a quarter of a minute.
    step = 6
    with open(bins, "w") as file:
        for chrom, tss, strand in chr21_genes(data)[::step]:
            first = tss - 5000 + (1 if strand_aware and strand == "-" else 0)
            file.writelines(f"{chrom}\t{start}\t{start + 100}\n" for start in range(first, first + 10000, 100))
    command = ["bedtools", "multicov", "-bams", *(data / f"{mark}.bam" for mark in CHR21_MARKS), "-bed", bins]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    expected = np.array([line.split("\t")[3:] for line in lines], np.int64).reshape(-1, 100, 3)
    assert expected.shape == (81, 100, 3) and expected.sum() > 20_000
    assert np.array_equal(chr21_counts(tmp_path, data, strand_aware)[::step], expected)

"""Raw files of the built-in example, read back with independent readers and counted base by base."""

import gzip
import re
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyBigWig
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakawaka.core.errors import InputError
from wakawaka.example.example_reads import READ, around
from wakawaka.example.files import ExampleFiles, ReadFiles
from wakawaka.example.simulate_example import ExampleSettings, simulate_example
from wakawaka.example.simulate_reads import simulate_reads

MARKS = ["H3K4me3", "H3K9me3", "H3K36me3", "H3K27me3", "H3K4me1"]
CELLS = ["a", "b"]
WINDOW = 10000
# Six of 24 genes lie on chr1, one of them over its start.
GENES = 24
SUFFIXES = [".tagAlign.gz", ".bam", ".cram", ".bw", ".paired.bam"]
FILES = [(cell, mark, SUFFIXES[(i + j) % 5]) for i, cell in enumerate(CELLS) for j, mark in enumerate(MARKS)]
READS = [f"{cell}-{mark}{suffix}" for cell, mark, suffix in FILES]
# In the count files of 100 bins, the bin of the first gene that has one base on the chromosome (see `make_example`).
CUT, IN_CUT = 20, 3


def make_example(folder, bins):
    """Write a built-in example into `folder`; return its files."""
    paths = {name: folder / name for name in ("genome", "annotation", "expression", "held_out_genes")}
    files = ExampleFiles(counts={cell: folder / f"{cell}.tsv.gz" for cell in CELLS}, **paths)
    settings = {"seed": 1, "genes": GENES, "held_out": 6, "effect": 1, "motif_copies": 24, "depth": 1}
    settings |= {"marks": MARKS, "window": WINDOW, "bins": bins}
    simulate_example(files, folder / "truth", ExampleSettings(cells=CELLS[:1], held_out_cells=CELLS[1:], **settings))
    if bins == 100:
        for path in files.counts.values():
            # A bin of which one base is inside has a count of its own once in 70 times only.
            table = pd.read_csv(path, sep="\t")
            first = table["gene_id"] == table["gene_id"].iloc[0]
            table.loc[first & (table["bin"] == CUT), MARKS] = IN_CUT
            table.to_csv(path, sep="\t", index=False)
    return files


def simulate(folder, example, reads=None, **changes):
    """Write the raw files of an example into `folder`; return their paths."""
    names = {(cell, mark): f"{cell}-{mark}{suffix}" for cell, mark, suffix in FILES}
    outputs = {
        "reads": [(cell, mark, folder / name) for (cell, mark), name in names.items()],
        "genes": folder / "genes.gff3.gz",
        "sequence": folder / "genome.fa.gz",
        "quantifications": {cell: folder / f"{cell}.sf" for cell in CELLS},
        "held_out": folder / "held_out.txt",
    }
    outputs |= {"reads": reads} if reads else {}
    simulate_reads(example, ReadFiles(**outputs), **{"window": WINDOW, "bins": 100, "seed": 1} | changes)
    reads = [path for _, _, path in outputs["reads"]]
    return SimpleNamespace(**outputs | {"reads": reads, "quantifications": list(outputs["quantifications"].values())})


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return make_example(tmp_path_factory.mktemp("example"), 100)


@pytest.fixture(scope="module")
def raw(example, tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("raw"), example)


@pytest.fixture(scope="module")
def expected(example):
    """The example's files of chr1: genes, letters, and counts as {(cell, gene_id): {mark: [bin]}}."""
    return read_example(example)


def read_example(example):
    genes = {}
    for line in example.annotation.read_text().splitlines():
        chrom, _, feature, start, end, _, strand, *_, attributes = (line + "\t" * 8).split("\t")[:9]
        if chrom == "chr1" and feature == "gene":
            tss = int(start) - 1 if strand == "+" else int(end) - 1
            window = tss - WINDOW // 2 + (strand == "-")
            genes[re.search('"(GENE[0-9]+)"', attributes)[1]] = SimpleNamespace(
                tss=tss, strand=strand, window=window, length=int(end) - int(start) + 1
            )
    records = [record.split("\n", 1) for record in example.genome.read_text().split(">")[1:]]
    letters = {name: text.replace("\n", "") for name, text in records}
    counts = {}
    for cell, path in example.counts.items():
        for gene_id, table in pd.read_csv(path, sep="\t").groupby("gene_id"):
            counts[cell, gene_id] = {mark: table.sort_values("bin")[mark].tolist() for mark in MARKS}
    return SimpleNamespace(genes=genes, letters=letters, counts=counts)


def fragments(path):
    """Return (start, end) of every read of a tagAlign, and of every read or pair of a BAM or CRAM."""
    if path.name.endswith(".gz"):
        rows = [line.split("\t") for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
        assert all(row[0] == "chr1" and row[3:5] == ["N", "1000"] and row[5] in ("+", "-") for row in rows)
        return [(int(row[1]), int(row[2])) for row in rows]
    by_name = {}
    with pysam.AlignmentFile(str(path)) as file:
        for read in file:
            by_name.setdefault(read.query_name, []).append(read)
    return [
        (min(read.reference_start for read in reads), max(read.reference_end for read in reads))
        for reads in by_name.values()
    ]


def count(path, genes, length, bins):
    """Return {gene_id: [bin]}: midpoints, or the mean of a bigWig over the bin where its missing bases are zero."""
    size = WINDOW // bins
    if path.suffix == ".bw":
        with pyBigWig.open(str(path)) as file:
            track = np.nan_to_num(file.values("chr1", 0, length, numpy=True).astype(float))
        value = dict(enumerate(track / size)).get
    else:
        value = Counter((start + end) // 2 for start, end in fragments(path)).get
    return {
        gene_id: [
            sum(
                value(gene.window + number * size + base, 0)
                for base in range(size)
                if gene.window + number * size + base >= 0
            )
            for number in range(bins)
        ]
        for gene_id, gene in genes.items()
    }


@pytest.mark.parametrize(("cell", "mark", "suffix"), FILES)
def test_files_give_exactly_the_counts(raw, expected, cell, mark, suffix):
    [path] = [path for path in raw.reads if path.name == f"{cell}-{mark}{suffix}"]
    counted = count(path, expected.genes, len(expected.letters["chr1"]), 100)
    assert len(counted) == 6
    for gene_id, values in counted.items():
        # A sum of hundredths is not exact, but these are whole numbers.
        assert values == pytest.approx(expected.counts[cell, gene_id][mark], abs=1e-9 if suffix == ".bw" else 0), (
            gene_id
        )
    if suffix != ".bw":
        # Nothing is anywhere else.
        assert len(fragments(path)) == sum(sum(expected.counts[cell, gene_id][mark]) for gene_id in expected.genes)


def test_the_window_over_the_start_has_reads_up_to_the_first_base(raw, expected):
    gene_id, gene = min(expected.genes.items(), key=lambda item: item[1].tss)
    # One base of bin 20 is on the chromosome; only a read of one base has its midpoint there.
    assert gene.strand == "-" and gene.window + CUT * 100 == 1
    for (cell, mark, suffix), path in zip(FILES, raw.reads, strict=True):
        assert expected.counts[cell, gene_id][mark][: CUT - 1] == [0] * (CUT - 1)
        assert expected.counts[cell, gene_id][mark][CUT - 1] == IN_CUT
        if suffix == ".bw":
            with pyBigWig.open(str(path)) as file:
                assert file.values("chr1", 0, 1) == [100 * IN_CUT]
        else:
            assert fragments(path).count((0, 1)) == IN_CUT


@pytest.mark.parametrize("bins", [16, 50])
def test_other_bins(tmp_path, bins):
    files = make_example(tmp_path, bins)
    raw, expected = simulate(tmp_path / "raw", files, bins=bins), read_example(files)
    first = min(expected.genes, key=lambda gene_id: expected.genes[gene_id].tss)
    for (cell, mark, suffix), path in zip(FILES, raw.reads, strict=True):
        for gene_id, values in count(path, expected.genes, len(expected.letters["chr1"]), bins).items():
            # In 16 bins one has 501 of 625 bp on the chromosome: no float32 gives exactly its count.
            tolerance = 0 if suffix != ".bw" else 1e-5 if gene_id == first else 1e-9
            assert values == pytest.approx(expected.counts[cell, gene_id][mark], abs=tolerance), (path.name, gene_id)


@given(st.data())
def test_stretches_have_their_midpoint_and_stay_on_the_chromosome(data):
    length = data.draw(st.integers(1, 400))
    midpoint = data.draw(st.integers(0, length - 1))
    span = data.draw(st.integers(1, 300))
    start, end = (int(value) for value in around(np.array(midpoint), span, length))
    assert (start + end) // 2 == midpoint and 0 <= start < end <= length
    # Not shorter than it has to be: the next longer one does not fit.
    longer = midpoint - (end - start + 1) // 2
    assert end - start == span or longer < 0 or longer + (end - start + 1) > length


def test_reads_are_of_one_length_random_strand_and_place(raw, expected):
    for (_, _, suffix), path in zip(FILES, raw.reads, strict=True):
        if suffix in (".bw", ".paired.bam"):
            continue
        stretches = fragments(path)
        assert {end - start for start, end in stretches if start > 0} == {READ}
        assert [start for start, _ in stretches] != sorted(start for start, _ in stretches) or suffix != ".tagAlign.gz"
        # About 900 reads: the standard error of a mean of places in a bin is one base, that of a share 0.017.
        starts = [gene.window for gene in expected.genes.values()]
        places = [
            ((start + end) // 2 - max(s for s in starts if s <= (start + end) // 2)) % 100 for start, end in stretches
        ]
        assert len(places) > 600 and np.mean(places) == pytest.approx(49.5, abs=5)
        assert set(places) == set(range(100))
        if suffix == ".tagAlign.gz":
            reverse = [line.endswith("-") for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
        else:
            with pysam.AlignmentFile(str(path)) as file:
                reverse = [read.is_reverse for read in file]
        assert np.mean(reverse) == pytest.approx(0.5, abs=0.08)


def alignments(raw, expected, suffixes):
    for (_, _, suffix), path in zip(FILES, raw.reads, strict=True):
        if suffix in suffixes:
            with pysam.AlignmentFile(str(path)) as file:
                assert file.format == ("CRAM" if suffix == ".cram" else "BAM")
                assert file.header.to_dict()["HD"]["SO"] == "coordinate"
                assert dict(zip(file.references, file.lengths, strict=True)) == {
                    name: len(letters) for name, letters in expected.letters.items()
                }
                yield list(file)


def test_alignments_are_sorted_and_need_no_reference(raw, expected, monkeypatch):
    # Where htslib would look for the sequences of a CRAM's chromosomes.
    monkeypatch.setenv("REF_PATH", "/nowhere/%s")
    monkeypatch.setenv("REF_CACHE", "/nowhere/%s")
    chromosome = expected.letters["chr1"].upper()
    files = list(alignments(raw, expected, {".bam", ".cram", ".paired.bam"}))
    assert len(files) == 6
    for reads in files:
        starts = [read.reference_start for read in reads]
        assert starts == sorted(starts) and {read.reference_name for read in reads} == {"chr1"}
        assert all(read.query_sequence == chromosome[read.reference_start : read.reference_end] for read in reads)
        assert {read.mapping_quality for read in reads} == {60}


def test_single_reads_have_no_other_flags(raw, expected):
    assert {read.flag for reads in alignments(raw, expected, {".bam", ".cram"}) for read in reads} == {0, 16}


def test_pairs_are_proper(raw, expected):
    for reads in alignments(raw, expected, {".paired.bam"}):
        pairs = {}
        for read in reads:
            pairs.setdefault(read.query_name, []).append(read)
        for left, right in pairs.values():
            assert (left.flag, right.flag) in {(99, 147), (163, 83)}
            assert left.template_length == -right.template_length == right.reference_end - left.reference_start
            assert (left.next_reference_id, right.next_reference_id) == (0, 0)
            assert left.next_reference_start == right.reference_start
            assert right.next_reference_start == left.reference_start
            assert left.query_length == right.query_length == min(36, left.template_length)
            assert 120 <= left.template_length <= 300 or left.reference_start <= 1
        flags = Counter(left.flag for left, _ in pairs.values())
        assert flags[99] / flags.total() == pytest.approx(0.5, abs=0.08)
        lengths = [left.template_length for left, _ in pairs.values()]
        assert min(lengths) < 120 and max(lengths) == 300


def read_gff3(path):
    """Return {gene_id: gene} with the features of a GFF3: start and end are 0-based and half open."""
    first, second, *lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert first == "##gff-version 3" and second.startswith("##sequence-region chr1 1 ")
    genes, transcripts = {}, {}
    for line in lines:
        chrom, _, feature, start, end, _, strand, _, attributes = line.split("\t")
        about = dict(pair.split("=") for pair in attributes.split(";"))
        here = SimpleNamespace(start=int(start) - 1, end=int(end), strand=strand, about=about, children=[])
        here.tss = here.start if strand == "+" else here.end - 1
        assert chrom == "chr1" and 0 <= here.start < here.end <= int(second.split()[-1])
        if feature == "gene":
            genes[about["ID"]] = here
        elif feature == "mRNA":
            transcripts[about["ID"]] = here
            genes[about["Parent"]].children.append(here)
        else:
            assert feature == "exon"
            transcripts[about["Parent"]].children.append(here)
    return {gene.about["gene_id"]: gene for gene in genes.values()}


def test_gff3_has_the_tss_of_the_gtf_in_the_canonical_transcripts(raw, expected):
    genes = read_gff3(raw.genes)
    assert set(genes) == set(expected.genes)
    for gene_id, gene in genes.items():
        [canonical] = [line for line in gene.children if "Ensembl_canonical" in line.about["tag"].split(",")]
        assert canonical.tss == expected.genes[gene_id].tss
        assert canonical.end - canonical.start == expected.genes[gene_id].length
        assert {line.strand for line in gene.children} == {gene.strand} == {expected.genes[gene_id].strand}
        # A parent begins and ends where its children do.
        for parent in (gene, *gene.children):
            assert parent.start == min(child.start for child in parent.children)
            assert parent.end == max(child.end for child in parent.children)
            assert {child.strand for child in parent.children} == {parent.strand}


def test_the_three_ways_to_choose_a_tss_differ(raw, expected):
    differences = Counter()
    for gene_id, gene in read_gff3(raw.genes).items():
        sign = 1 if gene.strand == "+" else -1
        upstream = min(gene.children, key=lambda line: sign * line.tss)
        longest = max(gene.children, key=lambda line: sum(exon.end - exon.start for exon in line.children))
        assert longest is max(gene.children, key=lambda line: line.end - line.start)
        tss = expected.genes[gene_id].tss
        differences[(upstream.tss - tss) * sign, (longest.tss - tss) * sign] += 1
    assert differences == {(0, 0): 2, (-500, -500): 2, (0, 500): 2}


def test_sequence_is_the_first_record_of_the_genome(raw, example):
    text = gzip.decompress(raw.sequence.read_bytes()).decode()
    assert text.startswith(">chr1\n") and text.count(">") == 1
    whole = example.genome.read_text()
    assert whole.startswith(text + ">chr2\n")


def test_quantifications_hold_two_to_the_expression(raw, example, expected):
    expression = pd.read_csv(example.expression, sep="\t", index_col="gene_id")
    for cell, path in zip(CELLS, raw.quantifications, strict=True):
        header, *lines = [line.split("\t") for line in path.read_text().splitlines()]
        assert header == ["Name", "Length", "EffectiveLength", "TPM", "NumReads"]
        assert [line[0] for line in lines] == list(expected.genes)
        for name, length, effective, tpm, reads in lines:
            assert float(tpm) == pytest.approx(2 ** expression.loc[name, cell], rel=1e-5)
            assert int(length) == expected.genes[name].length and 0 < float(effective) < int(length)
            assert float(reads) == pytest.approx(float(tpm) * float(effective) / 1000, abs=1e-3)


def test_held_out_genes_are_those_of_the_chromosome(raw, example, expected):
    everyone = example.held_out_genes.read_text().splitlines()
    here = raw.held_out.read_text().splitlines()
    assert here == [gene_id for gene_id in everyone if gene_id in expected.genes]
    assert 0 < len(here) < len(everyone)


def test_equal_seeds_give_equal_bytes(raw, example, tmp_path):
    again = simulate(tmp_path, example)
    other = simulate(tmp_path / "other", example, seed=2)
    for name, paths in vars(again).items():
        for one, two, three in zip(
            *(np.atleast_1d(run) for run in (paths, getattr(raw, name), getattr(other, name))), strict=True
        ):
            assert one.read_bytes() == two.read_bytes(), one.name
            # Only the places of the reads are drawn.
            drawn = name == "reads" and one.suffix != ".bw"
            assert (one.read_bytes() != three.read_bytes()) == drawn, one.name
            # The times and names that these formats have room for.
            assert one.suffix != ".gz" or one.read_bytes()[3:8] == bytes(5)
            assert one.suffix != ".cram" or one.read_bytes()[6:26] == bytes(20)


def test_what_is_drawn_for_one_file_shifts_nothing_in_another(raw, example, tmp_path):
    # Three files, of which the first draws other numbers than it does in `raw`.
    reads = [tmp_path / name for name in ["a.paired.bam", *READS[1:3]]]
    simulate(tmp_path, example, [("a", mark, path) for mark, path in zip(MARKS[:3], reads, strict=True)])
    for one, two in zip(reads[1:], raw.reads[1:3], strict=True):
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize(
    ("cell", "mark", "name", "words"),
    [
        ("a", "H3K4me1", "a.sam", "a.sam: reads are simulated in files whose names end in .tagAlign.gz"),
        ("z", "H3K4me1", "a.bam", "a.bam: no counts are simulated for the cell z; name one of a, b."),
        ("a", "H3K27ac", "a.bam", "a.bam: no counts are simulated for the mark H3K27ac; name one of H3K4me3, "),
    ],
)
def test_unknown_suffixes_cells_and_marks_are_refused_in_a_sentence(example, tmp_path, cell, mark, name, words):
    with pytest.raises(InputError, match=re.escape(words)) as error:
        simulate(tmp_path, example, [(cell, mark, tmp_path / name)])
    assert str(error.value).endswith(".") and "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())

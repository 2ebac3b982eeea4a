"""From raw files to the store, and back through `Store`."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakawaka.core.errors import InputError
from wakawaka.core.files import sha256
from wakawaka.genome.dna import decode, encode
from wakawaka.sources.expression.read_matrix import read_matrix
from wakawaka.sources.expression.read_npz_expression import read_npz_expression
from wakawaka.sources.genes.read_gtf import read_gtf
from wakawaka.sources.genes.read_npz_genes import read_npz_genes
from wakawaka.sources.histone.read_counts import read_counts
from wakawaka.sources.histone.read_npz_histone import read_npz_histone
from wakawaka.sources.parsed import write_part
from wakawaka.sources.sequence.read_fasta import read_fasta
from wakawaka.sources.sequence.read_sequence_csv import read_sequence_csv
from wakawaka.store.build_store import build_store
from wakawaka.store.store import Store

WINDOW, BINS, MARKS = 8, 4, ["H3K4me3", "H3K27me3"]
NAMES = ["genes.tsv", "cells.tsv", "expression.npy", "store.json"]


def build(folder, cells, histone=(), sequence=None, marks=MARKS, window=WINDOW, bins=BINS, oriented=True, **options):
    """Build a store of the parts in `folder`: genes.npz, expression.npz and those given; return it opened."""
    names = [*NAMES, *(["histone.npy"] if histone else []), *(["dna.npy"] if sequence else [])]
    names += ["reference.npy"] if options.get("reference") else []
    paths = [str(folder / "store" / name) for name in names]
    parts = {"genes": folder / "genes.npz", "expression": folder / "expression.npz"}
    sizes = {"cells": cells, "marks": marks, "window": window, "bins": bins, "oriented": oriented}
    histone = [folder / name for name in histone]
    build_store(paths, folder / "warnings.tsv", histone=histone, sequence=sequence, **parts, **sizes, **options)
    return Store(paths)


def warned(folder):
    return (folder / "warnings.tsv").read_text().splitlines()[1:]


# One gene on each strand, one on each strand over an end of the chromosome; nothing about them is symmetric.

GENOME = "ACGTTGCATCAGGACTTACGCATGGTCAACTGATTCGCCA"
PLACES = {"PLUS": (12, "+"), "MINUS": (22, "-"), "START": (1, "+"), "END": (38, "-")}
COMPLEMENT = dict(zip("ACGTN", "TGCAN", strict=True))


def raw_files(folder):
    (folder / "genome.fa").write_text(f">chr1\n{GENOME[:25]}\n{GENOME[25:]}\n")
    line = '1\tex\tgene\t{start}\t{end}\t.\t{strand}\t.\tgene_id "{gene}";\n'
    with open(folder / "genes.gtf", "w") as file:
        for gene, (tss, strand) in PLACES.items():
            start, end = (tss + 1, tss + 1) if strand == "+" else (1, tss + 1)
            file.write(line.format(start=start, end=end, strand=strand, gene=gene))
    for number, cell in enumerate(["a", "b"]):
        with open(folder / f"{cell}.tsv", "w") as file:
            file.write("gene_id\tbin\tH3K27me3\tH3K4me3\n")
            # In another order than the annotation's.
            for base, gene in enumerate(sorted(PLACES)):
                for place in range(1, BINS + 1):
                    file.write(f"{gene}\t{place}\t0\t{100 * number + 10 * base + place}\n")
    (folder / "expression.tsv").write_text("gene_id\ta\tb\nPLUS\t1\t2\nMINUS\t3\tNA\nEND\t5\t6\n")


def from_files(folder, order):
    raw_files(folder)
    read_gtf(folder / "genes.gtf", folder / "genes.npz", tss="first", biotypes=None)
    read_fasta(folder / "genome.fa", folder / "genes.npz", folder / "sequence.npz", window=WINDOW, oriented=True)
    for cell in ("a", "b"):
        options = {"marks": MARKS, "bins": BINS, "scale": "counts", "order": order}
        read_counts(folder / f"{cell}.tsv", folder / f"{cell}.npz", **options)
    read_matrix(folder / "expression.tsv", folder / "expression.npz", cells=["a", "b"])
    return build(folder, ["a", "b"], ["a.npz", "b.npz"], folder / "sequence.npz")


def test_minus_strand_bins_and_bases_are_turned_round_together(tmp_path):
    store = from_files(tmp_path, "genomic")
    assert store.genes.tolist() == ["PLUS", "MINUS", "START", "END"]
    windows = dict(zip(store.genes.tolist(), map(decode, store.dna), strict=True))
    assert windows == {
        "PLUS": "TCAGGACT",
        # GCATGGTC of the plus strand.
        "MINUS": "GACCATGC",
        "START": "NNNACGTT",
        # TCGCCA and two beyond the end.
        "END": "NNNTGGCG",
    }
    for gene, (tss, strand) in PLACES.items():
        base = GENOME[tss] if strand == "+" else COMPLEMENT[GENOME[tss]]
        assert windows[gene][WINDOW // 2] == base
    # The genes' tens are by name: END 0, MINUS 1, PLUS 2, START 3.
    assert store.histone.dtype == np.uint16
    assert store.histone[0, :, :, 0].tolist() == [[21, 22, 23, 24], [14, 13, 12, 11], [31, 32, 33, 34], [4, 3, 2, 1]]
    assert np.array_equal(store.histone[1, :, :, 0], store.histone[0, :, :, 0] + 100)
    assert not store.histone[:, :, :, 1].any()


def test_bins_in_the_transcript_s_order_are_left_alone(tmp_path):
    store = from_files(tmp_path, "transcript")
    assert store.histone[0, :, :, 0].tolist() == [[21, 22, 23, 24], [11, 12, 13, 14], [31, 32, 33, 34], [1, 2, 3, 4]]
    # A FASTA file is in the genome's order whatever the bins are in.
    assert decode(store.dna[1]) == "GACCATGC"


@pytest.mark.parametrize(("order", "minus"), [("genomic", "NACCGTTT"), ("transcript", "AAACGGTN")])
def test_sequences_of_a_csv_are_turned_round_if_they_are_genomic(tmp_path, order, minus):
    raw_files(tmp_path)
    read_gtf(tmp_path / "genes.gtf", tmp_path / "genes.npz", tss="first", biotypes=None)
    (tmp_path / "x.csv").write_text("MINUS,AAACGGTN\nPLUS,AAACGGTN\n")
    read_sequence_csv(tmp_path / "x.csv", tmp_path / "sequence.npz", window=WINDOW, order=order)
    read_matrix(tmp_path / "expression.tsv", tmp_path / "expression.npz", cells=["a"])
    store = build(tmp_path, ["a"], sequence=tmp_path / "sequence.npz")
    assert dict(zip(store.genes.tolist(), map(decode, store.dna), strict=True)) == {"PLUS": "AAACGGTN", "MINUS": minus}


def test_everything_that_the_store_says(tmp_path):
    store = from_files(tmp_path, "genomic")
    assert store.cells.tolist() == ["a", "b"]
    assert store.modules == ["histone", "dna"]
    table = store.gene_table
    assert table["chrom"].tolist() == ["1"] * 4 and table["group"].isna().all()
    assert table["tss"].tolist() == [12, 22, 1, 38] and table["strand"].tolist() == ["+", "-", "+", "-"]
    assert np.array_equal(store.expression, [[1, 3, np.nan, 5], [2, np.nan, np.nan, 6]], equal_nan=True)
    info = store.info
    sources = [tmp_path / name for name in ("genes.gtf", "genome.fa", "a.tsv", "b.tsv", "expression.tsv")]
    assert info.pop("sources") == [{"path": str(path), "sha256": sha256(path)} for path in sources]
    assert info == {
        "cells": 2,
        "genes": 4,
        "marks": MARKS,
        "window": 8,
        "bins": 4,
        "bin_size": 2,
        "oriented": True,
        "scale": "counts",
        "depth": {"a": None, "b": None},
        "counting": None,
        "medians": {"a": 3.0, "b": 4.0},
    }
    assert warned(tmp_path) == [
        f"{tmp_path}/expression.tsv: 1 values are not known (empty or NA); those samples are predicted, "
        "but neither trained on nor scored.",
        "1 genes without expression are predicted, but neither trained on nor scored: START.",
    ]
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == sorted([*NAMES, "dna.npy", "histone.npy"])


def test_equal_inputs_give_equal_bytes(tmp_path):
    from_files(tmp_path, "genomic")
    first = {path.name: path.read_bytes() for path in (tmp_path / "store").iterdir()}
    from_files(tmp_path, "genomic")
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "store").iterdir()}


# The course's files


def test_course_values_follow_their_ids(tmp_path):
    """The order trap: in eval.npz the genes of the training cells stand in another order than elsewhere."""
    counts = {number: np.arange(8).reshape(4, 2) + 10 * number for number in (3, 5, 7, 9)}

    def array(numbers, last):
        rows = [
            np.column_stack([np.full(4, number), np.log1p(counts[number]), np.full(4, last(number))])
            for number in numbers
        ]
        return np.array(rows, np.float32)

    np.savez(
        tmp_path / "train.npz", E1=array([3, 9], lambda number: number + 0.5), E2=array([3, 9], lambda number: -number)
    )
    np.savez(
        tmp_path / "eval.npz",
        E1=array([7, 5], lambda _: 0),
        E3=array([3, 5, 7, 9], lambda _: 0),
        E2=array([7, 5], lambda _: 0),
    )
    cells, files = ["E2", "E1", "E3"], [str(tmp_path / "train.npz"), str(tmp_path / "eval.npz")]
    parts = [tmp_path / f"{cell}.npz" for cell in cells]
    read_npz_genes(files, tmp_path / "genes.npz")
    read_npz_histone(files, parts, cells=cells, marks=MARKS, bins=BINS, scale="log1p", order="genomic")
    read_npz_expression(files[0], tmp_path / "expression.npz", cells=cells, marks=MARKS, bins=BINS)
    store = build(tmp_path, cells, [part.name for part in parts])
    assert store.genes.tolist() == [f"ENSG{number:011d}" for number in (3, 5, 7, 9)]
    for cell in range(3):
        assert store.histone[cell].tolist() == [counts[number].tolist() for number in (3, 5, 7, 9)]
    expected = [[-3, np.nan, np.nan, -9], [3.5, np.nan, np.nan, 9.5], [np.nan] * 4]
    assert np.array_equal(store.expression, expected, equal_nan=True)
    assert store.info["scale"] == "counts"
    # Each file is named once, not once for every cell.
    assert store.info["sources"] == [{"path": path, "sha256": sha256(path)} for path in files]
    Path(files[0]).unlink()
    with pytest.raises(InputError, match=r"train\.npz: the file does not exist"):
        build(tmp_path, cells, [part.name for part in parts])


# Joining, from parts


def write_genes(folder, ids, strand="+", tss=None):
    count = len(ids)
    tss = np.arange(count) * 1000 if tss is None else np.array(tss)
    columns = {"chrom": np.full(count, "1"), "tss": tss, "strand": np.full(count, strand), "group": np.full(count, "")}
    write_part(folder / "genes.npz", [], gene_id=np.array(ids), **columns)


def write_expression(folder, ids, cells, values):
    values = np.array(values, np.float32)
    write_part(folder / "expression.npz", [], gene_id=np.array(ids), cell=np.array(cells), values=values)


def write_histone(folder, name, ids, values, scale="counts", order="genomic"):
    write_part(
        folder / name, [], about={"scale": scale, "order": order}, gene_id=np.array(ids), values=np.array(values)
    )


def test_versioned_ids_meet_plain_ones(tmp_path):
    (tmp_path / "genes.gtf").write_text('1\tex\tgene\t5\t9\t.\t+\t.\tgene_id "ENSG00000000003.14";\n')
    (tmp_path / "a.tsv").write_text("gene_id\tbin\tm\nENSG00000000003\t1\t7\n")
    (tmp_path / "x.csv").write_text("3,ACGTACGT\n")
    (tmp_path / "expression.tsv").write_text("gene_id\ta\nENSG00000000003.9\t1.5\n")
    read_gtf(tmp_path / "genes.gtf", tmp_path / "genes.npz", tss="first", biotypes=None)
    read_counts(tmp_path / "a.tsv", tmp_path / "a.npz", marks=["m"], bins=1, scale="counts", order="genomic")
    read_sequence_csv(tmp_path / "x.csv", tmp_path / "sequence.npz", window=WINDOW, order="genomic")
    read_matrix(tmp_path / "expression.tsv", tmp_path / "expression.npz", cells=["a"])
    store = build(tmp_path, ["a"], ["a.npz"], tmp_path / "sequence.npz", marks=["m"], bins=1)
    assert store.genes.tolist() == ["ENSG00000000003"]
    assert store.histone.tolist() == [[[[7]]]] and store.expression.tolist() == [[1.5]]


def test_genes_that_some_source_lacks_are_left_out_and_counted(tmp_path):
    write_genes(tmp_path, ["A", "B", "C", "D", "E"])
    write_histone(tmp_path, "a.npz", ["F", "D", "C", "B", "E"], np.arange(1, 6, dtype=np.uint16).reshape(5, 1, 1))
    write_histone(tmp_path, "b.npz", ["B", "C", "D", "E"], np.arange(6, 10, dtype=np.uint16).reshape(4, 1, 1))
    codes = np.stack([encode(letter * 8) for letter in "ACGT"])
    write_part(
        tmp_path / "sequence.npz", [], about={"order": "genomic"}, gene_id=np.array(["C", "A", "G", "B"]), values=codes
    )
    write_expression(tmp_path, ["X", "C"], ["a", "b"], [[1, 2], [3, 4]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], tmp_path / "sequence.npz", marks=["m"], bins=1)
    assert store.genes.tolist() == ["B", "C"]
    assert store.histone[:, :, 0, 0].tolist() == [[4, 3], [6, 7]]
    assert [decode(row) for row in store.dna] == ["T" * 8, "A" * 8]
    assert np.array_equal(store.expression, [[np.nan, 2], [np.nan, 4]], equal_nan=True)
    assert warned(tmp_path) == [
        "1 genes lack histone marks in some cell and are left out: F (F lacks them in b).",
        "2 genes are not among the sequences and are left out: D, E.",
        "1 of the sequences belong to no gene of `genes` and are not used: G.",
        "1 genes are not among the histone marks and are left out: A.",
        "1 genes without expression are predicted, but neither trained on nor scored: B.",
    ]


def test_expression_goes_by_the_cells_names(tmp_path):
    write_genes(tmp_path, ["A"])
    write_histone(tmp_path, "a.npz", ["A"], np.ones((1, 1, 1), np.uint16))
    write_histone(tmp_path, "b.npz", ["A"], np.ones((1, 1, 1), np.uint16))
    write_expression(tmp_path, ["A"], ["b", "a"], [[2], [1]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert store.expression.tolist() == [[1], [2]]


def test_cells_of_counts_and_of_logarithms_become_logarithms(tmp_path):
    """What a reader makes of log1p files of which one cell holds values that are no logarithms of counts."""
    write_genes(tmp_path, ["A", "B"], strand="-")
    write_histone(tmp_path, "a.npz", ["A", "B"], np.array([[[0], [1]], [[9], [70000]]], np.uint32))
    write_histone(tmp_path, "b.npz", ["B", "A"], np.array([[[0.5], [1]], [[2], [3]]], np.float32), scale="log1p")
    write_expression(tmp_path, ["A", "B"], ["a", "b"], [[1, 2], [3, 4]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=2)
    assert store.info["scale"] == "log1p" and store.histone.dtype == np.float32
    expected = np.array([[[np.log(2), 0], [np.log(70001), np.log(10)]], [[3, 2], [1, 0.5]]])
    assert np.allclose(store.histone[:, :, :, 0], expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("dtypes", "stored"),
    [((np.uint16, np.uint16), np.uint16), ((np.uint16, np.uint32), np.uint32), ((np.uint32, np.uint16), np.uint32)],
)
def test_counts_take_the_room_that_the_largest_needs(tmp_path, dtypes, stored):
    write_genes(tmp_path, ["A"])
    for cell, dtype in zip("ab", dtypes, strict=True):
        write_histone(tmp_path, f"{cell}.npz", ["A"], np.full((1, 1, 1), np.iinfo(dtype).max, dtype))
    write_expression(tmp_path, ["A"], ["a", "b"], [[1], [2]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert store.histone.dtype == stored and store.info["scale"] == "counts"
    assert store.histone.ravel().tolist() == [np.iinfo(dtype).max for dtype in dtypes]


def test_genes_alone_need_neither_coordinates_nor_marks(tmp_path):
    write_genes(tmp_path, ["A"], strand=".", tss=[-1])
    write_part(
        tmp_path / "sequence.npz", [], about={"order": "genomic"}, gene_id=np.array(["A"]), values=encode("ACGT")[None]
    )
    write_expression(tmp_path, ["A"], ["a"], [[1]])
    store = build(tmp_path, ["a"], sequence=tmp_path / "sequence.npz", window=4, bins=2)
    assert store.modules == ["dna"]
    assert store.info["marks"] == [] and store.info["scale"] is None
    assert store.gene_table["tss"].isna().all() and store.gene_table["strand"].tolist() == ["."]
    assert decode(store.dna[0]) == "ACGT"


def test_odd_content_is_said(tmp_path):
    write_genes(tmp_path, ["A", "B", "C"])
    write_histone(tmp_path, "a.npz", ["A", "B", "C"], np.array([[[0]], [[0]], [[1]]], np.uint16))
    write_histone(tmp_path, "b.npz", ["A", "B", "C"], np.array([[[1]], [[1]], [[1]]], np.uint16))
    write_expression(tmp_path, ["A", "B", "C"], ["a", "b"], [[1, 2, 3], [7, np.nan, 7]])
    build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert warned(tmp_path) == [
        "in 1 of 2 cells there are genes with nothing but zeros in their window: 2 in a.",
        "the expression of cell b is 7 for all of its 2 genes.",
    ]


@pytest.mark.parametrize(
    ("genes", "marked", "sequenced", "expressed", "says"),
    [
        ("A", "B", "A", "A", "no gene of `genes` (A) is among the histone marks (B): check that both files name genes by"),
        ("A", "A", "B", "A", "no gene of `genes` (A) is among the sequences (B): check that both files name genes by"),
        ("AB", "A", "B", "A", "no gene is in all of the sources at once (the genes, the sequences, the histone marks); check"),
        ("A", "A", "A", "B", "no gene of the store (A) has an expression value in any cell; the expression table names genes like B"),
    ],
)  # fmt: skip
def test_sources_without_a_common_gene_are_refused(tmp_path, genes, marked, sequenced, expressed, says):
    write_genes(tmp_path, list(genes))
    write_histone(tmp_path, "a.npz", list(marked), np.ones((1, 1, 1), np.uint16))
    write_part(
        tmp_path / "sequence.npz",
        [],
        about={"order": "genomic"},
        gene_id=np.array(list(sequenced)),
        values=encode("AC")[None],
    )
    write_expression(tmp_path, list(expressed), ["a"], [[1]])
    with pytest.raises(InputError) as caught:
        build(tmp_path, ["a"], ["a.npz"], tmp_path / "sequence.npz", marks=["m"], bins=1)
    assert str(caught.value).startswith(says)


# What raw input adds


def test_windows_that_are_not_oriented_stay_as_they_are(tmp_path):
    raw_files(tmp_path)
    read_gtf(tmp_path / "genes.gtf", tmp_path / "genes.npz", tss="first", biotypes=None)
    read_fasta(tmp_path / "genome.fa", tmp_path / "genes.npz", tmp_path / "dna.npz", window=WINDOW, oriented=False)
    for cell in ("a", "b"):
        options = {"marks": MARKS, "bins": BINS, "scale": "counts", "order": "genomic"}
        read_counts(tmp_path / f"{cell}.tsv", tmp_path / f"{cell}.npz", **options)
    read_matrix(tmp_path / "expression.tsv", tmp_path / "expression.npz", cells=["a", "b"])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], tmp_path / "dna.npz", oriented=False)
    # [18, 26) of the plus strand: the bases of a gene on the plus strand with its TSS there.
    assert decode(store.dna[1]) == GENOME[18:26]
    assert store.histone[0, 1, :, 0].tolist() == [11, 12, 13, 14]
    assert store.info["oriented"] is False


@pytest.mark.parametrize(
    ("strand", "order", "oriented", "found"),
    [
        ("+", "genomic", True, True),
        ("-", "genomic", True, True),
        # Nothing is turned where no strand is known.
        (".", "genomic", True, False),
        ("-", "genomic", False, False),
        # The file's own order is from upstream to downstream.
        (".", "transcript", False, True),
    ],
)
def test_the_store_says_whether_downstream_is_into_the_gene(tmp_path, strand, order, oriented, found):
    write_genes(tmp_path, ["A"], strand=strand)
    write_histone(tmp_path, "a.npz", ["A"], np.ones((1, 1, 1), np.uint16), order=order)
    write_expression(tmp_path, ["A"], ["a"], [[1]])
    store = build(tmp_path, ["a"], ["a.npz"], marks=["m"], bins=1, oriented=oriented)
    assert store.info["oriented"] is found


def test_the_reference_stands_beside_the_cells_and_medians_are_of_all_genes(tmp_path):
    write_genes(tmp_path, ["A", "B"])
    write_histone(tmp_path, "a.npz", ["A", "B"], np.ones((2, 1, 1), np.uint16))
    write_expression(tmp_path, ["X", "B", "A", "Y"], ["E000", "a"], [[1, 2, 3, 4], [5, 6, 7, np.nan]])
    store = build(tmp_path, ["a"], ["a.npz"], marks=["m"], bins=1, reference="E000")
    assert store.reference.tolist() == [3, 2]
    assert store.expression.tolist() == [[7, 6]]
    # Of 5, 6 and 7: X is no gene of the store.
    assert store.info["medians"] == {"a": 6.0}


def test_a_reference_that_the_source_lacks_is_refused(tmp_path):
    write_genes(tmp_path, ["A"])
    write_histone(tmp_path, "a.npz", ["A"], np.ones((1, 1, 1), np.uint16))
    write_expression(tmp_path, ["A"], ["a"], [[1]])
    with pytest.raises(InputError, match=r"takes a ratio to E000, for which the expression source has no value"):
        build(tmp_path, ["a"], ["a.npz"], marks=["m"], bins=1, reference="E000")


def test_cells_that_the_expression_lacks_are_predicted(tmp_path):
    write_genes(tmp_path, ["A"])
    for cell in "ab":
        write_histone(tmp_path, f"{cell}.npz", ["A"], np.ones((1, 1, 1), np.uint16))
    write_expression(tmp_path, ["A"], ["b"], [[3]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert np.array_equal(store.expression, [[np.nan], [3]], equal_nan=True)
    assert store.info["medians"] == {"b": 3.0}
    assert "1 cells without expression are predicted, but neither trained on nor scored: a." in warned(tmp_path)


def test_a_store_without_expression_is_for_a_finished_model(tmp_path):
    write_genes(tmp_path, ["A"])
    about = {"scale": "counts", "order": "genomic", "depth": {"m": 12}, "counting": {"rule": "overlap"}}
    write_part(tmp_path / "a.npz", [], about=about, gene_id=np.array(["A"]), values=np.ones((1, 1, 1), np.uint16))
    sizes = {"cells": ["a"], "marks": ["m"], "window": 8, "bins": 1, "oriented": True}
    paths = [tmp_path / name for name in ("genes.tsv", "cells.tsv", "store.json", "histone.npy")]
    build_store(paths, tmp_path / "warnings.tsv", tmp_path / "genes.npz", histone=[tmp_path / "a.npz"], **sizes)
    info = Store(paths).info
    assert "medians" not in info and info["depth"] == {"a": {"m": 12}} and info["counting"] == {"rule": "overlap"}
    assert warned(tmp_path) == ["Nothing odd was met."]


def test_a_track_in_one_cell_makes_all_values_numbers(tmp_path):
    write_genes(tmp_path, ["A"])
    write_histone(tmp_path, "a.npz", ["A"], np.full((1, 1, 1), 70000, np.uint32))
    write_histone(tmp_path, "b.npz", ["A"], np.full((1, 1, 1), 0.5, np.float32))
    write_expression(tmp_path, ["A"], ["a", "b"], [[1], [2]])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert store.histone.dtype == np.float32 and store.info["scale"] == "counts"
    assert store.histone.ravel().tolist() == [70000, 0.5]
    assert np.allclose(store.histone_input([0, 1], [0, 0]).ravel(), np.log1p([70000, 0.5]))


def assemblies(folder, name, **entry):
    about = {"scale": "counts", "order": "genomic", "assemblies": [{"path": name, **entry}]}
    write_part(folder / name, [], about=about, gene_id=np.array(["A"]), values=np.ones((1, 1, 1), np.uint16))


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ({"lengths": {"1": 249250621}}, {"lengths": {"1": 248956422}}, "b.npz: 1 has 248,956,422 bp here, but 249,250,621 bp in a.npz"),
        ({"reach": {"1": 249000000}}, {"lengths": {"1": 248956422}}, "a.npz: this file goes on to 1:249,000,000, but 1 ends at"),
        ({"lengths": {"1": 9}}, {"lengths": {"2": 9}}, None),
        ({"reach": {"1": 9}}, {"lengths": {"1": 9}}, None),
    ],
)  # fmt: skip
def test_mixed_assemblies_are_refused(tmp_path, first, second, says):
    write_genes(tmp_path, ["A"])
    assemblies(tmp_path, "a.npz", **first)
    assemblies(tmp_path, "b.npz", **second)
    write_expression(tmp_path, ["A"], ["a", "b"], [[1], [2]])
    if says is None:
        build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
        return
    with pytest.raises(InputError) as caught:
        build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], marks=["m"], bins=1)
    assert str(caught.value).startswith(says)


@pytest.mark.parametrize(("downstream", "odd"), [(9, []), (0, ["plus", "minus"])])
def test_h3k36me3_tells_whether_windows_are_turned_round_as_they_should(tmp_path, caplog, downstream, odd):
    ids = [f"G{number}" for number in range(40)]
    strand = np.array(["+", "-"] * 20)
    write_genes(tmp_path, ids, strand=strand, tss=np.arange(40) * 1000)
    values = np.ones((40, 5, 1), np.uint16)
    values[strand == "+", 3:] = downstream
    values[strand == "-", :2] = downstream
    write_histone(tmp_path, "a.npz", ids, values)
    write_expression(tmp_path, ids, ["a"], [list(range(40))])
    caplog.set_level("INFO")
    build(tmp_path, ["a"], ["a.npz"], marks=["H3K36me3"], bins=5)
    for strand in ("plus", "minus"):
        times = "9.00" if downstream else "0.00"
        assert (
            f"H3K36me3 of 20 genes on the {strand} strand: {times} times as much downstream of the TSS as upstream"
            in caplog.text
        )
    sentences = [line for line in warned(tmp_path) if "H3K36me3" in line]
    assert [strand in line for strand, line in zip(odd, sentences, strict=True)] == [True] * len(odd)


# Windows of any genome, against a reference that walks base by base in the gene's own direction


@st.composite
def annotated_genomes(draw):
    genome = draw(st.lists(st.text("ACGTN", min_size=1, max_size=40), min_size=1, max_size=3))
    place = st.integers(0, len(genome) - 1).flatmap(
        lambda chrom: st.tuples(st.just(chrom), st.integers(0, len(genome[chrom]) - 1), st.sampled_from("+-."))
    )
    return genome, draw(st.lists(place, min_size=1, max_size=6)), 2 * draw(st.integers(1, 12))


def walk(sequence, tss, strand, window):
    step = -1 if strand == "-" else 1
    places = (tss + step * offset for offset in range(-window // 2, window // 2))
    bases = [sequence[place] if 0 <= place < len(sequence) else "N" for place in places]
    return "".join(COMPLEMENT[base] if strand == "-" else base for base in bases)


@settings(max_examples=60, deadline=None, database=None, derandomize=True)
@given(annotated_genomes())
def test_windows_of_any_genome(case):
    genome, places, window = case
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "genome.fa").write_text("".join(f">chr{n}\n{sequence}\n" for n, sequence in enumerate(genome)))
        ids = [f"G{number}" for number in range(len(places))]
        chrom, tss, strand = (np.array(column) for column in zip(*places, strict=True))
        chrom = np.array([f"chr{number}" for number in chrom])
        columns = {"chrom": chrom, "tss": tss, "strand": strand, "group": np.full(len(ids), "")}
        write_part(folder / "genes.npz", [], gene_id=np.array(ids), **columns)
        read_fasta(folder / "genome.fa", folder / "genes.npz", folder / "sequence.npz", window=window, oriented=True)
        write_expression(folder, ids, ["a"], [list(range(len(ids)))])
        store = build(folder, ["a"], sequence=folder / "sequence.npz", window=window, bins=1)
        expected = [walk(genome[chrom], tss, strand, window) for chrom, tss, strand in places]
        assert [decode(row) for row in store.dna] == expected


def test_store_json_is_text_for_people(tmp_path):
    store = from_files(tmp_path, "genomic")
    text = (tmp_path / "store" / "store.json").read_text()
    assert text.startswith('{\n  "cells": 2,\n') and json.loads(text) == store.info

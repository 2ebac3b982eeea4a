"""Windows are stored from upstream to downstream, whatever the order of the source."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.parsed_sources import (
    BINS,
    COMPLEMENT,
    GENOME,
    MARKS,
    PLACES,
    WINDOW,
    build,
    from_files,
    raw_files,
    warned,
    write_expression,
    write_genes,
    write_histone,
)
from wakawaka.genome.dna import decode
from wakawaka.sources.expression.read_matrix import read_matrix
from wakawaka.sources.genes.read_gtf import read_gtf
from wakawaka.sources.histone.read_counts import read_counts
from wakawaka.sources.parsed import write_parsed
from wakawaka.sources.sequence.read_fasta import read_fasta
from wakawaka.sources.sequence.read_sequence_csv import read_sequence_csv
from wakawaka.store.orientation import side_sums


def test_minus_strand_bins_and_bases_are_reversed_together(tmp_path):
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
def test_sequences_of_a_csv_are_reversed_if_they_are_genomic(tmp_path, order, minus):
    raw_files(tmp_path)
    read_gtf(tmp_path / "genes.gtf", tmp_path / "genes.npz", tss="first", biotypes=None)
    (tmp_path / "x.csv").write_text("MINUS,AAACGGTN\nPLUS,AAACGGTN\n")
    read_sequence_csv(tmp_path / "x.csv", tmp_path / "sequence.npz", window=WINDOW, order=order)
    read_matrix(tmp_path / "expression.tsv", tmp_path / "expression.npz", cells=["a"])
    store = build(tmp_path, ["a"], sequence=tmp_path / "sequence.npz")
    assert dict(zip(store.genes.tolist(), map(decode, store.dna), strict=True)) == {"PLUS": "AAACGGTN", "MINUS": minus}


def test_without_strand_awareness_windows_stay_as_they_are(tmp_path):
    raw_files(tmp_path)
    read_gtf(tmp_path / "genes.gtf", tmp_path / "genes.npz", tss="first", biotypes=None)
    read_fasta(tmp_path / "genome.fa", tmp_path / "genes.npz", tmp_path / "dna.npz", window=WINDOW, strand_aware=False)
    for cell in ("a", "b"):
        options = {"marks": MARKS, "bins": BINS, "scale": "counts", "order": "genomic"}
        read_counts(tmp_path / f"{cell}.tsv", tmp_path / f"{cell}.npz", **options)
    read_matrix(tmp_path / "expression.tsv", tmp_path / "expression.npz", cells=["a", "b"])
    store = build(tmp_path, ["a", "b"], ["a.npz", "b.npz"], tmp_path / "dna.npz", strand_aware=False)
    # [18, 26) of the plus strand: the bases of a gene on the plus strand with its TSS there.
    assert decode(store.dna[1]) == GENOME[18:26]
    assert store.histone[0, 1, :, 0].tolist() == [11, 12, 13, 14]
    assert store.info.strand_aware is False


@pytest.mark.parametrize(
    ("strand", "order", "strand_aware", "found"),
    [
        ("+", "genomic", True, True),
        ("-", "genomic", True, True),
        # Nothing is reversed where no strand is known.
        (".", "genomic", True, False),
        ("-", "genomic", False, False),
        # The file's own order is from upstream to downstream.
        (".", "transcript", False, True),
    ],
)
def test_the_store_says_whether_downstream_is_into_the_gene(tmp_path, strand, order, strand_aware, found):
    write_genes(tmp_path, ["A"], strand=strand)
    write_histone(tmp_path, "a.npz", ["A"], np.ones((1, 1, 1), np.uint16), order=order)
    write_expression(tmp_path, ["A"], ["a"], [[1]])
    store = build(tmp_path, ["a"], ["a.npz"], marks=["m"], bins=1, strand_aware=strand_aware)
    assert store.info.strand_aware is found


@pytest.mark.parametrize(("downstream", "odd"), [(9, []), (0, ["plus", "minus"])])
def test_h3k36me3_shows_whether_windows_are_oriented(tmp_path, caplog, downstream, odd):
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


# Windows of any genome, compared with a reference that walks base by base in the gene's own direction


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
        write_parsed(folder / "genes.npz", [], gene_id=np.array(ids), **columns)
        read_fasta(
            folder / "genome.fa", folder / "genes.npz", folder / "sequence.npz", window=window, strand_aware=True
        )
        write_expression(folder, ids, ["a"], [list(range(len(ids)))])
        store = build(folder, ["a"], sequence=folder / "sequence.npz", window=window, bins=1)
        expected = [walk(genome[chrom], tss, strand, window) for chrom, tss, strand in places]
        assert [decode(row) for row in store.dna] == expected


def test_the_middle_bin_is_on_neither_side():
    values = np.array([[1, 2, 4, 8, 16], [0, 0, 9, 0, 1]], np.uint16)
    assert side_sums(values).tolist() == [[3, 0], [24, 1]]
    assert side_sums(values[:, :4]).tolist() == [[3, 0], [12, 9]]
    # Sums of uint16 that do not fit into uint16.
    assert side_sums(np.full((1, 4), 60_000, np.uint16)).tolist() == [[120_000], [120_000]]

import itertools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.small_files import write_parsed_genes
from wakawaka.core.errors import InputError
from wakawaka.genome.dna import decode, encode
from wakawaka.genome.windows import match_chromosomes
from wakawaka.sources.parsed import read_parsed, write_parsed
from wakawaka.sources.sequence.gene_windows import Windows

GENOME = {"chr1": "ACGTACGGTTCAANNTCATG", "2": "ccggttaa"}


def cut(tmp_path, genes, window=6, strand_aware=True, genome=GENOME, asked=None):
    """Return (about, gene ids, windows) of genes, each a tuple (id, chromosome, 0-based TSS, strand)."""
    path = tmp_path / "genome"
    path.write_text("")
    windows = Windows(path, write_parsed_genes(tmp_path / "genes.npz", genes), window, strand_aware)
    for name, letters in genome.items():
        for row in itertools.chain(*windows.record(name).values()):
            start = int(windows.starts[row])
            first, last = max(start, 0), min(start + window, len(letters))
            if first < last:
                windows.values[row, first - start : last - start] = encode(letters[first:last])
            if asked is not None:
                asked.append((name, first))
    windows.match({name: len(letters) for name, letters in genome.items()})
    windows.write(tmp_path / "parsed.npz")
    about, arrays = read_parsed(tmp_path / "parsed.npz")
    assert arrays["values"].dtype == np.uint8 and arrays["values"].shape[1] == window
    return about, arrays["gene_id"].tolist(), list(map(decode, arrays["values"]))


def test_windows(tmp_path):
    genes = [("A", "chr1", 8, "+"), ("B", "chr1", 8, "-"), ("C", "chr2", 0, "."), ("D", "2", 7, "-")]
    about, ids, windows = cut(tmp_path, genes)
    assert ids == list("ABCD")
    assert windows == ["CGGTTC", "GGTTCA", "NNNCCG", "TAANNN"]
    assert about["order"] == "genomic" and about["warnings"] == []
    assert about["assemblies"] == [{"path": f"{tmp_path}/genome", "lengths": {"2": 8, "chr1": 20, "chr2": 8}}]
    assert cut(tmp_path, genes, strand_aware=False)[2] == ["CGGTTC", "CGGTTC", "NNNCCG", "TTAANN"]


def test_the_genome_is_read_forwards_and_genes_keep_their_order(tmp_path):
    asked = []
    genes = [("C", "chr1", 12, "+"), ("A", "2", 5, "+"), ("B", "chr1", 4, "-"), ("D", "chr1", 9, "+")]
    assert cut(tmp_path, genes, asked=asked)[1] == list("CABD")
    assert asked == [("chr1", 2), ("chr1", 6), ("chr1", 9), ("2", 2)]


def test_genes_without_sequence_are_left_out_and_counted(tmp_path):
    genes = [
        ("A", "chr7", 15, "+"),
        ("B", "chr1", 8, "+"),
        ("C", "", -1, "."),
        ("D", "chr1", -1, "+"),
        ("E", "2", 3, "+"),
    ]
    about, ids, windows = cut(tmp_path, genes)
    assert (ids, windows) == (["B", "E"], ["CGGTTC", "CCGGTT"])
    assert about["assemblies"][0]["lengths"] == {"2": 8, "chr1": 20}
    assert about["warnings"] == [
        f"{tmp_path}/genome: 3 genes have no sequence, because the genome lacks their chromosome or their place is not known: A, C, D."
    ]


NAMES = ["chr1", "1", "chrM", "M", "MT", "chrMT", "X"]


def _merged(name):
    return name.removeprefix("chr").replace("MT", "M")


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(NAMES), unique=True, min_size=1), st.lists(st.sampled_from(NAMES), min_size=1))
def test_every_window_is_of_the_record_that_matches_best(tmp_path, records, chroms):
    """Whatever the order of the records; nothing is left of another one, not even where it was longer."""
    genome = {
        name: f"{base}" * length for name, base, length in zip(records, "ACGTACG", (9, 4, 7, 5, 8, 6, 3), strict=False)
    }
    genes = [(f"G{row}", chrom, 1, "+") for row, chrom in enumerate(chroms)]
    gene = {"chrom": np.array(chroms), "tss": np.ones(len(chroms), int)}
    if not {_merged(name) for name in records} & {_merged(chrom) for chrom in chroms}:
        with pytest.raises(InputError, match="none of the annotation's chromosomes"):
            cut(tmp_path, genes, genome=genome)
        return
    matched = match_chromosomes(gene, records, tmp_path / "genome")
    _, ids, windows = cut(tmp_path, genes, 18, genome=genome)
    found = dict(zip(ids, windows, strict=True))
    assert found == {
        name: ("N" * 8 + genome[matched[chrom]]).ljust(18, "N") for name, chrom, *_ in genes if chrom in matched
    }


@pytest.mark.parametrize(
    ("genes", "says"),
    [
        ([("A", "2", 8, "+")], ": the TSS of gene A is at 2:9, beyond the chromosome's 8 bases; this file and"),
        ([("A", "3", 3, "+")], ": none of the annotation's chromosomes (3) is in this file, which has chr1, 2; use"),
        ([("A", "2", -1, "+")], ": no gene has a known place to put a window at"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, genes, says):
    with pytest.raises(InputError) as caught:
        cut(tmp_path, genes)
    assert str(caught.value).startswith(f"{tmp_path}/genome{says}")
    assert not (tmp_path / "parsed.npz").exists()


def test_a_chromosome_that_is_too_short_may_be_a_truncated_file(tmp_path):
    with pytest.raises(
        InputError, match=r"assemblies\. Or the genome's file is truncated; compare its size with the original's\.$"
    ):
        cut(tmp_path, [("A", "2", 8, "+")])


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_tss_is_in_the_middle_once_genes_are_turned_round(tmp_path, data):
    """Letter by letter: the base `d` bases downstream of the TSS is base `h + d`, on both strands."""
    letters = data.draw(st.text("ACGT", min_size=1, max_size=30))
    tss, strand = data.draw(st.integers(0, len(letters) - 1)), data.draw(st.sampled_from("+-."))
    half, strand_aware = data.draw(st.integers(1, 25)), data.draw(st.booleans())
    window = cut(tmp_path, [("A", "1", tss, strand)], 2 * half, strand_aware, {"1": letters})[2][0]
    turned = strand_aware and strand == "-"
    if turned:
        window = "".join({"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}[letter] for letter in reversed(window))
    for number, letter in enumerate(window):
        place = tss - (number - half) if turned else tss + (number - half)
        there = letters[place] if 0 <= place < len(letters) else "N"
        assert letter == ({"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}[there] if turned else there)


def test_without_genes_there_are_no_windows(tmp_path):
    no_genes = {name: np.empty(0, str) for name in ("gene_id", "chrom", "strand", "group")} | {
        "tss": np.empty(0, np.int64)
    }
    write_parsed(tmp_path / "genes.npz", [], **no_genes)
    assert Windows(tmp_path / "genome", tmp_path / "genes.npz", 6, True).values.shape == (0, 6)

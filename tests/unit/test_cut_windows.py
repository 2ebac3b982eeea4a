import logging

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_files import write_gene_part

from wakawaka import cut_windows as module
from wakawaka import progress
from wakawaka.cut_windows import cut_windows
from wakawaka.dna import decode
from wakawaka.errors import InputError
from wakawaka.parts import read_part

GENOME = {"chr1": "ACGTACGGTTCAANNRCATG", "2": "ccggttaa"}


def cut(tmp_path, genes, window=6, oriented=True, genome=GENOME, asked=None):
    """Return (about, gene ids, windows) of genes, each a tuple (id, chromosome, 0-based TSS, strand)."""
    write_gene_part(tmp_path / "genes.npz", genes)
    path = tmp_path / "genome"
    path.write_text("")

    def fetch(chrom, start, end):
        assert 0 <= start < end <= len(genome[chrom])
        if asked is not None:
            asked.append((chrom, start))
        letters = genome[chrom][start:end]
        return letters.encode() if chrom == "2" else letters

    lengths = {chrom: len(letters) for chrom, letters in genome.items()}
    part = tmp_path / "part.npz"
    cut_windows(path, tmp_path / "genes.npz", part, lengths=lengths, fetch=fetch, window=window, oriented=oriented)
    about, arrays = read_part(part)
    assert arrays["values"].dtype == np.uint8 and arrays["values"].shape[1] == window
    return about, arrays["gene_id"].tolist(), list(map(decode, arrays["values"]))


def test_windows(tmp_path):
    genes = [("A", "chr1", 8, "+"), ("B", "chr1", 8, "-"), ("C", "chr2", 0, "."), ("D", "2", 7, "-")]
    about, ids, windows = cut(tmp_path, genes)
    assert ids == list("ABCD")
    assert windows == ["CGGTTC", "GGTTCA", "NNNCCG", "TAANNN"]
    assert about["order"] == "genomic" and about["warnings"] == []
    assert about["assemblies"] == [{"path": f"{tmp_path}/genome", "lengths": {"2": 8, "chr1": 20, "chr2": 8}}]
    assert cut(tmp_path, genes, oriented=False)[2] == ["CGGTTC", "CGGTTC", "NNNCCG", "TTAANN"]


def test_the_genome_is_read_forwards_and_genes_keep_their_order(tmp_path):
    asked = []
    genes = [("C", "chr1", 12, "+"), ("A", "2", 5, "+"), ("B", "chr1", 4, "-"), ("D", "chr1", 9, "+")]
    assert cut(tmp_path, genes, asked=asked)[1] == list("CABD")
    assert asked == [("2", 2), ("chr1", 2), ("chr1", 6), ("chr1", 9)]


def test_what_is_odd_is_counted(tmp_path):
    genes = [("A", "chr1", 15, "+"), ("B", "chr7", 15, "+"), ("C", "", -1, "."), ("D", "chr1", -1, "+")]
    about, ids, windows = cut(tmp_path, genes)
    assert (ids, windows) == (["A"], ["ANNNCA"])
    assert about["assemblies"][0]["lengths"] == {"chr1": 20}
    assert [warning.removeprefix(f"{tmp_path}/genome: ") for warning in about["warnings"]] == [
        "3 genes have no sequence, because the genome lacks their chromosome or their place is not known: B, C, D.",
        "1 bases of the windows are ambiguous (IUPAC letters other than ACGTN) and are taken as N.",
    ]


@pytest.mark.parametrize(
    ("genes", "genome", "says"),
    [
        ([("A", "2", 3, "+")], {"2": "ACGT ACGT"}, ": there is a letter ' ' at 2:5; a genome has nucleotides only"),
        (
            [("A", "chr1", 3, "+")],
            {"1": "ACG\u00e9TACGT"},
            ": there is a letter '\u00e9' at 1:4; a genome has nucleotides only",
        ),
        ([("A", "2", 8, "+")], GENOME, ": the TSS of gene A is at 2:9, beyond the chromosome's 8 bases; this file and"),
        (
            [("A", "3", 3, "+")],
            GENOME,
            ": none of the annotation's chromosomes (3) is in this file, which has chr1, 2; use",
        ),
        ([("A", "2", -1, "+")], GENOME, ": no gene has a known place to put a window at"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, genes, genome, says):
    with pytest.raises(InputError) as caught:
        cut(tmp_path, genes, genome=genome)
    assert str(caught.value).startswith(f"{tmp_path}/genome{says}")
    assert not (tmp_path / "part.npz").exists()


def test_a_chromosome_that_is_too_short_may_be_a_truncated_file(tmp_path):
    with pytest.raises(
        InputError, match=r"assemblies\. Or the genome's file is truncated; compare its size with the original's\.$"
    ):
        cut(tmp_path, [("A", "2", 8, "+")])


def test_a_reader_that_gives_another_number_of_letters_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "encode", lambda letters: np.zeros(5, np.uint8))
    with pytest.raises(InputError, match="2:1-6 holds 5 letters instead of 6; the file may be damaged"):
        cut(tmp_path, [("A", "2", 3, "+")])


def test_progress_is_in_the_log(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(progress, "SECONDS", -1)
    caplog.set_level(logging.INFO)
    cut(tmp_path, [("A", "2", 3, "+"), ("B", "2", 4, "+")])
    assert [message.partition(" cut,")[0] for message in caplog.messages if " cut," in message] == [
        "1 of 2 windows",
        "2 of 2 windows",
    ]


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_tss_is_in_the_middle_once_genes_are_turned_round(tmp_path, data):
    """Letter by letter: what lies `d` bases downstream of the TSS is base `h + d`, on both strands."""
    letters = data.draw(st.text("ACGT", min_size=1, max_size=30))
    tss, strand = data.draw(st.integers(0, len(letters) - 1)), data.draw(st.sampled_from("+-."))
    half, oriented = data.draw(st.integers(1, 25)), data.draw(st.booleans())
    window = cut(tmp_path, [("A", "1", tss, strand)], 2 * half, oriented, {"1": letters})[2][0]
    turned = oriented and strand == "-"
    if turned:
        window = "".join({"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}[letter] for letter in reversed(window))
    for number, letter in enumerate(window):
        place = tss - (number - half) if turned else tss + (number - half)
        there = letters[place] if 0 <= place < len(letters) else "N"
        assert letter == ({"A": "T", "C": "G", "G": "C", "T": "A", "N": "N"}[there] if turned else there)

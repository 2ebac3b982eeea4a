import gzip

import numpy as np
import pytest

from wakawaka.dna import decode
from wakawaka.errors import InputError
from wakawaka.parts import read_part, write_part
from wakawaka.read_fasta import read_fasta

# Base 8 of chr1 is the first T of the second line.
FASTA = ">chr1 some words\nACGTACGG\nTTCAANNR\nCATG\n>2\nccggttaa\n"


def read(tmp_path, genes, text=FASTA, window=6):
    """Cut the windows of genes, each a tuple (id, chromosome, 0-based TSS, strand); return the warnings and a dict of letters."""
    path = tmp_path / "genome.fa"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    columns = dict(zip(("gene_id", "chrom", "tss", "strand"), map(np.array, zip(*genes, strict=True)), strict=True))
    write_part(tmp_path / "genes.npz", [], **columns)
    read_fasta(path, tmp_path / "genes.npz", tmp_path / "sequence.npz", window=window)
    about, part = read_part(tmp_path / "sequence.npz")
    assert about["order"] == "genomic"
    windows = dict(zip(part["gene_id"].tolist(), map(decode, part["values"]), strict=True))
    return [warning.removeprefix(f"{path}: ") for warning in about["warnings"]], windows


def test_windows_are_the_plus_strand(tmp_path):
    genes = [("A", "chr1", 8, "+"), ("B", "chr1", 8, "-"), ("C", "chr1", 8, ".")]
    warnings, windows = read(tmp_path, genes)
    # Bases 5 to 10, and one further for B: with base 8 at number 3 from the left, or once turned round.
    assert windows == {"A": "CGGTTC", "B": "GGTTCA", "C": "CGGTTC"}
    assert warnings == []


def test_beyond_a_chromosome_there_is_n(tmp_path):
    genes = [("A", "2", 0, "+"), ("B", "2", 0, "-"), ("C", "2", 7, "+"), ("D", "2", 7, "-")]
    assert read(tmp_path, genes)[1] == {"A": "NNNCCG", "B": "NNCCGG", "C": "TTAANN", "D": "TAANNN"}
    # A window longer than the chromosome.
    assert read(tmp_path, [("A", "2", 3, "+")], window=16)[1] == {"A": "NNNNNCCGGTTAANNN"}


def test_chromosomes_are_found_with_and_without_chr(tmp_path):
    _, windows = read(tmp_path, [("A", "1", 8, "+"), ("B", "chr2", 3, "+"), ("C", "chr1", 8, "+")])
    assert windows == {"A": "CGGTTC", "B": "CCGGTT", "C": "CGGTTC"}
    # Where both stand in the genome, the same name wins.
    text = ">chr1\nAAAA\n>1\nCCCC\n"
    _, windows = read(tmp_path, [("A", "1", 1, "+"), ("B", "chr1", 1, "+")], text, window=2)
    assert windows == {"A": "CC", "B": "AA"}


def test_genes_keep_their_order(tmp_path):
    genes = [("C", "2", 3, "+"), ("A", "chr1", 9, "+"), ("B", "chr1", 4, "+")]
    assert list(read(tmp_path, genes)[1]) == ["C", "A", "B"]


def test_genes_without_sequence_are_counted(tmp_path):
    genes = [("A", "chr1", 8, "+"), ("B", "chr3", 8, "+"), ("C", "chr1", -1, "+"), ("D", "", -1, ".")]
    warnings, windows = read(tmp_path, genes)
    assert list(windows) == ["A"]
    assert warnings == [
        "3 genes have no sequence, because the genome lacks their chromosome or their place is not known: B, C, D."
    ]


def test_ambiguous_bases_are_n_and_counted(tmp_path):
    warnings, windows = read(tmp_path, [("A", "chr1", 15, "+")])
    assert windows == {"A": "ANNNCA"}
    assert warnings == ["1 bases of the windows are ambiguous (IUPAC letters other than ACGTN) and are taken as N."]


@pytest.mark.parametrize("text", [FASTA.replace("\n", "\r\n"), FASTA.rstrip("\n")])
def test_line_ends(tmp_path, text):
    _, windows = read(tmp_path, [("A", "chr1", 8, "+"), ("B", "2", 7, "+")], text)
    assert windows == {"A": "CGGTTC", "B": "TTAANN"}


def test_nothing_is_written_beside_the_genome(tmp_path):
    (tmp_path / "genomes").mkdir()
    read(tmp_path, [("A", "chr1", 8, "+")])
    genome = tmp_path / "genomes" / "genome.fa"
    genome.write_text(FASTA)
    read_fasta(genome, tmp_path / "genes.npz", tmp_path / "sequence.npz", window=6)
    assert list(genome.parent.iterdir()) == [genome]


GENES = [("A", "chr1", 8, "+")]


@pytest.mark.parametrize(
    ("text", "genes", "says"),
    [
        (gzip.compress(FASTA.encode()), GENES, ": the genome is gzip-compressed; unpack it (gunzip) and name"),
        ("", GENES, ": this is no FASTA file, because it does not start with `>`; check `sequence.path`"),
        ("ACGT\n", GENES, ": this is no FASTA file, because it does not start with `>`; check `sequence.path`"),
        (">chr1\nACGT\nAC\nACGT\n", GENES, ": the FASTA file is malformed: "),
        (">chr1\nACGTACGTACGT\n>chr1\nACGTACGTACGT\n", GENES, ": the FASTA file is malformed: "),
        (">chr1\nACGTACGTAXGT\n", GENES, ": there is a letter 'X' in chr1:6-11; a genome has nucleotides only"),
        (
            ">chr1\nACGTACGT\n",
            GENES,
            ": the TSS of gene A is at chr1:9, beyond the chromosome's 8 bases; the genome and",
        ),
        (
            FASTA,
            [("A", "chrX", 8, "+"), ("B", "chrY", 8, "+")],
            ": none of the annotation's chromosomes (chrX, chrY) is in the genome, which has chr1, 2; use a genome",
        ),
        (FASTA, [("A", "chr1", -1, "+")], ": no gene has a known place to cut a window at; name the columns"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, text, genes, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, genes, text)
    assert str(caught.value).startswith(f"{tmp_path}/genome.fa{says}")
    assert not (tmp_path / "sequence.npz").exists()


def test_a_missing_genome_is_refused(tmp_path):
    write_part(tmp_path / "genes.npz", [], gene_id=np.array(["A"]), chrom=np.array(["1"]), tss=np.array([0]))
    with pytest.raises(InputError, match=r"no\.fa: the file does not exist; check its path"):
        read_fasta(tmp_path / "no.fa", tmp_path / "genes.npz", tmp_path / "sequence.npz", window=6)

import csv
import gzip
import itertools
import re
from pathlib import Path

import numpy as np
import pyfaidx
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_bytes, damaged_text
from helpers.real_data import real, start_codons
from helpers.references import slow_windows
from helpers.small_files import genomes, write_parsed_genes
from wakawaka.core.errors import InputError
from wakawaka.genome.dna import decode, encode, reverse_complement
from wakawaka.sources.parsed import read_parsed
from wakawaka.sources.sequence import read_fasta as module
from wakawaka.sources.sequence.read_fasta import read_fasta

# Base 8 of chr1 is the first T of the second line.
FASTA = ">chr1 some words\nACGTACGG\nTTCAANNR\nCATG\n>2\nccggttaa\n"


def bgzip(path):
    """Compress a file in place."""
    pysam.tabix_compress(str(path), f"{path}.packed", force=True)
    Path(f"{path}.packed").rename(path)


def in_gzip(path):
    """Compress a file in place, as two gzip files one after the other."""
    content = path.read_bytes()
    path.write_bytes(gzip.compress(content[:7]) + gzip.compress(content[7:]))


def windows_of(parsed):
    about, arrays = read_parsed(parsed)
    assert about["order"] == "genomic"
    return about, dict(zip(arrays["gene_id"].tolist(), map(decode, arrays["values"]), strict=True))


def read(tmp_path, genes, text=FASTA, window=6, strand_aware=True, pack=None, name="genome.fa"):
    """Cut the windows of genes, each a tuple (id, chromosome, 0-based TSS, strand); return the warnings and a dict of letters."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if pack:
        pack(path)
    write_parsed_genes(tmp_path / "genes.npz", genes)
    read_fasta(path, tmp_path / "genes.npz", tmp_path / "sequence.npz", window=window, strand_aware=strand_aware)
    about, windows = windows_of(tmp_path / "sequence.npz")
    return [warning.removeprefix(f"{path}: ") for warning in about["warnings"]], windows


# The content decides whether a file is compressed, not its name.
@pytest.mark.parametrize(
    ("pack", "name"),
    [
        (None, "genome.fa"),
        (None, "a.gz"),
        (bgzip, "genome.fa.gz"),
        (bgzip, "a.fa"),
        (in_gzip, "a.fa.gz"),
        (in_gzip, "a"),
    ],
)
def test_windows_are_the_plus_strand(tmp_path, pack, name):
    genes = [("A", "chr1", 8, "+"), ("B", "chr1", 8, "-"), ("C", "chr1", 8, ".")]
    warnings, windows = read(tmp_path, genes, pack=pack, name=name)
    # Bases 5 to 10, and one further for B: with base 8 at number 3 from the left, or once reverse-complemented.
    assert windows == {"A": "CGGTTC", "B": "GGTTCA", "C": "CGGTTC"}
    assert warnings == []
    _, windows = read(tmp_path, genes, pack=pack, name=name, strand_aware=False)
    assert windows == {"A": "CGGTTC", "B": "CGGTTC", "C": "CGGTTC"}


def test_the_part_names_the_assembly(tmp_path):
    read(tmp_path, [("A", "1", 8, "+"), ("B", "7", 8, "+")])
    about, _ = read_parsed(tmp_path / "sequence.npz")
    assert about["assemblies"] == [{"path": f"{tmp_path}/genome.fa", "lengths": {"1": 20}}]


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


# A block of 8 bytes ends in the middle of most lines, one of 3 makes all of them long.
BLOCKS = pytest.mark.parametrize("block", [1, 3, 8, 1 << 20])


@BLOCKS
@pytest.mark.parametrize(
    "text",
    [
        FASTA.replace("\n", "\r\n"),
        FASTA.rstrip("\n"),
        FASTA.replace("\n", "\r\n").rstrip("\r\n"),
        FASTA.rstrip("\n") + "\r",
        FASTA.replace("\n", "\r\r\n"),
        FASTA + "\n\n \n",
        FASTA.replace("\n>2", "\n\n\n>2").replace("\n", "\r\n"),
    ],
)
def test_line_ends(tmp_path, monkeypatch, text, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    _, windows = read(tmp_path, [("A", "chr1", 8, "+"), ("B", "2", 7, "+")], text)
    assert windows == {"A": "CGGTTC", "B": "TTAANN"}


@BLOCKS
def test_records_without_sequence(tmp_path, monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    text = ">a\n>b\n\n>chr1\nACGTACGTA\n>c x\n"
    assert read(tmp_path, [("A", "chr1", 4, "+")], text)[1] == {"A": "CGTACG"}
    with pytest.raises(InputError, match="the TSS of gene A is at b:1, beyond the chromosome's 0 bases"):
        read(tmp_path, [("A", "b", 0, "+")], text)


@pytest.mark.parametrize("block", [*range(4, 24), 1 << 20])
def test_a_chromosome_in_one_line(tmp_path, monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    text = ">1\nACGTACGGTTCAANNRCATG\n>2\nccggttaa"
    genes = [("A", "1", 8, "+"), ("B", "1", 15, "-"), ("C", "2", 7, "+")]
    for ends in ("\n", "\r\n"):
        warnings, windows = read(tmp_path, genes, text.replace("\n", ends))
        assert windows == {"A": "CGGTTC", "B": "NNNCAT", "C": "TTAANN"}
        assert len(warnings) == 1


@BLOCKS
def test_the_first_wrong_letter_is_named(tmp_path, monkeypatch, block):
    """By chromosome of the annotation and place, wherever the records stand."""
    monkeypatch.setattr(module, "_BLOCK", block)
    text = ">X\nACGTA\nCG*TA\n>2\nAC\nGX\nAZ\n>1\nAC?T\n"
    for genes, says in [
        ([("A", "X", 5, "+"), ("B", "2", 4, "+"), ("C", "2", 3, "-")], "letter 'X' at 2:4;"),
        ([("A", "X", 5, "+"), ("B", "2", 4, "+"), ("C", "1", 3, "+")], "letter '?' at 1:3;"),
        ([("A", "X", 7, "+")], "letter '*' at X:8;"),
    ]:
        with pytest.raises(InputError, match=re.escape(says)):
            read(tmp_path, genes, text)
    assert read(tmp_path, [("A", "X", 4, "+"), ("B", "2", 0, "+")], text, window=4)[1] == {"A": "GTAC", "B": "NNAC"}


@pytest.mark.parametrize("pack", [None, bgzip, in_gzip])
def test_nothing_is_left_beside_the_genome_or_the_part(tmp_path, pack):
    read(tmp_path, [("A", "chr1", 8, "+")])
    genome, parsed = tmp_path / "genomes" / "genome.fa.gz", tmp_path / "parsed_files" / "sequence.npz"
    genome.parent.mkdir()
    genome.write_text(FASTA)
    if pack:
        pack(genome)
    genome.parent.chmod(0o555)
    try:
        read_fasta(genome, tmp_path / "genes.npz", parsed, window=6, strand_aware=True)
    finally:
        genome.parent.chmod(0o755)
    assert list(genome.parent.iterdir()) == [genome]
    assert list(parsed.parent.iterdir()) == [parsed]


def test_a_genome_is_found_by_a_relative_path(tmp_path, monkeypatch):
    read(tmp_path, [("A", "chr1", 8, "+")])
    monkeypatch.chdir(tmp_path)
    read_fasta("genome.fa", "genes.npz", "parsed_files/sequence.npz", window=6, strand_aware=True)
    assert windows_of("parsed_files/sequence.npz")[1] == {"A": "CGGTTC"}


GENES = [("A", "chr1", 8, "+")]


@pytest.mark.parametrize(
    ("text", "genes", "says"),
    [
        (gzip.compress(FASTA.encode(), mtime=0)[:-9], GENES, ": the compressed file is truncated or damaged"),
        (
            gzip.compress(FASTA.encode(), mtime=0)[:-5] + bytes(5),
            GENES,
            ": the compressed file is truncated or damaged",
        ),
        (
            gzip.compress(b"", mtime=0),
            GENES,
            ": this is no FASTA file, because it does not start with `>`; check `sequence.path`",
        ),
        (
            gzip.compress(b"ACGT\n", mtime=0),
            GENES,
            ": this is no FASTA file, because it does not start with `>`; check",
        ),
        ("", GENES, ": this is no FASTA file, because it does not start with `>`; check `sequence.path`"),
        ("ACGT\n", GENES, ": this is no FASTA file, because it does not start with `>`; check `sequence.path`"),
        (
            "ACGT\n>chr1\nACGT\n",
            GENES,
            ": this is no FASTA file, because it does not start with `>`; check `sequence.path`",
        ),
        (">chr1\nACGT\nAC\nACGT\n", GENES, ", line 4: the lines of record 1 are not all of one length"),
        (">chr1\nACGT\n\nACGT\n", GENES, ", line 4: the lines of record 1 are not all of one length"),
        (">chr1\nACGT\n \nACGT\n", GENES, ", line 4: the lines of record 1 are not all of one length"),
        (">chr1\n\nACGT\n", GENES, ", line 3: the lines of record 1 are not all of one length"),
        (">chr1\nAC\n>2\nACGTACGTAC\nAC\rT\n", GENES, ", line 5: the lines of record 2 are not all of one length"),
        (">chr1\nACG\r\nA\rCG\n", GENES, ", line 3: the lines of record 1 are not all of one length"),
        (">chr1\n" + "ACGT\n" * 9 + "ACGTA\n", GENES, ", line 11: the lines of record 1 are not all of one length"),
        # What pyfaidx takes, and then reads wrongly.
        (">chr1\nACGT\nACGTACGT\n", GENES, ", line 3: the lines of record 1 are not all of one length"),
        (">chr1\nACGT\nACGTA", GENES, ", line 3: the lines of record 1 are not all of one length"),
        (">chr1\r\nACGTA\r\nACGTAC\nACGTA\r\n", GENES, ", line 3: the lines of record 1 are not all of one length"),
        (">chr1\nACGTACGTACGT\n>chr1\nACGT\n", GENES, ", line 3: another record has this name too: >chr1; give each"),
        (">\nACGT\n", GENES, ", line 1: the record has no name after `>`: >; give each its own"),
        (
            b">chr1\nACGTACGTACGT\n>\xff\nA\n",
            GENES,
            ": the FASTA file is malformed or damaged: 'utf-8' codec can't decode",
        ),
        (
            ">chr1\nACGTACGTACGT\nACG\xc5\n",
            GENES,
            ", line 3: the FASTA file is malformed or damaged: there are bytes other than letters",
        ),
        (">chr1\nACGTACGTACGT\nACGT\xc5GTACGT\nA\n", GENES, ", line 3: the FASTA file is malformed or damaged"),
        (">chr1\nACGTACGTAXGT\n", GENES, ": there is a letter 'X' at chr1:10; a genome has nucleotides only"),
        (
            ">chr1\nACGTACGT\n",
            GENES,
            ": the TSS of gene A is at chr1:9, beyond the chromosome's 8 bases; this file and",
        ),
        (
            FASTA,
            [("A", "chrX", 8, "+"), ("B", "chrY", 8, "+")],
            ": none of the annotation's chromosomes (chrX, chrY) is in this file, which has chr1, 2; use files",
        ),
        (FASTA, [("A", "chr1", -1, "+")], ": no gene has a known place to put a window at: name the columns"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, monkeypatch, text, genes, says):
    # A genome that is compressed already is not compressed again.
    packed = isinstance(text, bytes) and text[:2] == b"\x1f\x8b"
    for block, pack in itertools.product([1, 3, 8, 1 << 20], [None] if packed else [None, bgzip, in_gzip]):
        monkeypatch.setattr(module, "_BLOCK", block)
        with pytest.raises(InputError) as caught:
            read(tmp_path, genes, text, pack=pack)
        assert str(caught.value).startswith(f"{tmp_path}/genome.fa{says}")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["genes.npz", "genome.fa"]


def test_a_missing_genome_is_refused(tmp_path):
    write_parsed_genes(tmp_path / "genes.npz", GENES)
    with pytest.raises(InputError, match=r"no\.fa: the file does not exist; check its path"):
        read_fasta(tmp_path / "no.fa", tmp_path / "genes.npz", tmp_path / "sequence.npz", window=6, strand_aware=True)


common = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def by_pyfaidx(path, genes, window, strand_aware):
    """Cut the windows of genes with pyfaidx, which goes by an index of the file's lines."""
    path.with_name("genome.fa.fai").unlink(missing_ok=True)
    windows = {}
    with pyfaidx.Fasta(str(path), as_raw=True, sequence_always_upper=True) as fasta:
        for gene_id, chrom, tss, strand in genes:
            start = tss - window // 2 + (strand_aware and strand == "-")
            letters = fasta[chrom][max(start, 0) : start + window]
            windows[gene_id] = re.sub("[^ACGT]", "N", ("N" * -start + letters).ljust(window, "N"))
    path.with_name("genome.fa.fai").unlink()
    return windows


@settings(common, max_examples=300)
@given(st.data())
def test_any_window_is_what_strings_and_pyfaidx_give(tmp_path, monkeypatch, data):
    records, genes = data.draw(genomes("ACGTNacgtnRy"))
    width, window, strand_aware = (
        data.draw(st.integers(1, 45)),
        2 * data.draw(st.integers(1, 30)),
        data.draw(st.booleans()),
    )
    ends = data.draw(st.sampled_from(["\n", "\r\n"]))
    text = ""
    for name, letters in records.items():
        text += f">{name} x{ends}" + "".join(letters[k : k + width] + ends for k in range(0, len(letters), width))
    text = data.draw(st.sampled_from([text, text.removesuffix(ends)]))
    monkeypatch.setattr(module, "_BLOCK", data.draw(st.sampled_from([1, 2, 7, 20, 50, 1 << 20])))
    expected = slow_windows(records, genes, window, strand_aware)
    warnings, windows = read(tmp_path, genes, text, window, strand_aware)
    assert windows == expected == by_pyfaidx(tmp_path / "genome.fa", genes, window, strand_aware)
    ambiguous = sum(
        window.upper().count(letter) for window in raw_windows(records, genes, window, strand_aware) for letter in "RY"
    )
    assert warnings == (
        [f"{ambiguous} bases of the windows are ambiguous (IUPAC letters other than ACGTN) and are taken as N."]
        if ambiguous
        else []
    )
    assert (
        read(tmp_path, genes, text, window, strand_aware, data.draw(st.sampled_from([bgzip, in_gzip])))[1] == expected
    )


def raw_windows(records, genes, window, strand_aware):
    """The letters of the windows as they stand in the records."""
    for _, chrom, tss, strand in genes:
        start = tss - window // 2 + (strand_aware and strand == "-")
        yield records[chrom][max(start, 0) : start + window]


def test_a_genome_of_many_blocks_is_what_pyfaidx_gives(tmp_path):
    """Lines of many lengths, with letters of all kinds, over the blocks as they are."""
    rng = np.random.default_rng(0)
    text, genes = b"", []
    for number, width in enumerate([50, 60, 61, 127, 128, 129, 70_000, 1_500_000, 4_000_000]):
        letters = rng.choice(np.frombuffer(b"ACGTacgtN" * 9 + b"R", np.uint8), 2_300_000 + number).tobytes()
        ends = b"\r\n" if number % 2 else b"\n"
        text += b">c%d%b" % (number, ends)
        text += b"".join(letters[k : k + width] + ends for k in range(0, len(letters), width))
        places = [0, len(letters) - 1, *rng.integers(0, len(letters), 50).tolist()]
        genes += [(f"G{len(genes) + k}", f"c{number}", place, "+-"[k % 2]) for k, place in enumerate(places)]
    windows = read(tmp_path, genes, text, 10_000)[1]
    assert windows == by_pyfaidx(tmp_path / "genome.fa", genes, 10_000, True)
    for pack in (bgzip, in_gzip):
        assert read(tmp_path, genes, text, 10_000, pack=pack)[1] == windows


@settings(common, max_examples=300)
@given(st.data())
def test_lines_of_one_length_are_passed_over(data):
    """As many as there are, in any number; more would be a mistake, and fewer would be slow."""
    bases, ends = data.draw(st.integers(1, 200)), data.draw(st.sampled_from([b"\n", b"\r\n", b"\r\r\n"]))
    lines, width = data.draw(st.integers(0, 700)), bases + len(ends)
    content = bytearray((b"A" * bases + ends) * lines + data.draw(st.sampled_from([b"", b"A", b"A\n", b">chr1\n"])))
    changes = data.draw(
        st.lists(st.tuples(st.integers(0, max(len(content) - 1, 0)), st.sampled_from(b"\n\r>\xc5C")), max_size=3)
    )
    for place, sign in changes if content else ():
        content[place] = sign
    expected = 0
    while (
        len(line := content[expected * width : (expected + 1) * width]) == width
        and line.endswith(ends)
        and line.count(b"\n") + line.count(b"\r") == len(ends)
        and line.isascii()
        and line[:1] != b">"
    ):
        expected += 1
    assert module._regular(np.frombuffer(content, np.uint8), width, len(ends) - 1) == expected


def slow(content):
    """A dict from names to sequences, None if the bytes are no FASTA."""
    text = re.sub(r"\r+(\n|\Z)", r"\1", content.decode())
    if not text.startswith(">"):
        return None
    records = {}
    for record in text[1:].split("\n>"):
        header, *lines = record.split("\n")
        while lines and not lines[-1].strip():
            lines.pop()
        if any(len(line) != len(lines[0]) for line in lines[:-1]) or (lines and len(lines[-1]) > len(lines[0])):
            return None
        if not header.split() or header.split()[0] in records or "" in lines:
            return None
        records[header.split()[0]] = "".join(lines)
    return records


TWO = ">chr1 x\nACGTACGGAC\nTTCAANNRAA\nCATGCCATGA\nGG\n>2\nccggttaagg\nAAAAAC\n"
TSS = [("A", "chr1", 15, "+"), ("B", "chr1", 30, "-"), ("C", "2", 0, "-"), ("D", "2", 14, "+")]


@settings(common, max_examples=500)
@given(
    damaged_text(TWO.encode(), b" "), st.sampled_from([None, bgzip, in_gzip]), st.sampled_from([1, 5, 12, 30, 1 << 20])
)
def test_damaged_fasta(tmp_path, monkeypatch, content, pack, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    try:
        found = read(tmp_path, TSS, content, 8, pack=pack)[1]
    except InputError:
        return
    records = slow(content)
    assert records, content
    genes = [gene for gene in TSS if gene[1] in records]
    assert found == slow_windows(records, genes, 8, True)


@pytest.mark.parametrize("pack", [bgzip, in_gzip])
def test_damaged_compression(tmp_path, pack):
    """gzip has a checksum for every member, and BGZF is many members: what is accepted gives the same windows."""
    content = (">chr1\n" + "ACGTTGCATT\n" * 20_000).encode()
    genes = [("A", "chr1", 15, "+"), ("B", "chr1", 199_000, "-")]
    expected = read(tmp_path, genes, content, 8, pack=pack)[1]
    packed = (tmp_path / "genome.fa").read_bytes()
    assert packed.count(b"\x1f\x8b\x08") > 1

    @settings(common, max_examples=100)
    @given(damaged_bytes(packed))
    def check(damaged):
        try:
            found = read(tmp_path, genes, damaged, 8)[1]
        except InputError:
            return
        assert found == expected

    check()


@pytest.mark.parametrize("pack", [None, bgzip, in_gzip])
def test_start_codons_read_atg(tmp_path, pack):
    genes = start_codons()
    text = gzip.decompress(real("dna/hg38_chr1_0-1000000.fa.gz").read_bytes())
    for strand_aware in (True, False):
        windows = read(tmp_path, genes, text, 200, strand_aware, pack)[1]
        found = []
        for gene_id, _, _, strand in genes:
            codes = encode(windows[gene_id])
            # As the store turns them round; not strand_aware, the TSS is base 100 on the chromosome's strand.
            if strand == "-":
                codes = reverse_complement(codes if strand_aware else np.append(codes[1:], codes[:1]))
            found.append(decode(codes[100:103]))
        assert len(found) == 26 and {strand for *_, strand in genes} == {"+", "-"}
        assert found == ["ATG"] * 26


def test_84_genes_in_fasta_are_those_in_csv(tmp_path):
    text = real("dna/genes84_10kb_hg19.fa.gz").read_bytes()
    with gzip.open(real("dna/seq_data.csv.gz"), "rt") as file:
        expected = {f"ENSG{int(number):011d}": letters.upper() for number, letters in csv.reader(file)}
    genes = [(name, name, 5000, "+") for name in expected]
    assert read(tmp_path, genes, text, 10_000)[1] == expected
    assert len(expected) == 84

import gzip
import logging
import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_bytes
from helpers.real_data import real, start_codons
from helpers.references import slow_windows
from helpers.small_files import genomes, write_parsed_genes
from wakawaka.core import progress
from wakawaka.core.errors import InputError
from wakawaka.genome.dna import decode, encode, reverse_complement
from wakawaka.sources.parsed import read_parsed
from wakawaka.sources.sequence import read_2bit as module
from wakawaka.sources.sequence.read_2bit import read_2bit

RECORDS = {"chr1": "ACGTACGGTTCAANNNCATG", "2": "ccggttaaNNn"}


def blocks(flags):
    """The starts and sizes of the runs of True."""
    edges = np.flatnonzero(np.diff(np.array([False, *flags, False]).astype(int)))
    return edges[::2].tolist(), (edges[1::2] - edges[::2]).tolist()


def two_bit(records, order="<", version=0, magic=0x1A412743, reserved=0):
    """The bytes of a 2bit file, by the format's description."""

    def words(*numbers):
        return struct.pack(f"{order}{len(numbers)}I", *numbers)

    bodies = {}
    for name, letters in records.items():
        body = words(len(letters))
        for flags in ([letter in "Nn" for letter in letters], [letter.islower() for letter in letters]):
            starts, sizes = blocks(flags)
            body += words(len(starts), *starts, *sizes)
        codes = np.array(["TCAG".index(letter) if letter in "TCAG" else 0 for letter in letters.upper()], np.uint8)
        codes = np.pad(codes, (0, -len(codes) % 4)).reshape(-1, 4)
        packed = (codes << np.array([6, 4, 2, 0], np.uint8)).sum(axis=1).astype(np.uint8)
        bodies[name] = body + words(reserved) + packed.tobytes()
    index, offset = b"", 16 + sum(5 + len(name) for name in records)
    for name, body in bodies.items():
        index += bytes([len(name)]) + name.encode("latin-1") + words(offset)
        offset += len(body)
    return words(magic, version, len(records), 0) + index + b"".join(bodies.values())


def read(tmp_path, genes, content, window=6, strand_aware=True):
    """Cut the windows of genes, each a tuple (id, chromosome, 0-based TSS, strand); return (about, dict of letters)."""
    path = tmp_path / "genome.2bit"
    path.write_bytes(content)
    write_parsed_genes(tmp_path / "genes.npz", genes)
    read_2bit(path, tmp_path / "genes.npz", tmp_path / "sequence.npz", window=window, strand_aware=strand_aware)
    about, parsed = read_parsed(tmp_path / "sequence.npz")
    return about, dict(zip(parsed["gene_id"].tolist(), map(decode, parsed["values"]), strict=True))


def test_windows(tmp_path):
    genes = [("A", "1", 8, "+"), ("B", "chr1", 8, "-"), ("C", "2", 0, "-"), ("D", "2", 6, "."), ("E", "chr1", 15, "+")]
    about, windows = read(tmp_path, genes, two_bit(RECORDS))
    assert windows == {"A": "CGGTTC", "B": "GGTTCA", "C": "NNCCGG", "D": "GTTAAN", "E": "ANNNCA"}
    assert about["order"] == "genomic" and about["warnings"] == []
    assert about["assemblies"] == [{"path": f"{tmp_path}/genome.2bit", "lengths": {"1": 20, "2": 11, "chr1": 20}}]
    assert read(tmp_path, genes, two_bit(RECORDS), strand_aware=False)[1]["B"] == "CGGTTC"


GENES = [("A", "chr1", 8, "+")]
WHOLE = two_bit(RECORDS)


def with_word(place, number):
    return WHOLE[:place] + struct.pack("<I", number) + WHOLE[place + 4 :]


# The index of two names ends here; chr1's record begins, with its length, 1 block of N (its start and size), 0 masked.
FIRST = 16 + 9 + 6


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", ": this is no 2bit file, by its first bytes"),
        (b">chr1\nACGTACGTACGTACGTACGT\n", ": this is no 2bit file, by its first bytes"),
        (gzip.compress(WHOLE, mtime=0), ": this is no 2bit file, by its first bytes"),
        (two_bit(RECORDS, ">"), ": this 2bit file was made on a big-endian computer and cannot be read"),
        (two_bit(RECORDS, version=1), ": this 2bit file is of version 1, but only version 0 can be read"),
        (two_bit(RECORDS, reserved=1), ": the 2bit file is truncated or damaged: the record of chr1 is not valid"),
        (two_bit({}), ": the 2bit file is truncated or damaged: it has no chromosomes"),
        (two_bit({"": "ACGT"}), ": the 2bit file is truncated or damaged: the name '' in its index is not valid"),
        (two_bit({"a\0b": "ACGT"}), ": the 2bit file is truncated or damaged: the name 'a\\x00b' in its index is not valid"),
        (WHOLE.replace(b"\x012", b"\x041chr"), ": the 2bit file is truncated or damaged: "),
        (two_bit({"chr1": "A", "chr2": "C"}).replace(b"chr2", b"chr1"), ": the 2bit file is truncated or damaged: the name 'chr1' in"),
        (with_word(8, 2**32 - 1), ": the 2bit file is truncated or damaged: "),
        (with_word(21, 2**32 - 1), ": the 2bit file is truncated or damaged: it ends too early"),
        (with_word(21, 16), ": the 2bit file is truncated or damaged: "),
        (with_word(FIRST, 2**32 - 1), ": the 2bit file is truncated or damaged: it ends within chr1"),
        (with_word(FIRST + 4, 2**31), ": the 2bit file is truncated or damaged: it ends too early"),
        (with_word(FIRST + 8, 19), ": the 2bit file is truncated or damaged: the blocks of N of chr1 overlap or go on beyond its 20 bases"),
        (with_word(FIRST + 12, 2**32 - 1), ": the 2bit file is truncated or damaged: the blocks of N of chr1 overlap"),
        (with_word(FIRST + 16, 2**29), ": the 2bit file is truncated or damaged: it ends too early"),
        (WHOLE[:-1], ": the 2bit file is truncated or damaged: it ends within 2; fetch or make it again"),
        (WHOLE[:20], ": the 2bit file is truncated or damaged: it ends too early"),
    ],
)  # fmt: skip
def test_what_is_no_2bit_file_is_refused(tmp_path, content, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, GENES, content)
    assert str(caught.value).startswith(f"{tmp_path}/genome.2bit{says}")
    assert not (tmp_path / "sequence.npz").exists()


@pytest.mark.parametrize("names", [["1", "chr1"], ["chr1", "1"]])
def test_of_two_records_for_a_chromosome_the_one_of_its_name_is_cut(tmp_path, names):
    content = two_bit({name: ("C" * 10 if name == "chr1" else "G" * 12) for name in names})
    _, found = read(tmp_path, [("A", "chr1", 8, "+"), ("B", "1", 8, "+")], content, window=8)
    assert list(found.values()) == ["CCCCCCNN", "G" * 8]


def test_two_records_at_one_place_are_refused(tmp_path):
    content = two_bit({"a": "ACGT", "b": "ACGT"})
    offset = content[18:22]
    with pytest.raises(InputError, match="the record of b overlaps another"):
        read(tmp_path, [("A", "a", 1, "+")], content[:24] + offset + content[28:])


def test_blocks_that_overlap_are_refused(tmp_path):
    content = two_bit({"a": "ANNAANNA"})
    starts = struct.pack("<2I", 1, 5)
    assert content.count(starts) == 1
    with pytest.raises(InputError, match="the blocks of N of a overlap"):
        read(tmp_path, [("A", "a", 1, "+")], content.replace(starts, struct.pack("<2I", 5, 1)))


def test_a_reader_that_gives_another_number_of_letters_is_not_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "encode", lambda letters: np.zeros(1, np.uint8))
    with pytest.raises(InputError, match="chr1:6-11 holds 1 letters instead of 6; the file may be damaged"):
        read(tmp_path, GENES, WHOLE)


def test_progress_is_in_the_log(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(progress, "SECONDS", -1)
    caplog.set_level(logging.INFO)
    read(tmp_path, [("A", "2", 3, "+"), ("B", "2", 4, "+")], WHOLE)
    assert [message.partition(" cut,")[0] for message in caplog.messages if " cut," in message] == [
        "1 of 2 windows",
        "2 of 2 windows",
    ]


def test_a_missing_genome_is_refused(tmp_path):
    write_parsed_genes(tmp_path / "genes.npz", GENES)
    with pytest.raises(InputError, match=r"no\.2bit: the file does not exist; check its path"):
        read_2bit(tmp_path / "no.2bit", tmp_path / "genes.npz", tmp_path / "sequence.npz", window=6, strand_aware=True)


common = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(common, max_examples=150)
@given(st.data())
def test_any_window_is_what_strings_give(tmp_path, data):
    records, genes = data.draw(genomes("ACGTNacgtn"))
    window, strand_aware = 2 * data.draw(st.integers(1, 30)), data.draw(st.booleans())
    found = read(tmp_path, genes, two_bit(records), window, strand_aware)[1]
    assert found == slow_windows(records, genes, window, strand_aware)


def unpacked(content):
    """The records of a 2bit file, read step by step; an error of any kind where it is none."""

    def words(place, count):
        return list(struct.unpack_from(f"<{count}I", content, place))

    records, place = {}, 16
    for _ in range(words(8, 1)[0]):
        name = content[place + 1 : place + 1 + content[place]].decode("ascii")
        place += 1 + content[place]
        at = words(place, 1)[0]
        place += 4
        length, count = words(at, 2)
        starts, sizes = words(at + 8, count), words(at + 8 + 4 * count, count)
        at += 8 + 8 * count
        at += 8 + 8 * words(at, 1)[0]
        bits = "".join(f"{byte:08b}" for byte in content[at : at + (length + 3) // 4])
        letters = ["TCAG"[int(bits[2 * k : 2 * k + 2], 2)] for k in range(length)]
        for start, size in zip(starts, sizes, strict=True):
            letters[start : start + size] = "N" * size
        records[name] = "".join(letters)
    return records


@settings(common, max_examples=700)
@given(damaged_bytes(WHOLE))
def test_damaged_files(tmp_path, content):
    """The format has no checksum: an accepted file is read by its bytes, and a changed base cannot be noticed."""
    genes = [("A", "chr1", 8, "+"), ("B", "2", 7, "-")]
    try:
        found = read(tmp_path, genes, content, 40)[1]
    except InputError:
        return
    records = unpacked(content)
    assert found == slow_windows(records, [gene for gene in genes if gene[1] in records], 40, True)


def test_start_codons_read_atg(tmp_path):
    genes = start_codons()
    fasta = gzip.decompress(real("dna/hg38_chr1_0-1000000.fa.gz").read_bytes()).decode()
    records = {"chr1": "".join(fasta.split("\n")[1:])}
    windows = read(tmp_path, genes, two_bit(records), 200)[1]
    assert windows == slow_windows(records, genes, 200, True)
    turned = [
        reverse_complement(encode(windows[gene_id])) if strand == "-" else encode(windows[gene_id])
        for gene_id, _, _, strand in genes
    ]
    assert [decode(codes[100:103]) for codes in turned] == ["ATG"] * 26

import struct

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given, settings

from helpers.damage import damaged_bytes
from helpers.real_data import real
from helpers.small_files import write_bigwig
from wakawaka.core.errors import InputError
from wakawaka.genome.windows import window_starts
from wakawaka.sources.histone import bigwig as module
from wakawaka.sources.histone.bigwig import bigwig_lengths, bigwig_means

LENGTHS = {"chr1": 1000, "chr2": 300}
NAMES = {name: name for name in LENGTHS}


def write(path, entries):
    return write_bigwig(path, LENGTHS, entries)


def means(path, places, names=NAMES, bins=4, bin_size=10):
    chrom, starts = zip(*places, strict=True)
    gene = {"gene_id": np.array([f"G{row}" for row in range(len(places))]), "chrom": np.array(chrom)}
    values = bigwig_means(path, gene, np.array(starts, np.int64), names, bins=bins, bin_size=bin_size)
    assert values.dtype == np.float32
    return values.tolist()


def test_means(tmp_path):
    path = write(
        tmp_path / "a.bw", [("chr1", 0, 5, 2), ("chr1", 100, 112, 3), ("chr1", 120, 130, -1.5), ("chr1", 990, 1000, 8)]
    )
    assert bigwig_lengths(path) == LENGTHS
    places = [("chr1", 970), ("chr1", 100), ("chr2", 100), ("chr1", -20), ("chr1", 2000), ("chr1", -90), ("chr3", 5)]
    assert means(path, places) == [
        [0, 0, 8, 0],
        [3, np.float32(0.6), -1.5, 0],
        [0, 0, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
    ]
    assert means(path, [("1", 100)], names={"1": "chr1"}) == [[3, np.float32(0.6), -1.5, 0]]


def test_means_are_of_the_bases_and_not_of_summaries(tmp_path):
    # pyBigWig's own means come from summaries of many bases.
    path = write(tmp_path / "a.bw", [("chr1", base, base + 1, base % 7) for base in range(1000)])
    expected = np.array([base % 7 for base in range(3, 1000)])[:990].reshape(9, 110).mean(axis=1)
    assert means(path, [("chr1", 3)], bins=9, bin_size=110) == [expected.astype(np.float32).tolist()]


def test_values_that_are_no_numbers(tmp_path):
    path = write(tmp_path / "a.bw", [("chr1", 0, 5, np.nan), ("chr1", 5, 10, 3)])
    assert means(path, [("chr1", 0)]) == [[1.5, 0, 0, 0]]
    for value in (np.inf, -np.inf):
        path = write(tmp_path / "b.bw", [("chr1", 500, 510, value)])
        with pytest.raises(InputError, match=r"b.bw: a value at chr1:491-530 is infinite"):
            means(path, [("chr1", 0), ("chr1", 490)])


def test_a_chromosome_without_values(tmp_path):
    entries = [("chr1", 0, 1, 0)]
    assert means(write(tmp_path / "a.bw", entries), [("chr2", 100)]) == [[0, 0, 0, 0]]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_equals_base_by_base(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "a.bw"
    track = {name: [0.0] * length for name, length in LENGTHS.items()}
    entries = []
    for name, length in LENGTHS.items():
        cuts = data.draw(st.lists(st.integers(0, length), max_size=12, unique=True).map(sorted))
        for start, end in list(zip(cuts, cuts[1:], strict=False))[:: data.draw(st.sampled_from([1, 2]))]:
            value = data.draw(st.floats(-5, 5, width=16))
            entries.append((name, start, end, value))
            track[name][start:end] = [value] * (end - start)
    write(path, entries or [("chr1", 0, 1, 0)])
    places = data.draw(
        st.lists(st.tuples(st.sampled_from(["chr1", "chr2"]), st.integers(-60, 1050)), min_size=1, max_size=5)
    )
    for (chrom, start), row in zip(places, means(path, places), strict=True):
        for position, value in enumerate(row):
            bases = range(start + position * 10, start + position * 10 + 10)
            expected = sum(track[chrom][base] if 0 <= base < LENGTHS[chrom] else 0 for base in bases) / 10
            assert value == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_refused(tmp_path):
    path = tmp_path / "a.bw"
    for content, says in [
        (b"", "this is no bigWig file"),
        (b"chr1\t1\t2\n", "this is no bigWig file"),
        (module.BIGBED + bytes(200), "this is a bigBed, which holds no track"),
        (module.MAGIC, "the bigWig file is truncated or damaged"),
        (module.MAGIC + bytes(60), "the bigWig file is truncated or damaged"),
    ]:
        path.write_bytes(content)
        with pytest.raises(InputError, match=f"a.bw: {says}"):
            means(path, [("chr1", 0)])
    with pytest.raises(InputError, match=r"b.bw: the file does not exist"):
        bigwig_lengths(tmp_path / "b.bw")


MANY = [(name, base, base + 7, base % 11) for name, length in LENGTHS.items() for base in range(0, length - 9, 10)]
EVERYWHERE = [("chr1", start) for start in range(0, 1000, 40)] + [("chr2", start) for start in range(0, 300, 40)]


def test_truncated_files(tmp_path):
    path = write(tmp_path / "a.bw", MANY)
    whole = path.read_bytes()
    for end in range(4, len(whole), 7):
        path.write_bytes(whole[:end])
        with pytest.raises(InputError, match=r"a.bw: the bigWig file is truncated or damaged"):
            means(path, EVERYWHERE)
        # With the mark at its end, as if the middle were missing.
        path.write_bytes(whole[:end] + whole[-4:])
        try:
            values = means(path, EVERYWHERE)
        except InputError:
            continue
        # Only summaries, which are not read, were cut off.
        path.write_bytes(whole)
        assert values == means(path, EVERYWHERE)


def test_damaged_trees(tmp_path):
    path = write(tmp_path / "a.bw", MANY)
    whole = path.read_bytes()
    zooms, tree, _, index = struct.unpack_from("<HQQQ", whole, 6)
    for offset, form, value in [
        (6, "<H", zooms + 500),
        (8, "<Q", len(whole)),
        (24, "<Q", 2**63),
        (tree, "<I", 1),
        (tree + 8, "<I", 0),
        (tree + 8, "<I", 2**31),
        (tree + 12, "<I", 9),
        (tree + 16, "<Q", 3),
        (tree + 32, "<B", 2),
        (tree + 34, "<H", 60000),
        (tree + 36 + 4, "<I", 7),
        (tree + 36 + 8, "<I", 0),
        (index, "<I", 1),
        (index + 48, "<B", 7),
        (index + 50, "<H", 0),
        (index + 50, "<H", 60000),
        (index + 52, "<I", 5),
        (index + 52 + 8, "<I", 5),
        (index + 52 + 16, "<Q", 2**63),
        (index + 52 + 24, "<Q", 2**40),
        # A node that is its own child.
        (index + 48, "<BBHIIIIQ", (0, 0, 1, 0, 0, 1, 300, index + 48)),
    ]:
        values = value if isinstance(value, tuple) else (value,)
        damaged = whole[:offset] + struct.pack(form, *values) + whole[offset + struct.calcsize(form) :]
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"a.bw: the bigWig file is truncated or damaged"):
            means(path, EVERYWHERE)


def test_damaged_bytes(tmp_path):
    """Only the values have checksums, so not every change can be noticed; but none ends the process or in another exception."""
    path = write(tmp_path / "damaged.bw", MANY)
    whole = path.read_bytes()

    @settings(deadline=None, max_examples=400)
    @given(damaged_bytes(whole))
    @example(whole[:6] + b"\xff" + whole[7:])
    def check(content):
        path.write_bytes(content)
        try:
            names = bigwig_lengths(path)
            means(path, EVERYWHERE, {name: name for name in NAMES if name in names})
        except InputError as error:
            says = ("the bigWig file is truncated or damaged", "this is no bigWig", "this is a bigBed", "infinite")
            assert str(error).startswith(f"{path}: ") and any(words in str(error) for words in says)  # noqa: PT017

    check()


def test_pilot_regions():
    """The values of pilot's arrays are those of the tracks: arcsinh in steps of 25 bases, averaged over 100."""
    folder = real("pilot")
    genes = np.genfromtxt(folder / "genes.tsv", delimiter="\t", names=True, dtype=None, encoding="utf-8")
    regions = np.genfromtxt(folder / "pilot_regions_hg19.tsv", delimiter="\t", names=True, dtype=None, encoding="utf-8")
    origin = {row["name"]: int(row["first_bin_start"]) - 25 * int(row["bin_offset"]) for row in regions}
    first = [origin[row["region"]] + 25 * int(row["first_25bp_bin"]) for row in genes]
    # The windows are 10 kb around the TSS, from the last step that starts before them, or the next.
    starts = window_starts(genes["tss_hg19"], np.full(len(genes), "."), 10000, False)
    assert (np.abs(np.array(first) - starts) <= 25).all()
    with np.load(folder / "train_kaggle_style.npz", allow_pickle=False) as file:
        expected = file["E116"]
    assert expected[:, 0, 0].tolist() == [int(name[4:]) for name in genes["gene_id"]]
    gene = {"gene_id": genes["gene_id"], "chrom": genes["chrom"]}
    for column, mark in enumerate(["H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3"], start=1):
        path = folder / "bigwig_E116" / f"E116-{mark}.pilot.bw"
        names = {name: name for name in bigwig_lengths(path)}
        values = bigwig_means(path, gene, np.array(first), names, bins=400, bin_size=25)
        values = np.arcsinh(values).reshape(len(first), 100, 4).mean(axis=2)
        # The tracks are rounded to 0.1, and arcsinh is no steeper than 1.
        assert np.abs(values - expected[:, :, column]).max() < 0.0501
        assert np.abs(values - expected[:, :, column]).mean() < 0.02

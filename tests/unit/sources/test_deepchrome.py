"""The readers of DeepChrome's and DeepDiff's files."""

import gzip
import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_bytes, damaged_text
from helpers.real_data import real
from helpers.references import unpacked
from wakawaka.core.errors import InputError
from wakawaka.core.messages import Warnings
from wakawaka.sources.deepchrome import read_deepchrome_cell, read_deepchrome_file
from wakawaka.sources.expression.read_deepchrome_expression import read_deepchrome_expression
from wakawaka.sources.genes.read_deepchrome_genes import read_deepchrome_genes
from wakawaka.sources.histone.read_deepchrome_histone import read_deepchrome_histone
from wakawaka.sources.parsed import read_parsed

MARKS = ["H3K4me3", "H3K27me3"]
BINS = 3
COUNTS = [[[0, 1], [2, 3], [4, 5]], [[9, 8], [7, 6], [5, 4]], [[1, 0], [0, 0], [0, 7]]]
NAMES = ["000003", "000005", "000419"]
IDS = ["ENSG00000000003", "ENSG00000000005", "ENSG00000000419"]
LABELS = [1, 0, 1]


def deepchrome(names=NAMES, counts=COUNTS, labels=LABELS, window=""):
    """Return a file's text; `window` may hold {bin} and {window}, which counts from 0."""
    lines = [
        f"{name}{window.format(bin=place + 1, window=place)},{place + 1},{','.join(map(str, values))},{label}\n"
        for name, gene, label in zip(names, counts, labels, strict=True)
        for place, values in enumerate(gene)
    ]
    return "".join(lines)


def deepdiff(names=NAMES, counts=COUNTS, first=1):
    lines = [
        f"{name}_{place},{','.join(map(str, values))}\n"
        for name, gene in zip(names, counts, strict=True)
        for place, values in enumerate(gene, start=first)
    ]
    return "".join(lines)


def written(tmp_path, text, name="train.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def read(tmp_path, text, marks=MARKS, bins=BINS):
    return read_deepchrome_file(written(tmp_path, text), marks, bins)


# One file


@pytest.mark.parametrize(
    "text",
    [
        deepchrome(),
        gzip.compress(deepchrome().encode(), mtime=0),
        deepchrome().replace("\n", "\r\n"),
        deepchrome().rstrip("\n"),
        deepchrome() + "\n\n",
        "\N{BYTE ORDER MARK}" + deepchrome(),
        deepchrome(["3", "5", "419"]),
        deepchrome(IDS),
        deepchrome([f"{name}.7" for name in IDS]),
        deepchrome(window="_{bin}"),
        deepchrome(window="_{window}"),
        deepchrome(window="_1"),
        deepchrome([f"{name}_Y_RNA" for name in IDS], window="_{bin}"),
    ],
)
def test_deepchrome_s_files(tmp_path, text):
    gene_id, counts, labels = read(tmp_path, text)
    assert gene_id.tolist() == IDS
    assert counts.dtype == np.int64 and counts.tolist() == COUNTS
    assert labels.tolist() == LABELS


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("names", [NAMES, IDS, [f"{name}_ZC3H4" for name in IDS], [f"{name}.2_Y_RNA" for name in IDS]])
@pytest.mark.parametrize("pack", [str.encode, lambda text: gzip.compress(text.encode(), mtime=0)])
def test_deepdiff_s_files(tmp_path, names, first, pack):
    gene_id, counts, labels = read(tmp_path, pack(deepdiff(names, first=first)))
    assert gene_id.tolist() == IDS
    assert counts.tolist() == COUNTS
    assert labels is None


def test_ids_that_are_not_ensembl_s_stay(tmp_path):
    assert read(tmp_path, deepdiff(["GENE_7", "HLA-A", "7SK"]))[0].tolist() == ["GENE_7", "HLA-A", "7SK"]
    names = ["ENSG00000182378_PAR_Y", "ENSMUSG00000051951", "123456789012"]
    assert read(tmp_path, deepdiff(names))[0].tolist() == names


def test_one_bin(tmp_path):
    text = "3_1,4,5,1\n5_1,6,7,1\n"
    assert read(tmp_path, text, marks=["a", "b", "c"], bins=1)[1].tolist() == [[[4, 5, 1]], [[6, 7, 1]]]
    assert read(tmp_path, "3,1,4,1\n5,1,6,0\n", marks=["a"], bins=1)[1].tolist() == [[[4]], [[6]]]


def lines(*changes):
    """Return DeepChrome's file with some lines (counted from 1) replaced; None takes a line away."""
    text = deepchrome().splitlines(keepends=True)
    for number, line in changes:
        text[number - 1] = "" if line is None else line + "\n"
    return "".join(text)


DEEPDIFF = deepdiff().splitlines(keepends=True)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"", ": the file is empty"),
        (b"\n\n", ": the file is empty"),
        (gzip.compress(deepchrome().encode(), mtime=0)[:-9], ": the compressed file is truncated or damaged"),
        ("000003,1,0,1\n", ", line 1: 4 fields between commas, but with the 2 marks of `histone.marks` DeepChrome files have 5 "),
        ("000003\t1\t0\t1\t1\n", ", line 1: 1 fields between commas"),
        ("gene,bin,a,b,label\n" + deepchrome(), ", line 1: this looks like a header, but files of this kind have none; remove"),
        ("gene,a,b\n" + deepdiff(), ", line 1: this looks like a header"),
        (lines((5, "000005,2,7,6")), ", line 5: 4 fields between commas where 5 are needed (gene id, bin, H3K4me3, H3K27me3, label)"),
        (lines((5, "")), ", line 5: 1 fields between commas where 5"),
        (deepchrome().replace("\n", ",\n"), ", line 1: 6 fields"),
        (lines((5, "000005,2,7,6,0,")), ", line 5: 6 fields"),
        (lines((5, "000005,2,-7,6,0")), ", line 5: the H3K4me3 is '-7', but it must be a whole number that is not negative"),
        (lines((5, "000005,2,7,6.5,0")), ", line 5: the H3K27me3 is '6.5', but it must be a whole number"),
        (lines((5, "000005,2,7,nan,0")), ", line 5: the H3K27me3 is 'nan', but"),
        (lines((5, "000005,2,7,inf,0")), ", line 5: the H3K27me3 is 'inf', but"),
        (lines((5, "000005,2,7,,0")), ", line 5: the H3K27me3 is '', but"),
        (lines((5, "000005,2,7,6,0.5")), ", line 5: the label is '0.5', but"),
        (lines((5, "000005,b,7,6,0")), ", line 5: the bin is 'b', but"),
        (lines((5, ",2,7,6,0")), ", line 5: the gene id is '', but it must be a gene id without blanks and quotes"),
        (lines((5, '"000005",2,7,6,0')), ", line 5: the gene id is '\"000005\"', but"),
        (lines((5, "000005,2,7,6,2")), ", line 5: the label of gene ENSG00000000005 is 2, but a label is 0 or 1; check"),
        (lines((5, "000005,2,7,6,1")), ", line 5: the label of gene ENSG00000000005 is 1, which is not that of the gene's lines before"),
        (lines((5, None)), ", line 5: gene 000005 has 2 lines, but `bins` in config.yaml is 3; a gene has one line per bin"),
        (lines((9, None)), ", line 8: gene 000419 has 2 lines, but `bins`"),
        (lines((9, "000419,3,0,7,1\n000419,4,0,7,1")), ", line 10: gene 000419 has 4 lines, but `bins`"),
        (lines((4, "000005,2,9,8,0"), (5, "000005,1,7,6,0")), ", line 4: this line (000005, bin 2) is not bin 1 of 3 of its gene; every"),
        (lines((4, "000005,0,9,8,0"), (5, "000005,1,7,6,0")), ", line 4: this line (000005, bin 0) is not bin 1 of 3"),
        (lines((5, "000005,1,7,6,0")), ", line 5: this line (000005, bin 1) is not bin 2 of 3"),
        (lines((5, "000007,2,7,6,0")), ", line 4: gene 000005 has 1 lines, but"),
        (lines((3, "000005,3,2,3,1"), (4, "000003,1,9,8,0")), ", line 2: gene 000003 has 2 lines, but"),
        (deepchrome(window="_{bin}").replace("000005_2", "000005_1"), ", line 5: this line (000005_1, bin 2) is not bin 2 of 3"),
        ("".join(DEEPDIFF[:4] + DEEPDIFF[5:]), ", line 5: gene 000005 has 2 lines, but"),
        ("".join([*DEEPDIFF[:4], DEEPDIFF[5], DEEPDIFF[4], *DEEPDIFF[6:]]), ", line 5: this line (000005_3) is not bin 2 of 3"),
        (deepdiff(first=2), ", line 1: the gene id '000003_2' does not end in a window's number (_1, or _0 where"),
        (deepdiff().replace("_1", ""), ", line 1: the gene id '000003' does not end in a window's number"),
        (deepdiff(["3"], COUNTS[:1]) + deepdiff(["5"], COUNTS[1:2], first=0), ", line 4: this line (5_0) is not bin 1 of 3"),
        (b"\xff" + deepchrome().encode(), ", line 1: the gene id is '\N{REPLACEMENT CHARACTER}000003', but"),
    ],
)  # fmt: skip
def test_malformed_files_are_refused(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/train.csv{says}")


def test_another_number_of_bins_is_named(tmp_path):
    text = deepchrome()
    for bins in (2, 4, 6, 9, 100):
        with pytest.raises(InputError, match=rf"gene 000003 has 3 lines, but `bins` in config\.yaml is {bins};"):
            read(tmp_path, text, bins=bins)
        with pytest.raises(InputError, match=rf"gene 000003 has 3 lines, but `bins` in config\.yaml is {bins};"):
            read(tmp_path, deepdiff(), bins=bins)


def test_deepchrome_s_columns_are_not_taken_for_marks(tmp_path):
    """With two marks too many named, the bin and the label would pass for counts."""
    with pytest.raises(InputError, match=r"as in DeepChrome files; name only the marks between them"):
        read(tmp_path, deepchrome(window="_{bin}"), marks=["a", "b", "c", "d"])


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no\.csv: the file does not exist"):
        read_deepchrome_file(tmp_path / "no.csv", MARKS, BINS)


# Many genes against a reader that is slow and plain


def reference(content, marks, bins):
    """Return a list of (gene id, counts, label) of a file's bytes, or None where it must be refused."""
    text = content.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n").decode("latin-1")
    rows = [line.split(",") for line in text.split("\n")]
    width = len(rows[0])
    if width not in (marks + 1, marks + 3) or len(rows) % bins:
        return None
    for row in rows:
        if len(row) != width or not re.fullmatch(r"[^\s\"',\x00-\x1f\x7f-\xff]+", row[0]):
            return None
        if not all(re.fullmatch("[0-9]{1,18}", field) for field in row[1:]):
            return None
    labelled = width == marks + 3
    genes, style = [], None
    for start in range(0, len(rows), bins):
        gene = rows[start : start + bins]
        names = [row[0] for row in gene]
        if labelled and [int(row[1]) for row in gene] != list(range(1, bins + 1)):
            return None
        stems = [name.rpartition("_") for name in names]
        styles = []
        if labelled and len(set(names)) == 1:
            styles.append("constant")
        for first in (0, 1):
            if all(stem[0] == stems[0][0] and stem[0] and stem[2] == str(first + n) for n, stem in enumerate(stems)):
                styles.append(first)
        style = styles[0] if style is None and styles else style
        if style not in styles:
            return None
        name = names[0] if style == "constant" else stems[0][0]
        if labelled and (len({int(row[-1]) for row in gene}) > 1 or int(gene[0][-1]) > 1):
            return None
        values = [[int(field) for field in (row[2:-1] if labelled else row[1:])] for row in gene]
        genes.append((plain(name), values, int(gene[0][-1]) if labelled else None))
    if not labelled and bins > 1 and marks > 2:
        counting = all([row[0] for row in values] == list(range(1, bins + 1)) for _, values, _ in genes)
        if counting and all(len({row[-1] for row in values}) == 1 for _, values, _ in genes):
            return None
    return genes


def plain(name):
    match = re.match(r"(ENS[A-Z]*G[0-9]{11})(\.[0-9]+)?(_PAR_Y)?(_|$)", name)
    if match:
        return match[1] + (match[3] or "")
    match = re.match(r"([0-9]{1,11})(_|$)", name)
    return f"ENSG{int(match[1]):011d}" if match else name


@st.composite
def files(draw):
    marks, bins = draw(st.integers(1, 3)), draw(st.integers(1, 4))
    names = draw(
        st.lists(st.sampled_from(["000003", "5", "ENSG00000000419", "ENSG00000000457.2_AB_C", "GENE_7"]), min_size=1, max_size=4)
    )  # fmt: skip
    counts = [[[draw(st.integers(0, 12)) for _ in range(marks)] for _ in range(bins)] for _ in names]
    if draw(st.booleans()):
        text = deepdiff(names, counts, first=draw(st.integers(0, 1)))
    else:
        labels = [draw(st.integers(0, 1)) for _ in names]
        text = deepchrome(names, counts, labels, draw(st.sampled_from(["", "_1", "_{bin}", "_{window}"])))
    return text.encode(), marks, bins


def outcome(content, marks, bins):
    """Return what `reference` returns, of the reader."""
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), content)
        try:
            gene_id, counts, labels = read_deepchrome_file(path, [f"m{n}" for n in range(marks)], bins)
        except InputError:
            return None
    labels = [None] * len(gene_id) if labels is None else labels.tolist()
    return list(zip(gene_id.tolist(), counts.tolist(), labels, strict=True))


@settings(deadline=None, max_examples=200)
@given(files(), st.sampled_from([bytes, gzip.compress]))
def test_any_file(file, pack):
    content, marks, bins = file
    assert outcome(pack(content), marks, bins) == reference(content, marks, bins)


# A change that leaves a file well-formed (another digit, or a cut within the last count) cannot be seen by any reader.
@settings(deadline=None, max_examples=800)
@given(st.data())
def test_damaged_files_are_refused_or_read_as_they_stand(data):
    content, marks, bins = data.draw(files())
    content = data.draw(damaged_text(content, b","))
    assert outcome(content, marks, bins) == reference(content, marks, bins)


@settings(deadline=None, max_examples=300)
@given(files(), st.data())
def test_damaged_compression_is_refused(file, data):
    """Its checksum shows what was changed; what is not refused is read as it stands (the header's time is of no account)."""
    content, marks, bins = file
    packed = data.draw(damaged_bytes(gzip.compress(content, mtime=0)))
    content = unpacked(packed)
    assert outcome(packed, marks, bins) == (None if content is None else reference(content, marks, bins))


# A cell


def cell(tmp_path, **texts):
    warnings = Warnings()
    paths = [written(tmp_path, text, f"{name}.csv") for name, text in texts.items()]
    return read_deepchrome_cell(paths, MARKS, BINS, warnings), warnings


def test_files_of_a_cell_are_joined(tmp_path):
    (gene_id, counts, labels), warnings = cell(
        tmp_path,
        train=deepchrome(NAMES[2:], COUNTS[2:], LABELS[2:]),
        test=deepchrome(NAMES[:2], COUNTS[:2], LABELS[:2]),
    )
    assert gene_id.tolist() == [IDS[2], *IDS[:2]]
    assert counts.tolist() == [COUNTS[2], *COUNTS[:2]]
    assert labels.tolist() == [1, 1, 0]
    assert warnings == []


def test_identical_genes_are_used_once(tmp_path):
    once = deepchrome(NAMES[:1], COUNTS[:1], LABELS[:1])
    (gene_id, counts, labels), warnings = cell(tmp_path, train=deepchrome() + once, test=once.replace("000003", "3"))
    assert gene_id.tolist() == IDS and counts.tolist() == COUNTS and labels.tolist() == LABELS
    assert warnings == [
        f"{tmp_path}/train.csv, {tmp_path}/test.csv: 2 genes stand twice with identical values and are used once: "
        "ENSG00000000003, ENSG00000000003."
    ]


@pytest.mark.parametrize(
    "other",
    [
        deepchrome(NAMES[:1], [[[0, 1], [2, 3], [4, 6]]], [1]),
        deepchrome(NAMES[:1], COUNTS[:1], [0]),
    ],
)
def test_differing_genes_are_refused(tmp_path, other):
    with pytest.raises(InputError, match="gene ENSG00000000003 stands twice with different values"):
        cell(tmp_path, train=deepchrome() + other)
    with pytest.raises(InputError, match="gene ENSG00000000003 stands twice with different values"):
        cell(tmp_path, train=deepchrome(), valid=other)


def test_two_kinds_of_files_in_one_cell_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"b\.csv: this file has no labels, but .*a\.csv has; the files of a cell"):
        cell(tmp_path, a=deepchrome(), b=deepdiff())


# The three parsed sources


def test_genes(tmp_path):
    paths = [
        written(tmp_path, deepchrome(NAMES[1:], COUNTS[1:], LABELS[1:]), "a.csv"),
        written(tmp_path, deepdiff(), "b"),
    ]
    read_deepchrome_genes(paths, tmp_path / "parsed.npz", marks=MARKS, bins=BINS)
    about, genes = read_parsed(tmp_path / "parsed.npz")
    assert genes["gene_id"].tolist() == IDS
    assert genes["tss"].tolist() == [-1] * 3 and genes["strand"].tolist() == ["."] * 3
    assert genes["chrom"].tolist() == genes["group"].tolist() == [""] * 3
    assert [source["path"] for source in about["sources"]] == [str(path) for path in paths]
    assert about["warnings"] == [
        f"{paths[0]}, {paths[1]}: the strands of the genes are not known: no bins or bases are reversed."
    ]


def histone(tmp_path, *texts):
    paths = [written(tmp_path, text, f"{place}.csv") for place, text in enumerate(texts)]
    read_deepchrome_histone(paths, tmp_path / "parsed.npz", marks=MARKS, bins=BINS, order="genomic")
    return read_parsed(tmp_path / "parsed.npz")


@pytest.mark.parametrize("text", [deepchrome(), deepdiff()])
def test_histone(tmp_path, text):
    about, parsed = histone(tmp_path, text)
    assert about["scale"] == "counts" and about["order"] == "genomic" and about["warnings"] == []
    assert parsed["gene_id"].tolist() == IDS
    assert parsed["values"].dtype == np.uint16 and parsed["values"].tolist() == COUNTS


def test_large_counts(tmp_path):
    _, parsed = histone(tmp_path, deepdiff(["3"], [[[65536, 0], [4294967295, 0], [0, 0]]]))
    assert parsed["values"].dtype == np.uint32 and parsed["values"].tolist() == [[[65536, 0], [4294967295, 0], [0, 0]]]
    (tmp_path / "parsed.npz").unlink()
    with pytest.raises(InputError, match=r"0\.csv: a count of 4294967296 is not believable|a count of 4\.29497e\+09"):
        histone(tmp_path, deepdiff(["3"], [[[4294967296, 0], [0, 0], [0, 0]]]))
    assert not (tmp_path / "parsed.npz").exists()


def expression(tmp_path, cells, **texts):
    """Read files named by their cell and, after `__`, what they hold."""
    paths = [written(tmp_path, text, f"{name}.csv") for name, text in texts.items()]
    file_cells = [name.partition("__")[0] for name in texts]
    read_deepchrome_expression(
        paths, tmp_path / "parsed.npz", cells=cells, file_cells=file_cells, marks=MARKS, bins=BINS
    )
    return read_parsed(tmp_path / "parsed.npz")


def test_labels_are_the_expression(tmp_path):
    about, parsed = expression(
        tmp_path,
        ["a", "b", "c"],
        b__train=deepchrome(NAMES[1:], COUNTS[1:], [0, 0]),
        a__train=deepchrome(NAMES[:1], COUNTS[:1], [1]),
        a__test=deepchrome(NAMES[1:], COUNTS[1:], [0, 1]),
    )
    assert parsed["gene_id"].tolist() == IDS and parsed["cell"].tolist() == ["a", "b", "c"]
    assert parsed["values"].dtype == np.float32
    assert np.array_equal(parsed["values"], [[1, 0, 1], [np.nan, 0, 0], [np.nan] * 3], equal_nan=True)
    assert about["warnings"][0].startswith("1 cells without expression are predicted, but neither trained")
    assert "1 values are not known (empty, NA or without a row)" in about["warnings"][1]
    assert len(about["warnings"]) == 2


def test_deepdiff_s_files_have_no_labels(tmp_path):
    with pytest.raises(InputError, match=r"a\.csv: this is a file of DeepDiff, which has no labels; set `expression"):
        expression(tmp_path, ["a"], a=deepdiff())
    assert not (tmp_path / "parsed.npz").exists()


def test_no_file_of_any_cell_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no expression value of any cell \(a, b\) is known"):
        expression(tmp_path, ["a", "b"], c=deepchrome())


# Real files

REAL = ["H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3"]
DEEPDIFF_ORDER = ["H3K4me1", "H3K4me3", "H3K9me3", "H3K27me3", "H3K36me3"]


def real_files(folder):
    return [folder / f"{name}.csv" for name in ("train", "valid", "test")]


def test_real_counts_and_labels(tmp_path):
    folder = real("E003_reads")
    paths = real_files(folder / "deepchrome_csv/E003/classification")
    read_deepchrome_histone(paths, tmp_path / "histone.npz", marks=REAL, bins=100, order="genomic")
    read_deepchrome_expression(
        paths, tmp_path / "label.npz", cells=["E003"], file_cells=["E003"] * 3, marks=REAL, bins=100
    )
    _, parsed = read_parsed(tmp_path / "histone.npz")
    array = np.load(folder / "E003_kaggle_style.npz")["E003"]
    row = {f"ENSG{int(number):011d}": place for place, number in enumerate(array[:, 0, 0])}
    assert len(row) == 143 and set(parsed["gene_id"].tolist()) == set(row)
    assert np.array_equal(parsed["values"], array[[row[gene] for gene in parsed["gene_id"].tolist()], :, 1:6])
    _, label = read_parsed(tmp_path / "label.npz")
    genes = pd.read_csv(folder / "genes.tsv", sep="\t", index_col="gene_id")
    assert label["values"][0].tolist() == genes.loc[label["gene_id"], "label_median"].tolist()


def test_real_counts_in_deepdiff_s_order(tmp_path):
    """The same numbers per mark, whatever the order of the columns that the configuration names."""
    paths = real_files(real("E003_reads/deepchrome_csv/E003/classification"))
    expected = read_deepchrome_cell(paths, REAL, 100, Warnings())
    columns = [2 + REAL.index(mark) for mark in DEEPDIFF_ORDER]
    for path in paths:
        rows = [line.split(",") for line in path.read_text().splitlines()]
        text = [",".join([f"{row[0]}_{row[1]}", *(row[column] for column in columns)]) for row in rows]
        (tmp_path / path.name).write_text("\n".join(text) + "\n")
    found = read_deepchrome_cell(real_files(tmp_path), DEEPDIFF_ORDER, 100, Warnings())
    assert found[0].tolist() == expected[0].tolist() and found[2] is None
    for place, mark in enumerate(DEEPDIFF_ORDER):
        assert np.array_equal(found[1][:, :, place], expected[1][:, :, REAL.index(mark)])


def test_the_toy_files_of_deepchrome(tmp_path):
    paths = real_files(real("deepchrome_toy"))
    gene_id, counts, labels = read_deepchrome_cell(paths, REAL, 100, Warnings())
    rows = [line.split(",") for path in paths for line in path.read_text().splitlines()]
    assert gene_id.tolist() == [f"ENSG{int(row[0]):011d}" for row in rows[::100]] and len(gene_id) == 30
    assert counts.reshape(-1, 5).tolist() == [[int(field) for field in row[2:7]] for row in rows]
    assert labels.tolist() == [int(row[7]) for row in rows[::100]]
    for path in paths:
        (tmp_path / path.name).write_bytes(gzip.compress(path.read_bytes()))
    packed = read_deepchrome_cell(real_files(tmp_path), REAL, 100, Warnings())
    assert all(np.array_equal(one, other) for one, other in zip(packed, (gene_id, counts, labels), strict=True))

import gzip
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_text
from helpers.references import bare, table_lines
from wakawaka.core.errors import InputError
from wakawaka.sources.histone.read_counts import read_counts
from wakawaka.sources.parsed import read_parsed

HEADER = "gene_id\tbin\tH3K4me3\tH3K27me3\n"
ROWS = "A\t1\t1\t2\nA\t2\t3\t4\nB\t1\t5\t6\nB\t2\t7\t8\n"


def read(tmp_path, text, scale="counts", marks=("H3K4me3", "H3K27me3"), bins=2):
    path = tmp_path / "counts.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    read_counts(path, tmp_path / "parsed.npz", marks=list(marks), bins=bins, scale=scale, order="transcript")
    about, parsed = read_parsed(tmp_path / "parsed.npz")
    return [warning.removeprefix(f"{path}: ") for warning in about["warnings"]], parsed


EXPECTED = [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]


@pytest.mark.parametrize(
    "text",
    [
        HEADER + ROWS,
        gzip.compress((HEADER + ROWS).encode(), mtime=0),
        (HEADER + ROWS).replace("\n", "\r\n"),
        "\N{BYTE ORDER MARK}" + HEADER + ROWS + "\n\n",
        HEADER + ROWS.replace("\n", "\t\n"),
        HEADER + ROWS.replace("\n", "\t\n", 2),
        "# counted by\n# somebody\n" + HEADER + ROWS,
        '"gene_id"\t"bin"\t"H3K4me3"\t"H3K27me3"\n' + ROWS,
        '"gene_id"\t"bin"\t"H3K4me3"\t"H3K27me3"\n' + ROWS.replace("A", '"A"').replace("B", '"B"'),
    ],
)
def test_counts(tmp_path, text):
    warnings, parsed = read(tmp_path, text)
    assert parsed["gene_id"].tolist() == ["A", "B"]
    assert parsed["values"].dtype == np.uint16
    assert parsed["values"].tolist() == EXPECTED
    assert warnings == []


def test_about_names_scale_and_order(tmp_path):
    read(tmp_path, HEADER + ROWS)
    about, _ = read_parsed(tmp_path / "parsed.npz")
    assert about["scale"] == "counts" and about["order"] == "transcript"
    assert [source["path"] for source in about["sources"]] == [str(tmp_path / "counts.tsv")]


def test_rows_come_in_any_order_and_genes_in_the_order_of_the_file(tmp_path):
    _, parsed = read(tmp_path, HEADER + "B\t2\t7\t8\nA\t2\t3\t4\nB\t1\t5\t6\nA\t1\t1\t2\n")
    assert parsed["gene_id"].tolist() == ["B", "A"]
    assert parsed["values"].tolist() == EXPECTED[::-1]


def test_columns_go_by_name_and_others_are_left_out(tmp_path):
    text = "H3K27me3\textra\tgene_id\tH3K4me3\tbin\tempty\n2\tx\tENSG00000000001.7\t1\t1\t\n4\ty\tENSG00000000001.7\t3\t2\t\n"
    _, parsed = read(tmp_path, text)
    assert parsed["gene_id"].tolist() == ["ENSG00000000001"]
    assert parsed["values"].tolist() == [[[1, 2], [3, 4]]]


def test_counts_above_65535(tmp_path):
    _, parsed = read(tmp_path, HEADER + "A\t1\t65535\t0\nA\t2\t0\t0\n")
    assert parsed["values"].dtype == np.uint16 and parsed["values"].max() == 65535
    for count in (65536, 4294967295):
        _, parsed = read(tmp_path, HEADER + f"A\t1\t{count}\t0\nA\t2\t0\t1\n")
        assert parsed["values"].dtype == np.uint32
        assert parsed["values"].tolist() == [[[count, 0], [0, 1]]]


@pytest.mark.parametrize("scale", ["log1p", "signal"])
def test_other_scales_are_floats(tmp_path, scale):
    _, parsed = read(tmp_path, HEADER + "A\t1\t0.25\t1e-3\nA\t2\t3\t0\n", scale)
    assert parsed["values"].dtype == np.float32
    assert parsed["values"].tolist() == [[[0.25, np.float32(1e-3)], [3, 0]]]


def test_signal_may_be_negative(tmp_path):
    _, parsed = read(tmp_path, HEADER + "A\t1\t-0.5\t0\nA\t2\t0\t0\n", "signal")
    assert parsed["values"][0, 0, 0] == -0.5


def test_identical_rows_are_used_once(tmp_path):
    warnings, parsed = read(tmp_path, HEADER + ROWS + "B\t1\t5\t6\nA\t1\t1\t2\n")
    assert parsed["values"].tolist() == EXPECTED
    assert warnings == ["2 rows stand twice with identical values and are used once; the first is line 6."]


def test_identical_versions_of_a_gene_are_used_once(tmp_path):
    rows = "ENSG00000000001.{0}\t1\t1\t2\nENSG00000000001.{0}\t2\t3\t4\n"
    warnings, parsed = read(tmp_path, HEADER + rows.format(1) + rows.format(2))
    assert parsed["gene_id"].tolist() == ["ENSG00000000001"] and parsed["values"].tolist() == [[[1, 2], [3, 4]]]
    assert warnings == ["1 genes stand twice with identical values and are used once: ENSG00000000001."]


def test_whole_numbers_may_be_written_as_r_and_pandas_do(tmp_path):
    _, parsed = read(tmp_path, HEADER + "A\t1\t1e+05\t2.0\nA\t2\t3\t4\t\n")
    assert parsed["values"].tolist() == [[[100000, 2], [3, 4]]]
    _, parsed = read(tmp_path, HEADER + "A\t1\t1e+05\t2.0\nA\t2\t3\t4\n")
    assert parsed["values"].tolist() == [[[100000, 2], [3, 4]]]


TWO_VERSIONS = (
    "ENSG00000000001.1\t1\t1\t2\nENSG00000000001.1\t2\t3\t4\nENSG00000000001.2\t1\t1\t2\nENSG00000000001.2\t2\t3\t5\n"
)


@pytest.mark.parametrize(
    ("text", "scale", "says"),
    [
        ("", "counts", ": there is no column 'gene_id' in the header ()"),
        (HEADER, "counts", ": the table has no rows below its header"),
        ("gene_id\tbin\tH3K4me3\nA\t1\t1\n", "counts", ": there is no column 'H3K27me3' in the header"),
        (
            "gene_id\tbin\tH3K4me3\tH3K4me3\tH3K27me3\nA\t1\t1\t9\t2\nA\t2\t3\t9\t4\n",
            "counts",
            ", line 1: the column 'H3K4me3' stands twice in the header; rename one",
        ),
        (HEADER + ROWS + "C\t1\t1\n", "counts", ", line 6: 3 fields where the header has 4"),
        (HEADER + ROWS + "C\t1\t1\t2\t3\n", "signal", ", line 6: 5 fields where the header has 4"),
        (HEADER + ROWS.replace("\n", "\t9\n"), "signal", ", line 2: 5 fields where the header has 4"),
        (HEADER + "A\t1\t1\t2\n\nA\t2\t3\t4\n", "counts", ", line 3: 1 fields where the header has 4"),
        # The value of H3K4me3 is missing; nothing but an unused column at the end shows it.
        (
            HEADER.replace("\n", "\tunused\n") + "A\t1\t1\t2\t0\nA\t2\t4\t0\n",
            "counts",
            ", line 3: 4 fields where the header has 5",
        ),
        (
            HEADER + "A\t1\tTrue\t2\nA\t2\tTrue\t4\n",
            "counts",
            ", line 2: H3K4me3 is 'True', but it must be a whole number",
        ),
        (HEADER + "A\t1\tTrue\t2\nA\t2\tTrue\t4\n", "signal", ", line 2: H3K4me3 is 'True', but it must be a finite"),
        (HEADER + "A\0\t1\t1\t2\nA\t2\t1\t4\n", "counts", ", line 2: there is a zero byte in the text"),
        (HEADER + "A\t1\t1\t2\nA\t2\t3.5\t4\n", "counts", ", line 3: H3K4me3 is '3.5', but it must be a whole number"),
        (HEADER + "A\t1\t1\t2\nA\t2\t\t4\n", "counts", ", line 3: H3K4me3 is '', but it must be a whole number"),
        (HEADER + "A\t1\t1\t2\nA\tx\t3\t4\n", "signal", ", line 3: bin is 'x', but it must be a whole number"),
        ("# x\n" + HEADER + "A\t1\t1\t2\nA\t2\t3\t-1\n", "counts", ", line 4 (gene A, bin 2): a value is negative"),
        ("# x\n" + HEADER + "A\t1\t1\t2\nA\t2\t3\tx\n", "counts", ", line 4: H3K27me3 is 'x', but"),
        (HEADER + "A\t1\t1\t2\nA\t2\t3\tx\n", "signal", ", line 3: H3K27me3 is 'x', but it must be a finite number"),
        (
            HEADER + "A\t1\t1\t2\nA\t2\t3\tinf\n",
            "signal",
            ", line 3 (gene A, bin 2): a value is not a finite number; correct",
        ),
        (
            HEADER + "A\t1\t1\t2\nA\t2\t\t4\n",
            "signal",
            ", line 3 (gene A, bin 2): a value is not a finite number; correct",
        ),
        (
            HEADER + "A\t1\t1\t2\nA\t2\tNA\t4\n",
            "log1p",
            ", line 3 (gene A, bin 2): a value is not a finite number; correct",
        ),
        (
            HEADER + "A\t1\t1\t2\nA\t2\t-3\t4\n",
            "counts",
            ", line 3 (gene A, bin 2): a value is negative, which the scale `counts` does not allow; correct",
        ),
        (HEADER + "A\t1\t1\t2\nA\t2\t-.3\t4\n", "log1p", ", line 3 (gene A, bin 2): a value is negative"),
        (
            HEADER + "A\t1\t1\t2\nA\t3\t3\t4\n",
            "counts",
            ", line 3 (gene A, bin 3): the bin is not between 1 and 2, the number of `bins` in config.yaml; correct",
        ),
        (HEADER + "A\t0\t1\t2\nA\t1\t3\t4\n", "counts", ", line 2 (gene A, bin 0): the bin is not between 1 and 2"),
        (
            HEADER + "A\t1\t1\t2\nA\t2\t3\t4\nA\t1\t1\t3\n",
            "counts",
            ", line 4 (gene A, bin 1): this gene and bin already have a row with other values; keep one",
        ),
        (
            HEADER + ROWS + "C\t1\t1\t2\n",
            "counts",
            ": gene C has 1 bins, but `bins` in config.yaml is 2; count all bins",
        ),
        (
            HEADER + TWO_VERSIONS,
            "counts",
            ": gene ENSG00000000001 stands twice with different values; keep one of its rows",
        ),
        (HEADER + "A\t1\t4294967296\t2\nA\t2\t3\t4\n", "counts", ": a count of 4.29497e+09 is not believable; check"),
        (
            gzip.compress((HEADER + ROWS).encode(), mtime=0)[:-9],
            "counts",
            ": the compressed file is truncated or damaged; fetch or",
        ),
        (HEADER.encode() + b"\xff\t1\t1\t1\n", "counts", ": this is not a text file in UTF-8; check"),
    ],
)
def test_malformed_files_are_refused(tmp_path, text, scale, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, scale)
    assert str(caught.value).startswith(f"{tmp_path}/counts.tsv{says}")
    assert not (tmp_path / "parsed.npz").exists()


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no\.tsv: the file does not exist; check its path"):
        read_counts(tmp_path / "no.tsv", tmp_path / "parsed.npz", marks=["a"], bins=1, scale="counts", order="genomic")


def reference(content):
    """Return a dict from gene to counts of a file in the order of `HEADER`, or None where it must be refused."""
    lines = table_lines(content)
    if lines is None:
        return None
    rows = [[bare(field) for field in line.split("\t")] for line in lines]
    if len(rows) < 2 or any("\0" in line for line in lines[1:]) or len(set(rows[0])) < len(rows[0]):
        return None
    genes = {}
    for row in rows[1:]:
        if len(row) == len(rows[0]) + 1 and lines[rows.index(row)].endswith("\t"):
            row = row[:-1]
        if len(row) != len(rows[0]):
            return None
        fields = dict(zip(rows[0], row, strict=True))
        try:
            texts = [fields[name] for name in ("gene_id", "bin", "H3K4me3", "H3K27me3")]
        except KeyError:
            return None
        # Whole, however it is written.
        form = r"[ \t\r\n\f\v]*[+-]?[0-9]+([.][0-9]*)?([eE][+-]?[0-9]+)?[ \t\r\n\f\v]*"
        if not all(re.fullmatch(form, number) and float(number).is_integer() for number in texts[1:]) or not texts[0]:
            return None
        place, *counts = (int(float(number)) for number in texts[1:])
        if place not in (1, 2) or min(counts) < 0 or max(counts) >= 2**32:
            return None
        if genes.setdefault(fields["gene_id"], {}).setdefault(place, counts) != counts:
            return None
    if any(len(bins) != 2 for bins in genes.values()):
        return None
    return {gene: [bins[1], bins[2]] for gene, bins in genes.items()}


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_damaged_files_are_refused_or_read_as_they_stand(data):
    content = data.draw(damaged_text((HEADER + ROWS).encode()))
    with tempfile.TemporaryDirectory() as folder:
        try:
            _, parsed = read(Path(folder), content)
        except InputError:
            assert reference(content) is None
            return
    assert dict(zip(parsed["gene_id"].tolist(), parsed["values"].tolist(), strict=True)) == reference(content)

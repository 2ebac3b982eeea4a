"""Strict reading of the user's tables."""

import numpy as np
import pandas as pd
import pytest

from wakawaka.core.errors import InputError
from wakawaka.core.tables import need_columns, numbers, read_text_table, whole_numbers


def written(tmp_path, text):
    path = tmp_path / "table.tsv"
    path.write_bytes(text.encode())
    return path


def everything(header):
    return header


def test_columns_are_text_in_the_order_asked_for_and_indexed_by_line(tmp_path):
    path = written(tmp_path, "a\tb\tc\n1\t02\tNA\n\t-\tx y\n")
    table = read_text_table(path, lambda header: ["c", "b"])
    assert table.columns.tolist() == ["c", "b"]
    assert table.to_numpy().tolist() == [["NA", "02"], ["x y", "-"]]
    assert table.index.tolist() == [2, 3]


def test_rows_that_end_in_a_tab_are_not_shifted(tmp_path):
    """The Roadmap expression table: its header has no tab at the end, its rows have. The values are the real ones."""
    text = "gene_id\tE000\tE003\tE004\nENSG00000000003\t23.265\t43.985\t37.413\t\n"
    table = read_text_table(written(tmp_path, text), everything)
    assert table.loc[2].to_dict() == {
        "gene_id": "ENSG00000000003",
        "E000": "23.265",
        "E003": "43.985",
        "E004": "37.413",
    }
    # What a naive reader makes of it.
    naive = pd.read_csv(tmp_path / "table.tsv", sep="\t")
    assert naive["E003"].tolist() == [37.413]


@pytest.mark.parametrize(
    "text",
    [
        "a\tb\r\n1\t2\r\n3\t4\r\n",
        "a\tb\n1\t2\n3\t4",
        "a\tb\n1\t2\n3\t4\n\n  \n",
        "\N{BYTE ORDER MARK}a\tb\n1\t2\n3\t4\n",
    ],
)
def test_harmless_oddities(tmp_path, text):
    table = read_text_table(written(tmp_path, text), everything)
    assert table.to_numpy().tolist() == [["1", "2"], ["3", "4"]]
    assert table.index.tolist() == [2, 3]


def test_comments_before_the_header_are_left_out(tmp_path):
    table = read_text_table(written(tmp_path, "# made\tby\n#\na\tb\n#1\t2\n"), everything)
    assert table.to_numpy().tolist() == [["#1", "2"]] and table.index.tolist() == [4]


def test_quotes_around_fields_are_left_out(tmp_path):
    table = read_text_table(written(tmp_path, '"a"\tb\n"1 2"\t"\n""\t"x\n'), everything)
    assert table.columns.tolist() == ["a", "b"]
    assert table.to_numpy().tolist() == [["1 2", '"'], ["", '"x']]


@pytest.mark.parametrize("text", ["x\ty\nA\t1\t2\nB\t3\t4\n", "\tx\ty\nA\t1\t2\nB\t3\t4\n"])
def test_row_names(tmp_path, text):
    path = written(tmp_path, text)
    table = read_text_table(path, everything, row_names="gene_id")
    assert table.columns.tolist() == ["gene_id", "x", "y"]
    assert table.to_numpy().tolist() == [["A", "1", "2"], ["B", "3", "4"]]
    if text[0] == "x":
        with pytest.raises(InputError, match="line 2: 3 fields where the header has 2"):
            read_text_table(path, everything)


@pytest.mark.parametrize(
    ("text", "header"),
    [
        # Tabs at the ends of the rows are no values, and the names are those of all columns.
        ("id\tx\nA\t1\t\nB\t3\t\n", ["id", "x"]),
        # Neither is a table that is named as it should be shifted.
        ("gene_id\tx\nA\t1\t\nB\t3\t\n", ["gene_id", "x"]),
    ],
)
def test_tabs_at_the_end_are_not_taken_for_row_names(tmp_path, text, header):
    table = read_text_table(written(tmp_path, text), everything, row_names="gene_id")
    assert table.columns.tolist() == header and table.to_numpy().tolist() == [["A", "1"], ["B", "3"]]


@pytest.mark.parametrize("text", ["x\ty\nA\t1\t2\nB\t3\t\n", "x\ty\nA\t1\t2\nB\t3\n", "gene_id\ty\nA\t1\t2\n"])
def test_row_names_in_some_rows_only_are_refused(tmp_path, text):
    with pytest.raises(InputError, match="fields where the header has 2"):
        read_text_table(written(tmp_path, text), everything, row_names="gene_id")


def test_only_line_ends_end_a_line(tmp_path):
    text = "id\ttext\n1\tform\x0cfeed\n2\tnext\x85line and \u2028 separator\n"
    assert read_text_table(written(tmp_path, text), everything)["id"].tolist() == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": the table has no rows below its header; check"),
        ("a\tb\n", ": the table has no rows below its header; check"),
        ("a\tb\n\n", ": the table has no rows below its header; check"),
        ("a\tb\ta\n1\t2\t3\n", ", line 1: the column 'a' stands twice in the header; rename one"),
        ("a\tb\n1\t2\n3\n", ", line 3: 1 fields where the header has 2; the fields"),
        ("a\tb\n1\t2\n\n3\t4\n", ", line 3: 1 fields where the header has 2; the fields"),
        ("a\tb\n1\t2\t3\n", ", line 2: 3 fields where the header has 2; the fields"),
        ("a\tb\n1\t2\t\t\n", ", line 2: 4 fields where the header has 2; the fields"),
        (
            "a b\n1 2\n3\t4\n",
            ", line 3: 2 fields where the header has 1; the fields of a row are separated by single tabs",
        ),
    ],
)
def test_malformed_tables_are_refused(tmp_path, text, says):
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_text_table(path, everything)
    assert str(caught.value).startswith(f"{path}{says}")


def test_need_columns():
    need_columns("x.tsv", ["a", "b"], ["b"])
    with pytest.raises(InputError, match=r"^x\.tsv: there is no column 'c' in the header \(a, b\); check"):
        need_columns("x.tsv", ["a", "b"], ["b", "c"])


def column(*texts, name="tss"):
    return pd.Series(texts, index=range(2, len(texts) + 2), name=name, dtype=object)


def test_whole_numbers():
    found = whole_numbers("x.tsv", column("0", "-5", "+7", "123456789012", "3.0", "1e+05", " 8"))
    assert found.dtype == np.int64 and found.tolist() == [0, -5, 7, 123456789012, 3, 100000, 8]


@pytest.mark.parametrize(
    "text", ["", "1.5", "1e-3", "NA", "x", "1 2", "99999999999999999999", "1e30", "True", "inf", "0x1", "1_0"]
)
def test_other_than_whole_numbers_are_refused(text):
    with pytest.raises(InputError) as caught:
        whole_numbers("x.tsv", column("1", text))
    assert str(caught.value) == f"x.tsv, line 3: tss is {text!r}, but it must be a whole number."


def test_numbers():
    table = pd.DataFrame({"a": column("1", "-2.5e3", ""), "b": column("NA", "-", "nan")})
    found = numbers("x.tsv", table)
    assert found.dtype == np.float32
    assert np.array_equal(found, [[1, np.nan], [-2500, np.nan], [np.nan, np.nan]], equal_nan=True)


@pytest.mark.parametrize("text", ["inf", "-inf", "1,5", "x", "1e99", "None"])
def test_other_than_finite_numbers_are_refused(text):
    with pytest.raises(InputError) as caught:
        numbers("x.tsv", pd.DataFrame({"a": column("1", "2"), "b": column("3", text)}))
    assert str(caught.value).startswith(f"x.tsv, line 3: b is {text!r}, but it must be a finite number (leave")

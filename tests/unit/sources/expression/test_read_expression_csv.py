import gzip
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_text
from helpers.references import lines_of, value_of
from wakawaka.core.errors import InputError
from wakawaka.sources.expression.read_expression_csv import read_expression_csv
from wakawaka.sources.parsed import read_parsed


def read(tmp_path, reference=None, **texts):
    paths = []
    for cell, text in texts.items():
        paths.append(tmp_path / f"{cell}.expr.csv")
        paths[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    read_expression_csv(paths, tmp_path / "parsed.npz", cells=list(texts), reference=reference)
    return read_parsed(tmp_path / "parsed.npz")


TEXT = "ENSG00000000003,1.5\n000005,-2e-3\n419,NA\n"


@pytest.mark.parametrize(
    "text", [TEXT, gzip.compress(TEXT.encode(), mtime=0), TEXT.replace("\n", "\r\n"), TEXT + "\n", "\ufeff" + TEXT]
)
def test_values(tmp_path, text):
    about, parsed = read(tmp_path, b=text, a="ENSG00000000005.3,7\n457,0.25")
    assert parsed["gene_id"].tolist() == [f"ENSG{number:011d}" for number in (3, 5, 419, 457)]
    assert parsed["cell"].tolist() == ["b", "a"] and parsed["values"].dtype == np.float32
    expected = np.array([[1.5, -2e-3, np.nan, np.nan], [np.nan, 7, np.nan, 0.25]], np.float32)
    assert np.array_equal(parsed["values"], expected, equal_nan=True)
    assert (
        len(about["warnings"]) == 1 and ": 4 values are not known (empty, NA or without a row)" in about["warnings"][0]
    )


def test_deepdiff_s_raw_counts_are_noticed(tmp_path):
    about, parsed = read(tmp_path, E004="ENSG00000000003,22128\nENSG00000000005,2085\n")
    assert parsed["values"].tolist() == [[22128, 2085]]
    assert len(about["warnings"]) == 1 and "they look like raw read counts" in about["warnings"][0]


def test_identical_lines_are_used_once(tmp_path):
    about, parsed = read(tmp_path, a="3,1\n000003,1.0\n5,2\n")
    assert parsed["values"].tolist() == [[1, 2]]
    assert about["warnings"] == [
        f"{tmp_path}/a.expr.csv: 1 genes stand twice with identical values and are used once: ENSG00000000003."
    ]


def test_the_reference_is_no_cell_that_is_counted(tmp_path):
    about, parsed = read(tmp_path, "E999", a="3,1.5\n5,2\n", E999="3,7\n5,NA\n")
    assert parsed["cell"].tolist() == ["a", "E999"]
    assert np.array_equal(parsed["values"], [[1.5, 2], [7, np.nan]], equal_nan=True)
    assert about["warnings"] == []


def test_a_reference_without_values_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"^config key `expression.transform` takes a ratio to E999, but .* has no value in it;"
    ):
        read(tmp_path, "E999", a="3,1.5\n5,2\n", E999="3,NA\n")
    assert not (tmp_path / "parsed.npz").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": the file is empty; check `expression.path`"),
        ("3 1\n", ", line 1: a line must be `gene id,value`, but this is '3 1'"),
        ("3,1\n5,1,2\n", ", line 2: a line must be `gene id,value`, but this is '5,1,2'"),
        ("3,1\n\n5,1\n", ", line 2: a line must be `gene id,value`, but this is ''"),
        ("3,1\n,1\n", ", line 2: a line must be `gene id,value`"),
        ("3,1\n5,x\n", ", line 2: the value is 'x', but it must be a finite number (leave the field empty or write NA"),
        ("3,1\n5,inf\n", ", line 2: the value is 'inf', but"),
        ("3,1\n3,2\n", ": gene ENSG00000000003 stands twice with different values"),
        ("3,NA\n", ": no expression value of any cell (a) is known"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-9], ": the compressed file is truncated or damaged"),
    ],
)  # fmt: skip
def test_malformed_files_are_refused(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, a=text)
    assert str(caught.value).startswith(f"{tmp_path}/a.expr.csv{says}")
    assert ("header" in str(caught.value)) == ("line 1: the value" in says)
    assert not (tmp_path / "parsed.npz").exists()


def test_a_header_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"line 1: the value is 'expression', but .* If the first line is a header, remove it"
    ):
        read(tmp_path, a="gene,expression\n3,1\n")


def reference(content):
    """Return a dict from gene to value (None: not known), or None where the file must be refused."""
    lines = lines_of(content)
    if lines is None:
        return None
    while lines and not lines[-1].strip():
        del lines[-1]
    genes = {}
    for line in lines:
        match = re.fullmatch(r"([^,]+),([^,]*)", line.strip())
        if not match or "\0" in line:
            return None
        gene, value = match[1], match[2]
        gene = (
            f"ENSG{int(gene):011d}"
            if re.fullmatch("[0-9]{1,11}", gene)
            else re.sub(r"^(ENS[A-Z]*G[0-9]{11})\.[0-9]+$", r"\1", gene)
        )
        try:
            value = value_of(value)
        except ValueError:
            return None
        if genes.setdefault(gene, value) != value:
            return None
    return genes if any(value is not None for value in genes.values()) else None


@settings(deadline=None, max_examples=600)
@given(st.data())
def test_damaged_files_are_refused_or_read_as_they_stand(data):
    content = data.draw(damaged_text((TEXT + "ENSG00000000457.2,12.25\nGENE,3\n").encode(), b","))
    with tempfile.TemporaryDirectory() as folder:
        try:
            _, parsed = read(Path(folder), a=content)
        except InputError:
            assert reference(content) is None
            return
    values = [None if np.isnan(value) else value for value in parsed["values"][0]]
    assert dict(zip(parsed["gene_id"].tolist(), values, strict=True)) == reference(content)

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_text
from helpers.references import bare, table_lines, value_of
from wakawaka.core.errors import InputError
from wakawaka.sources.expression.read_quantification import read_quantification
from wakawaka.sources.parsed import read_parsed

SALMON = "Name\tLength\tEffectiveLength\tTPM\tNumReads\n"
ROWS = "ENSG00000000003.15\t2968.5\t2718.5\t12.25\t400\nENSG00000000005.6\t940\t690\t0\t0\n"


def read(tmp_path, tables, gene_id="Name", value="TPM", **settings):
    """Read tables (a dict from a cell to a text or bytes)."""
    paths = []
    for cell, text in tables.items():
        paths.append(tmp_path / f"{cell}.sf")
        paths[-1].write_bytes(text if isinstance(text, bytes) else text.encode())
    read_quantification(paths, tmp_path / "parsed.npz", cells=list(tables), gene_id=gene_id, value=value, **settings)
    return read_parsed(tmp_path / "parsed.npz")


def test_genes_are_joined_by_their_ids(tmp_path):
    other = SALMON + "ENSG00000000419.12\t1\t1\t3.5\t1\nENSG00000000003.14\t1\t1\t7\t1\n"
    about, parsed = read(tmp_path, {"b": other, "a": SALMON + ROWS})
    assert parsed["gene_id"].tolist() == ["ENSG00000000003", "ENSG00000000005", "ENSG00000000419"]
    assert parsed["cell"].tolist() == ["b", "a"] and parsed["values"].dtype == np.float32
    assert np.array_equal(parsed["values"], [[7, np.nan, 3.5], [12.25, 0, np.nan]], equal_nan=True)
    assert about["warnings"] == [
        f"{tmp_path}/b.sf, {tmp_path}/a.sf: 2 values are not known (empty, NA or without a row); "
        "those samples are predicted, but neither trained on nor scored."
    ]
    assert [source["path"] for source in about["sources"]] == [f"{tmp_path}/b.sf", f"{tmp_path}/a.sf"]


@pytest.mark.parametrize(
    ("text", "gene_id", "value", "expected"),
    [
        (
            "gene_id\ttranscript_id(s)\tlength\teffective_length\texpected_count\tTPM\tFPKM\n"
            "ENSG00000000003.10\tENST00000373020.4,ENST00000494424.1\t1800.2\t1600\t12.00\t1.5\t2.25\n",
            "gene_id", "FPKM", 2.25,
        ),
        (
            "Gene ID\tGene Name\tReference\tStrand\tStart\tEnd\tCoverage\tFPKM\tTPM\n"
            "ENSG00000000003\tTSPAN6\tchrX\t-\t100627108\t100639991\t3.1\t0.5\t0.75\n",
            "Gene ID", "TPM", 0.75,
        ),
    ],
)  # fmt: skip
def test_quantifiers(tmp_path, text, gene_id, value, expected):
    about, parsed = read(tmp_path, {"a": text}, gene_id, value)
    assert parsed["gene_id"].tolist() == ["ENSG00000000003"] and parsed["values"].tolist() == [[expected]]
    assert about["warnings"] == []


def test_numbers_are_no_ensembl_ids(tmp_path):
    """ENCODE's tables of RSEM hold tRNA genes named by a number."""
    _, parsed = read(tmp_path, {"a": SALMON + "10904\t93\t0\t0\t0\n" + ROWS})
    assert parsed["gene_id"].tolist() == ["10904", "ENSG00000000003", "ENSG00000000005"]


def test_identical_rows_are_used_once(tmp_path):
    about, parsed = read(tmp_path, {"a": SALMON + ROWS + "ENSG00000000005.7\t1\t1\t0\t0\n"})
    assert parsed["values"].tolist() == [[12.25, 0]]
    assert about["warnings"] == [
        f"{tmp_path}/a.sf: 1 genes stand twice with identical values and are used once: ENSG00000000005."
    ]


def test_a_cell_of_unknown_values_has_no_expression(tmp_path):
    about, parsed = read(tmp_path, {"a": SALMON + ROWS, "b": SALMON + "ENSG00000000003\t1\t1\tNA\t1\n"})
    assert np.isnan(parsed["values"][1]).all()
    assert about["warnings"] == ["1 cells without expression are predicted, but neither trained on nor scored: b."]


def test_the_reference_is_no_cell_that_is_counted(tmp_path):
    tables = {"a": SALMON + ROWS, "E999": SALMON + "ENSG00000000003\t1\t1\t7\t1\n"}
    about, parsed = read(tmp_path, tables, reference="E999")
    assert parsed["cell"].tolist() == ["a", "E999"]
    assert np.array_equal(parsed["values"], [[12.25, 0], [7, np.nan]], equal_nan=True)
    assert about["warnings"] == []


def test_a_reference_without_values_is_refused(tmp_path):
    with pytest.raises(InputError) as caught:
        read(tmp_path, {"a": SALMON + ROWS, "E999": SALMON + "A\t1\t1\tNA\t1\n"}, reference="E999")
    assert str(caught.value) == (
        f"config key `expression.transform` takes a ratio to E999, but {tmp_path}/a.sf, {tmp_path}/E999.sf has no value in it; "
        "correct the name or the file."
    )
    assert not (tmp_path / "parsed.npz").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": the table has no rows below its header"),
        (SALMON, ": the table has no rows below its header"),
        ("gene\tTPM\nA\t1\n", ": there is no column 'Name' in the header (gene, TPM)"),
        ("Name\tFPKM\nA\t1\n", ": there is no column 'TPM' in the header (Name, FPKM)"),
        (SALMON + ROWS + "A\t1\t1\t-x\t1\n", ", line 4: TPM is '-x', but it must be a finite number"),
        (SALMON + ROWS + "A\t1\t1\tinf\t1\n", ", line 4: TPM is 'inf', but it must be a finite number"),
        (SALMON + ROWS + "A\t1\t1\t1\n", ", line 4: 4 fields where the header has 5"),
        (SALMON + ROWS + "\t1\t1\t1\t1\n", ", line 4: the gene id is empty"),
        (SALMON + ROWS + "ENSG00000000005\t1\t1\t2\t1\n", ": gene ENSG00000000005 stands twice with different values"),
        (
            SALMON + "ENST00000373020.4\t1\t1\t2\t1\nENST00000494424\t1\t1\t2\t1\nA\t1\t1\t1\t1\n",
            ": the ids are of transcripts (ENST00000373020.4, ENST00000494424), but values of genes are needed: let the",
        ),
        (SALMON + "ENST00000456328.2|ENSG00000223972.5|-|DDX11L1|1657|\t1\t1\t2\t1\n", ": the ids are of transcripts"),
        (SALMON + "NM_000014.6\t1\t1\t2\t1\nNR_026971\t1\t1\t2\t1\n", ": the ids are of transcripts"),
        (SALMON + "NM_000014\t1\t1\t2\t1\nNM_000014\t1\t1\t3\t1\n", ": the ids are of transcripts"),
        (SALMON + "ENSMUST00000193812.2\t1\t1\t2\t1\n", ": the ids are of transcripts"),
        (SALMON + "A\t1\t1\tNA\t1\n", ": no expression value of any cell (a) is known"),
    ],
)  # fmt: skip
def test_malformed_tables_are_refused(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, {"a": text})
    assert str(caught.value).startswith(f"{tmp_path}/a.sf{says}")
    assert not (tmp_path / "parsed.npz").exists()


def test_one_column_for_both_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"`expression.columns`: gene_id and value are both 'TPM'"):
        read(tmp_path, {"a": SALMON + ROWS}, "TPM")


def outcome(content):
    with tempfile.TemporaryDirectory() as folder:
        try:
            _, parsed = read(Path(folder), {"a": content})
        except InputError:
            return None
    return dict(zip(parsed["gene_id"].tolist(), parsed["values"][0].tolist(), strict=True))


def reference(content):
    """Return a dict from gene to value (None: not known) of a table of Salmon's, or None where it must be refused."""
    lines = table_lines(content)
    if lines is None:
        return None
    header, *rows = [[bare(field) for field in line.split("\t")] for line in lines]
    if len(set(header)) < len(header):
        return None
    header = ["Name", *header[1:]] if "Name" not in header and header[:1] == [""] else header
    if "Name" not in header and all(len(row) == len(header) + 1 and row[-1] for row in rows):
        header = ["Name", *header]
    if not rows or not {"Name", "TPM"} <= set(header):
        return None
    genes = {}
    for line, row in zip(lines[1:], rows, strict=True):
        if "\0" in line or len(row) - len(header) not in ((0, 1) if line.endswith("\t") else (0,)):
            return None
        gene, value = (row[header.index(name)] for name in ("Name", "TPM"))
        gene = re.sub(r"^(ENS[A-Z]*G[0-9]{11})\.[0-9]+$", r"\1", gene)
        try:
            value = value_of(value)
        except ValueError:
            return None
        if not gene or genes.setdefault(gene, value) != value:
            return None
    return genes if any(value is not None for value in genes.values()) else None


@settings(deadline=None, max_examples=500)
@given(st.data())
def test_damaged_tables_are_refused_or_read_as_they_stand(data):
    content = data.draw(damaged_text((SALMON + ROWS).encode()))
    found = outcome(content)
    if found is not None:
        found = {gene: None if np.isnan(value) else value for gene, value in found.items()}
    assert found == reference(content)

import gzip
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_text
from helpers.real_data import real
from helpers.references import bare, table_lines, value_of
from wakawaka.core.errors import InputError
from wakawaka.sources.expression.read_matrix import read_matrix
from wakawaka.sources.parsed import read_parsed


def read(tmp_path, text, cells, **settings):
    path = tmp_path / "rpkm.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    read_matrix(path, tmp_path / "parsed.npz", cells=cells, **settings)
    about, parsed = read_parsed(tmp_path / "parsed.npz")
    return [warning.removeprefix(f"{path}: ") for warning in about["warnings"]], parsed


def test_the_roadmap_table_is_not_shifted(tmp_path):
    """Its rows end in a tab and its header does not; the values are the published ones."""
    text = (
        "gene_id\tE000\tE003\tE004\tE005\tE006\n"
        "ENSG00000000003\t23.265\t43.985\t37.413\t29.459\t21.864\t\n"
        "ENSG00000000005.2\t0.872\t1.642\t\t0.041\tNA\t\n"
    )
    warnings, parsed = read(tmp_path, text, ["E003", "E006", "E004", "E005"])
    assert parsed["gene_id"].tolist() == ["ENSG00000000003", "ENSG00000000005"]
    assert parsed["cell"].tolist() == ["E003", "E006", "E004", "E005"]
    expected = np.array([[43.985, 1.642], [21.864, np.nan], [37.413, np.nan], [29.459, 0.041]], np.float32)
    assert parsed["values"].dtype == np.float32
    assert np.array_equal(parsed["values"], expected, equal_nan=True)
    assert warnings == [
        "2 values are not known (empty or NA); those samples are predicted, but neither trained on nor scored."
    ]


def test_cells_without_a_column_are_not_known(tmp_path):
    warnings, parsed = read(tmp_path, "gene_id\tb\nA\t1.5\n", ["a", "b", "c"])
    assert np.array_equal(parsed["values"], [[np.nan], [1.5], [np.nan]], equal_nan=True)
    assert warnings == ["2 cells without expression are predicted, but neither trained on nor scored: a, c."]


def test_identical_rows_are_used_once(tmp_path):
    warnings, parsed = read(tmp_path, "gene_id\ta\nA\t1\nB\tNA\nA\t1.0\nB\t\nC\t3\n", ["a"])
    assert parsed["gene_id"].tolist() == ["A", "B", "C"]
    assert np.array_equal(parsed["values"], [[1, np.nan, 3]], equal_nan=True)
    assert warnings[0] == "2 genes stand twice with identical values and are used once: A, B."
    assert warnings[1].startswith("1 values are not known")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name\ta\nA\t1\n", ": there is no column 'gene_id' in the header (name, a)"),
        (
            "gene_id\tx\nA\t1\n",
            ": none of the cells in config.yaml (a, b) is a column; the header has gene_id, x",
        ),
        ("gene_id\ta\tb\nA\t1\t2\nB\t1\n", ", line 3: 2 fields where the header has 3"),
        ("gene_id\ta\tb\nA\t1\t2\nB\t1\thigh\n", ", line 3: b is 'high', but it must be a finite number"),
        ("gene_id\ta\tb\nA\t1\tinf\n", ", line 2: b is 'inf', but it must be a finite number"),
        ("gene_id\ta\nA\tNA\nB\t\n", ": no expression value of any cell (a, b) is known; check `expression`"),
        ("gene_id\ta\nA\t1\n\t2\n", ", line 3: the gene id is empty"),
        # A tab at the end of the rows of a table whose ids have another name: no row names of R's.
        ("name\ta\nA\t1\t\nB\t2\t\n", ": there is no column 'gene_id' in the header (name, a)"),
        ("a\tb\nA\t1\t2\nB\t1\t\n", ": there is no column 'gene_id' in the header (a, b)"),
        ("a\tb\nA\t1\t2\nB\t1\n", ": there is no column 'gene_id' in the header (a, b)"),
        ("gene_id\ta\nA\t1\t2\nB\t1\t2\n", ", line 2: 3 fields where the header has 2"),
        ("# made by\n#\ngene_id\ta\nA\tx\n", ", line 4: a is 'x', but it must be a finite number"),
        ("# made by\ngene_id\ta\ta\nA\tx\ty\n", ", line 2: the column 'a' stands twice in the header"),
        ("# made by\n", ": the table has no rows below its header"),
        ("gene_id\ta\na\t1\na\t2\n", ": gene a stands twice with different values; keep one of its rows"),
        (
            "gene_id\ta\nENSG00000000001.1\t1\nENSG00000000001.2\t2\n",
            ": gene ENSG00000000001 stands twice with different values",
        ),
    ],
)
def test_malformed_matrices_are_refused(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, ["a", "b"])
    assert str(caught.value).startswith(f"{tmp_path}/rpkm.tsv{says}")


NAMES = {"E003": "reads/E003.bam", "E004": "reads/E004.bam"}


def test_a_table_of_featurecounts(tmp_path):
    text = (
        '# Program:featureCounts v2.0.3; Command:"featureCounts" "-a" "genes.gtf" "-o" "counts.txt"\n'
        "Geneid\tChr\tStart\tEnd\tStrand\tLength\treads/E003.bam\treads/E004.bam\n"
        "ENSG00000223972.5\tchr1;chr1\t11869;12010\t12227;12057\t+;+\t1735\t0\t12\n"
        "ENSG00000227232.5\tchr1\t14404\t14501\t-\t1351\t2001\t7\n"
    )
    warnings, parsed = read(tmp_path, text, ["E004", "E003"], gene_id="Geneid", names=NAMES)
    assert parsed["gene_id"].tolist() == ["ENSG00000223972", "ENSG00000227232"]
    assert parsed["values"].tolist() == [[12, 7], [0, 2001]]
    assert warnings == [
        "all values are whole numbers, the largest 2001: they look like raw read counts, which are not normalised for "
        "library size and gene length; RPKM or TPM can be compared between cells and genes."
    ]


@pytest.mark.parametrize("values", ["1000\t7", "2001\t7.5", "NA\t7"])
def test_other_values_do_not_look_like_counts(tmp_path, values):
    warnings, _ = read(tmp_path, f"gene_id\ta\tb\nA\t{values}\n", ["a", "b"])
    assert not any("raw read counts" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"names": {"a": "x"}}, "/rpkm.tsv: there is no column 'x' in the header (gene_id, a, b)"),
        ({"names": {"a": "b"}}, "the column 'b' cannot be both the cell a and the cell b"),
        ({"names": {"a": "gene_id"}}, "the column 'gene_id' cannot be both the gene ids and the cell a"),
        ({"gene_id": "a"}, "the column 'a' cannot be both the gene ids and the cell a"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path, settings, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, "gene_id\ta\tb\nA\t1\t2\n", ["a", "b"], **settings)
    assert says in str(caught.value)


RATIO = "config key `expression.transform` takes a ratio to E999, but "


def test_the_reference_is_no_cell_that_is_counted(tmp_path):
    text = "gene_id\ta\tE999\nA\t1.5\t2\nB\tNA\t\nC\t3\tNA\n"
    warnings, parsed = read(tmp_path, text, ["a", "c", "E999"], reference="E999")
    assert parsed["cell"].tolist() == ["a", "c", "E999"]
    expected = [[1.5, np.nan, 3], [np.nan] * 3, [2, np.nan, np.nan]]
    assert np.array_equal(parsed["values"], expected, equal_nan=True)
    assert warnings == [
        "1 cells without expression are predicted, but neither trained on nor scored: c.",
        "1 values are not known (empty or NA); those samples are predicted, but neither trained on nor scored.",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gene_id\ta\tE99\nA\t1\t2\n", RATIO + "{path} has no such column; correct the name or the file."),
        ("gene_id\ta\tE999\nA\t1\tNA\n", RATIO + "{path} has no value in it; correct the name or the file."),
        ("gene_id\tx\tE999\nA\t1\t2\n", "{path}: none of the cells in config.yaml (a) is a column; the header has"),
        ("gene_id\ta\tE999\nA\tNA\t2\n", "{path}: no expression value of any cell (a) is known"),
    ],
)
def test_a_reference_without_values_is_refused(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, ["a", "E999"], reference="E999")
    assert str(caught.value).startswith(says.format(path=tmp_path / "rpkm.tsv"))
    assert not (tmp_path / "parsed.npz").exists()


def test_the_reference_may_have_another_header(tmp_path):
    text = "gene_id\ta\tUniversal\nA\t1.5\t2\n"
    warnings, parsed = read(tmp_path, text, ["a", "E999"], names={"E999": "Universal"}, reference="E999")
    assert parsed["values"].tolist() == [[1.5], [2]] and warnings == []


@pytest.mark.parametrize(
    "text",
    [
        "gene_id\ta\tb\nA\t1.5\t2\nB\t3\tNA\n",
        "b\tgene_id\ta\n2\tA\t1.5\nNA\tB\t3\n",
        # R: write.table(x, sep = "\t") with and without row names, and with col.names = NA.
        '"a"\t"b"\n"A"\t1.5\t2\n"B"\t3\tNA\n',
        '"gene_id"\t"a"\t"b"\n"A"\t1.5\t2\n"B"\t3\tNA\n',
        '""\t"a"\t"b"\n"A"\t1.5\t2\n"B"\t3\tNA\n',
        "a\tb\nA\t1.5\t2\nB\t3\tNA\n",
        # pandas: to_csv(sep="\t")
        "\ta\tb\nA\t1.5\t2.0\nB\t3.0\t\n",
        "gene_id\ta\tb\nA\t1.5\t2\t\nB\t3\tNA\t\n",
        "gene_id\ta\tb\r\nA\t1.5\t2\r\nB\t3\tNA\r\n",
        gzip.compress(b"gene_id\ta\tb\nA\t1.5\t2\nB\t3\tNA\n", mtime=0),
    ],
)
def test_forms_of_one_matrix(tmp_path, text):
    _, parsed = read(tmp_path, text, ["a", "b"])
    assert parsed["gene_id"].tolist() == ["A", "B"]
    assert np.array_equal(parsed["values"], [[1.5, 3], [2, np.nan]], equal_nan=True)


def reference(content, cells):
    """Return a dict from gene to values of a matrix with the header gene_id, or None where it must be refused."""
    lines = table_lines(content)
    if lines is None:
        return None
    header, *rows = [line.split("\t") for line in lines]
    header, longer = [bare(name) for name in header], all(len(row) == len(header) + 1 and row[-1] for row in rows)
    if len(set(header)) < len(header):
        return None
    if "gene_id" not in header and header[:1] == [""]:
        header[0] = "gene_id"
    elif "gene_id" not in header and longer:
        header.insert(0, "gene_id")
    if not rows or any("\0" in line for line in lines[1:]) or "gene_id" not in header or not set(cells) & set(header):
        return None
    genes = {}
    for row in rows:
        if len(row) == len(header) + 1 and row[-1] == "":
            row = row[:-1]
        if len(row) != len(header):
            return None
        fields = dict(zip(header, [bare(field) for field in row], strict=True))
        try:
            values = tuple(value_of(fields[cell]) if cell in header else None for cell in cells)
        except ValueError:
            return None
        gene = fields["gene_id"]
        if gene == "" or genes.setdefault(gene, values) != values:
            return None
    return genes if any(value is not None for values in genes.values() for value in values) else None


def outcome(content, cells):
    with tempfile.TemporaryDirectory() as folder:
        try:
            _, parsed = read(Path(folder), content, cells)
        except InputError:
            return None
    values = np.where(np.isnan(parsed["values"]), None, parsed["values"].astype(object)).T.tolist()
    return {gene: tuple(row) for gene, row in zip(parsed["gene_id"].tolist(), values, strict=True)}


@st.composite
def matrices(draw):
    cells = draw(st.lists(st.sampled_from("abc"), min_size=1, unique=True))
    value = st.sampled_from(["0.25", "3", "1e-3", "NA", "", "17.125"])
    end = draw(st.sampled_from(["\n", "\t\n"]))
    quote = draw(st.sampled_from(["", '"']))
    header = ["gene_id", *cells] if draw(st.booleans()) else cells
    rows = [[gene, *(draw(value) for _ in cells)] for gene in draw(st.lists(st.sampled_from("ABCDE"), min_size=1))]
    comments = draw(st.sampled_from(["", "# a\n", "#\n# a\tb\n"]))
    text = comments + "\t".join(f"{quote}{name}{quote}" for name in header) + "\n"
    return (text + "".join("\t".join([f"{quote}{row[0]}{quote}", *row[1:]]) + end for row in rows)).encode()


@settings(deadline=None, max_examples=150)
@given(matrices())
def test_any_matrix(content):
    assert outcome(content, ["b", "a"]) == reference(content, ["b", "a"])


# A digit for another, or a cut within the last number, cannot be seen by any reader.
@settings(deadline=None, max_examples=700)
@given(st.data())
def test_damaged_matrices_are_refused_or_read_as_they_stand(data):
    content = data.draw(damaged_text(data.draw(matrices())))
    assert outcome(content, ["b", "a"]) == reference(content, ["b", "a"])


@pytest.mark.parametrize("end", [b"\n", b"\t\n"])
def test_the_real_table_of_roadmap(tmp_path, end):
    """With and without the tab at the end of its rows; seven ids stand twice in it, with identical rows."""
    content = gzip.decompress(real("roadmap_rpkm/57epigenomes.RPKM.pc.56cells.tsv.gz").read_bytes())
    header, _, rows = content.partition(b"\n")
    warnings, parsed = read(tmp_path, header + b"\n" + rows.replace(b"\n", end), ["E003", "E004", "E005", "E006"])
    place = parsed["gene_id"].tolist().index("ENSG00000000003")
    assert parsed["values"][:, place].tolist() == np.array([43.985, 37.413, 29.459, 21.864], np.float32).tolist()
    assert rows.count(b"\n") == 19802 and parsed["values"].shape == (4, 19795)
    assert len(warnings) == 1 and warnings[0].startswith(
        "7 genes stand twice with identical values and are used once: "
    )

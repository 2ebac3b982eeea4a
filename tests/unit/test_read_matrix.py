import numpy as np
import pytest

from wakawaka.errors import InputError
from wakawaka.parts import read_part
from wakawaka.read_matrix import read_matrix


def read(tmp_path, text, cells):
    path = tmp_path / "rpkm.tsv"
    path.write_text(text)
    read_matrix(path, tmp_path / "part.npz", cells=cells)
    about, part = read_part(tmp_path / "part.npz")
    return [warning.removeprefix(f"{path}: ") for warning in about["warnings"]], part


def test_the_roadmap_table_is_not_shifted(tmp_path):
    """Its rows end in a tab and its header does not; the values are the published ones."""
    text = (
        "gene_id\tE000\tE003\tE004\tE005\tE006\n"
        "ENSG00000000003\t23.265\t43.985\t37.413\t29.459\t21.864\t\n"
        "ENSG00000000005.2\t0.872\t1.642\t\t0.041\tNA\t\n"
    )
    warnings, part = read(tmp_path, text, ["E003", "E006", "E004", "E005"])
    assert part["gene_id"].tolist() == ["ENSG00000000003", "ENSG00000000005"]
    assert part["cell"].tolist() == ["E003", "E006", "E004", "E005"]
    expected = np.array([[43.985, 1.642], [21.864, np.nan], [37.413, np.nan], [29.459, 0.041]], np.float32)
    assert part["values"].dtype == np.float32
    assert np.array_equal(part["values"], expected, equal_nan=True)
    assert warnings == [
        "2 values are not known (empty or NA); those samples are predicted, but neither trained on nor scored."
    ]


def test_cells_without_a_column_are_not_known(tmp_path):
    warnings, part = read(tmp_path, "gene_id\tb\nA\t1.5\n", ["a", "b", "c"])
    assert np.array_equal(part["values"], [[np.nan], [1.5], [np.nan]], equal_nan=True)
    assert warnings == ["2 cells without expression are predicted, but neither trained on nor scored: a, c."]


def test_identical_rows_are_used_once(tmp_path):
    warnings, part = read(tmp_path, "gene_id\ta\nA\t1\nB\tNA\nA\t1.0\nB\t\nC\t3\n", ["a"])
    assert part["gene_id"].tolist() == ["A", "B", "C"]
    assert np.array_equal(part["values"], [[1, np.nan, 3]], equal_nan=True)
    assert warnings[0] == "2 genes stand twice with identical values and are used once: A, B."
    assert warnings[1].startswith("1 values are not known")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name\ta\nA\t1\n", ", line 1: there is no column 'gene_id' in the header (name, a)"),
        (
            "gene_id\tx\nA\t1\n",
            ", line 1: none of the cells in config.yaml (a, b) is a column; the header has gene_id, x",
        ),
        ("gene_id\ta\tb\nA\t1\t2\nB\t1\n", ", line 3: 2 fields where the header has 3"),
        ("gene_id\ta\tb\nA\t1\t2\nB\t1\thigh\n", ", line 3: b is 'high', but it must be a finite number"),
        ("gene_id\ta\tb\nA\t1\tinf\n", ", line 2: b is 'inf', but it must be a finite number"),
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

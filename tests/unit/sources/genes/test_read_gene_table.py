import pytest

from wakawaka.core.errors import InputError
from wakawaka.sources.genes.read_gene_table import read_gene_table
from wakawaka.sources.parsed import read_parsed

DEFAULT = {"gene_id": "gene_id", "chrom": "chrom", "tss": "tss", "strand": "strand", "group": None}


def read(tmp_path, text, first_base=1, **columns):
    path = tmp_path / "genes.tsv"
    path.write_text(text)
    read_gene_table(path, tmp_path / "parsed.npz", columns=DEFAULT | columns, first_base=first_base)
    about, genes = read_parsed(tmp_path / "parsed.npz")
    return [warning.removeprefix(f"{path}: ") for warning in about["warnings"]], genes


@pytest.mark.parametrize(("first_base", "tss"), [(0, [100, 5, 1]), (1, [99, 4, 0])])
def test_columns_by_name_and_positions_by_first_base(tmp_path, first_base, tss):
    text = "name\tregion\tpos\tgene_id\tchrom\tside\nx\tr1\t100\tENSG00000000001.2\tchr1\t-1\n" + (
        "y\tr2\t5\tB\t2\t1\nz\tr1\t1\tC\tchrX\t+\n"
    )
    warnings, genes = read(tmp_path, text, first_base, tss="pos", strand="side", group="region")
    assert genes["gene_id"].tolist() == ["ENSG00000000001", "B", "C"]
    assert genes["chrom"].tolist() == ["chr1", "2", "chrX"]
    assert genes["tss"].tolist() == tss
    assert genes["strand"].tolist() == ["-", "+", "+"]
    assert genes["group"].tolist() == ["r1", "r2", "r1"]
    assert warnings == []


def test_ids_alone_are_enough_and_what_is_missing_is_said(tmp_path):
    warnings, genes = read(tmp_path, "gene_id\nA\nB\n")
    assert genes["gene_id"].tolist() == ["A", "B"]
    assert genes["tss"].tolist() == [-1, -1]
    assert genes["chrom"].tolist() == genes["group"].tolist() == ["", ""]
    assert genes["strand"].tolist() == [".", "."]
    assert warnings == [
        f"there is no column '{name}' (`genes.columns.{name}`), so the {name} of no gene is known."
        for name in ("chrom", "tss", "strand")
    ]


def test_columns_that_are_null_need_no_warning(tmp_path):
    warnings, genes = read(tmp_path, "gene_id\tchrom\nA\tchr1\n", chrom=None, tss=None, strand=None)
    assert genes["chrom"].tolist() == [""] and genes["tss"].tolist() == [-1]
    assert warnings == []


def test_a_position_without_a_chromosome_is_no_position(tmp_path):
    """Else genes of unknown chromosomes would seem to be neighbours."""
    _, genes = read(tmp_path, "gene_id\tchrom\ttss\tstrand\nA\t\t5\t+\nB\tNA\t5\t+\nC\tchr1\t5\t+\n")
    assert genes["tss"].tolist() == [-1, -1, 4]
    assert genes["chrom"].tolist() == ["", "", "chr1"]
    _, genes = read(tmp_path, "gene_id\ttss\tstrand\nA\t5\t+\n")
    assert genes["tss"].tolist() == [-1]


def test_genes_without_a_group_are_not_a_group(tmp_path):
    _, genes = read(tmp_path, "gene_id\tgroup\nA\tr\nB\tNA\nC\t\nD\tnan\n", group="group")
    assert genes["group"].tolist() == ["r", "", "", ""]


def test_unknown_strands_are_counted_where_they_matter(tmp_path):
    text = "gene_id\tchrom\ttss\tstrand\nA\tchr1\t5\t.\nB\tchr1\t6\tNA\nC\tchr1\t7\t\nD\tchr1\t8\t-\nE\t\t8\t\n"
    warnings, genes = read(tmp_path, text)
    assert genes["strand"].tolist() == [".", ".", ".", "-", "."]
    assert warnings == ["3 genes of unknown strand are taken as on the plus strand: A, B, C."]


def test_identical_rows_are_used_once(tmp_path):
    warnings, genes = read(tmp_path, "gene_id\tchrom\ttss\tstrand\nA\tc\t5\t+\nA\tc\t5\t1\n")
    assert genes["gene_id"].tolist() == ["A"]
    assert warnings == ["1 genes stand twice with identical values and are used once: A."]


HEADER = "gene_id\tchrom\ttss\tstrand\n"


@pytest.mark.parametrize(
    ("text", "columns", "says"),
    [
        (
            "id\tchrom\nA\tc\n",
            {},
            ": there is no column 'gene_id' in the header (id, chrom); check config.yaml",
        ),
        (HEADER + "A\tc\t5\t+\n", {"group": "region"}, ": there is no column 'region' in the header"),
        (HEADER + "A\tc\t5\t+\nB\tc\t5.5\t+\n", {}, ", line 3: tss is '5.5', but it must be a whole number"),
        (
            HEADER + "A\tc\t5\t+\nB\tc\t0\t+\n",
            {},
            ", line 3: the TSS lies before the chromosome's first base, which is 1 by `genes.first_base`",
        ),
        (HEADER + "A\tc\t5\t+\nB\tc\t5\tplus\n", {}, ", line 3: the strand is 'plus', but it must be + or -"),
        (HEADER + "A\tc\t5\t+\nA\tc\t5\t-\n", {}, ": gene A stands twice with different values; keep one of its rows"),
        (HEADER + "A\tc\t5\t+\nB\tc\t5\n", {}, ", line 3: 3 fields where the header has 4"),
    ],
)
def test_malformed_tables_are_refused(tmp_path, text, columns, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, **columns)
    assert str(caught.value).startswith(f"{tmp_path}/genes.tsv{says}")
    assert not (tmp_path / "parsed.npz").exists()


def test_a_blank_position_is_not_known(tmp_path):
    _, genes = read(tmp_path, "gene_id\tchrom\ttss\tstrand\nA\t1\t\t+\nB\t1\tNA\t+\nC\t1\t7\t+\n")
    assert genes["tss"].tolist() == [-1, -1, 6]

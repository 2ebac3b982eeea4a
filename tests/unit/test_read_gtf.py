import gzip

import pytest

from wakawaka.errors import InputError
from wakawaka.parts import read_part
from wakawaka.read_gtf import read_gtf

GTF = """\
#!genome-build example
chr1\tex\tgene\t101\t200\t.\t+\t.\tgene_id "ENSG00000000001.4"; gene_name "A";
chr1\tex\ttranscript\t101\t200\t.\t+\t.\tgene_id "ENSG00000000001.4"; transcript_id "T";
chr1\tex\tgene\t101\t200\t.\t-\t.\tgene_type "x"; gene_id "ENSG00000000002.1"; havana_gene_id "WRONG";
2\tex\tgene\t1\t1\t.\t+\t.\tgene_id B;
X\tex\tgene\t5\t9\t.\t-\t.\tgene_id "ENSG00000182378.14";
Y\tex\tgene\t5\t9\t.\t-\t.\tgene_id "ENSG00000182378.14_PAR_Y";
"""


def read(tmp_path, text, pack=bytes):
    (tmp_path / "genes.gtf").write_bytes(pack(text.encode()))
    read_gtf(tmp_path / "genes.gtf", tmp_path / "part.npz")
    return read_part(tmp_path / "part.npz")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: text.replace(b"\n", b"\r\n")])
def test_one_tss_per_gene(tmp_path, pack):
    about, genes = read(tmp_path, GTF, pack)
    ids = ["ENSG00000000001", "ENSG00000000002", "B", "ENSG00000182378", "ENSG00000182378_PAR_Y"]
    assert genes["gene_id"].tolist() == ids
    assert genes["chrom"].tolist() == ["chr1", "chr1", "2", "X", "Y"]
    # Counted from 0: the start of a gene on the plus strand, the end of one on the minus strand.
    assert genes["tss"].tolist() == [100, 199, 0, 8, 8]
    assert genes["strand"].tolist() == ["+", "-", "+", "-", "-"]
    assert genes["group"].tolist() == [""] * 5
    assert about["warnings"] == []


def test_unknown_strands_are_counted(tmp_path):
    about, genes = read(tmp_path, 'c\tex\tgene\t5\t9\t.\t.\t.\tgene_id "A";\n')
    assert genes["strand"].tolist() == ["."] and genes["tss"].tolist() == [4]
    assert about["warnings"] == [f"{tmp_path}/genes.gtf: 1 genes of unknown strand are taken as on the plus strand: A."]


def test_identical_lines_are_used_once(tmp_path):
    about, genes = read(tmp_path, 'c\tex\tgene\t5\t9\t.\t+\t.\tgene_id "A";\n' * 2)
    assert genes["gene_id"].tolist() == ["A"]
    assert about["warnings"] == [
        f"{tmp_path}/genes.gtf: 1 genes stand twice with identical values and are used once: A."
    ]


def test_the_feature_is_the_third_column(tmp_path):
    text = 'c\tgene\texon\t1\t2\t.\t+\t.\tgene_id "A";\nc\tgene\tgene\t5\t9\t.\t+\t.\tgene_id "A";\n'
    assert read(tmp_path, text)[1]["tss"].tolist() == [4]


def line(chrom="c", start="5", end="9", strand="+", attributes='gene_id "A";'):
    return f"{chrom}\tex\tgene\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": there is no `gene` line in this GTF (third column); use an annotation"),
        (
            line().replace("\tgene\t", "\texon\t"),
            ": there is no `gene` line in this GTF (third column); use an annotation",
        ),
        (line() + "c\tex\tgene\t1\t2\n", ", line 2: 5 tab-separated fields where a GTF has 9; the file may be damaged"),
        (
            line() + line(attributes="ID=gene:A;gene_id=A"),
            ', line 2: the attributes hold no gene_id "..."; is this a GFF3? Convert',
        ),
        (line(attributes='my_gene_id "A";'), ', line 1: the attributes hold no gene_id "..."'),
        (line(start="9", end="5"), ", line 1: start '9' and end '5' are not two whole numbers in ascending order"),
        (line(start="0"), ", line 1: start '0' and end '9' are not two whole numbers"),
        (line(start="x"), ", line 1: start 'x' and end '9' are not two whole numbers"),
        (line(strand="1"), ", line 1: the strand is '1', but it must be + or -"),
        (line() + line(start="6"), ": gene A stands twice with different values; keep one of its rows"),
        (line() + line(chrom="d"), ": gene A stands twice with different values; keep one of its rows"),
    ],
)
def test_malformed_gtfs_are_refused(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/genes.gtf{says}")
    assert not (tmp_path / "part.npz").exists()

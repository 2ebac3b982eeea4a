import gzip

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_text
from helpers.references import lines_of
from helpers.small_files import gene_places
from wakawaka.core.errors import InputError
from wakawaka.sources.genes.read_gene_info import read_gene_info
from wakawaka.sources.parsed import read_parsed

INFO = """\
ENSG00000000003\tX\t99883667\t99894988\t-1\tprotein_coding\tTSPAN6\ttetraspanin 6 [Source:HGNC Symbol;Acc:11858]
ENSG00000000005\tX\t99839799\t99854882\t1\tprotein_coding\tTNMD\t"a \x0c 'b' # c
ENSG00000000419.7\t20\t49551404\t49575092\t-1\tprocessed_transcript\tDPM1
ENSG00000252303\tHG1007_PATCH\t1\t1\t1\tsnRNA
"""


def read(tmp_path, text, pack=bytes, biotypes=None):
    (tmp_path / "info").write_bytes(pack(text if isinstance(text, bytes) else text.encode()))
    read_gene_info(tmp_path / "info", tmp_path / "parsed.npz", biotypes=biotypes)
    return read_parsed(tmp_path / "parsed.npz")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: text.replace(b"\n", b"\r\n")])
def test_genes(tmp_path, pack):
    about, genes = read(tmp_path, INFO, pack)
    ids = ["ENSG00000000003", "ENSG00000000005", "ENSG00000000419", "ENSG00000252303"]
    assert genes["gene_id"].tolist() == ids
    assert genes["chrom"].tolist() == ["X", "X", "20", "HG1007_PATCH"]
    # The file counts from 1: the end of a gene on the minus strand, the start of one on the plus strand.
    assert genes["tss"].tolist() == [99894987, 99839798, 49575091, 0]
    assert genes["strand"].tolist() == ["-", "+", "-", "+"]
    assert genes["group"].tolist() == [""] * 4
    assert about["warnings"] == []


def test_biotypes(tmp_path):
    about, genes = read(tmp_path, INFO + "A\t1\t5\t9\t1\t\n", biotypes=["snRNA", "protein_coding"])
    assert genes["gene_id"].tolist() == ["ENSG00000000003", "ENSG00000000005", "ENSG00000252303"]
    assert about["warnings"] == [f"{tmp_path}/info: 1 genes have no biotype and are left out: A."]


def test_identical_lines_are_used_once(tmp_path):
    about, genes = read(tmp_path, INFO + "\n" + INFO.splitlines()[0])
    assert len(genes["gene_id"]) == 4
    assert about["warnings"] == [
        f"{tmp_path}/info: 1 genes stand twice with identical values and are used once: ENSG00000000003."
    ]


def test_blanks_around_a_chromosomes_name_are_no_part_of_it(tmp_path):
    assert read(tmp_path, row(chrom=" 1 "))[1]["chrom"].tolist() == ["1"]


def row(gene_id="A", chrom="1", start="5", end="9", strand="1", biotype="x"):
    return "\t".join((gene_id, chrom, start, end, strand, biotype)) + "\n"


@pytest.mark.parametrize(
    ("text", "biotypes", "says"),
    [
        ("", None, ": the file is empty; check that this is the right one"),
        (row() + "B\t1\t5\t9\t1\n", None, ", line 2: 5 tab-separated fields where a gene_info file has at least 6"),
        (row().replace("\t", " "), None, ", line 1: 1 tab-separated fields where a gene_info file has at least 6"),
        (row(gene_id=""), None, ", line 1: the gene id or the chromosome is empty"),
        (row(chrom=""), None, ", line 1: the gene id or the chromosome is empty"),
        (row(start="start"), None, ", line 1: start 'start' and end '9' are not two whole numbers in ascending order"),
        (row(start="0"), None, ", line 1: start '0' and end '9' are not two whole numbers in ascending order"),
        (row(start="10"), None, ", line 1: start '10' and end '9' are not two whole numbers in ascending order"),
        (row(gene_id="A\0"), None, ", line 1: there is a zero byte in the text"),
        (row(strand="x"), None, ", line 1: the strand is 'x', but it must be 1 or -1"),
        (row() + row(start="6"), None, ": gene A stands twice with different values; keep one of its rows"),
        (row(), ["y"], ": no gene is of the biotype 'y', which `genes.biotypes` names; this file has x (1)."),
        (row(biotype=""), ["y"], ": the genes of this file have no biotype"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, text, biotypes, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, biotypes=biotypes)
    assert str(caught.value).startswith(f"{tmp_path}/info{says}")
    assert not (tmp_path / "parsed.npz").exists()


def slow(content):
    """A dict from gene id to [chromosome, TSS, strand], None if the bytes are no gene_info."""
    genes = {}
    if b"\0" in content:
        return None
    for line in lines_of(content) or []:
        fields = line.split("\t")
        if not line.strip():
            continue
        if (
            len(fields) < 6
            or not fields[0]
            or not fields[1].strip()
            or fields[4] not in ("1", "+1", "+", "-1", "-", "0", ".")
        ):
            return None
        if not all(number and set(number) <= set("0123456789") and len(number) < 13 for number in fields[2:4]):
            return None
        start, end = map(int, fields[2:4])
        if not 1 <= start <= end:
            return None
        minus = fields[4].startswith("-")
        strand = "-" if minus else "." if fields[4] in "0." else "+"
        gene_id = fields[0].partition(".")[0] if fields[0].startswith("ENS") else fields[0]
        place = [fields[1].strip(), (end if minus else start) - 1, strand]
        if genes.setdefault(gene_id, place) != place:
            return None
    return genes or None


PLAIN = "".join(
    f"ENSG{k:011d}.{k}\t{k % 3}\t{k * 7 + 1}\t{k * 9 + 10}\t{(-1) ** k}\tb\tS{k}\twords\n" for k in range(6)
)


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged_text(PLAIN.encode()))
def test_damaged_files(tmp_path, content):
    try:
        found = gene_places(read(tmp_path, content)[1])
    except InputError:
        found = None
    # What is no Ensembl id with a version of digits keeps its dot.
    if found and any("." in gene_id for gene_id in found):
        return
    assert found == slow(content)


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 200))
def test_truncated_gzip_is_refused(tmp_path, cut):
    packed = gzip.compress(PLAIN.encode())
    with pytest.raises(InputError):
        read(tmp_path, PLAIN, lambda text: packed[: min(cut, len(packed) - 1)])

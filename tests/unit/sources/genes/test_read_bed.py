import gzip

import pytest
from hypothesis import HealthCheck, given, settings

from helpers.damage import damaged_text
from helpers.real_data import real
from helpers.references import lines_of
from helpers.small_files import gene_places
from wakawaka.core.errors import InputError
from wakawaka.sources.genes.read_bed import read_bed
from wakawaka.sources.parsed import read_parsed

BED = """\
browser position chr7:127471196-127495720
track name="genes" description="x"
# chrom\tstart\tend\tname\tscore\tstrand

chr1\t100\t200\tENSG00000000001.4\t0\t+\t100\t200
chr1\t100\t200\tENSG00000000002.1\t0\t-\t100\t200
2\t0\t1\tB C\t.\t.\t0\t1
"""


def read(tmp_path, text, pack=bytes):
    (tmp_path / "genes.bed").write_bytes(pack(text if isinstance(text, bytes) else text.encode()))
    read_bed(tmp_path / "genes.bed", tmp_path / "parsed.npz")
    return read_parsed(tmp_path / "parsed.npz")


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: text.replace(b"\n", b"\r\n")])
def test_genes(tmp_path, pack):
    about, genes = read(tmp_path, BED, pack)
    assert genes["gene_id"].tolist() == ["ENSG00000000001", "ENSG00000000002", "B C"]
    assert genes["chrom"].tolist() == ["chr1", "chr1", "2"]
    # BED counts from 0, and its end is the base behind the last.
    assert genes["tss"].tolist() == [100, 199, 0]
    assert genes["strand"].tolist() == ["+", "-", "."]
    assert genes["group"].tolist() == [""] * 3
    assert about["warnings"] == [
        f"{tmp_path}/genes.bed: 1 genes of unknown strand are taken as on the plus strand: B C."
    ]


@pytest.mark.parametrize("text", ["c\t5\t9\tA\n", "c\t5\t9\tA\t0\n", "c 5  9 A\n"])
def test_without_a_strand_it_is_unknown(tmp_path, text):
    about, genes = read(tmp_path, text)
    assert (genes["gene_id"].tolist(), genes["tss"].tolist(), genes["strand"].tolist()) == (["A"], [5], ["."])
    assert len(about["warnings"]) == 1


def test_blanks_around_a_chromosomes_name_are_no_part_of_it(tmp_path):
    assert gene_places(read(tmp_path, " c \t5\t9\tA\t0\t+\n")[1]) == {"A": ["c", 5, "+"]}


def test_identical_lines_are_used_once(tmp_path):
    about, genes = read(tmp_path, "c\t5\t9\tA\t0\t+\n" * 2)
    assert genes["gene_id"].tolist() == ["A"]
    assert about["warnings"] == [
        f"{tmp_path}/genes.bed: 1 genes stand twice with identical values and are used once: A."
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": there are no genes in this file"),
        ("track x\n#\n", ": there are no genes in this file"),
        ("c\t5\t9\n", ", line 1: 3 columns, but at least 4 are needed, with the gene's id in the fourth"),
        ("#\nc\t5\t9\tA\nc\t5\t9\tB\t0\t+\n", ", line 3: 6 columns where line 2 has 4; the file may be damaged"),
        ("c\t5\t9\t.\t0\t+\n", ", line 1: the chromosome or the gene's id (fourth column) is empty"),
        ("\t5\t9\tA\t0\t+\n", ", line 1: the chromosome or the gene's id (fourth column) is empty"),
        ("c\t9\t9\tA\t0\t+\n", ", line 1: start '9' and end '9' are not two whole numbers in ascending order"),
        ("c\t-1\t9\tA\t0\t+\n", ", line 1: start '-1' and end '9' are not two whole numbers"),
        ("c\t٣\t9\tA\t0\t+\n", ", line 1: start '٣' and end '9' are not two whole numbers"),
        ("c\t1.0\t9\tA\t0\t+\n", ", line 1: start '1.0' and end '9' are not two whole numbers"),
        ("c\t5\t9\tA\0\t0\t+\n", ", line 1: there is a zero byte in the text"),
        ("c\t5\t9\tA\t0\t1\n", ", line 1: the strand is '1', but it must be + or -"),
        ("c\t5\t9\tA\t0\t+\nc\t6\t9\tA\t0\t+\n", ": gene A stands twice with different values; keep one of its rows"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, text, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path}/genes.bed{says}")
    assert not (tmp_path / "parsed.npz").exists()


def slow(content):
    """A dict from gene id to [chromosome, TSS, strand], None if the bytes are no BED of genes."""
    genes, widths = {}, set()
    if b"\0" in content:
        return None
    for line in lines_of(content) or []:
        if not line.strip() or line[0] == "#" or line.split()[0] in ("track", "browser"):
            continue
        fields = line.split("\t") if "\t" in line else line.split()
        widths.add(len(fields))
        fields[0] = fields[0].strip()
        if len(fields) < 4 or len(widths) > 1 or not fields[0] or fields[3] in ("", "."):
            return None
        if not all(number and set(number) <= set("0123456789") and len(number) < 13 for number in fields[1:3]):
            return None
        strand = (fields + [".", "."])[5]
        if strand not in "+-." or len(strand) != 1 or int(fields[1]) >= int(fields[2]):
            return None
        place = [fields[0], int(fields[2]) - 1 if strand == "-" else int(fields[1]), strand]
        if genes.setdefault(fields[3], place) != place:
            return None
    return genes or None


PLAIN = "track name=x\n" + "".join(f"chr{k % 3}\t{k * 7}\t{k * 9 + 10}\tG{k}\t0\t{'+-'[k % 2]}\n" for k in range(6))


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damaged_text(PLAIN.encode()))
def test_damaged_files(tmp_path, content):
    try:
        found = gene_places(read(tmp_path, content)[1])
    except InputError:
        found = None
    assert found == slow(content)


def test_real_genes(tmp_path):
    text = real("chr21_bams/genes.bed").read_text()
    columns = len(text.split("\n")[0].split("\t"))
    if columns < 4:
        with pytest.raises(InputError, match="at least 4 are needed"):
            read(tmp_path, text)
    else:
        assert len(read(tmp_path, text)[1]["gene_id"]) == len(slow(text.encode()))

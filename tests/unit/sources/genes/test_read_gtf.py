import gzip
import itertools
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpers.damage import damaged_text
from helpers.real_data import real
from helpers.references import lines_of
from helpers.small_files import gene_places
from wakawaka.core.errors import InputError
from wakawaka.sources.genes.read_gtf import read_gtf
from wakawaka.sources.parsed import read_parsed

CHOICES = ("first", "canonical", "longest")

GTF = """\
#!genome-build example
chr1\tex\tgene\t101\t200\t.\t+\t.\tgene_id "ENSG00000000001.4"; gene_name "A";
chr1\tex\ttranscript\t101\t200\t.\t+\t.\tgene_id "ENSG00000000001.4"; transcript_id "T";
chr1\tex\tgene\t101\t200\t.\t-\t.\tgene_type "x"; gene_id "ENSG00000000002.1"; havana_gene_id "WRONG";
2\tex\tgene\t1\t1\t.\t+\t.\tgene_id B;
X\tex\tgene\t5\t9\t.\t-\t.\tgene_id "ENSG00000182378.14";
Y\tex\tgene\t5\t9\t.\t-\t.\tgene_id "ENSG00000182378.14_PAR_Y";
"""


def read(tmp_path, text, pack=bytes, tss="first", biotypes=None):
    (tmp_path / "genes.gtf").write_bytes(pack(text if isinstance(text, bytes) else text.encode()))
    read_gtf(tmp_path / "genes.gtf", tmp_path / "parsed.npz", tss=tss, biotypes=biotypes)
    return read_parsed(tmp_path / "parsed.npz")


def places(tmp_path, text, **options):
    """A dict from gene id to (chromosome, TSS, strand)."""
    _, genes = read(tmp_path, text, **options)
    return gene_places(genes)


def line(chrom="c", start="5", end="9", strand="+", attributes='gene_id "A";', kind="gene"):
    return f"{chrom}\tex\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n"


def transcript(start, end, *tags, name="T", strand="+", gene="A", kind="transcript", chrom="c"):
    tags = "".join(f' tag "{tag}";' for tag in tags)
    return line(chrom, start, end, strand, f'gene_id "{gene}"; transcript_id "{name}";{tags}', kind)


def exon(start, end, **options):
    return transcript(start, end, kind="exon", **options)


@pytest.mark.parametrize("tss", CHOICES)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda text: text.replace(b"\n", b"\r\n")])
def test_one_tss_per_gene(tmp_path, pack, tss):
    about, genes = read(tmp_path, GTF, pack, tss)
    ids = ["ENSG00000000001", "ENSG00000000002", "B", "ENSG00000182378", "ENSG00000182378_PAR_Y"]
    assert genes["gene_id"].tolist() == ids
    assert genes["chrom"].tolist() == ["chr1", "chr1", "2", "X", "Y"]
    # Counted from 0: the start of a gene on the plus strand, the end of one on the minus strand.
    assert genes["tss"].tolist() == [100, 199, 0, 8, 8]
    assert genes["strand"].tolist() == ["+", "-", "+", "-", "-"]
    assert genes["group"].tolist() == [""] * 5
    # Without a tag, but the only transcript.
    assert about["warnings"] == []


@pytest.mark.parametrize("strand", [".", "?"])
def test_unknown_strands_are_counted(tmp_path, strand):
    about, genes = read(tmp_path, f'c\tex\tgene\t5\t9\t.\t{strand}\t.\tgene_id "A";\n')
    assert genes["strand"].tolist() == ["."] and genes["tss"].tolist() == [4]
    assert about["warnings"] == [f"{tmp_path}/genes.gtf: 1 genes of unknown strand are taken as on the plus strand: A."]


def test_identical_lines_are_used_once(tmp_path):
    about, genes = read(tmp_path, 'c\tex\tgene\t5\t9\t.\t+\t.\tgene_id "A";\n' * 2)
    assert genes["gene_id"].tolist() == ["A"]
    assert about["warnings"] == [
        f"{tmp_path}/genes.gtf: 1 genes stand twice with identical values and are used once: A."
    ]


def test_the_feature_is_the_third_column(tmp_path):
    text = 'c\tgene\tCDS\t1\t2\t.\t+\t.\tgene_id "A";\nc\tgene\tgene\t5\t9\t.\t+\t.\tgene_id "A";\n'
    assert read(tmp_path, text)[1]["tss"].tolist() == [4]


GENE = line(start="1", end="100")


@pytest.mark.parametrize(
    ("tags", "start"),
    [
        # The first of the four transcripts is the longest.
        (["", "", "", ""], 10),
        (["basic", "Ensembl_canonical", "", ""], 20),
        (["appris_principal_1", "Ensembl_canonical", "MANE_Select", ""], 30),
        (["appris_principal_3", "appris_principal_2", "", ""], 20),
        (["appris_principal_1", "appris_principal", "", ""], 20),
        (["RefSeq Select", "MANE Select", "appris_principal_5", ""], 30),
        (["RefSeq Select", "MANE Select", "", ""], 20),
        (["MANE_Plus_Clinical", "", "appris_alternative_1", "RefSeq Select"], 40),
        # Among several of one rank, the longest.
        (["", "", "appris_principal_1", "appris_principal_1"], 30),
        (["", "basic,Ensembl_canonical", "", ""], 20),
    ],
)
def test_the_rank_of_tags(tmp_path, tags, start):
    for order in ([0, 1, 2, 3], [3, 1, 0, 2]):
        lines = [transcript(10 * k + 10, 100 - k, tags[k], "basic", name=f"T{k}") for k in range(4)]
        text = GENE + "".join(lines[k] for k in order)
        about, genes = read(tmp_path, text, tss="canonical")
        assert genes["tss"].tolist() == [start - 1]
        untagged = f"{tmp_path}/genes.gtf: 1 genes have several transcripts and none that is tagged as canonical; the longest one "
        untagged += "stands in: A."
        assert about["warnings"] == ([] if any(tags) else [untagged])
        # The gene's line begins before any of its transcripts.
        assert read(tmp_path, text, tss="first")[1]["tss"].tolist() == [9]
        assert read(tmp_path, text, tss="longest")[1]["tss"].tolist() == [9]


@pytest.mark.parametrize("strand", ["+", "-"])
def test_length_is_that_of_the_exons(tmp_path, strand):
    def at(start, end):
        return (start, end) if strand == "+" else (1001 - end, 1001 - start)

    lines = [
        line("c", *at(1, 900), strand),
        # Long, but little of it is exon; an exon that stands there twice is one.
        transcript(*at(1, 900), name="T", strand=strand),
        *[exon(*at(*place), name="T", strand=strand) for place in ((1, 50), (890, 900), (1, 50), (890, 900))],
        transcript(*at(101, 200), name="U", strand=strand),
        exon(*at(101, 200), name="U", strand=strand),
        # As long as U, and further upstream.
        transcript(*at(51, 151), name="V", strand=strand),
        exon(*at(51, 100), name="V", strand=strand),
        exon(*at(102, 151), name="V", strand=strand),
    ]
    expected = {"first": 0, "longest": 50, "canonical": 50}
    for tss, place in expected.items():
        place = place if strand == "+" else 999 - place
        for text in ("".join(lines), "".join(lines[::-1])):
            assert places(tmp_path, text, tss=tss) == {"A": ["c", place, strand]}


@pytest.mark.parametrize("tss", CHOICES)
def test_genes_of_transcripts_or_exons_alone(tmp_path, tss):
    # As StringTie writes them, and older tables of UCSC's; the third is a spike-in's, behind an annotation with genes.
    transcripts = transcript(11, 20) + exon(11, 20) + transcript(5, 12, name="U") + exon(5, 7, name="U")
    exons = exon(30, 40, name="V", gene="B", strand="-") + exon(50, 60, name="V", gene="B", strand="-")
    spike = line("ERCC-1", 1, 9, "+", 'gene_id "ERCC-1"; transcript_id "DQ1";', "exon")
    text = transcripts + exons + line(start=7, end=8, attributes='gene_id "C";') + spike
    first = 4 if tss == "first" else 10
    expected = {"A": ["c", first, "+"], "B": ["c", 59, "-"], "C": ["c", 6, "+"], "ERCC-1": ["ERCC-1", 0, "+"]}
    assert places(tmp_path, text, tss=tss) == expected


@pytest.mark.parametrize(("strand", "first", "alone"), [("+", 3999, 1999), ("-", 8999, 7999)])
def test_first_is_of_the_transcripts(tmp_path, strand, first, alone):
    rows = [
        line(start=1000, end=9500, strand=strand),
        transcript(4000, 9000, strand=strand),
        exon(4000, 9000, strand=strand),
        transcript(5000, 8000, name="U", strand=strand),
        # This gene has exons, but no line of a transcript, and the next one neither.
        line(start=1000, end=9500, strand=strand, attributes='gene_id "B";'),
        exon(2000, 8000, strand=strand, gene="B"),
        line(start=1000, end=9500, strand=strand, attributes='gene_id "C";'),
    ]
    expected = {
        "A": ["c", first, strand],
        "B": ["c", alone, strand],
        "C": ["c", 999 if strand == "+" else 9499, strand],
    }
    assert places(tmp_path, "".join(rows)) == expected
    assert places(tmp_path, "".join(rows[::-1])) == expected


def test_first_reads_no_exons_in_vain(tmp_path):
    # Nothing about the second exon is right, but its transcript's line says all that is asked for.
    text = transcript(5, 9) + exon(5, 9) + exon("x", "y")
    assert places(tmp_path, text, tss="first") == {"A": ["c", 4, "+"]}


@pytest.mark.parametrize("tss", CHOICES)
def test_transcripts_that_lie_apart_are_counted(tmp_path, tss):
    # As UCSC's tables have it: copies under one symbol. The others overlap, in a chain or one within the other, or have a gene line.
    text = exon(1000, 1100, gene="MIR") + transcript(50000, 50100, name="T_dup1", gene="MIR")
    text += "".join(transcript(*at, name=str(at), gene="CHAIN") for at in ((1, 10), (20, 30), (10, 20)))
    text += "".join(transcript(*at, name=str(at), gene="NEST") for at in ((1, 90), (20, 30), (40, 50)))
    text += line(end=90) + transcript(5, 9) + transcript(80, 90, name="U")
    about, genes = read(tmp_path, text, tss=tss)
    assert genes["gene_id"].tolist() == ["MIR", "CHAIN", "NEST", "A"]
    apart = [warning for warning in about["warnings"] if "apart" in warning]
    assert [warning.partition(" and no line")[0] for warning in apart] == [
        f"{tmp_path}/genes.gtf: 1 genes have transcripts that lie apart"
    ]
    assert apart[0].endswith(": MIR.")


def test_display_lines_and_blanks_around_names(tmp_path):
    head = "browser position chr7:1-2\ntrack name=genes description='a=b'\n"
    assert places(tmp_path, head + exon(5, 9, chrom=" c ")) == {"A": ["c", 4, "+"]}
    assert places(tmp_path, head + line(attributes="ID=A", chrom="c ")) == {"A": ["c", 4, "+"]}
    with pytest.raises(InputError, match="line 1: 1 tab-separated fields"):
        read(tmp_path, "tracks\n" + exon(5, 9))


@pytest.mark.parametrize("prefix", ["gene:", "gene-", "Gene:", "GENE:"])
def test_prefixes_of_ids(tmp_path, prefix):
    text = line(attributes=f"ID={prefix}WB;Name=x") + line(kind="mRNA", start=7, attributes=f"ID=T;Parent={prefix}WB")
    assert places(tmp_path, text) == {"WB": ["c", 6, "+"]}


def test_blanks_around_values_of_gff3(tmp_path):
    text = line(attributes="ID= A ;Name=x") + line(kind="mRNA", start=7, attributes="ID=T ; Parent=A ;tag=basic")
    assert places(tmp_path, text) == {"A": ["c", 6, "+"]}


@pytest.mark.parametrize("tss", CHOICES)
def test_gff3_of_transcripts_without_genes(tmp_path, tss):
    rows = [
        # gffread's, from StringTie's and from Ensembl's annotation.
        line(start=10, end=50, kind="transcript", attributes="ID=M.1.1;geneID=M.1"),
        line(start=10, end=50, kind="exon", attributes="Parent=M.1.1"),
        line(start=5, end=20, kind="mRNA", attributes="ID=M.1.2;geneID=M.1"),
        line(start=5, end=6, kind="exon", attributes="Parent=M.1.2"),
        line(end=90, kind="lnc_RNA", strand="-", attributes="ID=t;geneID=gene:ENSG00000000001.2;gene_biotype=lncRNA"),
        # An extract of GENCODE's.
        line(start=7, kind="transcript", attributes="ID=T;Parent=G.1;gene_id=G.1"),
        line(start=7, kind="exon", attributes="ID=E;Parent=T;gene_id=G.1"),
        line(start=1, kind="stop_codon_redefined_as_selenocysteine", attributes="ID=S;Parent=T;gene_id=G.1"),
        line(start=1, kind="miRNA", attributes="ID=m;Parent=T;gene_id=OTHER"),
        # A gene with a line, by another ID than its gene_id; and what names no gene.
        line(start=3, end=70, attributes="ID=g7;gene_id=D"),
        line(start=4, end=60, kind="mRNA", attributes="ID=d;Parent=g7;gene_id=WRONG"),
        line(start=2, kind="transcript", attributes="ID=lost"),
        line(start=2, kind="region", attributes="ID=r;gene_id=region"),
    ]
    first = 4 if tss == "first" else 9
    expected = {"M.1": ["c", first, "+"], "ENSG00000000001": ["c", 89, "-"], "G.1": ["c", 6, "+"], "D": ["c", 3, "+"]}
    assert places(tmp_path, "".join(rows), tss=tss) == expected
    assert places(tmp_path, "".join(rows[::-1]), tss=tss) == expected
    assert list(places(tmp_path, "".join(rows), tss=tss, biotypes=["lncRNA"])) == ["ENSG00000000001"]


def test_lengths_of_chromosomes(tmp_path):
    regions = [
        "##sequence-region   chr%201 1 249250621",
        "##sequence-region 2 1 100",
        # Pieces, one by its start and one because a gene goes on beyond it; two lengths; no genes; a mitochondrion; no length.
        "##sequence-region 3 2 100",
        "##sequence-region 4 1 100",
        "##sequence-region 5 1 200",
        "##sequence-region 5 1 300",
        "##sequence-region 6 1 300",
        "##sequence-region MT 1 16569",
        "##sequence-region 7 1 x",
        "##sequence-region 8 1",
    ]
    genes = [("chr%201", 9), (2, 100), (3, 9), (4, 101), (5, 9), ("MT", 9), (7, 9), (8, 9)]
    gff3 = "".join(line(chrom, end=end, attributes=f"ID=G{chrom}") for chrom, end in genes)
    expected = {"path": f"{tmp_path}/genes.gtf", "lengths": {"chr 1": 249250621, "2": 100}}
    for text in ("\n".join([*regions, gff3]), gff3 + "\n".join(regions)):
        assert read(tmp_path, "##gff-version 3\n" + text)[0]["assemblies"] == [expected]
    # A transcript may go on beyond its gene, and chromosomes without a gene that is kept do not count.
    beyond = line(2, end=101, kind="mRNA", attributes="ID=T;Parent=G2")
    found = read(tmp_path, "\n".join([*regions, gff3]) + beyond)[0]["assemblies"]
    assert found[0]["lengths"] == {"chr 1": 249250621}
    gtf = "##sequence-region c 1 50\n##sequence-region d 1 60\n" + line(attributes='gene_id "A"; gene_type "x"')
    gtf += line("d", attributes='gene_id "B"; gene_type "y"')
    assert read(tmp_path, gtf, biotypes=["y"])[0]["assemblies"][0]["lengths"] == {"d": 60}
    assert "assemblies" not in read(tmp_path, gtf.replace("#", "# "))[0]


def test_a_transcript_that_stands_twice_has_the_tags_of_both_lines(tmp_path):
    tagged, plain = transcript(50, 60, "MANE_Select"), transcript(50, 60)
    for lines in (tagged + plain, plain + tagged):
        assert places(tmp_path, GENE + transcript(10, 90, name="U") + lines, tss="canonical") == {"A": ["c", 49, "+"]}


def test_attributes(tmp_path):
    text = line(attributes='note "x; gene_id "; tag "gene_id B"; gene_id "A;C"; gene_id "D"')
    assert list(places(tmp_path, text)) == ["A;C"]


def test_x_and_y_of_one_name_are_two_genes(tmp_path):
    # UCSC's and other tables name both copies of a pseudo-autosomal gene by one symbol.
    text = (
        transcript(5, 9, chrom="chrY") + transcript(15, 19, chrom="chrX") + transcript(5, 9, chrom="chrY", gene="SRY")
    )
    about, genes = read(tmp_path, text, tss="canonical")
    assert gene_places(genes) == {"A_PAR_Y": ["chrY", 4, "+"], "A": ["chrX", 14, "+"], "SRY": ["chrY", 4, "+"]}
    says = f"{tmp_path}/genes.gtf: 1 genes stand on X and on Y under one id; those on Y are called A_PAR_Y."
    assert says in about["warnings"]


BIOTYPES = (
    line(attributes='gene_id "A"; gene_type "protein_coding"; transcript_biotype "lncRNA";')
    + line(attributes='gene_id "B"; gene_biotype "lncRNA";')
    + line(attributes='gene_id "C"; gene_biotype "miRNA";')
    + line(kind="exon", attributes='gene_id "D"; transcript_id "T"; gene_biotype "lncRNA";')
    + line(attributes='gene_id "E";')
)


def test_biotypes(tmp_path):
    about, genes = read(tmp_path, BIOTYPES, biotypes=["lncRNA", "protein_coding"])
    assert genes["gene_id"].tolist() == ["A", "B", "D"]
    assert about["warnings"] == [f"{tmp_path}/genes.gtf: 1 genes have no biotype and are left out: E."]
    assert read(tmp_path, BIOTYPES)[1]["gene_id"].tolist() == list("ABCDE")


@pytest.mark.parametrize(
    ("text", "biotypes", "says"),
    [
        (
            BIOTYPES,
            ["lncRNA", "lincRNA"],
            ": no gene is of the biotype 'lincRNA', which `genes.biotypes` names; this file has lncRNA (2), ",
        ),
        (BIOTYPES, [], ": `genes.biotypes` is an empty list, so no gene is left; this file has lncRNA (2), "),
        (
            line(),
            ["lncRNA"],
            ": the genes of this file have no biotype (attribute gene_type, gene_biotype or biotype), so none",
        ),
    ],
)
def test_biotypes_that_choose_nothing_are_refused(tmp_path, text, biotypes, says):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text, biotypes=biotypes)
    assert str(caught.value).startswith(f"{tmp_path}/genes.gtf{says}")


GFF3 = """\
##gff-version 3
chr%201\tex\tregion\t1\t99999\t.\t.\t.\tID=chr1
chr%201\tex\tgene\t100\t900\t.\t+\t.\tID=gene:ENSG00000000001;Name=A;biotype=protein_coding;gene_id=ENSG00000000001;version=4
chr%201\tex\tmRNA\t200\t900\t.\t+\t.\tID=transcript:T1;Parent=gene:ENSG00000000001;tag=basic,Ensembl_canonical
chr%201\tex\tlnc_RNA\t100\t800\t.\t+\t.\tID=transcript:T2;Parent=gene:ENSG00000000001
chr%201\tex\texon\t200\t300\t.\t+\t.\tParent=transcript:T1
chr%201\tex\texon\t700\t800\t.\t+\t.\tParent=transcript:T1,transcript:T2
chr%201\tex\texon\t100\t250\t.\t+\t.\tParent=transcript:T2
chr%201\tex\tCDS\t1\t99999\t.\t+\t0\tParent=transcript:T1
###
X\tex\tncRNA_gene\t5\t9\t.\t-\t.\tID=gene:B%3B1;biotype=lncRNA
X\tex\tpseudogene\t5\t9\t.\t?\t.\tID=gene-C;gene_biotype=pseudo%2Cgene
X\tex\texon\t5\t9\t.\t?\t.\tParent=gene-C
X\tex\tgene\t5\t90\t.\t-\t.\tID=D.1;gene_id=D;gene_type=protein_coding
X\tex\tpseudogene\t5\t80\t.\t-\t.\tID=rna;Parent=D.1;tag=MANE Select
##FASTA
>X
ACGT
"""


@pytest.mark.parametrize(("tss", "starts"), [("first", [99, 79]), ("canonical", [199, 79]), ("longest", [99, 79])])
def test_gff3(tmp_path, tss, starts):
    for text in (GFF3, GFF3.removeprefix("##gff-version 3\n")):
        about, genes = read(tmp_path, text, tss=tss)
        assert gene_places(genes) == {
            "ENSG00000000001": ["chr 1", starts[0], "+"],
            "B;1": ["X", 8, "-"],
            "C": ["X", 4, "."],
            "D": ["X", starts[1], "-"],
        }
    assert read(tmp_path, GFF3, biotypes=["pseudo,gene", "lncRNA"])[1]["gene_id"].tolist() == ["B;1", "C"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": there is no gene in this file: no `gene`, `transcript` or `exon` in its third column, which has nothing"),
        (
            line().replace("\tgene\t", "\tCDS\t"),
            ": there is no gene in this file: no `gene`, `transcript` or `exon` in its third column, which has CDS; use",
        ),
        (
            line(kind="transcript", attributes="ID=T") + line(kind="exon", attributes="Parent=T"),
            ": there is no gene in this file: no line of a gene, and no transcript that names its gene (attribute gene_id "
            "or geneID), but transcript, exon; use",
        ),
        (line() + "c\tex\tgene\t1\t2\n", ", line 2: 5 tab-separated fields where a GTF or GFF3 has 9; the file may be damaged"),
        (line() + "c\tex\tCDS\t1\t2\n", ", line 2: 5 tab-separated fields where a GTF or GFF3 has 9; the file may be damaged"),
        (
            line() + line(attributes="ID=gene:A;gene_id=A"),
            ', line 2: the attributes of this gene hold no gene_id "..."; the file may be damaged',
        ),
        (line(attributes='my_gene_id "A";'), ', line 1: the attributes of this gene hold no gene_id "..."'),
        (line(attributes='gene_id "";'), ', line 1: the attributes of this gene hold no gene_id "..."'),
        (line(attributes="ID="), ", line 1: this gene has neither the attribute gene_id nor ID; the file may be damaged"),
        (line(start="9", end="5"), ", line 1: start '9' and end '5' are not two whole numbers in ascending order"),
        (line(start="0"), ", line 1: start '0' and end '9' are not two whole numbers"),
        (line(start="x"), ", line 1: start 'x' and end '9' are not two whole numbers"),
        (line(end="9" * 5000), ", line 1: start '5' and end '" + "9" * 40 + "' are not two whole numbers"),
        (line(chrom=""), ", line 1: the chromosome's name (first field) is empty"),
        (line(strand="1"), ", line 1: the strand is '1', but it must be + or -"),
        (line() + line(start="6"), ", line 2: gene A stands at another place in line 1; keep one of the lines"),
        (line() + line(chrom="d"), ", line 2: gene A stands at another place in line 1; keep one of the lines"),
        (line() + transcript(5, 9, chrom="d"), ", line 2: gene A is on d (+) here, but on c (+) in line 1; give its copies"),
        (line() + transcript(5, 9, strand="-"), ", line 2: gene A is on c (-) here, but on c (+) in line 1; give its copies"),
        (transcript(5, 9) + transcript(5, 9, name="U", chrom="d"), ", line 2: gene A is on d (+) here, but on c (+) in line 1"),
        (transcript(5, 9) + transcript(5, 8), ", line 2: transcript T stands at another place in line 1; keep one"),
        (exon(5, 9) + exon(5, 9, strand="-"), ", line 2: transcript T is on c (-) here, but on c (+) in line 1"),
        (exon(5, 9) + exon(5, 9, strand="-", name="U"), ", line 2: gene A is on c (-) here, but on c (+) in line 1"),
        (line("chr1") + line("chrY"), ", line 2: gene A is on chrY (+) here, but on chr1 (+) in line 1; give its copies"),
        (
            line(attributes="ID=a;gene_id=A") + line(attributes="ID=a;gene_id=B"),
            ", line 2: the ID a names another gene further up; correct one",
        ),
        (
            line(kind="mRNA", attributes="ID=T1;geneID=g0") + line(kind="mRNA", attributes="ID=T1;geneID=g1"),
            ", line 2: the ID T1 names a transcript of another gene further up; correct one",
        ),
    ],
)  # fmt: skip
def test_malformed_annotations_are_refused(tmp_path, text, says):
    for tss in CHOICES:
        with pytest.raises(InputError) as caught:
            read(tmp_path, text, tss=tss)
        assert str(caught.value).startswith(f"{tmp_path}/genes.gtf{says}")
    assert not (tmp_path / "parsed.npz").exists()


def test_exons_of_both_strands_are_of_their_transcript(tmp_path):
    # Trans-spliced, as mod(mdg4) of Drosophila is.
    text = line(end=90) + transcript(15, 90) + exon(15, 20) + exon(70, 90, strand="-")
    assert places(tmp_path, text, tss="longest") == {"A": ["c", 14, "+"]}


def test_a_zero_byte_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"genes\.gtf, line 2: there is a zero byte in the text"):
        read(tmp_path, line() + line(attributes='gene_id "B\0";'))


def test_a_truncated_gzip_is_refused(tmp_path):
    with pytest.raises(InputError, match="the compressed file is truncated or damaged"):
        read(tmp_path, GTF, lambda text: gzip.compress(text)[:-20])


# A slow and obvious reader, to compare with.

APPRIS = ["appris_principal", *(f"appris_principal_{number}" for number in range(1, 6))]
TAGS = ["MANE_Select", "Ensembl_canonical", *APPRIS, "MANE Select", "RefSeq Select"]


class Refused(Exception):
    pass


class Unclear(Exception):
    """Attributes that no rule gives a meaning to."""


def attributes_of(text, gff3):
    """A list of (name, value), from text read letter by letter."""
    pieces, quoted = [""], False
    for letter in text:
        quoted ^= letter == '"' and not gff3
        if letter == ";" and not quoted:
            pieces.append("")
        else:
            pieces[-1] += letter
    found = []
    for piece in map(str.strip, pieces):
        if not piece:
            continue
        name, _, value = piece.partition("=") if gff3 else piece.partition(" ")
        value = value.strip()
        if not gff3 and len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if (
            not name
            or name != name.strip()
            or any(c in name for c in ' "\t=')
            or (not gff3 and ('"' in value or name == piece))
        ):
            raise Unclear
        found.append((name, value))
    if quoted or (gff3 and len({name for name, _ in found}) < len(found)):
        raise Unclear
    return found


def features_of(text, gff3):
    """The genes, transcripts and exons of a text, as dicts."""
    for row in text.split("\n"):
        if "\0" in row:
            raise Refused("a zero byte")
        fields = row.split("\t")
        if row.startswith("#") or not row.strip():
            if row.startswith("##FASTA"):
                return
            continue
        if len(fields) != 9:
            if row.startswith(">"):
                return
            if row.split()[0] in ("track", "browser") and not row[0].isspace():
                continue
            raise Refused
        chrom, _, kind, start, end, _, strand, _, words = fields
        chrom = chrom.strip()
        kinds = ("gene", "mRNA", "exon") if gff3 else ("gene", "transcript", "exon")
        if kind not in kinds:
            if gff3 and kind in ("ncRNA_gene", "pseudogene") or gff3 and "Parent" in words:
                raise Unclear
            continue
        pairs = attributes_of(words, gff3)
        values = dict(pairs[::-1])
        one = {"kind": kinds.index(kind)}
        if gff3:
            parents = [unquote(parent) for parent in values.get("Parent", "").split(",") if parent]
            if kind != "gene" and not parents:
                continue
            if len(parents) > 1 or (kind == "gene" and parents):
                raise Unclear
            one |= {"parent": "".join(parents), "id": unquote(values.get("ID", ""))}
            gene = unquote(values.get("gene_id", "")) or one["id"]
            if not values.get("gene_id") and gene[:5].lower() in ("gene:", "gene-"):
                gene = gene[5:]
            if kind == "gene":
                one |= {"gene": gene}
        else:
            gene = values.get("gene_id", "")
            one |= {"gene": gene, "id": (gene, values.get("transcript_id", "")), "parent": gene}
            if kind == "exon":
                one["parent"] = one["id"]
        if not gene and (kind == "gene" or not gff3):
            raise Refused
        if not all(number and all(c in "0123456789" for c in number) and len(number) < 13 for number in (start, end)):
            raise Refused
        if not 1 <= int(start) <= int(end) or strand not in ("+", "-", ".", "?") or not chrom:
            raise Refused
        one |= {
            "chrom": unquote(chrom) if gff3 else chrom,
            "start": int(start),
            "end": int(end),
            "strand": strand.replace("?", "."),
        }
        one["tags"] = [unquote(tag) for name, value in pairs if name == "tag" for tag in value.split(",")]
        yield one


def slow(text, tss, gff3=False):
    """A dict from gene id to [chromosome, TSS, strand]. Raises Refused or Unclear."""
    features = list(features_of(text, gff3))
    place = ("chrom", "strand", "start", "end")
    genes, transcripts, exons = ([one for one in features if one["kind"] == kind] for kind in range(3))
    for kind, name in ((genes, "gene"), (transcripts, "id")):
        for one, other in itertools.combinations(kind, 2):
            if one[name] == other[name] and any(one[key] != other[key] for key in (*place, "parent")):
                raise Refused if one[name] else Unclear
            if one.get("id") == other.get("id") and one[name] != other[name]:
                raise Unclear
    if not gff3:
        # One gene on X and Y is two, on Y and elsewhere none.
        if {"Y", "chrY"} & {one["chrom"] for one in exons}:
            raise Unclear
        for name in {one["id"] for one in exons} - {one["id"] for one in transcripts}:
            own = [one for one in exons if one["id"] == name]
            span = {"start": min(one["start"] for one in own), "end": max(one["end"] for one in own)}
            if len({(one["chrom"], one["strand"]) for one in own}) > 1:
                raise Refused
            transcripts.append(own[0] | span | {"parent": name[0], "tags": []})
    result = {}
    owners = {one["id"] if gff3 else one["gene"]: one["gene"] for one in genes}
    owners |= {} if gff3 else {one["gene"]: one["gene"] for one in transcripts}
    for owner, name in owners.items():
        whole = [one for one in genes if one["gene"] == name]
        own = [one for one in transcripts if one["parent"] == owner]
        if len({(one["chrom"], one["strand"]) for one in whole + own}) > 1:
            raise Refused if not {"Y", "chrY"} & {one["chrom"] for one in whole + own} else Unclear
        ranked = []
        for one in own:
            pieces = {(exon["start"], exon["end"]) for exon in exons if exon["parent"] == one["id"] and one["id"]}
            pieces = pieces or {(one["start"], one["end"])}
            rank = min([TAGS.index(tag) for tag in one["tags"] if tag in TAGS], default=99)
            length = sum(end - start + 1 for start, end in pieces)
            first = one["end"] - 1 if one["strand"] == "-" else one["start"] - 1
            upstream = -first if one["strand"] == "-" else first
            ranked.append((rank if tss == "canonical" else 0, -length if tss != "first" else 0, upstream, first))
        any_one = (whole + own)[0]
        start = any_one["end"] - 1 if any_one["strand"] == "-" else any_one["start"] - 1
        chosen = min(ranked)[3] if own else start
        result[name] = [any_one["chrom"], chosen, any_one["strand"]]
    if not result:
        raise Refused
    return result


@st.composite
def annotations(draw):
    """Genes as dicts with transcripts, which hold exons and tags."""
    genes = []
    for number in range(draw(st.integers(1, 4))):
        chrom, strand = draw(st.sampled_from(["chr1", "2"])), draw(st.sampled_from("+-."))
        gene = {"id": f"gene;{number}", "chrom": chrom, "strand": strand, "rnas": []}
        span = st.tuples(st.integers(1, 60), st.integers(0, 30)).map(lambda pair: (pair[0], pair[0] + pair[1]))
        for count in range(draw(st.integers(0, 3))):
            tags = draw(st.lists(st.sampled_from([*TAGS, "basic", "CCDS"]), max_size=2))
            exons = draw(st.lists(span, min_size=1, max_size=3))
            gene["rnas"].append({"id": f"{number}.{count}", "tags": tags, "exons": exons, "bare": draw(st.booleans())})
        ends = [end for rna in gene["rnas"] for exon in rna["exons"] for end in exon] or list(draw(span))
        genes.append(gene | {"start": min(ends), "end": max(ends)})
    return genes


def as_gtf(genes):
    for gene in genes:
        own = f'gene_id "{gene["id"]}"; '
        yield line(gene["chrom"], gene["start"], gene["end"], gene["strand"], own)
        for rna in gene["rnas"]:
            ends = [end for exon in rna["exons"] for end in exon]
            words = own + f'transcript_id "{rna["id"]}"; ' + "".join(f'tag "{tag}"; ' for tag in rna["tags"])
            yield line(gene["chrom"], min(ends), max(ends), gene["strand"], words, "transcript")
            for start, end in rna["exons"] * (not rna["bare"]):
                yield line(gene["chrom"], start, end, gene["strand"], words, "exon")


def as_gff3(genes):
    for gene in genes:
        own = "gene:" + quote(gene["id"])
        yield line(gene["chrom"], gene["start"], gene["end"], gene["strand"], f"ID={own}")
        for rna in gene["rnas"]:
            ends = [end for exon in rna["exons"] for end in exon]
            tags = f";tag={','.join(rna['tags'])}" if rna["tags"] else ""
            yield line(
                gene["chrom"], min(ends), max(ends), gene["strand"], f"ID=rna:{rna['id']};Parent={own}{tags}", "mRNA"
            )
            for start, end in rna["exons"] * (not rna["bare"]):
                yield line(gene["chrom"], start, end, gene["strand"], f"Parent=rna:{rna['id']}", "exon")


common = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@settings(common, max_examples=100)
@given(st.data(), annotations(), st.sampled_from(CHOICES))
def test_any_annotation_in_either_format_and_any_order(tmp_path, data, genes, tss):
    gtf, gff3 = list(as_gtf(genes)), list(as_gff3(genes))
    expected = slow("".join(gtf), tss)
    assert list(expected) == [gene["id"] for gene in genes]
    assert places(tmp_path, "".join(gtf), tss=tss) == expected
    assert places(tmp_path, "##gff-version 3\n" + "".join(gff3), tss=tss) == expected
    assert places(tmp_path, "".join(data.draw(st.permutations(gtf))), tss=tss) == expected
    assert places(tmp_path, "".join(data.draw(st.permutations(gff3))), tss=tss) == expected
    # Without gene lines, and without those of transcripts.
    kinds = data.draw(st.sampled_from([("transcript", "exon"), ("exon",)]))
    some = "".join(row for row in gtf if row.split("\t")[2] in kinds)
    if some:
        assert places(tmp_path, some, tss=tss) == slow(some, tss)


BASE = [
    {"id": "A", "chrom": "chr1", "strand": "+", "start": 10, "end": 90, "rnas": [
        {"id": "T1", "tags": ["basic"], "exons": [(10, 20), (30, 90)], "bare": False},
        {"id": "T2", "tags": ["basic", "Ensembl_canonical"], "exons": [(15, 20), (40, 80)], "bare": False},
    ]},
    {"id": "B", "chrom": "2", "strand": "-", "start": 5, "end": 9, "rnas": [
        {"id": "T3", "tags": [], "exons": [(5, 8)], "bare": True}, {"id": "T4", "tags": [], "exons": [(5, 9)], "bare": False},
    ]},
    {"id": "C", "chrom": "2", "strand": "+", "start": 50, "end": 59, "rnas": []},
]  # fmt: skip


@settings(common, max_examples=600)
@given(st.data(), st.sampled_from(CHOICES), st.booleans())
def test_damaged_annotations(tmp_path, data, tss, gff3):
    lines = ["##gff-version 3\n", *as_gff3(BASE)] if gff3 else as_gtf(BASE)
    content = data.draw(damaged_text("".join(lines).encode()))
    try:
        found = places(tmp_path, content, tss=tss)
    except InputError:
        found = None
    text = lines_of(content)
    if text is None:
        assert found is None
        return
    text = "\n".join(text)
    if gff3 != text.startswith("##gff-version 3\n") or "##gff-version" in text[1:]:
        return
    try:
        expected = slow(text, tss, gff3)
    except Unclear:
        return
    except Refused as refused:
        # Exons are not looked at where they do not count.
        assert found is None or (tss == "first" and not refused.args)  # noqa: PT017
        return
    assert found == expected


@pytest.mark.parametrize("tss", CHOICES)
def test_gencode(tmp_path, tss):
    path = real("dna/gencode_v29_hg38_chr1_0-1.5Mb.gtf.gz")
    text = gzip.decompress(path.read_bytes()).decode()
    found = places(tmp_path, text, tss=tss)
    # No id of these is of two genes without its version.
    assert found == {gene_id.partition(".")[0]: place for gene_id, place in slow(text, tss).items()}
    assert len(found) == 119
    starts = {row[8].split('"')[1].partition(".")[0]: int(row[4 if row[6] == "-" else 3]) - 1
              for row in (row.split("\t") for row in text.split("\n")) if len(row) == 9 and row[2] == "gene"}  # fmt: skip
    different = sum(place[1] != starts[gene_id] for gene_id, place in found.items())
    # GENCODE's genes begin where the first of their transcripts does.
    assert different == 0 if tss == "first" else different > 5

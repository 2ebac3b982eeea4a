"""Genes from GTF and GFF3 files: their TSS, ids, biotypes and warnings."""

import gzip

import pytest

from helpers.annotations import CHOICES, GFF3, GTF, exon, line, places, read, transcript
from helpers.small_files import gene_places
from wakawaka.core.errors import InputError


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

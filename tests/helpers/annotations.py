"""Small GTF and GFF3 files, and a slow and obvious reader that `read_gtf` is compared with."""

import itertools
from urllib.parse import quote, unquote

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from helpers.small_files import gene_places
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
    """Write a GTF or GFF3 and read it; return (about, arrays) of the parsed genes."""
    (tmp_path / "genes.gtf").write_bytes(pack(text if isinstance(text, bytes) else text.encode()))
    read_gtf(tmp_path / "genes.gtf", tmp_path / "parsed.npz", tss=tss, biotypes=biotypes)
    return read_parsed(tmp_path / "parsed.npz")


def places(tmp_path, text, **options):
    """Return a dict from gene id to [chromosome, 0-based TSS, strand] of a file's genes."""
    _, genes = read(tmp_path, text, **options)
    return gene_places(genes)


def line(chrom="c", start="5", end="9", strand="+", attributes='gene_id "A";', kind="gene"):
    """Return a line of a GTF or GFF3."""
    return f"{chrom}\tex\t{kind}\t{start}\t{end}\t.\t{strand}\t.\t{attributes}\n"


def transcript(start, end, *tags, name="T", strand="+", gene="A", kind="transcript", chrom="c"):
    """Return the line of a transcript in a GTF."""
    tags = "".join(f' tag "{tag}";' for tag in tags)
    return line(chrom, start, end, strand, f'gene_id "{gene}"; transcript_id "{name}";{tags}', kind)


def exon(start, end, **options):
    """Return the line of an exon in a GTF."""
    return transcript(start, end, kind="exon", **options)


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


APPRIS = ["appris_principal", *(f"appris_principal_{number}" for number in range(1, 6))]
TAGS = ["MANE_Select", "Ensembl_canonical", *APPRIS, "MANE Select", "RefSeq Select"]


class Refused(Exception):
    """A file that a reader must refuse."""


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


def slow_places(text, tss, gff3=False):
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

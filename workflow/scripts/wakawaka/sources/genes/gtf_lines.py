"""The lines of GTF and GFF3 files, parsed into `Records`.

GTF: https://www.ensembl.org/info/website/upload/gff.html
GFF3: https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md
"""

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO
from urllib.parse import unquote

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_text, readable
from wakawaka.core.messages import shorten_list
from wakawaka.core.tables import numbered_lines
from wakawaka.genome.gene_ids import plain_id
from wakawaka.sources.genes.annotation import is_browser_line, parse_interval
from wakawaka.sources.genes.canonical_transcript import tag_rank
from wakawaka.sources.genes.gtf_records import Feature, GeneKey, Records, Transcript

_BIOTYPE = ("gene_type", "gene_biotype", "biotype")
_GFF3_GENES = ("gene", "ncRNA_gene", "pseudogene")
# The common types of features inside genes and transcripts. A gene's children of other types are its transcripts.
_INSIDE = {"CDS", "five_prime_UTR", "three_prime_UTR", "UTR", "intron", "start_codon", "stop_codon"}
# Ends of the types of transcripts, in a GFF3 without lines of genes (as of gffread): mRNA, lnc_RNA, primary_transcript, ...
_GFF3_TRANSCRIPTS = ("RNA", "transcript", "gene_segment")
# Ensembl, WormBase and NCBI write these in front of gene ids.
_PREFIXES = ("gene:", "gene-")

# A quoted value may hold semicolons.
_GTF_ATTRIBUTE = re.compile(r'(?:^|;)\s*([^\s";]+)\s+(?:"([^"]*)"|([^";]*))')
# The first attributes of an exon in files of GENCODE and Ensembl. Files have millions of exons, and nothing else of them is needed.
_EXON = re.compile(r'gene_id "(?P<gene_id>[^"]*)";(?: gene_version "[^"]*";)? transcript_id "(?P<transcript_id>[^"]*)"')
_GFF3_ATTRIBUTE = re.compile(r"(?:^|;)\s*([^\s=;]+)=([^;]*)")


def read_records(path: PathLike, exons: bool) -> Records:
    """Return the `Records` of a GTF or GFF3, plain or gzip-compressed; the content decides which of the two it is.

    Args:
        path: the path of the file. exons: whether the exons are needed.

    Raises:
        InputError: for a malformed line, or if there is no gene in the file.
    """
    with readable(path):
        records = Records(path, _is_gff3(path), exons)
        add = _add_gff3 if records.gff3 else _add_gtf
        with open_text(path) as file:
            for number, fields in _fields(records, file):
                records.types.setdefault(fields[2])
                add(records, number, fields)
    if records.gff3:
        _find_genes_by_name(records)
    if not records.genes:
        missing = (
            "no line of a gene, and no transcript that names its gene (attribute gene_id or geneID), but"
            if records.gff3
            else "no `gene`, `transcript` or `exon` in its third column, which has"
        )
        raise InputError(
            f"{path}: there is no gene in this file: {missing} {shorten_list(records.types) or 'nothing'}; "
            "use an annotation such as GENCODE's or Ensembl's."
        )
    return records


def _is_gff3(path: PathLike) -> bool:
    """Return whether a file is GFF3 (`ID=x;Parent=y`) and not GTF (`gene_id "x";`), by the header or the first attributes."""
    with open_text(path) as file:
        for line in file:
            if line.startswith("##gff-version"):
                return line.split()[-1].startswith("3")
            attributes = "" if line.startswith("#") or is_browser_line(line) else line.rstrip("\n").split("\t")[-1]
            if attributes not in ("", "."):
                return re.match(r'\s*[^\s=";]+=', attributes) is not None
    return False


def _fields(records: Records, file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, nine fields) of every feature; add the lengths of chromosomes to the records."""
    path = records.path
    for number, line in numbered_lines(path, file):
        fields = line.split("\t")
        if len(fields) == 9 and line[0] != "#":
            fields[0] = fields[0].strip()
            yield number, fields
        elif line.startswith(("##FASTA", ">")):
            # In a GFF3, the sequences may follow the features.
            return
        elif line.startswith("##sequence-region"):
            records.add_region(line)
        elif line[0] != "#" and not line.isspace() and not is_browser_line(line):
            raise InputError(
                f"{path}, line {number}: {len(fields)} tab-separated fields where a GTF or GFF3 has 9; the file may be damaged."
            )


def _feature(path: PathLike, number: int, fields: Sequence[str], chrom: str) -> Feature:
    """Return the place of a line. Raises InputError if start, end, strand or chromosome are not valid."""
    where = f"{path}, line {number}"
    start, end = parse_interval(where, fields[3], fields[4], 1)
    strand = "." if fields[6] == "?" else fields[6]
    if strand not in ("+", "-", "."):
        raise InputError(f"{where}: the strand is {strand!r}, but it must be + or - (or . if it is not known).")
    if not chrom:
        raise InputError(f"{where}: the chromosome's name (first field) is empty; the file may be damaged.")
    return Feature(number, chrom, strand, start, end)


@functools.lru_cache(maxsize=1)
def _key(gene_id: str, chrom: str) -> GeneKey:
    """Return the key of a gene; see `gtf_records`."""
    return plain_id(gene_id), chrom.removeprefix("chr") == "Y"


def _add_gtf(records: Records, number: int, fields: Sequence[str]) -> None:
    """Add a line of a GTF to the records. Raises InputError for a malformed line."""
    kind, text = fields[2], fields[8]
    if kind not in ("gene", "transcript", "exon"):
        return
    if kind == "exon":
        match = _EXON.match(text)
        values = match.groupdict() if match else _gtf_values(text, ("gene_id", "transcript_id"))
    else:
        values = _gtf_values(text, ("gene_id", "transcript_id", *_BIOTYPE, "tag"))
    if not values.get("gene_id"):
        raise InputError(
            f'{records.path}, line {number}: the attributes of this {kind} hold no gene_id "..."; the file may be damaged.'
        )
    key = _key(values["gene_id"], fields[0])
    name = values.get("transcript_id", "")
    # Without this test, the result is the same, but takes longer.
    if kind == "exon" and not records.exons_wanted and (key, name) in records.transcripts:
        return
    feature = _feature(records.path, number, fields, fields[0])
    if kind == "gene":
        records.add_gene(key, feature, _biotype(values, _BIOTYPE))
        return
    records.genes.setdefault(key)
    if records.genes[key] is None and not records.biotypes.get(key):
        records.biotypes[key] = _biotype(_gtf_values(text, _BIOTYPE[:2]), _BIOTYPE[:2])
    if kind == "exon":
        records.add_exon((key, name), feature)
    else:
        rank = tag_rank(values.get("tag", "").split(","))
        records.add_transcript((key, name), name, Transcript(feature, [key], rank))


def _gtf_values(text: str, names: Sequence[str]) -> dict[str, str]:
    """Return the first value of each named attribute of a GTF line; of `tag` all values, separated by commas."""
    values: dict[str, str] = {}
    missing = len(names)
    for match in _GTF_ATTRIBUTE.finditer(text):
        name = match[1]
        if name in names:
            value = match[3].strip() if match[2] is None else match[2]
            if name not in values:
                values[name] = value
                missing -= 1
                # There may be any number of tags.
                if not missing and "tag" not in names:
                    break
            elif name == "tag":
                values[name] += "," + value
    return values


def _add_gff3(records: Records, number: int, fields: Sequence[str]) -> None:
    """Add a line of a GFF3 to the records. Raises InputError for a malformed line."""
    kind = fields[2]
    if kind in _INSIDE or (kind == "exon" and not records.exons_wanted):
        return
    values = {name: value.strip() for name, value in _GFF3_ATTRIBUTE.findall(fields[8])}
    parents = [unquote(parent) for parent in values.get("Parent", "").split(",") if parent]
    is_gene = kind in _GFF3_GENES and not (kind == "pseudogene" and parents)
    named = kind.endswith(_GFF3_TRANSCRIPTS) and (values.get("gene_id") or values.get("geneID"))
    if not (is_gene or parents or named):
        return
    feature = _feature(records.path, number, fields, unquote(fields[0]))
    own_id = unquote(values.get("ID", ""))
    if is_gene:
        _add_gff3_gene(records, number, kind, values, own_id, feature)
    elif kind == "exon":
        for parent in parents:
            records.add_exon(parent, feature)
    else:
        # Only at the end is it known whether a parent is a gene. A transcript without an ID has no exons.
        rank = tag_rank([unquote(tag) for tag in values.get("tag", "").split(",")])
        records.add_transcript(own_id or number, own_id, Transcript(feature, parents, rank))
        if named:
            gene = _key(_without_prefix(unquote(named)), feature.chrom)
            biotype = unquote(_biotype(values, _BIOTYPE[:2]))
            if records.named.setdefault(own_id or number, (gene, biotype))[0] != gene:
                raise InputError(
                    f"{records.path}, line {number}: the ID {own_id} names a transcript of another gene further up; correct one of them."
                )


def _add_gff3_gene(
    records: Records, number: int, kind: str, values: Mapping[str, str], own_id: str, feature: Feature
) -> None:
    """Add the line of a gene in a GFF3 to the records. Raises InputError if it has no id, or if its ID names another gene too."""
    gene_id = unquote(values.get("gene_id", "")) or _without_prefix(own_id)
    if not gene_id:
        raise InputError(
            f"{records.path}, line {number}: this {kind} has neither the attribute gene_id nor ID; the file may be damaged."
        )
    key = _key(gene_id, feature.chrom)
    if records.parents.setdefault(own_id or gene_id, key) != key:
        raise InputError(
            f"{records.path}, line {number}: the ID {own_id} names another gene further up; correct one of them."
        )
    records.add_gene(key, feature, unquote(_biotype(values, _BIOTYPE)))


def _without_prefix(gene_id: str) -> str:
    """Return a gene id without the prefix that some annotations write in front of it."""
    return gene_id[5:] if gene_id[:5].lower() in _PREFIXES else gene_id


def _find_genes_by_name(records: Records) -> None:
    """Assign transcripts of a GFF3 whose parent has no line to the gene that their own line names."""
    for key, (gene, biotype) in records.named.items():
        transcript = records.transcripts[key]
        if not any(parent in records.parents or parent in records.transcripts for parent in transcript.parents):
            records.transcripts[key] = transcript._replace(parents=[gene])
            records.genes.setdefault(gene)
            if records.genes[gene] is None:
                records.biotypes[gene] = records.biotypes.get(gene) or biotype


def _biotype(values: Mapping[str, str], names: Sequence[str]) -> str:
    """Return the first known value of the named attributes, '' if there is none."""
    return next((values[name] for name in names if values.get(name)), "")

"""Genes from GTF and GFF3: one transcription start site (TSS) for each.

GTF: https://www.ensembl.org/info/website/upload/gff.html
GFF3: https://github.com/The-Sequence-Ontology/Specifications/blob/master/gff3.md
"""

import contextlib
import functools
import gc
import re
from array import array
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import open_text, readable
from wakawaka.core.messages import Warnings, some
from wakawaka.core.tables import numbered_lines
from wakawaka.genome.gene_ids import plain_id
from wakawaka.sources.genes.annotation import interval, is_display_line, of_biotypes
from wakawaka.sources.parsed import write_genes

# Tags of the one transcript that stands for its gene: GENCODE's and Ensembl's, then those of NCBI.
_CANONICAL = (
    ["MANE_Select", "Ensembl_canonical", "appris_principal"]
    + [f"appris_principal_{number}" for number in range(1, 6)]
    + ["MANE Select", "RefSeq Select"]
)
_RANK = {tag: rank for rank, tag in enumerate(_CANONICAL)}
_UNRANKED = len(_CANONICAL)

_BIOTYPE = ("gene_type", "gene_biotype", "biotype")
_GFF3_GENES = ("gene", "ncRNA_gene", "pseudogene")
# What lies in genes and their transcripts, as far as it is common: a gene's other children are its transcripts.
_INSIDE = {"CDS", "five_prime_UTR", "three_prime_UTR", "UTR", "intron", "start_codon", "stop_codon"}
# The transcripts of a GFF3 without lines of genes (gffread writes such): mRNA, lnc_RNA, primary_transcript, V_gene_segment...
_GFF3_TRANSCRIPTS = ("RNA", "transcript", "gene_segment")
# What Ensembl, WormBase and NCBI put before an id.
_PREFIXES = ("gene:", "gene-")
# UCSC's hg19 has another mitochondrion than GRCh37 (16,571 and 16,569 bp), and is the same assembly otherwise.
_MITOCHONDRION = ("M", "MT")

# Values may be quoted, and then hold semicolons.
_GTF_ATTRIBUTE = re.compile(r'(?:^|;)\s*([^\s";]+)\s+(?:"([^"]*)"|([^";]*))')
# How the attributes of an exon begin in GENCODE's and Ensembl's files: there are millions of them, and all else is in vain.
_EXON = re.compile(r'gene_id "(?P<gene_id>[^"]*)";(?: gene_version "[^"]*";)? transcript_id "(?P<transcript_id>[^"]*)"')
_GFF3_ATTRIBUTE = re.compile(r"(?:^|;)\s*([^\s=;]+)=([^;]*)")


class _Feature(NamedTuple):
    """A line of the file. Start and end count from 1, both included."""

    line: int
    chrom: str
    strand: str
    start: int
    end: int

    @property
    def upstream(self):
        """The 0-based first base in the direction of transcription; the lower, the more upstream, with a minus sign on minus."""
        return 1 - self.end if self.strand == "-" else self.start - 1


class _Transcript(NamedTuple):
    feature: _Feature
    parents: list  # keys of genes
    rank: int  # of its best tag


class _Annotation:
    """What the file says, gathered line by line, in whatever order the lines come."""

    def __init__(self, path, gff3, exons):
        self.path, self.gff3, self.exons_wanted = path, gff3, exons
        self.genes = {}  # key -> _Feature of its gene line, None without one
        self.biotypes = {}  # key -> the biotype of the gene line, or of a transcript's if there is none
        self.transcripts = {}  # key -> _Transcript
        self.parents = {}  # GFF3: ID -> key of the gene
        self.named = {}  # GFF3: key of the transcript -> (key of the gene, its biotype) as the transcript's own line has them
        self.codes = {}  # key of the transcript -> number in `exons`
        self.places = []  # by that number: the first exon's _Feature
        self.scattered = {}  # key of the transcript -> an exon on another chromosome or strand than the first
        self.exons = array("q"), array("q"), array("q")  # transcript, start, end
        self.repeated = []  # genes whose line stands there again
        self.types = {}  # third column, in the order of appearance
        self.lengths = {}  # chromosome -> bp by its `##sequence-region`, None where there are several

    def add_gene(self, key, feature, biotype):
        other = self.genes.get(key)
        if other is not None:
            if other[1:] != feature[1:]:
                raise InputError(
                    f"{self.path}, line {feature.line}: gene {key[0]} stands at another place in line {other.line}; "
                    "keep one of the lines."
                )
            self.repeated.append(key[0])
        self.genes[key] = other or feature
        self.biotypes[key] = biotype if other is None else self.biotypes[key] or biotype

    def add_transcript(self, key, name, transcript):
        other = self.transcripts.get(key)
        if other and (other.feature[1:] != transcript.feature[1:] or other.parents != transcript.parents):
            raise InputError(
                f"{self.path}, line {transcript.feature.line}: transcript {name} stands at another place in line "
                f"{other.feature.line}; keep one of the lines."
            )
        rank = min(transcript.rank, other.rank) if other else transcript.rank
        self.transcripts[key] = transcript._replace(rank=rank)

    def add_region(self, line):
        """Note `##sequence-region chrom start end`; one that does not start at 1 is a piece of a chromosome."""
        match = re.fullmatch(r"##sequence-region\s+(\S+)\s+1\s+([1-9][0-9]{0,11})\s*", line)
        if match:
            chrom, length = unquote(match[1]), int(match[2])
            self.lengths[chrom] = length if self.lengths.get(chrom, length) == length else None

    def add_exon(self, key, feature):
        code = self.codes.setdefault(key, len(self.codes))
        if code == len(self.places):
            self.places.append(feature)
        elif feature.strand != self.places[code].strand or feature.chrom != self.places[code].chrom:
            self.scattered[key] = feature
        for column, value in zip(self.exons, (code, feature.start, feature.end), strict=True):
            column.append(value)


@contextlib.contextmanager
def _without_garbage_collection():
    """Millions of small tuples stay until the end: to look through them for cycles, time and again, takes longer than all else."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_without_garbage_collection()
def read_gtf(path, part, *, tss, biotypes):
    """Write the genes part of a GTF or GFF3, whichever the file's content is.

    The TSS is the first base in the direction of transcription: the start on the plus strand, the end on the minus strand.
    A gene of unknown strand is taken as on the plus strand, and counted. Genes are the lines of the type gene (GFF3: also
    ncRNA_gene, and pseudogene unless it has a parent) and, in a GTF, whatever else the gene_id of transcripts and exons
    names. A gene_id that is on both X and Y is two genes, as the pseudo-autosomal ones are in files that name genes by
    symbols; the one on Y gets `_PAR_Y` behind its id, as in GENCODE's. Transcripts of a GFF3 whose gene has no line there
    name it by their attribute gene_id or geneID. Genes without a line whose transcripts lie apart are counted.

    The part says in about["assemblies"] how long the chromosomes are by the file's `##sequence-region` lines that start at
    1; those that a gene goes beyond are a cut file's, and left out.

    Args:
        tss: `first`: the most upstream TSS of the gene's transcripts. `canonical`: the TSS of the transcript with the best tag, see
            `_CANONICAL`; among several of one rank, or where none has a tag, of the longest of them. `longest`: of the
            transcript with the longest exons together (its own length where it has none), the most upstream among
            equals. A gene without transcripts has that of its gene line.
        biotypes: list of those to keep (gene_type, gene_biotype or biotype), None for all.

    Raises:
        InputError: a line without nine fields, start and end that are no positions, a strand that is none, a gene without
            id, a gene or its transcripts at several places, no gene of a biotype, or no genes at all.
    """
    annotation = _gathered(path, exons=tss != "first")
    warned = Warnings()
    found = _transcripts_by_gene(annotation)
    if annotation.repeated:
        warned.add(
            f"{path}: {len(annotation.repeated)} genes stand twice with identical values and are used once: {some(annotation.repeated)}."
        )
    places = {key: feature or found[key][0].feature for key, feature in annotation.genes.items()}
    gene_id = _names(path, places, warned)
    biotype = np.array([annotation.biotypes.get(key, "") for key in places])
    keep = of_biotypes(path, gene_id, biotype, biotypes, warned)
    kept = [key for key, wanted in zip(places, keep, strict=True) if wanted]
    _count_apart(path, gene_id[keep], [[] if annotation.genes[key] else found[key] for key in kept], warned)
    if tss == "canonical":
        _count_untagged(path, gene_id[keep], [found.get(key, []) for key in kept], warned)
    columns = {
        "gene_id": gene_id,
        "chrom": np.array([place.chrom for place in places.values()]),
        "tss": np.array([_tss(annotation.genes[key], found.get(key), tss) for key in places]),
        "strand": np.array([place.strand for place in places.values()]),
        "group": np.full(len(places), ""),
    }
    lengths = _lengths(annotation, found, columns["chrom"][keep])
    about = {"assemblies": [{"path": str(path), "lengths": lengths}]} if lengths else None
    write_genes(part, path, warned, about=about, **{name: column[keep] for name, column in columns.items()})


def _gathered(path, exons):
    """Return the `_Annotation` of a file. Raises InputError where it has no genes."""
    with readable(path):
        annotation = _Annotation(path, _is_gff3(path), exons)
        add = _add_gff3 if annotation.gff3 else _add_gtf
        with open_text(path) as file:
            for number, fields in _lines(annotation, file):
                annotation.types.setdefault(fields[2])
                add(annotation, number, fields)
    _find_genes_by_name(annotation)
    if not annotation.genes:
        missing = (
            "no line of a gene, and no transcript that names its gene (attribute gene_id or geneID), but"
            if annotation.gff3
            else "no `gene`, `transcript` or `exon` in its third column, which has"
        )
        raise InputError(
            f"{path}: there is no gene in this file: {missing} {some(annotation.types) or 'nothing'}; "
            "use an annotation such as GENCODE's or Ensembl's."
        )
    return annotation


def _is_gff3(path):
    """Tell GFF3 (`ID=x;Parent=y`) from GTF (`gene_id "x";`), by the header or the first attributes."""
    with open_text(path) as file:
        for line in file:
            if line.startswith("##gff-version"):
                return line.split()[-1].startswith("3")
            attributes = "" if line.startswith("#") or is_display_line(line) else line.rstrip("\n").split("\t")[-1]
            if attributes not in ("", "."):
                return re.match(r'\s*[^\s=";]+=', attributes) is not None
    return False


def _lines(annotation, file):
    """Yield (line number, nine fields) of every feature; note the lengths of chromosomes."""
    path = annotation.path
    for number, line in numbered_lines(path, file):
        fields = line.split("\t")
        if len(fields) == 9 and line[0] != "#":
            fields[0] = fields[0].strip()
            yield number, fields
        elif line.startswith(("##FASTA", ">")):
            # A GFF3 may hold the sequences too, behind the features.
            return
        elif line.startswith("##sequence-region"):
            annotation.add_region(line)
        elif line[0] != "#" and not line.isspace() and not is_display_line(line):
            raise InputError(
                f"{path}, line {number}: {len(fields)} tab-separated fields where a GTF or GFF3 has 9; the file may be damaged."
            )


def _feature(path, number, fields, chrom):
    where = f"{path}, line {number}"
    start, end = interval(where, fields[3], fields[4], 1)
    strand = "." if fields[6] == "?" else fields[6]
    if strand not in ("+", "-", "."):
        raise InputError(f"{where}: the strand is {strand!r}, but it must be + or - (or . if it is not known).")
    if not chrom:
        raise InputError(f"{where}: the chromosome's name (first field) is empty; the file may be damaged.")
    return _Feature(number, chrom, strand, start, end)


@functools.lru_cache(maxsize=1)
def _key(gene_id, chrom):
    """A gene of X and its copy on Y are two genes, even if the file gives them one name."""
    return plain_id(gene_id), chrom.removeprefix("chr") == "Y"


def _add_gtf(annotation, number, fields):
    """Note a line of a GTF."""
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
            f'{annotation.path}, line {number}: the attributes of this {kind} hold no gene_id "..."; the file may be damaged.'
        )
    key = _key(values["gene_id"], fields[0])
    name = values.get("transcript_id", "")
    # Where the line of its transcript stands behind the exon, it is only read in vain.
    if kind == "exon" and not annotation.exons_wanted and (key, name) in annotation.transcripts:
        return
    feature = _feature(annotation.path, number, fields, fields[0])
    if kind == "gene":
        annotation.add_gene(key, feature, _biotype(values, _BIOTYPE))
        return
    annotation.genes.setdefault(key)
    if annotation.genes[key] is None and not annotation.biotypes.get(key):
        annotation.biotypes[key] = _biotype(_gtf_values(text, _BIOTYPE[:2]), _BIOTYPE[:2])
    if kind == "exon":
        annotation.add_exon((key, name), feature)
    else:
        rank = _rank(values.get("tag", "").split(","))
        annotation.add_transcript((key, name), name, _Transcript(feature, [key], rank))


def _gtf_values(text, names):
    """Return the first values of some of a GTF line's attributes, but all tags, separated by commas."""
    values, missing = {}, len(names)
    for match in _GTF_ATTRIBUTE.finditer(text):
        name = match[1]
        if name in names:
            value = match[3].strip() if match[2] is None else match[2]
            if name not in values:
                values[name] = value
                missing -= 1
                # Tags come in any number.
                if not missing and "tag" not in names:
                    break
            elif name == "tag":
                values[name] += "," + value
    return values


def _add_gff3(annotation, number, fields):
    """Note a line of a GFF3."""
    kind = fields[2]
    if kind in _INSIDE or (kind == "exon" and not annotation.exons_wanted):
        return
    values = {name: value.strip() for name, value in _GFF3_ATTRIBUTE.findall(fields[8])}
    parents = [unquote(parent) for parent in values.get("Parent", "").split(",") if parent]
    is_gene = kind in _GFF3_GENES and not (kind == "pseudogene" and parents)
    named = kind.endswith(_GFF3_TRANSCRIPTS) and (values.get("gene_id") or values.get("geneID"))
    if not (is_gene or parents or named):
        return
    feature = _feature(annotation.path, number, fields, unquote(fields[0]))
    own_id = unquote(values.get("ID", ""))
    if is_gene:
        gene_id = unquote(values.get("gene_id", "")) or _without_prefix(own_id)
        if not gene_id:
            raise InputError(
                f"{annotation.path}, line {number}: this {kind} has neither the attribute gene_id nor ID; the file may be damaged."
            )
        key = _key(gene_id, feature.chrom)
        if annotation.parents.setdefault(own_id or gene_id, key) != key:
            raise InputError(
                f"{annotation.path}, line {number}: the ID {own_id} names another gene further up; correct one of them."
            )
        annotation.add_gene(key, feature, unquote(_biotype(values, _BIOTYPE)))
    elif kind == "exon":
        for parent in parents:
            annotation.add_exon(parent, feature)
    else:
        # Whether a parent is a gene is only known at the end. One without an ID has no exons.
        rank = _rank([unquote(tag) for tag in values.get("tag", "").split(",")])
        annotation.add_transcript(own_id or number, own_id, _Transcript(feature, parents, rank))
        if named:
            gene = _key(_without_prefix(unquote(named)), feature.chrom)
            biotype = unquote(_biotype(values, _BIOTYPE[:2]))
            if annotation.named.setdefault(own_id or number, (gene, biotype))[0] != gene:
                raise InputError(
                    f"{annotation.path}, line {number}: the ID {own_id} names a transcript of another gene further up; correct one of them."
                )


def _without_prefix(gene_id):
    return gene_id[5:] if gene_id[:5].lower() in _PREFIXES else gene_id


def _find_genes_by_name(annotation):
    """Give transcripts of a GFF3 that have no parent there the gene that their own line names."""
    for key, (gene, biotype) in annotation.named.items():
        transcript = annotation.transcripts[key]
        if not any(parent in annotation.parents or parent in annotation.transcripts for parent in transcript.parents):
            annotation.transcripts[key] = transcript._replace(parents=[gene])
            annotation.genes.setdefault(gene)
            if annotation.genes[gene] is None:
                annotation.biotypes[gene] = annotation.biotypes.get(gene) or biotype


def _biotype(values, names):
    return next((values[name] for name in names if values.get(name)), "")


def _rank(tags):
    return min(_RANK.get(tag.strip(), _UNRANKED) for tag in tags)


class _Measured(NamedTuple):
    """A transcript as it is chosen: by rank, then length, then TSS."""

    rank: int
    shortness: int  # minus the length in bp
    upstream: int
    feature: _Feature


def _transcripts_by_gene(annotation):
    """Return a dict from the gene's key to the list of its `_Measured` transcripts; genes without any have no entry.

    Raises:
        InputError: if they are not on the chromosome and strand of their gene.
    """
    lengths, spans = _exons(annotation)
    transcripts = dict(annotation.transcripts)
    for key, feature in spans.items():
        # A GTF of exons alone. Where there is a line of the transcript, it counts: some are spliced from both strands.
        if key not in transcripts and isinstance(key, tuple):
            _same_place(annotation.path, f"transcript {key[1]}", annotation.scattered.get(key, feature), feature)
            transcripts[key] = _Transcript(feature, [key[0]], _UNRANKED)
    found = {}
    for key, (feature, parents, rank) in transcripts.items():
        one = _Measured(rank, -lengths.get(key, feature.end - feature.start + 1), feature.upstream, feature)
        for parent in parents:
            gene = annotation.parents.get(parent) if isinstance(parent, str) else parent
            if gene in annotation.genes:
                others = found.setdefault(gene, [])
                _same_place(
                    annotation.path, f"gene {gene[0]}", feature, annotation.genes[gene] or (others or [one])[0].feature
                )
                others.append(one)
    return found


def _exons(annotation):
    """Return two dicts by the transcripts' keys: bp of the exons together, and the `_Feature` that spans them."""
    code, start, end = (np.asarray(column, np.int64) for column in annotation.exons)
    if not len(code):
        return {}, {}
    order = np.lexsort((end, start, code))
    code, start, end = code[order], start[order], end[order]
    fresh = np.ones(len(code), bool)
    # An exon that stands there twice is one.
    fresh[1:] = (np.diff(code) != 0) | (np.diff(start) != 0) | (np.diff(end) != 0)
    length = np.bincount(code[fresh], (end - start + 1)[fresh]).astype(np.int64).tolist()
    first = np.flatnonzero(np.diff(code, prepend=-1))
    low, high = start[first].tolist(), np.maximum.reduceat(end, first).tolist()
    spans = {
        key: place._replace(start=low[number], end=high[number])
        for number, (key, place) in enumerate(zip(annotation.codes, annotation.places, strict=True))
    }
    return dict(zip(annotation.codes, length, strict=True)), spans


def _same_place(path, what, feature, other):
    if feature.chrom != other.chrom or feature.strand != other.strand:
        raise InputError(
            f"{path}, line {feature.line}: {what} is on {feature.chrom} ({feature.strand}) here, but on {other.chrom} ({other.strand}) "
            f"in line {other.line}; give its copies ids of their own, or leave out all but one (as those on chromosomes "
            "with _alt, _fix, _hap or _random in their names)."
        )


def _names(path, places, warned):
    """Return the id of every gene, with `_PAR_Y` for one that stands on X too, which is counted."""
    names, renamed = [], []
    for (gene_id, on_y), place in places.items():
        other = places.get((gene_id, False)) if on_y else None
        if other:
            if other.chrom.removeprefix("chr") != "X":
                _same_place(path, f"gene {gene_id}", place, other)
            gene_id += "_PAR_Y"
            renamed.append(gene_id)
        names.append(gene_id)
    if renamed:
        warned.add(
            f"{path}: {len(renamed)} genes stand on X and on Y under one id; those on Y are called {some(renamed)}."
        )
    return np.array(names)


def _count_untagged(path, gene_id, transcripts, warned):
    """Count genes whose canonical transcript nobody has named, of those that have a choice; `transcripts` holds a list for each."""
    untagged = [
        name
        for name, ones in zip(gene_id, transcripts, strict=True)
        if len(ones) > 1 and min(one.rank for one in ones) == _UNRANKED
    ]
    if untagged:
        warned.add(
            f"{path}: {len(untagged)} genes have several transcripts and none that is tagged as canonical; "
            f"the longest one stands in: {some(untagged)}."
        )


def _count_apart(path, gene_id, transcripts, warned):
    """Count genes that may be several; `transcripts` holds a list for each, which is empty where the gene has a line."""
    apart = [name for name, ones in zip(gene_id, transcripts, strict=True) if _lie_apart([one.feature for one in ones])]
    if apart:
        warned.add(
            f"{path}: {len(apart)} genes have transcripts that lie apart and no line of the gene that spans them, and are "
            f"used as one gene each, with one TSS (give the copies of a gene ids of their own): {some(apart)}."
        )


def _lie_apart(features):
    """Tell whether there is a gap between features of one chromosome that none of them spans."""
    reached = None
    for feature in sorted(features, key=lambda feature: feature.start):
        if reached is not None and feature.start > reached:
            return True
        reached = max(feature.end, reached or 0)
    return False


def _lengths(annotation, found, chroms):
    """Return the bp of the chromosomes [gene] that the file states, but for those with a gene beyond the end."""
    reach = {}
    features = [feature for feature in annotation.genes.values() if feature]
    for feature in features + [one.feature for ones in found.values() for one in ones]:
        reach[feature.chrom] = max(feature.end, reach.get(feature.chrom, 0))
    lengths = {chrom: annotation.lengths.get(chrom) or 0 for chrom in np.unique(chroms).tolist()}
    return {
        chrom: length
        for chrom, length in lengths.items()
        if length >= reach[chrom] and chrom.removeprefix("chr") not in _MITOCHONDRION
    }


def _tss(gene, transcripts, choice):
    """Return the 0-based TSS of a gene from the `_Feature` of its line or None, and its transcripts or None."""
    if not transcripts:
        return abs(gene.upstream)
    if choice == "first":
        return abs(min(one.upstream for one in transcripts))
    if choice == "longest":
        return abs(min(one[1:3] for one in transcripts)[1])
    return abs(min(one[:3] for one in transcripts)[2])

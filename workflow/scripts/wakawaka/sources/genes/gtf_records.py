"""The genes, transcripts and exons of a GTF or GFF3, collected line by line, in any order of the lines.

Keys: a gene is (its id, whether it is on Y), because a gene of X and its copy on Y are two genes even under one id. A transcript of a
GTF is (key of its gene, transcript_id); one of a GFF3 is its ID, or the line's number where it has none.
"""

import re
from array import array
from typing import NamedTuple
from urllib.parse import unquote

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike

GeneKey = tuple[str, bool]
TranscriptKey = tuple[GeneKey, str] | str | int


class Feature(NamedTuple):
    """The place of a line of the file. Start and end count from 1, both included."""

    line: int
    chrom: str
    strand: str
    start: int
    end: int

    @property
    def upstream(self) -> int:
        """The 0-based first base in the direction of transcription, negated on the minus strand: the lower, the more upstream."""
        return 1 - self.end if self.strand == "-" else self.start - 1


class Transcript(NamedTuple):
    """A transcript: its place, the keys of its genes (or the IDs of its parents in a GFF3), and the rank of its best tag."""

    feature: Feature
    parents: list[GeneKey] | list[str]
    rank: int


class Records:
    """All genes, transcripts and exons of one file.

    Args:
        path: the path of the file, for sentences. gff3: whether it is a GFF3. exons: whether the exons are needed.

    Attributes:
        genes: dict from a gene's key to the `Feature` of its line, None without one.
        biotypes: dict from a gene's key to the biotype in its line, or in a transcript's line if it has none of its own.
        transcripts: dict from a transcript's key to its `Transcript`.
        parents: in a GFF3, a dict from the ID of a gene's line to the gene's key.
        named: in a GFF3, a dict from a transcript's key to the (gene's key, biotype) that the transcript's own line names.
        codes: dict from a transcript's key to its number in `exons` and `places`.
        places: list of each transcript's first exon, as a `Feature`.
        scattered: dict from a transcript's key to an exon on another chromosome or strand than the first.
        exons: arrays of the transcript's number, start and end of every exon.
        repeated: list of the ids of genes whose line stands there again.
        types: dict whose keys are the types in the third column, in the order of appearance.
        lengths: dict from a chromosome to its bp by its `##sequence-region`, None where there are several lengths.
    """

    def __init__(self, path: PathLike, gff3: bool, exons: bool) -> None:
        self.path, self.gff3, self.exons_wanted = path, gff3, exons
        self.genes: dict[GeneKey, Feature | None] = {}
        self.biotypes: dict[GeneKey, str] = {}
        self.transcripts: dict[TranscriptKey, Transcript] = {}
        self.parents: dict[str, GeneKey] = {}
        self.named: dict[TranscriptKey, tuple[GeneKey, str]] = {}
        self.codes: dict[TranscriptKey, int] = {}
        self.places: list[Feature] = []
        self.scattered: dict[TranscriptKey, Feature] = {}
        self.exons = array("q"), array("q"), array("q")
        self.repeated: list[str] = []
        self.types: dict[str, None] = {}
        self.lengths: dict[str, int | None] = {}

    def add_gene(self, key: GeneKey, feature: Feature, biotype: str) -> None:
        """Add the line of a gene. Raises InputError if another line of it has another place."""
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

    def add_transcript(self, key: TranscriptKey, name: str, transcript: Transcript) -> None:
        """Add the line of a transcript. Raises InputError if another line of it has another place or other parents."""
        other = self.transcripts.get(key)
        if other and (other.feature[1:] != transcript.feature[1:] or other.parents != transcript.parents):
            raise InputError(
                f"{self.path}, line {transcript.feature.line}: transcript {name} stands at another place in line "
                f"{other.feature.line}; keep one of the lines."
            )
        rank = min(transcript.rank, other.rank) if other else transcript.rank
        self.transcripts[key] = transcript._replace(rank=rank)

    def add_exon(self, key: TranscriptKey, feature: Feature) -> None:
        """Add an exon of the transcript with this key."""
        code = self.codes.setdefault(key, len(self.codes))
        if code == len(self.places):
            self.places.append(feature)
        elif feature.strand != self.places[code].strand or feature.chrom != self.places[code].chrom:
            self.scattered[key] = feature
        for column, value in zip(self.exons, (code, feature.start, feature.end), strict=True):
            column.append(value)

    def add_region(self, line: str) -> None:
        """Add a line `##sequence-region chrom start end`. One that does not start at 1 is only a piece of a chromosome: left out."""
        match = re.fullmatch(r"##sequence-region\s+(\S+)\s+1\s+([1-9][0-9]{0,11})\s*", line)
        if match:
            chrom, length = unquote(match[1]), int(match[2])
            self.lengths[chrom] = length if self.lengths.get(chrom, length) == length else None


def check_same_place(path: PathLike, what: str, feature: Feature, other: Feature) -> None:
    """Raise an InputError if two features of one gene or transcript (`what`) differ in chromosome or strand."""
    if feature.chrom != other.chrom or feature.strand != other.strand:
        raise InputError(
            f"{path}, line {feature.line}: {what} is on {feature.chrom} ({feature.strand}) here, but on {other.chrom} ({other.strand}) "
            f"in line {other.line}; give its copies ids of their own, or leave out all but one (as those on chromosomes "
            "with _alt, _fix, _hap or _random in their names)."
        )

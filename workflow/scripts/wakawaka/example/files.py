"""The files of the built-in example."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wakawaka.core.files import PathLike


@dataclass(frozen=True)
class ExampleFiles:
    """The raw files of the example.

    Attributes:
        genome: FASTA.
        annotation: GTF.
        counts: from cells to tables of counts, gzip-compressed.
        expression: table, gene x cell.
        held_out_genes: one gene id per line.
    """

    genome: PathLike
    annotation: PathLike
    counts: Mapping[str, PathLike]
    expression: PathLike
    held_out_genes: PathLike


@dataclass(frozen=True)
class ReadFiles:
    """The raw files that give the example's counts after counting.

    Attributes:
        reads: (cell, mark, path) of alignments and tracks; the suffix of a path sets its format.
        genes: GFF3, gzip-compressed.
        sequence: FASTA of the first chromosome, gzip-compressed.
        quantifications: from cells to tables of quantified genes, in Salmon's format.
        held_out: the held-out genes of the first chromosome, one id per line.
    """

    reads: Sequence[tuple[str, str, PathLike]]
    genes: PathLike
    sequence: PathLike
    quantifications: Mapping[str, PathLike]
    held_out: PathLike

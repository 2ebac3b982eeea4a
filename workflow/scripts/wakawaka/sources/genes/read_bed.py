"""Genes from a BED file: one gene per line.

BED: https://samtools.github.io/hts-specs/BEDv1.pdf
"""

from collections.abc import Sequence

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_text, readable
from wakawaka.core.messages import Warnings
from wakawaka.core.tables import numbered_lines
from wakawaka.genome.gene_ids import plain_id
from wakawaka.sources.genes.annotation import is_browser_line, parse_interval
from wakawaka.sources.parsed import write_genes


def read_bed(path: PathLike, parsed: PathLike) -> None:
    """Write the parsed genes of a BED file: chromosome, start, end, gene id and, where there are six columns, strand.

    BED counts from 0, and the end is the base after the last one. So the 0-based TSS is the start on the plus (or unknown) strand and
    end - 1 on the minus strand. Columns after the sixth are ignored; `track`, `browser` and `#` lines are skipped.

    Raises:
        InputError: fewer than four columns, another number of columns than in earlier lines, a start and end that are no positions,
            an invalid strand, a gene without an id, two differing lines of one gene, or no genes at all.
    """
    rows: list[tuple[str, str, int, str]] = []
    first: tuple[int, int] | None = None
    with readable(path), open_text(path) as file:
        for number, line in numbered_lines(path, file):
            if line.isspace() or line.startswith("#") or is_browser_line(line.lstrip()):
                continue
            # Spaces may separate the columns too. In a line with tabs, they belong to the genes' names.
            fields = line.rstrip("\n").split("\t") if "\t" in line else line.split()
            first = first or (number, len(fields))
            rows.append(_gene(path, number, fields, first))
    if not rows:
        raise InputError(f"{path}: there are no genes in this file; check that this is the right one.")
    gene_id, chrom, tss, strand = (np.array(column) for column in zip(*rows, strict=True))
    group = np.full(len(rows), "")
    write_genes(parsed, path, Warnings(), gene_id=gene_id, chrom=chrom, tss=tss, strand=strand, group=group)


def _gene(path: PathLike, number: int, fields: Sequence[str], first: tuple[int, int]) -> tuple[str, str, int, str]:
    """Return (gene id, chromosome, 0-based TSS, strand) of a line; `first` is (line number, number of columns) of the first one."""
    where = f"{path}, line {number}"
    if len(fields) < 4:
        raise InputError(
            f"{where}: {len(fields)} columns, but at least 4 are needed, with the gene's id in the fourth and, for the "
            "direction of transcription, its strand in the sixth."
        )
    if len(fields) != first[1]:
        raise InputError(
            f"{where}: {len(fields)} columns where line {first[0]} has {first[1]}; the file may be damaged."
        )
    chrom, gene_id = fields[0].strip(), fields[3]
    strand = fields[5] if len(fields) > 5 else "."
    if not chrom or gene_id in ("", "."):
        raise InputError(f"{where}: the chromosome or the gene's id (fourth column) is empty; give every gene its id.")
    start, end = parse_interval(where, fields[1], fields[2], 0)
    if strand not in ("+", "-", "."):
        raise InputError(f"{where}: the strand is {strand!r}, but it must be + or - (or . if it is not known).")
    return plain_id(gene_id), chrom, end - 1 if strand == "-" else start, strand

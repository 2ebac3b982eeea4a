"""Genes from a GTF file: one transcription start site per `gene` line."""

import re

import numpy as np

from .errors import InputError
from .files import open_text, readable
from .gene_ids import plain_id
from .parts import Warnings, write_genes

_GENE_ID = re.compile(r'(?:^|[;\s])gene_id "?([^";]+)"?')


def read_gtf(path, part):
    """Write the genes part of a GTF.

    The TSS is the first base of the gene: its start on the plus strand, its end on the minus strand (GTF counts from 1
    and includes both ends). A gene of unknown strand is taken as on the plus strand, and counted.

    Raises:
        InputError: a line without nine fields, a start that is no number or after the end, a gene without `gene_id`,
            a gene at two places, or no `gene` line at all.
    """
    with readable(path), open_text(path) as file:
        lines = ((number, line) for number, line in enumerate(file, start=1) if "\tgene\t" in line and line[0] != "#")
        genes = [_gene(path, number, line) for number, line in lines if line.split("\t", 3)[2] == "gene"]
    if not genes:
        raise InputError(
            f"{path}: there is no `gene` line in this GTF (third column); use an annotation that has them, such as GENCODE's or Ensembl's."
        )
    gene_id, chrom, tss, strand = (np.array(column) for column in zip(*genes, strict=True))
    group = np.full(len(genes), "")
    write_genes(part, path, Warnings(), gene_id=gene_id, chrom=chrom, tss=tss, strand=strand, group=group)


def _gene(path, number, line):
    """Return (gene id, chromosome, 0-based TSS, strand) of a `gene` line."""
    fields = line.rstrip("\r\n").split("\t")
    if len(fields) != 9:
        raise InputError(
            f"{path}, line {number}: {len(fields)} tab-separated fields where a GTF has 9; the file may be damaged."
        )
    chrom, start, end, strand = fields[0], fields[3], fields[4], fields[6]
    match = _GENE_ID.search(fields[8])
    if match is None:
        raise InputError(
            f'{path}, line {number}: the attributes hold no gene_id "..."; is this a GFF3? Convert it to GTF.'
        )
    if not (start.isdecimal() and end.isdecimal() and 1 <= int(start) <= int(end)):
        raise InputError(
            f"{path}, line {number}: start {start!r} and end {end!r} are not two whole numbers in ascending order."
        )
    if strand not in ("+", "-", "."):
        raise InputError(
            f"{path}, line {number}: the strand is {strand!r}, but it must be + or - (or . if it is not known)."
        )
    return plain_id(match[1]), chrom, (int(end) if strand == "-" else int(start)) - 1, strand

"""Genes from Roadmap's gene table, Ensembl_v65.Gencode_v10.ENSG.gene_info."""

from collections.abc import Sequence

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_text, readable
from wakawaka.core.messages import Warnings
from wakawaka.core.tables import numbered_lines
from wakawaka.genome.gene_ids import plain_id
from wakawaka.sources.genes.annotation import parse_interval, select_biotypes
from wakawaka.sources.parsed import write_genes

_STRANDS = {"1": "+", "+1": "+", "+": "+", "-1": "-", "-": "-", "0": ".", ".": "."}


def read_gene_info(path: PathLike, parsed: PathLike, *, biotypes: Sequence[str] | None) -> None:
    """Write the parsed genes of a gene_info file.

    The file is tab-separated without a header: gene id, chromosome (without `chr`), start, end, strand (1 or -1), biotype, symbol,
    description; the last two may be missing. Positions count from 1, and the end is included. So the 0-based TSS is start - 1 on the
    plus strand and end - 1 on the minus strand.

    Args:
        biotypes: those to keep, None for all.

    Raises:
        InputError: a line with fewer than six fields or without an id or chromosome, a start and end that are no positions, an invalid
            strand, two differing lines of one gene, no gene of a biotype, or no genes at all.
    """
    with readable(path), open_text(path) as file:
        rows = [_gene(path, number, line) for number, line in numbered_lines(path, file) if not line.isspace()]
    if not rows:
        raise InputError(f"{path}: the file is empty; check that this is the right one.")
    gene_id, chrom, tss, strand, biotype = (np.array(column) for column in zip(*rows, strict=True))
    warnings = Warnings()
    keep = select_biotypes(path, gene_id, biotype, biotypes, warnings)
    columns = {"gene_id": gene_id, "chrom": chrom, "tss": tss, "strand": strand, "group": np.full(len(rows), "")}
    write_genes(parsed, path, warnings, **{name: column[keep] for name, column in columns.items()})


def _gene(path: PathLike, number: int, line: str) -> tuple[str, str, int, str, str]:
    """Return (gene id, chromosome, 0-based TSS, strand, biotype) of a line."""
    where = f"{path}, line {number}"
    fields = line.rstrip("\n").split("\t")
    if len(fields) < 6:
        raise InputError(
            f"{where}: {len(fields)} tab-separated fields where a gene_info file has at least 6 "
            "(gene id, chromosome, start, end, strand, biotype); the file may be damaged or of another format."
        )
    gene_id, chrom, start, end, strand, biotype = fields[:6]
    chrom = chrom.strip()
    if not (gene_id and chrom):
        raise InputError(f"{where}: the gene id or the chromosome is empty; the file may be damaged.")
    first, last = parse_interval(where, start, end, 1)
    if strand not in _STRANDS:
        raise InputError(f"{where}: the strand is {strand!r}, but it must be 1 or -1 (or 0 if it is not known).")
    strand = _STRANDS[strand]
    return plain_id(gene_id), chrom, (last if strand == "-" else first) - 1, strand, biotype

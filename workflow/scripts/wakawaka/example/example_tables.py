"""Annotation, sequence and quantified genes of the built-in example's first chromosome."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, atomic, write_table

# A second transcript starts this fraction of a window (1 / 20) from the first.
SHIFT = 20


def write_genes(table: pd.DataFrame, chromosome: str, length: int, window: int, path: PathLike) -> None:
    """Write the genes as GFF3 with the transcripts of `_transcripts`, gzip-compressed.

    Every transcript has two exons. The canonical transcript starts at the TSS of the gene in the example.

    Args:
        table: gene_id, tss (0-based), start, end and strand of the genes.
        chromosome: name of their chromosome.
        length: length of the chromosome in bp.
        window: length of the windows in bp.
        path: output path.
    """
    lines = ["##gff-version 3", f"##sequence-region {chromosome} 1 {length}"]
    genes: list[Any] = list(table.itertuples())
    for number, gene in enumerate(genes):
        transcripts = _transcripts(number, gene.end - gene.start, window // SHIFT)
        begins, ends, _ = zip(*transcripts, strict=True)
        name = gene.gene_id.removeprefix("GENE")
        about = f"Name=EXAMPLE{name};biotype=protein_coding"
        features = [("gene", min(begins), max(ends), f"ID=gene:{gene.gene_id};{about};gene_id={gene.gene_id}")]
        for rank, (begin, end, tag) in enumerate(transcripts, start=1):
            ident = f"TRANSCRIPT{name}-{rank}"
            of_gene = f"ID=transcript:{ident};Parent=gene:{gene.gene_id};{about};tag={tag};transcript_id={ident}"
            third = (end - begin) // 3
            features.append(("mRNA", begin, end, of_gene))
            features.append(("exon", begin, begin + third, f"Parent=transcript:{ident};rank=1"))
            features.append(("exon", end - third, end, f"Parent=transcript:{ident};rank=2"))
        for feature, begin, end, attributes in features:
            # From half-open positions downstream of the TSS to 1-based inclusive ones on the chromosome.
            first, last = (begin + 1, end) if gene.strand == "+" else (2 - end, 1 - begin)
            place = f"{gene.tss + first}\t{gene.tss + last}"
            lines.append(f"{chromosome}\texample\t{feature}\t{place}\t.\t{gene.strand}\t.\t{attributes}")
    write_gzip("".join(f"{line}\n" for line in lines), path)


def _transcripts(number: int, body: int, shift: int) -> list[tuple[int, int, str]]:
    """Return (begin, end, tag) of the transcripts of a gene, in bp downstream of its TSS.

    One in three genes has the canonical transcript only. One has another, longer transcript that starts `shift` bp upstream, and one
    has a longer transcript that starts downstream. The three ways to choose a TSS therefore differ.
    """
    others: tuple[list[tuple[int, int, str]], ...] = (
        [],
        [(-shift, body, "basic")],
        [(shift, body + 2 * shift, "basic")],
    )
    return [*others[number % 3], (0, body, "basic,Ensembl_canonical")]


def write_sequence(genome: PathLike, path: PathLike) -> None:
    """Write the first record of a FASTA file, gzip-compressed."""
    write_gzip(">" + Path(genome).read_text(encoding="ascii").split(">")[1], path)


def write_quantification(table: pd.DataFrame, expression: np.ndarray, path: PathLike) -> None:
    """Write 2^expression [gene] as the TPM of a gene table in the format of Salmon's quant.genes.sf."""
    tpm = 2.0**expression
    # Salmon subtracts the places where no fragment of the mean length can start.
    length = table["end"] - table["start"]
    effective = np.maximum(length - 200, 1)
    columns = {
        "Name": table["gene_id"],
        "Length": length,
        "EffectiveLength": effective,
        "TPM": [f"{value:.6g}" for value in tpm],
        # One read per kb and TPM.
        "NumReads": [f"{value:.3f}" for value in tpm * effective / 1000],
    }
    write_table(pd.DataFrame(columns), path)


def write_gzip(text: str, path: PathLike) -> None:
    """Write a text gzip-compressed, without the time and name that would make equal files differ."""
    with atomic(path) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), compresslevel=4, mtime=0))

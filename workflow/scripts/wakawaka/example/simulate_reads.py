"""The raw reads of the built-in example: alignments, tracks and tables that give its counts after counting.

Only the genes of the example's first chromosome are used. Their windows do not overlap, so each read is in one bin of one gene. One
window runs over the start of the chromosome.
"""

import csv
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, atomic, read_table
from wakawaka.example.example_reads import Bins, writer_of
from wakawaka.example.example_tables import write_genes, write_quantification, write_sequence
from wakawaka.example.files import ExampleFiles, ReadFiles
from wakawaka.genome.windows import window_starts

log = logging.getLogger(__name__)


def simulate_reads(example: ExampleFiles, raw: ReadFiles, *, window: int, bins: int, seed: int) -> None:
    """Write raw files for the first chromosome of the built-in example; equal arguments give byte-equal files.

    Args:
        example: paths of what `simulate_example` writes.
        raw: output paths.
        window: length of the windows in bp.
        bins: number of bins in a window of the count files.
        seed: seed of the places and strands of the reads.

    Raises:
        InputError: if a path of the reads has an unknown suffix, or its cell or mark has no simulated counts.
    """
    writers = [writer_of(path) for _, _, path in raw.reads]
    letters = read_genome(example.genome)
    chromosome = next(iter(letters))
    table = read_genes(example.annotation, chromosome)
    places = place_bins(table, len(letters[chromosome]), window, bins)
    # One stream of random numbers for each file, so that a change of one file does not change the others.
    streams = np.random.default_rng(seed).spawn(len(raw.reads))
    for (cell, mark, path), write, rng in zip(raw.reads, writers, streams, strict=True):
        if cell not in example.counts:
            cells = ", ".join(example.counts)
            raise InputError(f"{path}: no counts are simulated for the cell {cell}; name one of {cells}.")
        values = read_counts(example.counts[cell], mark, table["gene_id"], path)
        write(path, rng, values, places, letters)
        log.info("%s: %d counts", path, values.sum())

    write_genes(table, chromosome, len(letters[chromosome]), window, raw.genes)
    write_sequence(example.genome, raw.sequence)
    expression = read_table(example.expression).set_index("gene_id").loc[table["gene_id"]]
    for cell, path in raw.quantifications.items():
        write_quantification(table, expression[cell].to_numpy(), path)
    here = set(table["gene_id"])
    held_out = [gene for gene in Path(example.held_out_genes).read_text(encoding="utf-8").split() if gene in here]
    with atomic(raw.held_out) as temporary:
        temporary.write_text("".join(f"{gene}\n" for gene in held_out), encoding="utf-8")


def read_genome(path: PathLike) -> dict[str, str]:
    """Return the letters of every chromosome of a FASTA by its name."""
    _, *records = Path(path).read_text(encoding="ascii").split(">")
    split = (record.split("\n", 1) for record in records)
    return {name: letters.replace("\n", "") for name, letters in split}


def read_genes(path: PathLike, chromosome: str) -> pd.DataFrame:
    """Return the genes of a chromosome in the order of their TSS: gene_id, start (0-based), end, strand, tss (0-based)."""
    names = ["chrom", "source", "feature", "start", "end", "score", "strand", "phase", "attributes"]
    lines = pd.read_csv(path, sep="\t", names=names, comment="#", quoting=csv.QUOTE_NONE)
    table = lines[(lines["chrom"] == chromosome) & (lines["feature"] == "gene")].sort_values("start", ignore_index=True)
    table["gene_id"] = table["attributes"].str.extract('gene_id "([^"]+)"', expand=False)
    table["start"] -= 1
    table["tss"] = np.where(table["strand"] == "-", table["end"] - 1, table["start"])
    # Convergent genes start in another order than their windows.
    return table.sort_values("tss", ignore_index=True)[["gene_id", "start", "end", "strand", "tss"]]


def place_bins(table: pd.DataFrame, length: int, window: int, bins: int) -> Bins:
    """Return the `Bins` of all genes on a chromosome of `length` bp, in the order of the genes."""
    size = window // bins
    first = window_starts(table["tss"].to_numpy(), table["strand"].to_numpy(), window, strand_aware=True)
    start = (first[:, np.newaxis] + size * np.arange(bins)).ravel()
    return Bins(np.clip(start, 0, length), np.clip(start + size, 0, length), size)


def read_counts(path: PathLike, mark: str, gene_id: pd.Series, file: PathLike) -> np.ndarray:
    """Return the counts of a mark [bin], gene after gene.

    Raises:
        InputError: if the table has no such mark; it names `file`, which needs the counts.
    """
    table = read_table(path)
    if mark not in table:
        marks = ", ".join(table.columns.drop(["gene_id", "bin"]))
        raise InputError(f"{file}: no counts are simulated for the mark {mark}; name one of {marks}.")
    return table.pivot(index="gene_id", columns="bin", values=mark).loc[gene_id].to_numpy().ravel()

"""The histone counts of the built-in example, from the activity and the repression of genes."""

import gzip
from collections.abc import Sequence

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, atomic
from wakawaka.example.example_genome import PAIR_BINS

MARKS = ("H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3")
# The share of the variance of A and of R that belongs to the gene and is equal in all its cells.
GENE_SHARE = 0.36
# The expected count of a bin without a planted signal.
BACKGROUND = 1.5
# `profiles` in words.
LOG_RATE = {
    "H3K4me3": "(A + 1) x a bump at bin 50 (sd 4)",
    "H3K27me3": "R x a bump at bin 50 (sd 15)",
    "H3K36me3": "0.8 A downstream of bin 55",
    "H3K4me1": "0.5 A x bumps at bins 40 and 60 (sd 5)",
    "H3K9me3": "nothing",
}


def draw_activity(rng: np.random.Generator, cells: int, genes: int) -> np.ndarray:
    """Return A or R [cell, gene]: standard normal, with `GENE_SHARE` of the variance shared by all cells of a gene."""
    return np.sqrt(GENE_SHARE) * rng.standard_normal(genes) + np.sqrt(1 - GENE_SHARE) * rng.standard_normal(
        (cells, genes)
    )


def share_in_pair(values: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Copy the values [cell, gene] of the first gene of the bidirectional pair to the second gene, and return the array."""
    left, right = np.flatnonzero(table["pair"])
    values[:, right] = values[:, left]
    return values


def profiles(marks: Sequence[str], bins: int) -> np.ndarray:
    """Return the numbers of `LOG_RATE` [3, bin, mark], from upstream to downstream: the constant, per A, and per R.

    Bins count from 0, and the TSS is at the start of bin 50; other numbers of bins are scaled to 100. The places are those of real
    marks: H3K4me3 at active promoters, H3K4me1 at their flanks, H3K36me3 over transcribed gene bodies, H3K27me3 broadly over
    repressed promoters (Roadmap Epigenomics Consortium, Nature 2015, 518:317).
    """
    at = np.arange(bins) * 100 / bins

    def bump(centre: float, sd: float) -> np.ndarray:
        return np.exp(-0.5 * ((at - centre) / sd) ** 2)

    column = {mark: index for index, mark in enumerate(marks)}
    constant, per_a, per_r = planted = np.zeros((3, bins, len(marks)))
    constant[:, column["H3K4me3"]] = bump(50, 4)
    per_a[:, column["H3K4me3"]] = bump(50, 4)
    per_a[:, column["H3K36me3"]] = 0.8 * (at > 55)
    per_a[:, column["H3K4me1"]] = 0.5 * (bump(40, 5) + bump(60, 5))
    per_r[:, column["H3K27me3"]] = bump(50, 15)
    return planted


def draw_counts(
    rng: np.random.Generator,
    a: np.ndarray,
    r: np.ndarray,
    table: pd.DataFrame,
    *,
    marks: Sequence[str],
    window: int,
    bins: int,
    background: float,
) -> np.ndarray:
    """Return the counts [gene, bin, mark] of one cell, with bins in genomic order on both strands.

    Args:
        rng: random numbers.
        a, r: [gene], activity and repression in the cell.
        table: table of `place_genes`.
        marks: names of the marks.
        window: length of the windows in bp.
        bins: number of bins in a window.
        background: expected count of a bin without a planted signal.
    """
    planted = profiles(marks, bins)
    flipped = planted[:, ::-1]
    strand = table["strand"].to_numpy()
    by_strand = np.where((strand == "+")[:, np.newaxis, np.newaxis, np.newaxis], planted, flipped)
    log_rate = (
        by_strand[:, 0]
        + a[:, np.newaxis, np.newaxis] * by_strand[:, 1]
        + r[:, np.newaxis, np.newaxis] * by_strand[:, 2]
    )
    inside = inside_chromosome(table, window, bins)[:, :, np.newaxis]
    counts = rng.poisson(background * np.exp(log_rate) * inside)

    # The windows of the pair overlap, so its reads are drawn once, from the higher of the two profiles in every bin. Each gene has
    # its window of them.
    left, right = np.flatnonzero(table["pair"])
    locus = np.zeros((3, bins + PAIR_BINS, len(marks)))
    locus[:, :bins] = flipped
    locus[:, PAIR_BINS:] = np.maximum(locus[:, PAIR_BINS:], planted)
    reads = rng.poisson(background * np.exp(locus[0] + a[left] * locus[1] + r[left] * locus[2]))
    counts[left], counts[right] = reads[:bins], reads[PAIR_BINS:]
    return counts


def inside_chromosome(table: pd.DataFrame, window: int, bins: int) -> np.ndarray:
    """Return the fraction [gene, bin] of every bin that is on the chromosome; bins are in genomic order."""
    first = table["tss"] - window // 2 + (table["strand"] == "-")
    size = window // bins
    start = first.to_numpy()[:, np.newaxis] + size * np.arange(bins)
    length = table["length"].to_numpy()[:, np.newaxis]
    return np.clip(np.minimum(start + size, length) - np.maximum(start, 0), 0, None) / size


def write_counts(counts: np.ndarray, table: pd.DataFrame, marks: Sequence[str], path: PathLike) -> None:
    """Write the counts [gene, bin, mark] of one cell as a gzip-compressed table."""
    genes, bins, _ = counts.shape
    lines = pd.DataFrame(counts.reshape(genes * bins, -1), columns=list(marks))
    lines.insert(0, "bin", np.tile(np.arange(1, bins + 1), genes))
    lines.insert(0, "gene_id", np.repeat(table["gene_id"].to_numpy(), bins))
    # pandas would write the time and the temporary name into the file.
    text = lines.to_csv(sep="\t", index=False, lineterminator="\n").encode()
    with atomic(path) as temporary:
        temporary.write_bytes(gzip.compress(text, compresslevel=4, mtime=0))

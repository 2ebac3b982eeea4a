"""The genome of the built-in example: genes on chromosomes, their sequence, and the files of both."""

from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, atomic

# The share of genes that carry the motif, and the distance of its copies from the TSS (bp).
MOTIF_SHARE = 0.5
MOTIF_REACH = 400
MOTIF_LENGTH = 10
CHROMOSOMES = 4
# The distance of the first and the last TSS from the end of their chromosome, in tenths of a window: less than half a window.
EDGE = 3
# Bins between the TSS of the bidirectional pair, and one more base (see `place_genes`).
PAIR_BINS = 3
FASTA_LINE = 60
COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")


def place_genes(rng: np.random.Generator, genes: int, held_out: int, window: int, bins: int) -> pd.DataFrame:
    """Return a table of genes placed on chromosomes, one row per gene in genomic order.

    Columns: gene_id; chromosome (0, 1, ...); tss (0-based); strand ("+", "-"); body (bp downstream of the TSS, within the
    chromosome); length (of the chromosome, bp); pair, over_end, motif, held_out (bool).

    Windows do not overlap, except for the bidirectional pair, the first two genes of the second chromosome. Their TSS are `PAIR_BINS`
    bins and one base apart. A window on the minus strand starts one base further to the right, so the bins of the two coincide. The
    first and the last window of the genome run over the end of their chromosome.

    This function is long because its random draws have a fixed order.

    Args:
        rng: random numbers.
        genes: number of genes.
        held_out: number of held-out genes.
        window: length of the windows in bp.
        bins: number of bins in a window.
    """
    chromosome = np.arange(genes) * CHROMOSOMES // genes
    first = np.searchsorted(chromosome, np.arange(CHROMOSOMES))
    pair = first[1] + np.array([0, 1])
    gap = rng.integers(window * 105 // 100, window * 120 // 100, size=genes)
    gap[0] = window * EDGE // 10
    gap[pair[1]] = PAIR_BINS * (window // bins) + 1
    end = np.cumsum(gap)
    tss = end - (end - gap)[first][chromosome]
    length = tss[np.append(first[1:], genes) - 1] + window * 11 // 10
    length[-1] = tss[-1] + window * EDGE // 10
    strand = rng.choice(["+", "-"], size=genes)
    # Over the start on minus, over the end on plus, so that padding on the wrong side of a flipped window is detected.
    strand[[0, -1]] = "-", "+"
    strand[pair] = "-", "+"

    # Less than half of the smallest gap between two TSS, so that convergent genes do not overlap.
    body = rng.integers(window * 50 // 100, window * 52 // 100, size=genes)
    body = np.minimum(body, np.where(strand == "+", length[chromosome] - tss, tss + 1))
    table = pd.DataFrame(
        {"chromosome": chromosome, "tss": tss, "strand": strand, "body": body, "length": length[chromosome]}
    )
    # Ids are not in genomic order, as in real data, so that a join by position fails on the example.
    table.insert(0, "gene_id", [f"GENE{number + 1:04d}" for number in rng.permutation(genes)])
    row = np.arange(genes)
    table["pair"] = np.isin(row, pair)
    table["over_end"] = np.isin(row, [0, genes - 1])
    # The pair shares its sequence, so it has no motif. It must not be split, so both genes are training genes.
    alone = np.setdiff1d(row, pair)
    table["motif"] = np.isin(row, rng.choice(alone, size=int(MOTIF_SHARE * genes), replace=False))
    table["held_out"] = np.isin(row, rng.choice(alone, size=held_out, replace=False))
    return table


def draw_motif(rng: np.random.Generator) -> bytes:
    """Return a random 10-mer. Its numbers of A and T differ, so it is not its own reverse complement."""
    return bytes(rng.permutation(list(b"AAACCCGGGT")).tolist())


def draw_genome(rng: np.random.Generator, table: pd.DataFrame, motif: bytes, copies: int, window: int) -> np.ndarray:
    """Return the concatenated chromosomes as ASCII letters (uint8).

    They have random bases, copies of the motif, soft-masked (lower-case) stretches, and runs of N outside the copies.
    """
    lengths = chromosome_lengths(table)
    tss = (np.cumsum(lengths) - lengths)[table["chromosome"]] + table["tss"].to_numpy()
    # 40% GC, about that of the human genome.
    alphabet = np.frombuffer(b"AAACCGGTTT", dtype=np.uint8)
    genome = alphabet[rng.integers(len(alphabet), size=lengths.sum(), dtype=np.uint8)]

    carrier = table["motif"].to_numpy()
    _plant(rng, genome, tss[carrier], table["strand"].to_numpy()[carrier], motif, copies)
    for start in rng.integers(len(genome), size=len(table)):
        genome[start : start + 300] |= 0x20  # ASCII lower case
    # A quarter of a window to the right: inside the gene's window, away from the motif copies of all genes.
    for row in rng.choice(len(table), size=max(2, len(table) // 40), replace=False):
        start = tss[row] + window // 4
        genome[start : start + rng.integers(window // 200, window // 10)] = ord("N")
    return genome


def _plant(
    rng: np.random.Generator, genome: np.ndarray, tss: np.ndarray, strand: np.ndarray, motif: bytes, copies: int
) -> None:
    """Write copies of the motif around every TSS into `genome`, without overlap and on the gene's strand."""
    length = len(motif)
    # Distinct places on a line where each copy is one base long. Adding the other bases again separates the copies.
    places = 2 * MOTIF_REACH - copies * (length - 1)
    chosen = np.sort(rng.random((len(tss), places)).argsort(axis=1)[:, :copies], axis=1)
    start = chosen + np.arange(copies) * (length - 1) - MOTIF_REACH
    downstream = start[:, :, np.newaxis] + np.arange(length)
    plus = (strand == "+")[:, np.newaxis, np.newaxis]
    position = tss[:, np.newaxis, np.newaxis] + np.where(plus, downstream, -downstream)
    forward, complement = (np.frombuffer(text, dtype=np.uint8) for text in (motif, motif.translate(COMPLEMENT)))
    genome[position] = np.where(plus, forward, complement)


def chromosome_lengths(table: pd.DataFrame) -> np.ndarray:
    """Return the length of every chromosome in bp."""
    return table.groupby("chromosome")["length"].first().to_numpy()


def write_genome(genome: np.ndarray, table: pd.DataFrame, path: PathLike) -> None:
    """Write the letters of all chromosomes as FASTA."""
    with atomic(path) as temporary, open(temporary, "wb") as file:
        for number, letters in enumerate(np.split(genome, np.cumsum(chromosome_lengths(table))[:-1]), start=1):
            file.write(f">chr{number}\n".encode())
            whole = len(letters) // FASTA_LINE * FASTA_LINE
            lines = np.full((whole // FASTA_LINE, FASTA_LINE + 1), ord("\n"), dtype=np.uint8)
            lines[:, :-1] = letters[:whole].reshape(-1, FASTA_LINE)
            file.write(lines.tobytes())
            if whole < len(letters):
                file.write(letters[whole:].tobytes() + b"\n")


def write_annotation(table: pd.DataFrame, path: PathLike) -> None:
    """Write the genes as GTF, each with one transcript of two exons."""
    with atomic(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("#!genome-build built-in example\n")
        genes: list[Any] = list(table.itertuples())
        for gene in genes:
            name = gene.gene_id.removeprefix("GENE")
            of_gene = f'gene_id "{gene.gene_id}"; gene_name "EXAMPLE{name}"; gene_biotype "protein_coding";'
            of_transcript = f'{of_gene} transcript_id "TRANSCRIPT{name}";'
            third = gene.body // 3
            features = [("gene", 0, gene.body, of_gene), ("transcript", 0, gene.body, of_transcript)]
            features.append(("exon", 0, third, f'{of_transcript} exon_number "1";'))
            features.append(("exon", gene.body - third, gene.body, f'{of_transcript} exon_number "2";'))
            for feature, begin, end, attributes in features:
                # From half-open positions downstream of the TSS to 1-based inclusive ones on the chromosome.
                ends = (begin + 1, end) if gene.strand == "+" else (2 - end, 1 - begin)
                place = f"{gene.tss + ends[0]}\t{gene.tss + ends[1]}"
                line = f"chr{gene.chromosome + 1}\texample\t{feature}\t{place}\t.\t{gene.strand}\t.\t{attributes}"
                file.write(line + "\n")

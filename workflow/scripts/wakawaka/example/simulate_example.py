"""The built-in example: raw files as a user would have them, simulated with a known truth.

Every gene has, in every cell, an activity A and a repression R. They shape the histone counts and, together with a
DNA motif, the expression; so a model that reads counts and sequence can be held against what there was to find.
"""

import gzip
import json
import logging

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import atomic, write_table
from wakawaka.splits.regimes import BOTH_UNSEEN, UNSEEN_CELL, UNSEEN_GENE

log = logging.getLogger(__name__)

MARKS = ("H3K27me3", "H3K36me3", "H3K4me1", "H3K4me3", "H3K9me3")
# Expression: slopes of A, R, A x R and the motif, then standard deviations.
ACTIVITY, REPRESSION, INTERACTION, MOTIF = 1.2, -0.8, -0.5, 2.0
GENE_EFFECT_SD, NOISE_SD = 0.4, 0.5
# The share of the variance of A and of R that belongs to the gene and is the same in all its cells.
GENE_SHARE = 0.36
BACKGROUND = 1.5
LOG_RATE = {
    "H3K4me3": "(A + 1) x a bump at bin 50 (sd 4)",
    "H3K27me3": "R x a bump at bin 50 (sd 15)",
    "H3K36me3": "0.8 A downstream of bin 55",
    "H3K4me1": "0.5 A x bumps at bins 40 and 60 (sd 5)",
    "H3K9me3": "nothing",
}
MOTIF_SHARE = 0.5
MOTIF_REACH = 400
MOTIF_LENGTH = 10
CHROMOSOMES = 4
# The TSS of two windows, in tenths of a window from the end of their chromosome: less than half a window.
EDGE = 3
# Whole bins between the TSS of the bidirectional pair, and one base more (see `place_genes`).
PAIR_BINS = 3
FEWEST_GENES = 2 * CHROMOSOMES
SMALLEST_WINDOW = 2000
FASTA_LINE = 60
COMPLEMENT = bytes.maketrans(b"ACGT", b"TGCA")


def simulate_example(
    genome,
    annotation,
    counts,
    expression,
    held_out_genes,
    truth,
    *,
    seed,
    cells,
    held_out_cells,
    genes,
    held_out,
    effect,
    motif_copies,
    depth,
    marks,
    window,
    bins,
):
    """Write the raw files of the built-in example; equal arguments give byte-equal files.

    `genome` (FASTA), `annotation` (GTF), `expression` (table, gene x cell), `held_out_genes` (one id per line) and
    `truth` (JSON) are paths to write; `counts` is one path per cell, in the order of `cells` and then `held_out_cells`.
    There are `genes` genes, `held_out` of them held out. `effect` multiplies all that is planted in the expression: at
    0 nothing but the gene effect and noise is left of it, while counts and motif stay as they are. `motif_copies` are planted in
    every gene that carries the motif; `depth` multiplies the expected number of reads of every bin. `marks` names the
    columns of the count files; marks other than the five have background counts only. `window` is in bp and has `bins`
    bins, which the count files list in genomic order on both strands.

    Raises `InputError` when the sizes or the marks cannot make an example.
    """
    check(cells, held_out_cells, genes, held_out, motif_copies, marks, window, bins)
    names = [*cells, *held_out_cells]
    # One stream per part: what is drawn for one file never shifts what is drawn for another.
    layout, bases, activity, reads, noise = np.random.default_rng(seed).spawn(5)

    table = place_genes(layout, genes, held_out, window, bins)
    motif = draw_motif(layout)
    write_genome(draw_genome(bases, table, motif, motif_copies, window), table, genome)
    write_annotation(table, annotation)

    a = share_in_pair(draw_activity(activity, len(names), genes), table)
    r = share_in_pair(draw_activity(activity, len(names), genes), table)
    for path, a_cell, r_cell in zip(counts, a, r, strict=True):
        write_counts(
            draw_counts(reads, a_cell, r_cell, table, marks, window, bins, BACKGROUND * depth), table, marks, path
        )
    y = draw_expression(noise, a, r, table["motif"].to_numpy(), effect)
    write_expression(y, table, names, expression)

    with atomic(held_out_genes) as temporary:
        temporary.write_text("".join(f"{gene}\n" for gene in ids(table, "held_out")), encoding="utf-8")
    facts = describe(table, motif, motif_copies, BACKGROUND * depth, seed, effect, cells, held_out_cells)
    with atomic(truth) as temporary:
        temporary.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    log.info(
        "Simulated %d genes (%d held out) in %d cells (%d held out).", genes, held_out, len(names), len(held_out_cells)
    )


def check(cells, held_out_cells, genes, held_out, motif_copies, marks, window, bins):
    """Raise `InputError` if the arguments of `simulate_example` cannot make an example."""
    missing = [mark for mark in MARKS if mark not in marks]
    if missing:
        raise InputError(
            f"The built-in example plants its signals in {', '.join(MARKS)}, "
            f"but `histone.marks` lacks {', '.join(missing)}; add what is missing."
        )
    names = [*cells, *held_out_cells]
    if not cells or len(set(names)) < len(names):
        raise InputError(
            "The built-in example needs at least one training cell and every cell once, "
            f"but its training cells are {list(cells)} and its held-out cells {list(held_out_cells)}."
        )
    if genes < FEWEST_GENES:
        raise InputError(
            f"The built-in example needs at least {FEWEST_GENES} genes, but `example.genes` is {genes}; make it larger."
        )
    if not 0 <= held_out <= genes - 2:
        raise InputError(
            f"The built-in example has {genes} genes, of which two (a bidirectional pair) must stay for training, "
            f"but `example.held_out_genes` is {held_out}; set it to a number from 0 to {genes - 2}."
        )
    if motif_copies * MOTIF_LENGTH > 2 * MOTIF_REACH:
        raise InputError(
            f"The built-in example plants the motif within {MOTIF_REACH} bp of the TSS, where {motif_copies} copies do not fit: "
            f"set `example.motif_copies` to {2 * MOTIF_REACH // MOTIF_LENGTH} or less."
        )
    if window < SMALLEST_WINDOW or window % 2 or window % bins:
        raise InputError(
            f"The built-in example needs an even `window` of at least {SMALLEST_WINDOW} bp that is a multiple "
            f"of `bins`, but they are {window} and {bins}."
        )


def place_genes(rng, genes, held_out, window, bins):
    """Place genes on chromosomes; return a table with one row per gene, in genomic order.

    Columns: gene_id; chromosome (0, 1, ...); tss (0-based); strand ("+", "-"); body (bp from the TSS on, at most to
    the chromosome's end); length (of the chromosome); pair, over_end, motif, held_out (true or false). Windows do not
    overlap, but for the divergent bidirectional pair: the first two genes of the second chromosome. Their TSS are
    `PAIR_BINS` bins and one base apart; as a window lies one base further to the right on the minus strand, the bins of
    the two coincide. The first and the last window of the genome run over their chromosome's end.
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
    # Over the start on minus, over the end on plus: padding on the wrong side of a flipped window shows.
    strand[[0, -1]] = "-", "+"
    strand[pair] = "-", "+"

    # Less than half of the smallest gap between two TSS, so that convergent genes do not run into each other.
    body = rng.integers(window * 50 // 100, window * 52 // 100, size=genes)
    body = np.minimum(body, np.where(strand == "+", length[chromosome] - tss, tss + 1))
    table = pd.DataFrame(
        {"chromosome": chromosome, "tss": tss, "strand": strand, "body": body, "length": length[chromosome]}
    )
    # Identifiers do not follow the genome, as in real life: a pipeline that joins by position fails on the example.
    table.insert(0, "gene_id", [f"GENE{number + 1:04d}" for number in rng.permutation(genes)])
    row = np.arange(genes)
    table["pair"] = np.isin(row, pair)
    table["over_end"] = np.isin(row, [0, genes - 1])
    # The pair shares its sequence, so it has no motif, and it must not be split, so it stays in training.
    alone = np.setdiff1d(row, pair)
    table["motif"] = np.isin(row, rng.choice(alone, size=int(MOTIF_SHARE * genes), replace=False))
    table["held_out"] = np.isin(row, rng.choice(alone, size=held_out, replace=False))
    return table


def draw_motif(rng):
    """Draw a 10-mer (bytes) with unequal numbers of A and T, which therefore is not its own reverse complement."""
    return bytes(rng.permutation(list(b"AAACCCGGGT")).tolist())


def draw_genome(rng, table, motif, copies, window):
    """Draw all chromosomes, end to end, as ASCII letters (uint8).

    Random bases, the motif's copies, soft-masked (lower-case) stretches and runs of N that spare the copies.
    """
    lengths = chromosome_lengths(table)
    tss = (np.cumsum(lengths) - lengths)[table["chromosome"]] + table["tss"].to_numpy()
    # 40% GC, about that of the human genome.
    alphabet = np.frombuffer(b"AAACCGGTTT", dtype=np.uint8)
    genome = alphabet[rng.integers(len(alphabet), size=lengths.sum(), dtype=np.uint8)]

    carrier = table["motif"].to_numpy()
    plant(rng, genome, tss[carrier], table["strand"].to_numpy()[carrier], motif, copies)
    for start in rng.integers(len(genome), size=len(table)):
        genome[start : start + 300] |= 0x20  # ASCII lower case
    # A quarter of a window downstream on the plus strand: inside the gene's window, away from any gene's motif copies.
    for row in rng.choice(len(table), size=max(2, len(table) // 40), replace=False):
        start = tss[row] + window // 4
        genome[start : start + rng.integers(window // 200, window // 10)] = ord("N")
    return genome


def plant(rng, genome, tss, strand, motif, copies):
    """Write `copies` copies of the motif, apart and on the gene's own strand, around every TSS into `genome`."""
    length = len(motif)
    # Distinct places on a line that is shorter by all but one base of every copy; giving those back parts the copies.
    places = 2 * MOTIF_REACH - copies * (length - 1)
    chosen = np.sort(rng.random((len(tss), places)).argsort(axis=1)[:, :copies], axis=1)
    start = chosen + np.arange(copies) * (length - 1) - MOTIF_REACH
    downstream = start[:, :, np.newaxis] + np.arange(length)
    plus = (strand == "+")[:, np.newaxis, np.newaxis]
    position = tss[:, np.newaxis, np.newaxis] + np.where(plus, downstream, -downstream)
    forward, complement = (np.frombuffer(text, dtype=np.uint8) for text in (motif, motif.translate(COMPLEMENT)))
    genome[position] = np.where(plus, forward, complement)


def draw_activity(rng, cells, genes):
    """Draw A or R, [cell, gene]: standard normal, with `GENE_SHARE` of the variance common to all cells of a gene."""
    return np.sqrt(GENE_SHARE) * rng.standard_normal(genes) + np.sqrt(1 - GENE_SHARE) * rng.standard_normal(
        (cells, genes)
    )


def share_in_pair(values, table):
    """Give the second gene of the bidirectional pair the values [cell, gene] of the first; return them."""
    left, right = np.flatnonzero(table["pair"])
    values[:, right] = values[:, left]
    return values


def profiles(marks, bins):
    """Return `LOG_RATE` in numbers [3, bin, mark], from upstream to downstream: the constant, per A, per R.

    Bins count from 0 here, with the TSS at the start of bin 50; other numbers of bins are scaled to 100. The places
    follow what the marks are known for: H3K4me3 at active promoters, H3K4me1 at their flanks, H3K36me3 over transcribed
    gene bodies, H3K27me3 broadly over repressed promoters (Roadmap Epigenomics Consortium, Nature 2015, 518:317).
    """
    at = np.arange(bins) * 100 / bins

    def bump(centre, sd):
        return np.exp(-0.5 * ((at - centre) / sd) ** 2)

    column = {mark: index for index, mark in enumerate(marks)}
    constant, per_a, per_r = planted = np.zeros((3, bins, len(marks)))
    constant[:, column["H3K4me3"]] = bump(50, 4)
    per_a[:, column["H3K4me3"]] = bump(50, 4)
    per_a[:, column["H3K36me3"]] = 0.8 * (at > 55)
    per_a[:, column["H3K4me1"]] = 0.5 * (bump(40, 5) + bump(60, 5))
    per_r[:, column["H3K27me3"]] = bump(50, 15)
    return planted


def draw_counts(rng, a, r, table, marks, window, bins, background):
    """Draw one cell's counts [gene, bin, mark] from A and R [gene]; bins run in genomic order on both strands.

    `background` is the expected count of a bin in which nothing is planted.
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

    # The pair is one place in the genome, so its reads are drawn once, from the larger of the two genes' profiles in
    # every bin, and each gene sees its window of them.
    left, right = np.flatnonzero(table["pair"])
    locus = np.zeros((3, bins + PAIR_BINS, len(marks)))
    locus[:, :bins] = flipped
    locus[:, PAIR_BINS:] = np.maximum(locus[:, PAIR_BINS:], planted)
    reads = rng.poisson(background * np.exp(locus[0] + a[left] * locus[1] + r[left] * locus[2]))
    counts[left], counts[right] = reads[:bins], reads[PAIR_BINS:]
    return counts


def inside_chromosome(table, window, bins):
    """Return the fraction [gene, bin] of every bin that lies on the chromosome; bins in genomic order."""
    first = table["tss"] - window // 2 + (table["strand"] == "-")
    size = window // bins
    start = first.to_numpy()[:, np.newaxis] + size * np.arange(bins)
    length = table["length"].to_numpy()[:, np.newaxis]
    return np.clip(np.minimum(start + size, length) - np.maximum(start, 0), 0, None) / size


def draw_expression(rng, a, r, motif, effect):
    """Draw the expression y [cell, gene] from A and R [cell, gene] and the motif's presence [gene]."""
    planted = ACTIVITY * a + REPRESSION * r + INTERACTION * a * r + MOTIF * motif
    gene_effect = rng.normal(scale=GENE_EFFECT_SD, size=len(motif))
    return effect * planted + gene_effect + rng.normal(scale=NOISE_SD, size=a.shape)


def expected_mse(effect, cells, genes):
    """Return the expected MSE {regime: {predictor: value}}, with `cells` training cells and `genes` training genes.

    With s the gene's share of the variance of A and of R, the covariance of two cells of one gene is s for A, s for R
    and s^2 for A R, while A, R and A R are uncorrelated. So the variance of y within a gene is
        W = effect^2 (1.2^2 (1 - s) + 0.8^2 (1 - s) + 0.5^2 (1 - s^2)) + noise^2
    and that between genes, with p the share of genes that carry the motif,
        B = effect^2 (1.2^2 s + 0.8^2 s + 0.5^2 s^2 + 2.0^2 p (1 - p)) + gene_effect^2.
    The mean of n cells of a gene misses a further cell by W (1 + 1/n). The mean of all training samples, with N genes,
    has the variance B/N + W/(n N) and the covariance B/N with a further cell of one of its genes. An oracle knows A, R,
    the motif and the effect of the genes it has seen.
    """
    squares = ACTIVITY**2, REPRESSION**2, INTERACTION**2
    shares = GENE_SHARE, GENE_SHARE, GENE_SHARE**2
    within = effect**2 * sum(square * (1 - share) for square, share in zip(squares, shares, strict=True)) + NOISE_SD**2
    motif = MOTIF**2 * MOTIF_SHARE * (1 - MOTIF_SHARE)
    between = (
        effect**2 * (sum(square * share for square, share in zip(squares, shares, strict=True)) + motif)
        + GENE_EFFECT_SD**2
    )

    mean_within = within / (cells * genes)
    seen = between + within - between / genes + mean_within
    unseen = between + within + between / genes + mean_within
    unseen_gene = {"oracle": GENE_EFFECT_SD**2 + NOISE_SD**2, "training_mean": unseen, "gene_mean": unseen}
    return {
        UNSEEN_CELL: {"oracle": NOISE_SD**2, "training_mean": seen, "gene_mean": within * (1 + 1 / cells)},
        UNSEEN_GENE: unseen_gene,
        BOTH_UNSEEN: dict(unseen_gene),
    }


def expected_loss(effect):
    """Return by how much the expected MSE of who knows all but one thing exceeds that of who knows all: {thing: value}.

    The motif is there or not, a variance of p (1 - p), if p is the share of genes that carry it; A R has a variance of 1.
    """
    motif = MOTIF**2 * MOTIF_SHARE * (1 - MOTIF_SHARE)
    return {"motif": effect**2 * motif, "interaction": effect**2 * INTERACTION**2}


def describe(table, motif, copies, background, seed, effect, cells, held_out_cells):
    """Return the truth behind the example, ready for JSON."""
    return {
        "seed": seed,
        "effect": effect,
        "expression": "y = effect x (activity A + repression R + interaction A R + motif M) + gene effect + noise",
        "coefficients": {"activity": ACTIVITY, "repression": REPRESSION, "interaction": INTERACTION, "motif": MOTIF},
        "standard_deviations": {"gene_effect": GENE_EFFECT_SD, "noise": NOISE_SD},
        "gene_share_of_variance": GENE_SHARE,
        "counts": {"background": background, "log_rate_above_background": LOG_RATE},
        "motif": {
            "sequence": motif.decode(),
            "copies": copies,
            "within_bp_of_tss": MOTIF_REACH,
            "genes": ids(table, "motif"),
        },
        "bidirectional_pair": ids(table, "pair"),
        "windows_over_chromosome_end": ids(table, "over_end"),
        "held_out_cells": list(held_out_cells),
        "held_out_genes": ids(table, "held_out"),
        "expected_loss": {name: round(mse, 6) for name, mse in expected_loss(effect).items()},
        "expected_mse": {
            regime: {predictor: round(mse, 6) for predictor, mse in of_regime.items()}
            for regime, of_regime in expected_mse(effect, len(cells), int((~table["held_out"]).sum())).items()
        },
    }


def ids(table, column):
    """Return the sorted ids of the genes for which `column` is true."""
    return sorted(table.loc[table[column], "gene_id"])


def chromosome_lengths(table):
    """Return the length of every chromosome in bp."""
    return table.groupby("chromosome")["length"].first().to_numpy()


def write_genome(genome, table, path):
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


def write_annotation(table, path):
    """Write the genes as GTF: 1-based inclusive, one transcript of two exons each."""
    with atomic(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.write("#!genome-build built-in example\n")
        for gene in table.itertuples():
            name = gene.gene_id.removeprefix("GENE")
            of_gene = f'gene_id "{gene.gene_id}"; gene_name "EXAMPLE{name}"; gene_biotype "protein_coding";'
            of_transcript = f'{of_gene} transcript_id "TRANSCRIPT{name}";'
            third = gene.body // 3
            features = [("gene", 0, gene.body, of_gene), ("transcript", 0, gene.body, of_transcript)]
            features.append(("exon", 0, third, f'{of_transcript} exon_number "1";'))
            features.append(("exon", gene.body - third, gene.body, f'{of_transcript} exon_number "2";'))
            for feature, begin, end, attributes in features:
                # From 0-based and half open, downstream from the TSS, to 1-based and inclusive along the chromosome.
                ends = (begin + 1, end) if gene.strand == "+" else (2 - end, 1 - begin)
                place = f"{gene.tss + ends[0]}\t{gene.tss + ends[1]}"
                line = f"chr{gene.chromosome + 1}\texample\t{feature}\t{place}\t.\t{gene.strand}\t.\t{attributes}"
                file.write(line + "\n")


def write_counts(counts, table, marks, path):
    """Write one cell's counts [gene, bin, mark] as a gzip-compressed table."""
    genes, bins, _ = counts.shape
    lines = pd.DataFrame(counts.reshape(genes * bins, -1), columns=list(marks))
    lines.insert(0, "bin", np.tile(np.arange(1, bins + 1), genes))
    lines.insert(0, "gene_id", np.repeat(table["gene_id"].to_numpy(), bins))
    # Compressed here, so that neither the time nor the temporary file's name gets into the file.
    text = lines.to_csv(sep="\t", index=False, lineterminator="\n").encode()
    with atomic(path) as temporary:
        temporary.write_bytes(gzip.compress(text, compresslevel=4, mtime=0))


def write_expression(y, table, cells, path):
    """Write the expression y [cell, gene] as a table: one row per gene, in the order of ids, one column per cell."""
    lines = pd.DataFrame(y.T.round(5), columns=cells)
    lines.insert(0, "gene_id", table["gene_id"])
    write_table(lines.sort_values("gene_id"), path)

"""The raw route of the built-in example: alignments, tracks and tables that give its counts once they are counted.

Only the genes of the example's first chromosome are taken. Their windows do not overlap, so a read belongs to one bin
of one gene, and one of them runs over the chromosome's start.
"""

import csv
import gzip
import logging
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyBigWig
import pysam

from wakawaka.core.errors import InputError
from wakawaka.core.files import atomic, read_table, write_table
from wakawaka.genome.windows import window_starts

log = logging.getLogger(__name__)

# The length of reads, that of Roadmap's, and the shortest and longest fragment of paired-end files, in bp.
READ, FRAGMENTS = 36, (120, 300)
MAPPING_QUALITY = 60
# Bits of a SAM flag: in a proper pair; the read, its mate is reversed; the read is its pair's first, second.
PAIRED, REVERSE, MATE_REVERSE, FIRST, SECOND = 0x1 | 0x2, 0x10, 0x20, 0x40, 0x80
# A second transcript starts so many times less than a window from the first.
SHIFT = 20


class Bins(NamedTuple):
    """Bins in genomic order: start and end [bin] (0-based, half open), cut at the chromosome's ends, and their uncut size."""

    start: np.ndarray
    end: np.ndarray
    size: int


def simulate_reads(
    counts,
    annotation,
    genome,
    expression,
    held_out_genes,
    *,
    reads,
    genes,
    sequence,
    quantifications,
    held_out,
    cells,
    file_cells,
    file_marks,
    window,
    bins,
    seed,
):
    """Write raw files for the first chromosome of the built-in example; equal arguments give byte-equal files.

    Args:
        counts, annotation, genome, expression, held_out_genes: paths of what `simulate_example` wrote; `counts` is one
            path per cell, in the order of `cells`.
        reads: paths to write, for the cells `file_cells` and the marks `file_marks`, in the formats of `WRITERS`.
        genes: path to write: GFF3, gzip-compressed (see `write_genes`).
        sequence: path to write: FASTA of the chromosome, gzip-compressed.
        quantifications: paths to write, one per cell, in the order of `cells`: gene tables as Salmon's.
        held_out: path to write: the held-out genes of the chromosome, one id per line.
        window: width in bp of the windows that the count files have `bins` bins of.
        seed: whole number, from which the places and strands of the reads follow.

    Raises:
        InputError: if a path in `reads` ends in no known suffix, or names a cell or mark without simulated counts.
    """
    writers = [_writer(path) for path in reads]
    letters = read_genome(genome)
    chromosome = next(iter(letters))
    table = read_genes(annotation, chromosome)
    places = place_bins(table, len(letters[chromosome]), window, bins)
    # One stream per file: what is drawn for one never shifts what is drawn for another.
    streams = np.random.default_rng(seed).spawn(len(reads))
    of_cell = dict(zip(cells, counts, strict=True))
    for path, cell, mark, write, rng in zip(reads, file_cells, file_marks, writers, streams, strict=True):
        if cell not in of_cell:
            raise InputError(f"{path}: no counts are simulated for the cell {cell}; name one of {', '.join(cells)}.")
        values = read_counts(of_cell[cell], mark, table["gene_id"], path)
        write(path, rng, values, places, letters)
        log.info("%s: %d counts", path, values.sum())

    write_genes(table, chromosome, len(letters[chromosome]), window, genes)
    write_sequence(genome, sequence)
    values = read_table(expression).set_index("gene_id").loc[table["gene_id"]]
    for cell, path in zip(cells, quantifications, strict=True):
        write_quantification(table, values[cell].to_numpy(), path)
    of_chromosome = set(table["gene_id"])
    ids = [gene for gene in Path(held_out_genes).read_text(encoding="utf-8").split() if gene in of_chromosome]
    with atomic(held_out) as temporary:
        temporary.write_text("".join(f"{gene}\n" for gene in ids), encoding="utf-8")


def _writer(path):
    for suffix, write in WRITERS.items():
        if str(path).endswith(suffix):
            return write
    raise InputError(f"{path}: reads are simulated in files whose names end in {', '.join(WRITERS)}; rename this one.")


def read_genome(path):
    """Return the letters of every chromosome as a dict from name to text."""
    _, *records = Path(path).read_text(encoding="ascii").split(">")
    split = (record.split("\n", 1) for record in records)
    return {name: letters.replace("\n", "") for name, letters in split}


def read_genes(path, chromosome):
    """Return the genes of a chromosome as a table, in genomic order: gene_id, start (0-based), end, strand, tss (0-based)."""
    names = ["chrom", "source", "feature", "start", "end", "score", "strand", "phase", "attributes"]
    lines = pd.read_csv(path, sep="\t", names=names, comment="#", quoting=csv.QUOTE_NONE)
    table = lines[(lines["chrom"] == chromosome) & (lines["feature"] == "gene")].sort_values("start", ignore_index=True)
    table["gene_id"] = [re.search('gene_id "([^"]+)"', text)[1] for text in table["attributes"]]
    table["start"] -= 1
    table["tss"] = np.where(table["strand"] == "-", table["end"] - 1, table["start"])
    # Two genes that run towards each other start in another order than their windows.
    return table.sort_values("tss", ignore_index=True)[["gene_id", "start", "end", "strand", "tss"]]


def place_bins(table, length, window, bins):
    """Return the `Bins` of all genes on a chromosome of `length` bp, in the order of the genes."""
    size = window // bins
    first = window_starts(table["tss"], table["strand"], window, oriented=True)
    start = (first[:, np.newaxis] + size * np.arange(bins)).ravel()
    return Bins(np.clip(start, 0, length), np.clip(start + size, 0, length), size)


def read_counts(path, mark, gene_id, file):
    """Return the counts of a mark [bin], gene after gene. Raises `InputError`, naming the file to write, without the mark."""
    table = read_table(path)
    if mark not in table:
        marks = ", ".join(table.columns.drop(["gene_id", "bin"]))
        raise InputError(f"{file}: no counts are simulated for the mark {mark}; name one of {marks}.")
    return table.pivot(index="gene_id", columns="bin", values=mark).loc[gene_id].to_numpy().ravel()


def draw_midpoints(rng, counts, bins):
    """Return a random position within its bin and on the chromosome for every count."""
    return rng.integers(np.repeat(bins.start, counts), np.repeat(bins.end, counts))


def around(midpoint, span, length):
    """Return start and end of stretches of `span` bp with (start + end) // 2 = midpoint; shorter ones at a chromosome's ends."""
    span = np.minimum(span, np.minimum(2 * midpoint + 1, 2 * (length - midpoint)))
    start = midpoint - span // 2
    return start, start + span


def draw_reads(rng, counts, bins, length):
    """Return start, end and strand (true: reversed) of one read per count."""
    midpoint = draw_midpoints(rng, counts, bins)
    return *around(midpoint, READ, length), rng.random(len(midpoint)) < 0.5


def write_tag_align(path, rng, counts, bins, genome):
    """Write one read per count as tagAlign, which Roadmap's files are, and like some of those in no order."""
    name, letters = next(iter(genome.items()))
    start, end, reverse = draw_reads(rng, counts, bins, len(letters))
    order = rng.permutation(len(start))
    columns = {
        "chrom": name,
        "start": start,
        "end": end,
        "name": "N",
        "score": 1000,
        "strand": np.where(reverse, "-", "+"),
    }
    text = pd.DataFrame(columns).iloc[order].to_csv(sep="\t", header=False, index=False, lineterminator="\n")
    write_gzip(text, path)


def write_single(path, rng, counts, bins, genome):
    """Write one read per count as BAM, or as CRAM if the path says so."""
    letters = next(iter(genome.values()))
    start, end, reverse = draw_reads(rng, counts, bins, len(letters))
    order = np.argsort(start, kind="stable")
    start, end, reverse = (column[order].tolist() for column in (start, end, reverse))
    header = _header(genome)
    columns = zip(range(len(start)), start, end, reverse, strict=True)
    _write_sorted(
        path, header, [_read(header, letters, number, a, b, REVERSE * back) for number, a, b, back in columns]
    )


def write_paired(path, rng, counts, bins, genome):
    """Write the two ends of one fragment per count as BAM; the midpoint is that of the fragment."""
    letters = next(iter(genome.values()))
    midpoint = draw_midpoints(rng, counts, bins)
    span = rng.integers(*FRAGMENTS, size=len(midpoint), endpoint=True)
    start, end = (column.tolist() for column in around(midpoint, span, len(letters)))
    header, lines = _header(genome), []
    for number, (a, b, swap) in enumerate(zip(start, end, (rng.random(len(start)) < 0.5).tolist(), strict=True)):
        ordinals = (SECOND, FIRST) if swap else (FIRST, SECOND)
        reach = min(READ, b - a)
        left = _read(header, letters, number, a, a + reach, PAIRED | MATE_REVERSE | ordinals[0])
        right = _read(header, letters, number, b - reach, b, PAIRED | REVERSE | ordinals[1])
        for line, mate, template in ((left, right, b - a), (right, left, a - b)):
            line.next_reference_id, line.next_reference_start = 0, mate.reference_start
            line.template_length = template
            lines.append(line)
    _write_sorted(path, header, sorted(lines, key=lambda line: line.reference_start))


def _header(genome):
    chromosomes = [{"SN": name, "LN": len(letters)} for name, letters in genome.items()]
    return pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": chromosomes})


def _read(header, letters, number, start, end, flag):
    """Return an alignment of a read without mismatches to the first chromosome."""
    line = pysam.AlignedSegment(header)
    line.query_name, line.flag, line.mapping_quality = f"r{number}", flag, MAPPING_QUALITY
    line.reference_id, line.reference_start, line.cigartuples = 0, start, [(pysam.CMATCH, end - start)]
    line.query_sequence = letters[start:end]
    return line


def _write_sorted(path, header, lines):
    # The letters of the reads are in the file, so that nobody needs the genome to read a CRAM.
    mode, options = ("wc", [b"no_ref=1"]) if str(path).endswith(".cram") else ("wb", None)
    with atomic(path) as temporary:
        with pysam.AlignmentFile(str(temporary), mode, header=header, format_options=options) as file:
            for line in lines:
                file.write(line)
        if mode == "wc":
            _blank_id(temporary)


def _blank_id(path):
    """Put zeros in place of the path in a CRAM file's definition, which would make equal files differ."""
    with open(path, "r+b") as file:
        # After the letters CRAM and two bytes of version (CRAM specification 3.0, section 6).
        file.seek(6)
        file.write(bytes(20))


def write_bigwig(path, rng, counts, bins, genome):
    """Write a track as bigWig: the mean over a bin is its count, the part of a bin beyond the chromosome taken as zero."""
    name = next(iter(genome))
    covered = counts > 0
    start, end = bins.start[covered], bins.end[covered]
    with atomic(path) as temporary, pyBigWig.open(str(temporary), "w") as file:
        file.addHeader([(chromosome, len(letters)) for chromosome, letters in genome.items()])
        file.addEntries([name] * len(start), start, ends=end, values=counts[covered] * (bins.size / (end - start)))


# What a read file may end in, and what writes it; the first that fits.
WRITERS = {
    ".tagAlign.gz": write_tag_align,
    ".paired.bam": write_paired,
    ".bam": write_single,
    ".cram": write_single,
    ".bw": write_bigwig,
}


def write_genes(table, chromosome, length, window, path):
    """Write the genes as GFF3 with the transcripts of `transcripts_of`, gzip-compressed.

    Every transcript has two exons. One is tagged as canonical; it starts where the example has the TSS of the gene.
    """
    lines = ["##gff-version 3", f"##sequence-region {chromosome} 1 {length}"]
    for number, gene in enumerate(table.itertuples()):
        transcripts = transcripts_of(number, gene.end - gene.start, window // SHIFT)
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
            # From 0-based and half open, downstream from the TSS, to 1-based and inclusive along the chromosome.
            first, last = (begin + 1, end) if gene.strand == "+" else (2 - end, 1 - begin)
            place = f"{gene.tss + first}\t{gene.tss + last}"
            lines.append(f"{chromosome}\texample\t{feature}\t{place}\t.\t{gene.strand}\t.\t{attributes}")
    write_gzip("".join(f"{line}\n" for line in lines), path)


def transcripts_of(number, body, shift):
    """Return (begin, end, tag) of the transcripts of a gene, in bp downstream from its TSS.

    Of three genes one has the canonical transcript alone. One has another before it, which is longer because it starts
    `shift` bp upstream; one has a longer one that starts downstream. So the three ways to choose a TSS differ.
    """
    others = ([], [(-shift, body, "basic")], [(shift, body + 2 * shift, "basic")])
    return [*others[number % 3], (0, body, "basic,Ensembl_canonical")]


def write_sequence(genome, path):
    """Write the first record of a FASTA file as it is, gzip-compressed."""
    write_gzip(">" + Path(genome).read_text(encoding="ascii").split(">")[1], path)


def write_quantification(table, expression, path):
    """Write 2^expression [gene] as the TPM of a gene table in the form of Salmon's quant.genes.sf."""
    tpm = 2.0**expression
    # Salmon takes the places where no fragment of a mean length can start off the length.
    length = table["end"] - table["start"]
    effective = np.maximum(length - 200, 1)
    columns = {
        "Name": table["gene_id"],
        "Length": length,
        "EffectiveLength": effective,
        "TPM": [f"{value:.6g}" for value in tpm],
        # With one read per kb and TPM.
        "NumReads": [f"{value:.3f}" for value in tpm * effective / 1000],
    }
    write_table(pd.DataFrame(columns), path)


def write_gzip(text, path):
    """Write a text gzip-compressed, without the time and name that would make equal files differ."""
    with atomic(path) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), compresslevel=4, mtime=0))

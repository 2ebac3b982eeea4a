"""Sequences of the genes' windows, cut from a genome."""

import logging
from pathlib import Path

import numpy as np
import pyfaidx

from .dna import INVALID, N, encode
from .errors import InputError
from .files import atomic, readable
from .parts import Warnings, read_part, some, write_part

log = logging.getLogger(__name__)

# IUPAC letters for a base that is not known exactly; the human genome has a few.
_AMBIGUOUS = np.frombuffer(b"RYSWKMBDHVryswkmbdhv", np.uint8)


def read_fasta(genome, genes, part, *, window):
    """Write the sequence part: the window around every gene's TSS, on the plus strand.

    With t the 0-based TSS and h half the window, the window is [t - h, t + h) for a gene on the plus strand and
    [t - h + 1, t + h + 1) on the minus strand, so that the TSS is base h of both after the store has
    reverse-complemented the latter. What lies beyond a chromosome's end is N. Genes on chromosomes that the genome
    lacks get no sequence and are counted.

    Args:
        genome: path of a FASTA file; its index is made beside the part, not beside the genome.
        genes: path of the genes part.
        window: even number of bp.

    Raises:
        InputError: genes without coordinates, a file that is no FASTA, other letters than nucleotides', a TSS beyond its
            chromosome's end, or no chromosome in common.
    """
    _, gene = read_part(genes)
    warnings = Warnings()
    if (gene["tss"] < 0).all():
        raise InputError(
            f"{genome}: no gene has a known place to cut a window at; "
            "name the columns `genes.columns.chrom` and `genes.columns.tss` of the gene table."
        )
    with atomic(Path(part).with_suffix(".fai")) as index, _opened(genome, index) as fasta:
        chromosomes = _chromosomes(fasta, gene["chrom"], genome)
        located = np.array(
            [chrom in chromosomes and tss >= 0 for chrom, tss in zip(gene["chrom"], gene["tss"], strict=True)], bool
        )
        if not located.all():
            warnings.add(
                f"{genome}: {(~located).sum()} genes have no sequence, because the genome lacks their chromosome "
                f"or their place is not known: {some(gene['gene_id'][~located])}."
            )
        values = np.full((located.sum(), window), N, np.uint8)
        ambiguous = 0
        # In the order of the genome, because reading forwards is faster.
        rows = np.flatnonzero(located)
        order = sorted(range(len(rows)), key=lambda place: (gene["chrom"][rows[place]], gene["tss"][rows[place]]))
        for done, place in enumerate(order, start=1):
            row = rows[place]
            ambiguous += _cut(fasta, chromosomes[gene["chrom"][row]], gene, row, values[place], genome)
            if done % 2000 == 0:
                log.info("%d of %d windows", done, len(rows))
    if ambiguous:
        warnings.add(
            f"{genome}: {ambiguous} bases of the windows are ambiguous (IUPAC letters other than ACGTN) and are taken as N."
        )
    write_part(part, genome, warnings, about={"order": "genomic"}, gene_id=gene["gene_id"][located], values=values)


def _opened(genome, index):
    with readable(genome), open(genome, "rb") as file:
        start = file.read(2)
    if start == b"\x1f\x8b":
        raise InputError(
            f"{genome}: the genome is gzip-compressed; unpack it (gunzip) and name the unpacked file in `sequence.path`."
        )
    if start[:1] != b">":
        raise InputError(
            f"{genome}: this is no FASTA file, because it does not start with `>`; check `sequence.path` in config.yaml."
        )
    try:
        return pyfaidx.Fasta(str(genome), indexname=str(index), as_raw=True, rebuild=True)
    except (pyfaidx.FastaIndexingError, ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{genome}: the FASTA file is malformed: {' '.join(str(error).split())}") from error


def _chromosomes(fasta, wanted, genome):
    """Return a dict from the annotation's chromosome names to the genome's, with or without `chr`."""
    lengths = {name: len(fasta[name]) for name in fasta.keys()}  # noqa: SIM118, pyfaidx iterates over records
    bare = {name.removeprefix("chr"): name for name in lengths}
    names = {
        chrom: chrom if chrom in lengths else bare.get(chrom.removeprefix("chr"))
        for chrom in set(wanted.tolist())
        if chrom
    }
    names = {chrom: name for chrom, name in names.items() if name}
    if not names:
        raise InputError(
            f"{genome}: none of the annotation's chromosomes ({some(sorted(set(wanted.tolist())))}) is in the genome, "
            f"which has {some(lengths)}; "
            "use a genome and an annotation of one assembly."
        )
    return names


def _cut(fasta, chromosome, gene, row, codes, genome):
    """Fill `codes` with one window; return its number of ambiguous bases."""
    length, window, tss = len(fasta[chromosome]), len(codes), int(gene["tss"][row])
    if tss >= length:
        raise InputError(
            f"{genome}: the TSS of gene {gene['gene_id'][row]} is at {chromosome}:{tss + 1}, beyond the chromosome's {length} bases; "
            "the genome and the annotation are of different assemblies."
        )
    start = tss - window // 2 + (gene["strand"][row] == "-")
    inside = slice(max(start, 0), min(start + window, length))
    letters = np.frombuffer(fasta[chromosome][inside].encode("latin-1", "replace"), np.uint8)
    found = encode(letters.tobytes())
    odd = letters[found == INVALID]
    if not np.isin(odd, _AMBIGUOUS).all():
        letter = chr(odd[~np.isin(odd, _AMBIGUOUS)][0])
        raise InputError(
            f"{genome}: there is a letter {letter!r} in {chromosome}:{inside.start + 1}-{inside.stop}; a genome has nucleotides only."
        )
    codes[inside.start - start : inside.stop - start] = np.where(found == INVALID, N, found)
    return len(odd)

"""The sequence part, cut from a genome in whatever format."""

import logging

import numpy as np

from .dna import INVALID, N, encode
from .errors import InputError
from .parts import Warnings, read_part, some, write_part
from .progress import Progress
from .windows import check_inside, match_chromosomes, window_starts

log = logging.getLogger(__name__)

# IUPAC letters for a base that is not known exactly; the human genome has a few.
_AMBIGUOUS = np.frombuffer(b"RYSWKMBDHVryswkmbdhv", np.uint8)


def cut_windows(genome, genes, part, *, lengths, fetch, window, oriented):
    """Write the sequence part: the window around every gene's TSS, on the plus strand, as `windows` says.

    What lies beyond a chromosome's end is N. Genes on chromosomes that the genome lacks get no sequence and are counted,
    and so are ambiguous bases, which are taken as N.

    Args:
        genome: path, for sentences and the part. genes: path of the genes part.
        lengths: dict from the genome's chromosome names to bp.
        fetch: function (chromosome, start, end) -> the letters (str or bytes) of [start, end), which lies inside the chromosome.
        window: even number of bp. oriented: whether minus-strand genes will be turned round.

    Raises:
        InputError: genes without coordinates, other letters than nucleotides', a TSS beyond its chromosome's end, or no
            chromosome in common.
    """
    _, gene = read_part(genes)
    chromosomes = match_chromosomes(gene, lengths, genome)
    known = {chrom: lengths[name] for chrom, name in chromosomes.items()}
    _check_inside(genome, gene, known)
    warned = Warnings()
    located = np.isin(gene["chrom"], list(known)) & (gene["tss"] >= 0)
    if not located.all():
        warned.add(
            f"{genome}: {(~located).sum()} genes have no sequence, because the genome lacks their chromosome "
            f"or their place is not known: {some(gene['gene_id'][~located])}."
        )
    gene = {name: values[located] for name, values in gene.items()}
    starts = window_starts(gene["tss"], gene["strand"], window, oriented)
    values = np.full((len(starts), window), N, np.uint8)
    ambiguous = 0
    progress = Progress(log, len(starts), "windows", logging.INFO)
    # In the order of the genome, because reading forwards is faster.
    for row in np.lexsort((starts, gene["chrom"])):
        chrom = str(gene["chrom"][row])
        first, last = max(int(starts[row]), 0), min(int(starts[row]) + window, known[chrom])
        codes, odd = _codes(genome, chromosomes[chrom], first, last, fetch)
        values[row, first - starts[row] : last - starts[row]] = codes
        ambiguous += odd
        progress.advance(1, "%d of %d windows cut", progress.done + 1, progress.total)
    if ambiguous:
        warned.add(
            f"{genome}: {ambiguous} bases of the windows are ambiguous (IUPAC letters other than ACGTN) and are taken as N."
        )
    about = {"order": "genomic", "assemblies": [{"path": str(genome), "lengths": known}]}
    write_part(part, genome, warned, about=about, gene_id=gene["gene_id"], values=values)


def _check_inside(genome, gene, lengths):
    try:
        check_inside(genome, gene, lengths)
    except InputError as error:
        # Nothing marks the end of a FASTA file, so half of one is a genome with a short last chromosome.
        raise InputError(f"{error} Or the genome's file is truncated; compare its size with the original's.") from None


def _codes(genome, chromosome, first, last, fetch):
    """Return (codes [base], how many bases were ambiguous) of [first, last) of a chromosome."""
    letters = fetch(chromosome, first, last)
    codes = encode(letters)
    if len(codes) != last - first:
        raise InputError(
            f"{genome}: {chromosome}:{first + 1}-{last} holds {len(codes)} letters instead of {last - first}; "
            "the file may be damaged, or its lines may differ in how they end."
        )
    odd = np.flatnonzero(codes == INVALID)
    if len(odd):
        raw = np.frombuffer(letters.encode("latin-1", "replace") if isinstance(letters, str) else letters, np.uint8)
        wrong = odd[~np.isin(raw[odd], _AMBIGUOUS)]
        if len(wrong):
            raise InputError(
                f"{genome}: there is a letter {chr(raw[wrong[0]])!r} at {chromosome}:{first + wrong[0] + 1}; "
                "a genome has nucleotides only."
            )
        codes = np.where(codes == INVALID, np.uint8(N), codes)
    return codes, len(odd)

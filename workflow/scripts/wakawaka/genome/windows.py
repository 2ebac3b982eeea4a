"""Where the windows of genes lie on their chromosomes, and whether a file's chromosomes are those of the annotation."""

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.messages import some


def window_starts(tss, strand, window, oriented):
    """Return the 0-based first base [gene] int64 of every window; it may lie before the chromosome's beginning.

    With t the 0-based TSS and h half the window, the window is [t - h, t + h). Where minus-strand genes are to be turned
    round (`oriented`), theirs is [t - h + 1, t + h + 1), so that the TSS is base h of both once that is done.

    Args:
        tss: [gene] int. strand: [gene] str, + - or . (not known: as on the plus strand). window: even number of bp.
    """
    return np.asarray(tss, np.int64) - window // 2 + (oriented & (np.asarray(strand) == "-"))


def match_chromosomes(gene, names, path):
    """Return a dict from the annotation's chromosome names to those of a file, which may differ by a leading `chr`.

    Args:
        gene: arrays of the genes part. names: the file's chromosome names. path: of the file.

    Raises:
        InputError: if no gene has a known place, or no chromosome is in both.
    """
    placed = (gene["chrom"] != "") & (gene["tss"] >= 0)
    if not placed.any():
        raise InputError(
            f"{path}: no gene has a known place to put a window at: name the columns `genes.columns.chrom` and "
            "`genes.columns.tss` of the gene table, or use an annotation (GTF, GFF3, BED, gene_info)."
        )
    names = list(names)
    wanted = sorted(set(gene["chrom"][placed].tolist()))
    exact, bare = set(names), {name.removeprefix("chr"): name for name in names}
    # The mitochondrion is chrM in one tradition and MT in the other.
    bare |= {"MT": bare["M"]} if "M" in bare else {"M": bare["MT"]} if "MT" in bare else {}
    found = {chrom: chrom if chrom in exact else bare.get(chrom.removeprefix("chr")) for chrom in wanted}
    found = {chrom: name for chrom, name in found.items() if name}
    if not found:
        raise InputError(
            f"{path}: none of the annotation's chromosomes ({some(wanted)}) is in this file, which has {some(names)}; "
            "use files of one genome assembly."
        )
    return found


def check_inside(path, gene, lengths):
    """Refuse a file with a chromosome that ends before the TSS of one of its genes. Raises InputError.

    Args:
        path: of the file. gene: arrays of the genes part. lengths: dict from the annotation's chromosome names to bp.
    """
    for gene_id, chrom, tss in zip(gene["gene_id"], gene["chrom"], gene["tss"].tolist(), strict=True):
        if tss >= lengths.get(chrom, tss + 1):
            raise InputError(
                f"{path}: the TSS of gene {gene_id} is at {chrom}:{tss + 1}, beyond the chromosome's {lengths[chrom]} bases; "
                "this file and the annotation are of different assemblies."
            )


def check_assemblies(entries):
    """Refuse files of different genome assemblies.

    The mitochondrion is left out.

    Args:
        entries: list of {"path", "lengths"}, the chromosomes' lengths from a file's header, and of {"path", "reach"}, how far
            a file without such a header goes on each; all by the annotation's names of the chromosomes.

    Raises:
        InputError: if two files differ in a chromosome's length, or one goes on beyond its end in another.
    """
    known = {}
    for entry in entries:
        for chrom, length in entry.get("lengths", {}).items():
            if chrom.removeprefix("chr") in ("M", "MT"):
                # UCSC's hg19 has another one, of 16,571 bp, than all other files of that assembly, of 16,569.
                continue
            other, path = known.setdefault(chrom, (length, entry["path"]))
            if length != other:
                raise InputError(
                    f"{entry['path']}: {chrom} has {length:,} bp here, but {other:,} bp in {path}: "
                    "the files are of different genome assemblies; use files of one."
                )
    for entry in entries:
        for chrom, end in entry.get("reach", {}).items():
            length, path = known.get(chrom, (end, None))
            if end > length:
                raise InputError(
                    f"{entry['path']}: this file goes on to {chrom}:{end:,}, but {chrom} ends at {length:,} bp in {path}: "
                    "the files are of different genome assemblies; use files of one."
                )

"""Positions of the genes' windows, chromosome names and their aliases, and checks that files are of one genome assembly."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypedDict

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.messages import shorten_list

MITOCHONDRION = "M"
# Aliases other than a leading `chr`: UCSC calls the mitochondrion chrM, Ensembl MT.
_ALIASES = {"MT": MITOCHONDRION}


class Assembly(TypedDict, total=False):
    """What one file states about its genome assembly, by the annotation's chromosome names.

    Attributes:
        path: the path of the file.
        lengths: bp of the chromosomes, from the file's header.
        reach: the highest end of anything on each chromosome, for a file without such a header.
    """

    path: str
    lengths: dict[str, int]
    reach: dict[str, int]


def chromosome_key(name: str) -> str:
    """Return what all names of one chromosome have in common.

    >>> chromosome_key("chrX"), chromosome_key("X"), chromosome_key("MT"), chromosome_key("chrM")
    ('X', 'X', 'M', 'M')
    """
    bare = name.removeprefix("chr")
    return _ALIASES.get(bare, bare)


def window_starts(tss: np.ndarray, strand: np.ndarray, window: int, strand_aware: bool) -> np.ndarray:
    """Return the 0-based first base [gene] int64 of every window; it may lie before the chromosome's beginning.

    With t the 0-based TSS and h half the window, the window is [t - h, t + h). If minus-strand genes will be reverse-complemented
    (`strand_aware`), theirs is [t - h + 1, t + h + 1), so that the TSS is then base h of all windows.

    Args:
        tss: [gene] int. strand: [gene] str, + - or . (not known: as on the plus strand). window: even number of bp.
    """
    return np.asarray(tss, np.int64) - window // 2 + (strand_aware & (np.asarray(strand) == "-"))


def match_chromosomes(gene: Mapping[str, np.ndarray], names: Iterable[str], path: PathLike) -> dict[str, str]:
    """Return a dict from the annotation's chromosome names to those of a file. Chromosomes that the file lacks are left out.

    A name that is exactly the same is preferred to an alias; see `chromosome_key`.

    Args:
        gene: arrays `chrom` and `tss` of the parsed genes. names: the file's chromosome names. path: the path of the file.

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
    exact = set(names)
    # Where a file has several names of one chromosome, the last one is used, and M rather than MT.
    by_key = {chromosome_key(name): name for name in sorted(names, key=lambda name: name.removeprefix("chr") != "MT")}
    found = {chrom: chrom if chrom in exact else by_key.get(chromosome_key(chrom), "") for chrom in wanted}
    found = {chrom: name for chrom, name in found.items() if name}
    if not found:
        raise InputError(
            f"{path}: none of the annotation's chromosomes ({shorten_list(wanted)}) is in this file, which has {shorten_list(names)}; "
            "use files of one genome assembly."
        )
    return found


def check_inside(path: PathLike, gene: Mapping[str, np.ndarray], lengths: Mapping[str, int]) -> None:
    """Raise an InputError if a chromosome of a file ends before the TSS of one of its genes.

    Args:
        path: the path of the file. gene: arrays of the parsed genes. lengths: dict from the annotation's chromosome names to bp.
    """
    for gene_id, chrom, tss in zip(gene["gene_id"], gene["chrom"], gene["tss"].tolist(), strict=True):
        if tss >= lengths.get(chrom, tss + 1):
            raise InputError(
                f"{path}: the TSS of gene {gene_id} is at {chrom}:{tss + 1}, beyond the chromosome's {lengths[chrom]} bases; "
                "this file and the annotation are of different assemblies."
            )


def check_assemblies(entries: Sequence[Assembly]) -> None:
    """Raise an InputError if two files are of different genome assemblies.

    They are if they differ in a chromosome's length, or if one reaches beyond a chromosome's end in another. The mitochondrion is
    left out, because UCSC's hg19 has another one (16,571 bp) than all other files of that assembly (16,569 bp).
    """
    known: dict[str, tuple[int, str]] = {}
    for entry in entries:
        for chrom, length in entry.get("lengths", {}).items():
            if chromosome_key(chrom) == MITOCHONDRION:
                continue
            other, path = known.setdefault(chrom, (length, entry["path"]))
            if length != other:
                raise InputError(
                    f"{entry['path']}: {chrom} has {length:,} bp here, but {other:,} bp in {path}: "
                    "the files are of different genome assemblies; use files of one."
                )
    for entry in entries:
        for chrom, end in entry.get("reach", {}).items():
            length, path = known.get(chrom, (end, ""))
            if end > length:
                raise InputError(
                    f"{entry['path']}: this file goes on to {chrom}:{end:,}, but {chrom} ends at {length:,} bp in {path}: "
                    "the files are of different genome assemblies; use files of one."
                )

"""Functions that the readers of gene annotations share."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.messages import Warnings, shorten_list


def is_browser_line(line: str) -> bool:
    """Return whether a line has settings of the UCSC Genome Browser: it starts with the word `track` or `browser`."""
    return line.startswith(("track", "browser")) and line.split(None, 1)[0] in ("track", "browser")


def parse_interval(where: str, start: str, end: str, first: int) -> tuple[int, int]:
    """Return (start, end) as whole numbers, from their texts.

    Args:
        where: path and line, for the sentence.
        first: the number of a chromosome's first base: 1 in formats whose end is the last base, 0 where it is the base after it.

    Raises:
        InputError: if they are not two whole numbers in ascending order.
    """
    # Longer numbers are not positions, and Python refuses to convert thousands of digits.
    both = start + end
    if both.isascii() and both.isdecimal() and 0 < len(start) <= 12 and 0 < len(end) <= 12:
        low, high = int(start), int(end)
        if first <= low < high + first:
            return low, high
    raise InputError(
        f"{where}: start {start[:40]!r} and end {end[:40]!r} are not two whole numbers in ascending order "
        f"(a chromosome's first base is {first} in this format)."
    )


def select_biotypes(
    path: PathLike, gene_id: np.ndarray, biotype: np.ndarray, wanted: Sequence[str] | None, warnings: Warnings
) -> np.ndarray:
    """Return whether each gene has a biotype to keep, [gene] bool.

    Args:
        gene_id, biotype: [gene] str, '' where the biotype is not known. Such genes are left out, and a warning counts them.
        wanted: the biotypes to keep; None keeps all genes.
        warnings: `Warnings` so far.

    Raises:
        InputError: if no gene has a biotype, if no gene has one of those wanted, or if the list is empty.
    """
    if wanted is None:
        return np.ones(len(gene_id), bool)
    known = Counter(biotype[biotype != ""].tolist())
    if not known:
        raise InputError(
            f"{path}: the genes of this file have no biotype (attribute gene_type, gene_biotype or biotype), "
            "so none can be chosen by it; set `genes.biotypes` to null."
        )
    there = "this file has " + shorten_list([f"{name} ({count})" for name, count in known.most_common()], 40)
    absent = [name for name in wanted if name not in known]
    if absent:
        raise InputError(f"{path}: no gene is of the biotype {absent[0]!r}, which `genes.biotypes` names; {there}.")
    if not wanted:
        raise InputError(f"{path}: `genes.biotypes` is an empty list, so no gene is left; {there}. null keeps all.")
    if (biotype == "").any():
        warnings.add(
            f"{path}: {(biotype == '').sum()} genes have no biotype and are left out: {shorten_list(gene_id[biotype == ''])}."
        )
    return np.isin(biotype, wanted)

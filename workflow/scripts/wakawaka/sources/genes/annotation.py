"""What the readers of gene annotations share."""

from collections import Counter

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.messages import some


def is_display_line(line):
    """Tell whether a line says how the UCSC Genome Browser is to show the file: `track` or `browser` and settings."""
    return line.startswith(("track", "browser")) and line.split(None, 1)[0] in ("track", "browser")


def interval(where, start, end, first):
    """Return the texts of a start and an end as whole numbers.

    Args:
        where: path and line, for the sentence.
        first: number of a chromosome's first base: 1 where the end is the last base, 0 where it is the one behind it.

    Raises:
        InputError: if they are no whole numbers in ascending order.
    """
    # Longer numbers are no positions, and thousands of digits are no Python number.
    both = start + end
    if both.isascii() and both.isdecimal() and 0 < len(start) <= 12 and 0 < len(end) <= 12:
        low, high = int(start), int(end)
        if first <= low < high + first:
            return low, high
    raise InputError(
        f"{where}: start {start[:40]!r} and end {end[:40]!r} are not two whole numbers in ascending order "
        f"(a chromosome's first base is {first} in this format)."
    )


def of_biotypes(path, gene_id, biotype, wanted, warned):
    """Return which genes [gene] bool are of the biotypes to keep.

    Args:
        gene_id, biotype: [gene] str, '' where the biotype is not known: such genes are left out and counted.
        wanted: list of biotypes; None keeps all genes.
        warned: `Warnings`.

    Raises:
        InputError: if no gene has a biotype, none has one of those wanted, or none at all is wanted.
    """
    if wanted is None:
        return np.ones(len(gene_id), bool)
    known = Counter(biotype[biotype != ""].tolist())
    if not known:
        raise InputError(
            f"{path}: the genes of this file have no biotype (attribute gene_type, gene_biotype or biotype), "
            "so none can be chosen by it; set `genes.biotypes` to null."
        )
    there = "this file has " + some([f"{name} ({count})" for name, count in known.most_common()], 40)
    absent = [name for name in wanted if name not in known]
    if absent:
        raise InputError(f"{path}: no gene is of the biotype {absent[0]!r}, which `genes.biotypes` names; {there}.")
    if not wanted:
        raise InputError(f"{path}: `genes.biotypes` is an empty list, so no gene is left; {there}. null keeps all.")
    if (biotype == "").any():
        warned.add(
            f"{path}: {(biotype == '').sum()} genes have no biotype and are left out: {some(gene_id[biotype == ''])}."
        )
    return np.isin(biotype, wanted)

"""Genes from a plain table: one gene per row, with its id and what is known of its place."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.messages import Warnings
from wakawaka.core.tables import EMPTY, need_columns, read_text_table, whole_numbers
from wakawaka.genome.gene_ids import plain_id
from wakawaka.sources.parsed import write_genes

_STRANDS = {"+": "+", "1": "+", "+1": "+", "-": "-", "-1": "-", ".": ".", "": ".", "0": "."}


def read_gene_table(path: PathLike, parsed: PathLike, *, columns: Mapping[str, str | None], first_base: int) -> None:
    """Write the parsed genes of a tab-separated table with a header.

    Args:
        columns: dict from gene_id, chrom, tss, strand and group to the header of that column, or None if the table has none. From a
            table without chrom or tss, the genes have no coordinates.
        first_base: 0 or 1, the number of a chromosome's first base in the tss column.

    Raises:
        InputError: a missing column, a TSS that is no position, an unknown strand, or two differing rows of one gene.
    """
    wanted = {name: header for name, header in columns.items() if header}

    def choose(header: list[str]) -> list[str]:
        # chrom, tss and strand have names by default, under which a table of ids alone is legal.
        need_columns(path, header, [wanted["gene_id"]] + [wanted[name] for name in ("group",) if name in wanted])
        return [name for name in dict.fromkeys(wanted.values()) if name in header]

    table = read_text_table(path, choose)
    gene_id = np.array([plain_id(text) for text in table[wanted["gene_id"]]])
    warnings = Warnings()
    for name in ("chrom", "tss", "strand"):
        if name in wanted and wanted[name] not in table:
            warnings.add(
                f"{path}: there is no column {wanted[name]!r} (`genes.columns.{name}`), so the {name} of no gene is known."
            )
    chrom, strand, group = (_texts(table, wanted.get(name)) for name in ("chrom", "strand", "group"))
    wrong = [line for line, text in zip(table.index, strand, strict=True) if text not in _STRANDS]
    if wrong:
        raise InputError(
            f"{path}, line {wrong[0]}: the strand is {table.at[wrong[0], wanted['strand']]!r}, but it must be + or - (or 1 or -1)."
        )
    strand = np.array([_STRANDS[text] for text in strand])
    tss = np.where(chrom == "", -1, _tss(path, table, wanted.get("tss"), first_base))
    write_genes(parsed, path, warnings, gene_id=gene_id, chrom=chrom, tss=tss, strand=strand, group=group)


def _tss(path: PathLike, table: pd.DataFrame, name: str | None, first_base: int) -> np.ndarray:
    """Return a column of positions [gene] int64, 0-based, -1 where it is blank or there is no such column."""
    tss = np.full(len(table), -1, np.int64)
    if name not in table:
        return tss
    known = ~table[name].isin(EMPTY).to_numpy()
    tss[known] = whole_numbers(path, table[name][known]) - first_base
    if (tss[known] < 0).any():
        raise InputError(
            f"{path}, line {table.index[known][int(np.argmax(tss[known] < 0))]}: the TSS lies before the chromosome's first "
            f"base, which is {first_base} by `genes.first_base`."
        )
    return tss


def _texts(table: pd.DataFrame, name: str | None) -> np.ndarray:
    """Return a column [gene] str, '' where the value is not known or there is no such column."""
    if name not in table:
        return np.full(len(table), "")
    # The strand "-" is not a missing value.
    return table[name].where(~table[name].isin(EMPTY - {"-"}), "").to_numpy(str)

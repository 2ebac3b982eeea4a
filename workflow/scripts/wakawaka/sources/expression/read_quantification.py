"""Expression from the tables of a quantifier such as Salmon, RSEM or StringTie, one table per cell."""

import re
from collections.abc import Sequence

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.core.tables import need_columns, read_text_table
from wakawaka.sources.expression.parsed_expression import genes_once, write_expression

# Transcript ids of Ensembl, with or without the letters of the species, and of RefSeq.
_TRANSCRIPT = re.compile(r"(ENS[A-Z]*T\d{11}|[NX][MR]_\d+)\b.*")


def read_quantification(
    paths: Sequence[PathLike],
    parsed: PathLike,
    *,
    cells: Sequence[str],
    gene_id: str,
    value: str,
    reference: str | None = None,
) -> None:
    """Write the parsed expression of tab-separated tables with a header and one row per gene.

    Genes that a cell's table lacks are not known there.

    Args:
        paths: one path per cell, in the order of `cells`. parsed: the output.
        gene_id: header of the column of gene ids: `Name` (Salmon's quant.genes.sf), `gene_id` (RSEM's *.genes.results),
            `Gene ID` (StringTie's -A).
        value: header of the column of values, such as TPM.
        reference: the one of `cells` that a ratio is taken to, or None.

    Raises:
        InputError: a missing column, a value that is not a finite number, differing rows of one gene, transcripts in place of genes,
            or no known value at all or of the reference.
    """
    warnings = Warnings()
    found: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for path, cell in zip(paths, cells, strict=True):
        found[cell] = _read(path, gene_id, value, warnings)
    write_expression(parsed, paths, warnings, cells, found, reference)


def _read(path: PathLike, gene_id: str, value: str, warnings: Warnings) -> tuple[np.ndarray, np.ndarray]:
    """Return the gene ids [gene] and values [gene] float32 of one table, every gene once."""

    def choose(header: list[str]) -> list[str]:
        need_columns(path, header, [gene_id, value])
        return [gene_id, value]

    if gene_id == value:
        raise InputError(f"config key `expression.columns`: gene_id and value are both {value!r}; name two columns.")
    table = read_text_table(path, choose, row_names=gene_id)
    transcripts = [name for name in table[gene_id] if _TRANSCRIPT.fullmatch(name)]
    if 2 * len(transcripts) > len(table):
        raise InputError(
            f"{path}: the ids are of transcripts ({shorten_list(transcripts, 3)}), but values of genes are needed: let the quantifier sum "
            "transcripts up by gene (`salmon quant -g`, RSEM's *.genes.results) or do it with tximport."
        )
    ids, values = genes_once(path, table, gene_id, warnings)
    return ids, values[:, 0]

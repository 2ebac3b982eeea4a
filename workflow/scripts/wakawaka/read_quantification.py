"""Expression from the tables of a quantifier, one per cell: Salmon, RSEM, StringTie, featureCounts and the like."""

import re

import numpy as np

from .errors import InputError
from .expression_part import write_expression
from .gene_ids import plain_id
from .parts import Warnings, some, unique_rows
from .tables import need_columns, numbers, read_text_table

# Ensembl, with or without the species' letters, and RefSeq.
_TRANSCRIPT = re.compile(r"(ENS[A-Z]*T\d{11}|[NX][MR]_\d+)\b.*")


def read_quantification(paths, part, *, cells, gene_id, value):
    """Write the expression part of tab-separated tables with a header and one row per gene.

    Genes that a cell's table lacks are not known there.

    Args:
        paths: list of one path per cell, in the order of `cells`.
        gene_id: header of the column of gene ids: `Name` (Salmon's quant.genes.sf), `gene_id` (RSEM's *.genes.results),
            `Gene ID` (StringTie's -A), `Geneid` (featureCounts).
        value: header of the column of values, such as TPM.

    Raises:
        InputError: a column that is missing, a value that is no finite number, differing rows of one gene, transcripts
            in place of genes, or no value at all.
    """
    warnings = Warnings()
    found = {}
    for path, cell in zip(paths, cells, strict=True):
        found[cell] = _read(path, gene_id, value, warnings)
    write_expression(part, paths, warnings, cells, found)


def _read(path, gene_id, value, warnings):
    """Return the gene ids [gene] and values [gene] float32 of one table, every gene once."""

    def choose(header):
        need_columns(path, header, [gene_id, value])
        return [gene_id, value]

    if gene_id == value:
        raise InputError(f"config key `expression.columns`: gene_id and value are both {value!r}; name two columns.")
    table = read_text_table(path, choose, row_names=gene_id)
    ids = np.array([plain_id(text) for text in table[gene_id]])
    transcripts = [name for name in ids.tolist() if _TRANSCRIPT.fullmatch(name)]
    if 2 * len(transcripts) > len(ids):
        raise InputError(
            f"{path}: the ids are of transcripts ({some(transcripts, 3)}), but values of genes are needed: let the quantifier sum "
            "transcripts up by gene (`salmon quant -g`, RSEM's *.genes.results) or do it with tximport."
        )
    if (ids == "").any():
        raise InputError(f"{path}, line {table.index[np.argmax(ids == '')]}: the gene id is empty; correct the file.")
    values = numbers(path, table[[value]])[:, 0]
    keep = unique_rows(ids, values, path, warnings)
    return ids[keep], values[keep]

"""Expression from the tables of a quantifier, one per cell: Salmon, RSEM, StringTie and the like."""

import re

from wakawaka.core.errors import InputError
from wakawaka.core.messages import Warnings, some
from wakawaka.core.tables import need_columns, read_text_table
from wakawaka.sources.expression.parsed_expression import genes_once, write_expression

# Ensembl, with or without the species' letters, and RefSeq.
_TRANSCRIPT = re.compile(r"(ENS[A-Z]*T\d{11}|[NX][MR]_\d+)\b.*")


def read_quantification(paths, part, *, cells, gene_id, value, reference=None):
    """Write the expression part of tab-separated tables with a header and one row per gene.

    Genes that a cell's table lacks are not known there.

    Args:
        paths: list of one path per cell, in the order of `cells`.
        gene_id: header of the column of gene ids: `Name` (Salmon's quant.genes.sf), `gene_id` (RSEM's *.genes.results),
            `Gene ID` (StringTie's -A).
        value: header of the column of values, such as TPM.
        reference: the one of `cells` that a ratio is taken to, or None.

    Raises:
        InputError: a column that is missing, a value that is no finite number, differing rows of one gene, transcripts
            in place of genes, or no value at all or of the reference.
    """
    warnings = Warnings()
    found = {}
    for path, cell in zip(paths, cells, strict=True):
        found[cell] = _read(path, gene_id, value, warnings)
    write_expression(part, paths, warnings, cells, found, reference)


def _read(path, gene_id, value, warnings):
    """Return the gene ids [gene] and values [gene] float32 of one table, every gene once."""

    def choose(header):
        need_columns(path, header, [gene_id, value])
        return [gene_id, value]

    if gene_id == value:
        raise InputError(f"config key `expression.columns`: gene_id and value are both {value!r}; name two columns.")
    table = read_text_table(path, choose, row_names=gene_id)
    transcripts = [name for name in table[gene_id] if _TRANSCRIPT.fullmatch(name)]
    if 2 * len(transcripts) > len(table):
        raise InputError(
            f"{path}: the ids are of transcripts ({some(transcripts, 3)}), but values of genes are needed: let the quantifier sum "
            "transcripts up by gene (`salmon quant -g`, RSEM's *.genes.results) or do it with tximport."
        )
    ids, values = genes_once(path, table, gene_id, warnings)
    return ids, values[:, 0]

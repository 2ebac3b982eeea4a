"""Histone marks of one cell from a count file."""

import csv
import re
import warnings

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import open_text, readable
from wakawaka.core.messages import Warnings
from wakawaka.core.tables import need_columns, numbers, read_header, read_text_table, whole_numbers
from wakawaka.genome.gene_ids import plain_id
from wakawaka.sources.parsed import stored_values, unique_rows, write_part


def read_counts(path, part, *, marks, bins, scale, order):
    """Write the histone part of a file with the header `gene_id  bin  <mark> ...` and one row per gene and bin.

    Args:
        marks: list of the mark columns to take, in the order of the part's last axis; others are left out.
        bins: number of bins; every gene has each of 1..bins, rows may come in any order.
        scale: `counts` (whole numbers, kept as uint16 or uint32), `log1p` (ln(count + 1), turned back into counts where it fits) or
            `signal` (numbers).
        order: `genomic` or `transcript`, the order of the bins of minus-strand genes; kept for the store.

    Raises:
        InputError: anything else, with the line where there is one. Rows that stand twice with identical values are counted.
    """
    table = _read(path, ["gene_id", "bin", *marks], marks, scale)
    _check_rows(path, table, marks, bins, scale)
    warned = Warnings()
    table = _without_duplicates(path, table, warned)
    codes, gene_id = pd.factorize(table["gene_id"])
    rows = np.bincount(codes)
    if (rows != bins).any():
        gene = int(np.argmax(rows != bins))
        raise InputError(
            f"{path}: gene {gene_id[gene]} has {rows[gene]} bins, but `bins` in config.yaml is {bins}; "
            "count all bins, zeros too, or change the key."
        )
    values = np.empty((len(gene_id) * bins, len(marks)), np.int64 if scale == "counts" else np.float32)
    values[codes * bins + table["bin"].to_numpy() - 1] = table[marks]
    values, stored_scale = stored_values(path, values.reshape(-1, bins, len(marks)), scale, warned)
    ids = np.array([plain_id(text) for text in gene_id])
    # Two versions of one Ensembl gene id.
    keep = unique_rows(ids, values, path, warned)
    write_part(
        part, path, warned, about={"scale": stored_scale, "order": order}, gene_id=ids[keep], values=values[keep]
    )


def _check_rows(path, table, marks, bins, scale):
    """Refuse the first row with an impossible bin or value."""
    bin_number = table["bin"].to_numpy()
    values = table[marks].to_numpy()
    checks = [
        ((table["gene_id"] == "").to_numpy(), "the gene_id is empty"),
        (
            (bin_number < 1) | (bin_number > bins),
            f"the bin is not between 1 and {bins}, the number of `bins` in config.yaml",
        ),
        (~np.isfinite(values).all(axis=1), "a value is not a finite number"),
    ]
    if scale != "signal":
        checks.append(((values < 0).any(axis=1), f"a value is negative, which the scale `{scale}` does not allow"))
    for wrong, what in checks:
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{path}, line {table.index[row]} (gene {table['gene_id'].iloc[row]}, bin {bin_number[row]}): {what}; correct the file."
            )


def _without_duplicates(path, table, warned):
    """Return the table with one row per gene and bin: identical ones are counted, differing ones refused."""
    repeated = table.duplicated(["gene_id", "bin"]).to_numpy()
    if not repeated.any():
        return table
    differing = repeated & ~table.duplicated().to_numpy()
    if differing.any():
        row = int(np.argmax(differing))
        raise InputError(
            f"{path}, line {table.index[row]} (gene {table['gene_id'].iloc[row]}, bin {table['bin'].iloc[row]}): "
            "this gene and bin stand in the file before, with other values; keep one of the rows."
        )
    warned.add(
        f"{path}: {repeated.sum()} rows stand twice with identical values and are used once; "
        f"the first is line {table.index[np.argmax(repeated)]}."
    )
    return table[~repeated]


def _read(path, columns, marks, scale):
    """Return the columns as a table of numbers, indexed by the line of the file."""
    with readable(path), open_text(path) as file:
        first, header = read_header(path, file)
        need_columns(path, header, columns)
        words = re.search("(?i)true|false", file.readline())
    dtype = {"gene_id": str, "bin": np.int64, **dict.fromkeys(marks, np.int64 if scale == "counts" else np.float32)}
    try:
        with readable(path), open_text(path) as file, warnings.catch_warnings():
            # pandas only warns when rows are longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            options = {
                "header": None,
                "names": header,
                "skiprows": first,
                "index_col": False,
                "na_values": [""],
                "keep_default_na": False,
                "skip_blank_lines": False,
                "quoting": csv.QUOTE_NONE,
            }
            table = pd.read_csv(file, sep="\t", dtype=dtype, **options)
        # A row that is too short has missing values, if only in a column that is not wanted. A column of True is one of 1
        # to pandas.
        if (
            len(table)
            and not words
            and not table.isna().any(axis=None)
            and not re.search('["\0]', "".join(table["gene_id"].unique()))
        ):
            table.index += first + 1
            return table[columns]
    except (ValueError, OverflowError, pd.errors.ParserWarning):
        pass
    # Slower, but it names the line, and knows which oddities are harmless.
    text = read_text_table(path, lambda header: columns)
    table = {"gene_id": text["gene_id"], "bin": whole_numbers(path, text["bin"])}
    for mark in marks:
        table[mark] = whole_numbers(path, text[mark]) if scale == "counts" else numbers(path, text[[mark]])[:, 0]
    return pd.DataFrame(table, index=text.index)

"""Histone marks of one cell from a table of counts."""

import csv
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_text, readable
from wakawaka.core.messages import Warnings
from wakawaka.core.tables import need_columns, numbers, read_header, read_text_table, whole_numbers
from wakawaka.genome.gene_ids import plain_id
from wakawaka.sources.parsed import stored_values, unique_rows, write_parsed


def read_counts(path: PathLike, parsed: PathLike, *, marks: list[str], bins: int, scale: str, order: str) -> None:
    """Write the parsed histone marks of a file with the header `gene_id  bin  <mark> ...` and one row per gene and bin.

    Other columns are left out. A warning counts rows that stand twice with identical values.

    Args:
        path: the count file, gzip-compressed or not.
        parsed: path of the output.
        marks: the columns of marks, in the order of the last axis of the output.
        bins: number of bins. Every gene has each of the bins 1 to `bins`; rows may come in any order.
        scale: `counts` (whole numbers, written as uint16 or uint32), `log1p` (ln(count + 1), converted to counts if all values
            fit) or `signal` (any numbers).
        order: `genomic` or `transcript`, the order of the bins of minus-strand genes. It is written into the output.

    Raises:
        InputError: for a file of another form. The sentence names the line if there is one.
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
    # Ids that differ only in their version are now equal.
    keep = unique_rows(ids, values, path, warned)
    write_parsed(
        parsed, path, warned, about={"scale": stored_scale, "order": order}, gene_id=ids[keep], values=values[keep]
    )


def _check_rows(path: PathLike, table: pd.DataFrame, marks: list[str], bins: int, scale: str) -> None:
    """Raise an InputError for the first row without a gene id, or with an impossible bin or value."""
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


def _without_duplicates(path: PathLike, table: pd.DataFrame, warned: Warnings) -> pd.DataFrame:
    """Return the table with one row per gene and bin. A warning counts identical rows.

    Raises:
        InputError: if two rows of one gene and bin differ.
    """
    repeated = table.duplicated(["gene_id", "bin"]).to_numpy()
    if not repeated.any():
        return table
    differing = repeated & ~table.duplicated().to_numpy()
    if differing.any():
        row = int(np.argmax(differing))
        raise InputError(
            f"{path}, line {table.index[row]} (gene {table['gene_id'].iloc[row]}, bin {table['bin'].iloc[row]}): "
            "this gene and bin already have a row with other values; keep one of the rows."
        )
    warned.add(
        f"{path}: {repeated.sum()} rows stand twice with identical values and are used once; "
        f"the first is line {table.index[int(np.argmax(repeated))]}."
    )
    return table[~repeated]


def _read(path: PathLike, columns: list[str], marks: Sequence[str], scale: str) -> pd.DataFrame:
    """Return the columns of a count file as a table of numbers, indexed by the line of the file.

    Raises:
        InputError: for a missing column, a row of another length, or a field that is no number.
    """
    table = _read_fast(path, columns, marks, scale)
    if table is not None:
        return table
    # Slower, but it names the wrong line, and it accepts oddities that do no harm.
    text = read_text_table(path, lambda header: columns)
    read = {"gene_id": text["gene_id"], "bin": whole_numbers(path, text["bin"])}
    for mark in marks:
        read[mark] = whole_numbers(path, text[mark]) if scale == "counts" else numbers(path, text[[mark]])[:, 0]
    return pd.DataFrame(read, index=text.index)


def _read_fast(path: PathLike, columns: list[str], marks: Sequence[str], scale: str) -> pd.DataFrame | None:
    """Return what `_read` returns, or None if anything in the file is unusual. Raises InputError for a missing column."""
    with readable(path), open_text(path) as file:
        first, header = read_header(path, file)
        need_columns(path, header, columns)
        # pandas reads a column of True as one of 1.
        booleans = re.search("(?i)true|false", file.readline())
    dtype: dict[Any, Any] = {
        "gene_id": str,
        "bin": np.int64,
        **dict.fromkeys(marks, np.int64 if scale == "counts" else np.float32),
    }
    try:
        with readable(path), open_text(path) as file, warnings.catch_warnings():
            # pandas only warns if rows are longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            warnings.simplefilter("ignore", RuntimeWarning)
            table = pd.read_csv(
                file,
                sep="\t",
                dtype=dtype,
                header=None,
                names=header,
                skiprows=first,
                index_col=False,
                na_values=[""],
                keep_default_na=False,
                skip_blank_lines=False,
                quoting=csv.QUOTE_NONE,
            )
    except (ValueError, OverflowError, pd.errors.ParserWarning):
        return None
    # The row is too short if a value is missing in any column, also in one that is not wanted.
    if not len(table) or booleans or table.isna().any(axis=None):
        return None
    if re.search('["\0]', "".join(table["gene_id"].unique())):
        return None
    table.index += first + 1
    return table[columns]

"""Histone marks of one cell from a count file."""

import csv
import warnings

import numpy as np
import pandas as pd

from .errors import InputError
from .files import open_text, readable
from .gene_ids import plain_id
from .parts import write_part
from .tables import need_columns, numbers, read_text_table, whole_numbers


def read_counts(path, part, *, marks, bins, scale, order):
    """Write the histone part of a file with the header `gene_id  bin  <mark> ...` and one row per gene and bin.

    Args:
        marks: list of the mark columns to take, in the order of the part's last axis; others are left out.
        bins: number of bins; every gene has each of 1..bins once, rows may come in any order.
        scale: `counts` (whole numbers, kept as uint16 or uint32), `log1p` or `signal` (numbers).
        order: `genomic` or `transcript`, the order of the bins of minus-strand genes; kept for the store.

    Raises:
        InputError: anything else, with the line.
    """
    table = _read(path, ["gene_id", "bin", *marks], marks, scale)
    codes, gene_id = pd.factorize(table["gene_id"])
    bin_number = table["bin"].to_numpy()
    values = table[marks].to_numpy(np.int64 if scale == "counts" else np.float32)
    for wrong, what in (
        (
            (bin_number < 1) | (bin_number > bins),
            f"the bin is not between 1 and {bins}, the number of `bins` in config.yaml",
        ),
        ((values < 0).any(axis=1) if scale != "signal" else np.zeros(len(values), bool), "a count is negative"),
        (~np.isfinite(values).all(axis=1), "a value is not a finite number"),
        (pd.Series(codes * bins + bin_number).duplicated().to_numpy(), "this gene and bin stand in the file before"),
    ):
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InputError(
                f"{path}, line {row + 2} (gene {table['gene_id'].iloc[row]}, bin {bin_number[row]}): {what}; correct the file."
            )
    rows = np.bincount(codes, minlength=len(gene_id))
    if (rows != bins).any():
        gene = int(np.argmax(rows != bins))
        raise InputError(
            f"{path}: gene {gene_id[gene]} has {rows[gene]} bins, but `bins` in config.yaml is {bins}; "
            "count all bins, zeros too, or change the key."
        )
    ordered = np.empty((len(gene_id) * bins, len(marks)), values.dtype)
    ordered[codes * bins + bin_number - 1] = values
    ids = np.array([plain_id(text) for text in gene_id])
    if len(set(ids)) < len(ids):
        raise InputError(f"{path}: the file holds two versions of one Ensembl gene id; keep one of them.")
    write_part(
        part,
        path,
        about={"scale": scale, "order": order},
        gene_id=ids,
        values=compact_counts(ordered, path).reshape(-1, bins, len(marks)),
    )


def compact_counts(values, path):
    """Return whole numbers as uint16 where they fit, else as uint32; floats as float32. Raises InputError above 2^32 - 1."""
    if np.issubdtype(values.dtype, np.floating):
        return values.astype(np.float32)
    highest = int(values.max(initial=0))
    if highest > np.iinfo(np.uint32).max:
        raise InputError(f"{path}: a count of {highest} is not believable; check the column's content.")
    return values.astype(np.uint16 if highest <= np.iinfo(np.uint16).max else np.uint32)


def _read(path, columns, marks, scale):
    """Return the columns as a table of numbers, row i being line i + 2 of the file."""
    with readable(path), open_text(path) as file:
        header = file.readline().rstrip("\r\n").split("\t")
        need_columns(path, header, columns)
    dtype = {"gene_id": str, "bin": np.int64, **dict.fromkeys(marks, np.int64 if scale == "counts" else np.float32)}
    try:
        with readable(path), open_text(path) as file, warnings.catch_warnings():
            # pandas only warns when rows are longer than the header.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            options = {
                "index_col": False,
                "keep_default_na": False,
                "skip_blank_lines": False,
                "quoting": csv.QUOTE_NONE,
            }
            table = pd.read_csv(file, sep="\t", dtype=dtype, **options)
        if len(table):
            return table[columns]
    except (ValueError, OverflowError, pd.errors.ParserWarning):
        pass
    # Slower, but it names the line, and knows which oddities are harmless.
    text = read_text_table(path, lambda header: columns)
    table = {"gene_id": text["gene_id"], "bin": whole_numbers(path, text["bin"])}
    for mark in marks:
        table[mark] = whole_numbers(path, text[mark]) if scale == "counts" else numbers(path, text[[mark]])[:, 0]
    return pd.DataFrame(table)

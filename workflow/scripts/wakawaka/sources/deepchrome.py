"""The text files of DeepChrome and DeepDiff: `bins` consecutive lines per gene, comma-separated fields, no header.

DeepChrome (https://github.com/QData/DeepChrome): gene id, bin from 1, one count per mark, label 0 or 1.

    000003,1,0,1,0,2,0,1

DeepDiff (https://github.com/QData/DeepDiffChrome): gene id and window number in one field, one count per mark, no label.

    ENSG00000130749_ZC3H4_1,1,1,0,1,0

An id is an Ensembl id, or the integer part of a human one. The gene's symbol and the window's number may follow it. The files do
not name the marks, and their order differs between the two formats, so the configuration gives it.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, open_bytes, readable
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.genome.gene_ids import gene_name
from wakawaka.sources.parsed import unique_rows

# A printable ASCII character other than comma, double quote and blank.
_ID = r"[!#-&(-+\--~]"
_NUMBER = r"\d{1,18}"
# A symbol may follow the id. It may contain underscores.
_WITH_SYMBOL = re.compile(r"(ENS[A-Z]*G\d{11}(?:\.\d+)?(?:_PAR_Y)?|\d{1,11})(?:_.*)?")
_WINDOW = re.compile(r"(.+)_(0|[1-9]\d{0,8})")

# gene_id [gene] str, counts [gene, bin, mark] int64, and labels [gene] int64, or None for DeepDiff files.
Genes = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def read_deepchrome_file(path: PathLike, marks: Sequence[str], bins: int) -> Genes:
    """Return the genes of one file.

    Args:
        path: the file, gzip-compressed or not.
        marks: names of the columns with counts, in their order.
        bins: number of lines per gene.

    Returns:
        gene_id [gene] str, counts [gene, bin, mark] int64, and labels [gene] int64, or None for a DeepDiff file. A gene that
        stands twice in the file is returned twice.

    Raises:
        InputError: for a file of another form. The sentence names the first line that differs.
    """
    data = _content(path)
    labelled = _has_labels(path, data, marks)
    columns = ["gene id", "bin", *marks, "label"] if labelled else ["gene id", *marks]
    _check_fields(path, data, columns)
    # Every field is known to be well-formed, so the fast parser has nothing to guess.
    dtype = {0: str, **dict.fromkeys(range(1, len(columns)), np.int64)}
    table = pd.read_csv(io.BytesIO(data), dtype=dtype, header=None, na_filter=False, quoting=csv.QUOTE_NONE)
    names = table[0].to_numpy(object)
    numbers = table.drop(columns=0).to_numpy()
    starts = _check_bins(path, names, numbers[:, 0] if labelled else None, bins)
    gene_id = np.array([_gene_id(name) for name in starts])
    columns_of_bins = numbers.reshape(len(gene_id), bins, -1)
    if not labelled:
        _check_no_labels(path, columns_of_bins)
        return gene_id, columns_of_bins, None
    return gene_id, columns_of_bins[:, :, 1:-1], _labels(path, gene_id, columns_of_bins[:, :, -1])


def read_deepchrome_cell(paths: Iterable[PathLike], marks: Sequence[str], bins: int, warnings: Warnings) -> Genes:
    """Return the genes of all files of one cell, every gene once.

    Args:
        paths: the files of the cell.
        marks, bins: as for `read_deepchrome_file`.
        warnings: collects a sentence about identical rows.

    Returns:
        What `read_deepchrome_file` returns.

    Raises:
        InputError: as `read_deepchrome_file`, for differing values of one gene, and if only some of the files have labels.
    """
    paths = [str(path) for path in paths]
    files = [read_deepchrome_file(path, marks, bins) for path in paths]
    labels = [found for _, _, found in files if found is not None]
    unlabelled = [path for path, (_, _, found) in zip(paths, files, strict=True) if found is None]
    if labels and unlabelled:
        raise InputError(
            f"{unlabelled[0]}: this file has no labels, but {next(path for path in paths if path not in unlabelled)} has; "
            "the files of a cell must all be DeepChrome files or all be DeepDiff files."
        )
    gene_id = np.concatenate([ids for ids, _, _ in files])
    counts = np.concatenate([found for _, found, _ in files])
    values = counts.reshape(len(gene_id), -1)
    label = np.concatenate(labels) if labels else None
    if label is not None:
        values = np.column_stack([values, label])
    keep = unique_rows(gene_id, values, shorten_list(paths), warnings)
    return gene_id[keep], counts[keep], None if label is None else label[keep]


def _content(path: PathLike) -> bytes:
    """Return the lines of a file, decompressed, without byte order mark and with line feeds alone at their ends."""
    with readable(path), open_bytes(path) as file:
        data = file.read()
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n")
    if not data:
        raise InputError(f"{path}: the file is empty; fetch or make it again.")
    return data


def _has_labels(path: PathLike, data: bytes, marks: Sequence[str]) -> bool:
    """Return whether a file has the number of fields of DeepChrome in its first line, not that of DeepDiff.

    Raises:
        InputError: for any other number.
    """
    fields = data.split(b"\n", 1)[0].count(b",") + 1
    if fields not in (len(marks) + 1, len(marks) + 3):
        raise InputError(
            f"{path}, line 1: {fields} fields between commas, but with the {len(marks)} marks of `histone.marks` DeepChrome files have "
            f"{len(marks) + 3} (gene id, bin, marks, label) and DeepDiff files {len(marks) + 1} (gene id with window, marks); "
            "correct the key or the file."
        )
    return fields == len(marks) + 3


def _check_fields(path: PathLike, data: bytes, columns: Sequence[str]) -> None:
    """Raise an InputError for the first line that is not an id and one whole number for each other column."""
    line = rf"{_ID}++(?:,{_NUMBER}+){{{len(columns) - 1}}}$"
    wrong = re.compile(rf"^(?!{line}).*$".encode(), re.MULTILINE).search(data)
    if not wrong:
        return
    number = data.count(b"\n", 0, wrong.start()) + 1
    fields = wrong[0].decode("utf-8", "replace").split(",")
    where = f"{path}, line {number}"
    if len(fields) != len(columns):
        raise InputError(
            f"{where}: {len(fields)} fields between commas where {len(columns)} are needed "
            f"({', '.join(columns)}); the file may be damaged."
        )
    if number == 1 and not any(re.search(r"\d", field) for field in fields[-1:] + fields[1:2]):
        raise InputError(f"{where}: this looks like a header, but files of this kind have none; remove the line.")
    bad = [not re.fullmatch(_NUMBER, field, re.ASCII) for field in fields]
    bad[0] = not re.fullmatch(_ID + "+", fields[0])
    place = bad.index(True)
    kind = "a gene id without blanks and quotes" if place == 0 else "a whole number that is not negative"
    raise InputError(
        f"{where}: the {columns[place]} is {fields[place][:40]!r}, but it must be {kind}; correct the file."
    )


def _check_bins(path: PathLike, names: np.ndarray, numbers: np.ndarray | None, bins: int) -> list[str]:
    """Return the names [gene] of a file whose lines are every gene's bins in order, without the windows that count the bins.

    Args:
        path: the file.
        names: [line] object, the first field.
        numbers: [line] int64, the bins; None if the names count them.
        bins: number of lines per gene.

    Raises:
        InputError: if a bin is missing or not in its place.
    """
    first = _WINDOW.fullmatch(names[0])
    if numbers is None and not (first and first[2] in "01"):
        raise InputError(
            f"{path}, line 1: the gene id {names[0]!r} does not end in a window's number (_1, or _0 where they count from 0), "
            "as in DeepDiff files; for DeepChrome files, name the marks of all columns but the first two and the last in `histone.marks`."
        )
    # In DeepChrome files, a window's number may follow the id. It counts the bins, or is the same on all lines.
    counting = numbers is None or bool(bins > 1 and first and first[2] in "01" and names[0] != names[1 % len(names)])
    starts = names[::bins]
    if counting and first:
        offset = int(first[2])
        stems = [match[1] if (match := _WINDOW.fullmatch(name)) else name for name in starts]
        expected = [f"{stem}_{offset + place}" for stem in stems for place in range(bins)]
    else:
        stems = list(starts)
        expected = [stem for stem in stems for _ in range(bins)]
    wrong = names != np.array(expected, object)[: len(names)]
    if numbers is not None:
        wrong |= numbers != np.arange(len(names)) % bins + 1
    if wrong.any() or len(names) % bins:
        line = int(np.argmax(wrong)) if wrong.any() else len(names)
        raise InputError(_bins_fault(path, names, numbers, bins, counting, line))
    return stems


def _bins_fault(
    path: PathLike, names: np.ndarray, numbers: np.ndarray | None, bins: int, counting: bool, line: int
) -> str:
    """Return the sentence about wrong bins at a line.

    Args:
        path, names, numbers, bins: as for `_check_bins`.
        counting: whether the windows in the names count the bins.
        line: the number of lines before the wrong one; that of the file if it ends too early.
    """

    def gene(row: int) -> str:
        match = _WINDOW.fullmatch(names[row]) if counting else None
        return match[1] if match else names[row]

    # The first and last line of the gene that the line before belongs to.
    before = max(line - 1, 0)
    begin = end = before
    while begin > 0 and gene(begin - 1) == gene(before):
        begin -= 1
    while end + 1 < len(names) and gene(end + 1) == gene(before):
        end += 1
    if (end + 1 - begin) % bins:
        return (
            f"{path}, line {end + 1}: gene {gene(before)} has {end + 1 - begin} lines, but `bins` in config.yaml is {bins}; "
            "a gene has one line per bin, one after another: correct the key or the file."
        )
    shown = names[line] if numbers is None else f"{names[line]}, bin {numbers[line]}"
    return (
        f"{path}, line {line + 1}: this line ({shown}) is not bin {line % bins + 1} of {bins} of its gene; "
        "every gene needs all of its bins, one after another in ascending order, under one id."
    )


def _check_no_labels(path: PathLike, numbers: np.ndarray) -> None:
    """Raise an InputError if the first and last of the columns [gene, bin, column] are the bins and labels of a DeepChrome file."""
    bins, last = numbers[:, :, 0], numbers[:, :, -1]
    if (
        numbers.shape[1] > 1
        and numbers.shape[2] > 2
        and (bins == np.arange(1, numbers.shape[1] + 1)).all()
        and (last == last[:, :1]).all()
    ):
        raise InputError(
            f"{path}: the second column numbers the bins and the last one is the same on all of a gene's lines, as in DeepChrome files; "
            "name only the marks between them in `histone.marks`."
        )


def _labels(path: PathLike, gene_id: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the labels [gene] from labels [gene, bin].

    Raises:
        InputError: for the first label that is not 0 or 1, or not the same on all lines of its gene.
    """
    bins = labels.shape[1]
    wrong = labels > 1
    what = "but a label is 0 or 1"
    if not wrong.any():
        wrong, what = labels != labels[:, :1], "which is not that of the gene's lines before"
    if wrong.any():
        gene, place = (int(index) for index in np.argwhere(wrong)[0])
        raise InputError(
            f"{path}, line {gene * bins + place + 1}: the label of gene {gene_id[gene]} is {labels[gene, place]}, {what}; "
            "check `histone.marks`, whose marks stand before the label, and the file."
        )
    return labels[:, 0]


def _gene_id(name: str) -> str:
    """Return the gene id of a first field without its window's number."""
    match = _WITH_SYMBOL.fullmatch(name)
    return gene_name(match[1] if match else name)

"""The text files of DeepChrome and of DeepDiff: `bins` consecutive lines per gene, fields between commas, no header.

DeepChrome (https://github.com/QData/DeepChrome): gene id, bin from 1, one count per mark, label 0 or 1.

    000003,1,0,1,0,2,0,1

DeepDiff (https://github.com/QData/DeepDiffChrome): gene id and window number in one field, one count per mark, no label.

    ENSG00000130749_ZC3H4_1,1,1,0,1,0

Ids are the integer part of a human Ensembl id, or an Ensembl id, with or without the gene's symbol and the window's number
behind it. The order of the marks differs between the two, so it is never taken from the file.
"""

import csv
import io
import re

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import open_bytes, readable
from wakawaka.core.messages import some
from wakawaka.genome.gene_ids import gene_name
from wakawaka.sources.parsed import unique_rows

# Printable letters without the comma, quotes and the blank.
_ID = r"[!#-&(-+\--~]"
_NUMBER = r"\d{1,18}"
# A symbol may follow the id, and hold an underscore.
_WITH_SYMBOL = re.compile(r"(ENS[A-Z]*G\d{11}(?:\.\d+)?(?:_PAR_Y)?|\d{1,11})(?:_.*)?")
_WINDOW = re.compile(r"(.+)_(0|[1-9]\d{0,8})")


def read_deepchrome_file(path, marks, bins):
    """Read one file, plain or gzip-compressed.

    Args:
        marks: names of the columns with counts, in their order.
        bins: number of lines per gene.

    Returns:
        gene_id [gene] str, counts [gene, bin, mark] int64, and labels [gene] int64, or None for a file of DeepDiff's.
        A gene that stands twice is there twice.

    Raises:
        InputError: for whatever is not as above, with the first line that is not.
    """
    data = _content(path)
    labelled = _has_labels(path, data, marks)
    columns = ["gene id", "bin", *marks, "label"] if labelled else ["gene id", *marks]
    _check_fields(path, data, columns)
    # Every field is known to be well-formed, so that the fast parser has nothing to guess.
    dtype = {0: str, **dict.fromkeys(range(1, len(columns)), np.int64)}
    options = {"header": None, "na_filter": False, "quoting": csv.QUOTE_NONE}
    table = pd.read_csv(io.BytesIO(data), dtype=dtype, **options)
    names = table[0].to_numpy(object)
    numbers = table.drop(columns=0).to_numpy()
    starts = _check_bins(path, names, numbers[:, 0] if labelled else None, bins)
    gene_id = np.array([_gene_id(name) for name in starts])
    numbers = numbers.reshape(len(gene_id), bins, -1)
    if not labelled:
        _check_no_labels(path, numbers)
        return gene_id, numbers, None
    return gene_id, numbers[:, :, 1:-1], _labels(path, gene_id, numbers[:, :, -1])


def read_deepchrome_cell(paths, marks, bins, warnings):
    """Read the files of one cell together, every gene once; arguments and results as of `read_deepchrome_file`.

    Raises:
        InputError: also where two files hold different values of one gene, or only some of them hold labels.
    """
    paths = [str(path) for path in paths]
    ids, counts, labels = zip(*(read_deepchrome_file(path, marks, bins) for path in paths), strict=True)
    bare = [path for path, label in zip(paths, labels, strict=True) if label is None]
    if bare and len(bare) < len(paths):
        raise InputError(
            f"{bare[0]}: this file has no labels, but {next(path for path in paths if path not in bare)} has; "
            "the files of a cell must be of one kind, DeepChrome's or DeepDiff's."
        )
    gene_id, counts = np.concatenate(ids), np.concatenate(counts)
    labels = None if bare else np.concatenate(labels)
    flat = counts.reshape(len(gene_id), -1)
    keep = unique_rows(gene_id, flat if bare else np.column_stack([flat, labels]), some(paths), warnings)
    return gene_id[keep], counts[keep], None if bare else labels[keep]


def _content(path):
    """Return the lines of a file as bytes, without compression, byte order mark, or the ends of lines of Windows."""
    with readable(path), open_bytes(path) as file:
        data = file.read()
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip(b"\n")
    if not data:
        raise InputError(f"{path}: the file is empty; fetch or make it again.")
    return data


def _has_labels(path, data, marks):
    """Tell the two kinds of files apart by the number of fields in their first line. Raises InputError if it is neither's."""
    fields = data.split(b"\n", 1)[0].count(b",") + 1
    if fields not in (len(marks) + 1, len(marks) + 3):
        raise InputError(
            f"{path}, line 1: {fields} fields between commas, but with the {len(marks)} marks of `histone.marks` DeepChrome's files have "
            f"{len(marks) + 3} (gene id, bin, marks, label) and DeepDiff's {len(marks) + 1} (gene id with window, marks); "
            "correct the key or the file."
        )
    return fields == len(marks) + 3


def _check_fields(path, data, columns):
    """Refuse the first line that is not an id and as many whole numbers as there are other columns. Raises InputError."""
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


def _check_bins(path, names, numbers, bins):
    """Refuse a file whose lines are not every gene's bins in order; return the names [gene], without windows where they count up.

    Args:
        names: [line] object array, the first field. numbers: [line] the bins 1 ... `bins`, None where the names hold them.
    """
    first = _WINDOW.fullmatch(names[0])
    if numbers is None and not (first and first[2] in "01"):
        raise InputError(
            f"{path}, line 1: the gene id {names[0]!r} does not end in a window's number (_1, or _0 where they count from 0), "
            f"as DeepDiff's do; for files of DeepChrome name the marks of all columns but the first two and the last in `histone.marks`."
        )
    # In DeepChrome's files there may be a window's number behind the id, which counts or is always the same.
    counting = numbers is None or bool(bins > 1 and first and first[2] in "01" and names[0] != names[1 % len(names)])
    starts = names[::bins]
    if counting:
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


def _bins_fault(path, names, numbers, bins, counting, line):
    """Say what is wrong with the genes' bins at line `line` (counted from 0; the number of lines for the end of the file)."""

    def gene(row):
        match = _WINDOW.fullmatch(names[row]) if counting else None
        return match[1] if match else names[row]

    # The gene that the line before belongs to, and how many lines in a row are its.
    about = max(line - 1, 0)
    begin = end = about
    while begin > 0 and gene(begin - 1) == gene(about):
        begin -= 1
    while end + 1 < len(names) and gene(end + 1) == gene(about):
        end += 1
    if (end + 1 - begin) % bins:
        return (
            f"{path}, line {end + 1}: gene {gene(about)} has {end + 1 - begin} lines, but `bins` in config.yaml is {bins}; "
            "a gene has one line per bin, one after another: correct the key or the file."
        )
    shown = names[line] if numbers is None else f"{names[line]}, bin {numbers[line]}"
    return (
        f"{path}, line {line + 1}: this line ({shown}) is not bin {line % bins + 1} of {bins} of its gene; "
        "every gene needs all of its bins, one after another in ascending order, under one id."
    )


def _check_no_labels(path, numbers):
    """Refuse a file of DeepChrome's that has as many columns as DeepDiff's would have with the marks named. Raises InputError."""
    bins, last = numbers[:, :, 0], numbers[:, :, -1]
    if (
        numbers.shape[1] > 1
        and numbers.shape[2] > 2
        and (bins == np.arange(1, numbers.shape[1] + 1)).all()
        and (last == last[:, :1]).all()
    ):
        raise InputError(
            f"{path}: the second column numbers the bins and the last one is the same on all of a gene's lines, as in DeepChrome's files; "
            "name only the marks between them in `histone.marks`."
        )


def _labels(path, gene_id, labels):
    """Return the labels [gene] of labels [gene, bin]. Raises InputError for the first that is not 0 or 1, or not constant."""
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


def _gene_id(name):
    match = _WITH_SYMBOL.fullmatch(name)
    return gene_name(match[1] if match else name)

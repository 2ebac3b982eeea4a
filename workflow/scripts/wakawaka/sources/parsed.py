"""Parts: what a reader makes of one source, on its way into the store.

A part is an uncompressed `.npz` without pickles: named arrays, of which `gene_id` names the rows of the others, and
`about`, a JSON text with the files read and the warnings to report. Of files that one job reads it has
the sha256; of those that several jobs read, build_store takes it, once.

    genes        gene_id [gene], chrom [gene] ('' unknown), tss [gene] int64 (0-based, -1 unknown), strand [gene] (+ - .),
                 group [gene] ('' none)
    histone      gene_id [gene], values [gene, bin, mark] uint16, uint32 or float32          one part per cell
    sequence     gene_id [gene], values [gene, position] uint8 codes 0-3 = A C G T, 4 = N
    expression   gene_id [gene], cell [cell], values [cell, gene] float32, NaN where not known
"""

import contextlib
import functools
import json
import logging
import threading

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import as_list, atomic, sha256
from wakawaka.core.messages import Warnings, some
from wakawaka.core.npz import map_array, write_arrays

log = logging.getLogger(__name__)

# How far ln(count + 1) may lie from a whole count's before the values count as something else.
LOG_TOLERANCE = 1e-3

# So that no checksum is taken twice.
_DIGESTING = threading.Lock()


def write_part(path, sources, warnings=(), about=None, **arrays):
    """Write a part: `sources` are the paths read (or what a part's `about` says of them), `about` further JSON values.

    `arrays` are what the module's text lists.
    """
    about = {
        "sources": [source if isinstance(source, dict) else _source(str(source)) for source in as_list(sources)],
        "warnings": list(warnings),
        **(about or {}),
    }
    with atomic(path) as temporary:
        write_arrays(temporary, about=np.array(json.dumps(about)), **arrays)
    log.info("%s: %d genes", path, len(arrays["gene_id"]))


def write_genes(path, source, warnings, *, gene_id, chrom, tss, strand, group, about=None):
    """Write the genes part of arrays [row], once per gene; genes of unknown strand at a known place are counted.

    `about` are further JSON values, as those of `write_part`.

    Raises:
        InputError: if two rows of one gene differ.
    """
    unknown = gene_id[(strand == ".") & (tss >= 0)]
    if len(unknown):
        warnings.add(
            f"{source}: {len(unknown)} genes of unknown strand are taken as on the plus strand: {some(unknown)}."
        )
    keep = unique_rows(gene_id, np.stack([chrom, tss.astype(str), strand, group], axis=1), source, warnings)
    columns = {"gene_id": gene_id, "chrom": chrom, "tss": tss, "strand": strand, "group": group}
    write_part(path, source, warnings, about=about, **{name: values[keep] for name, values in columns.items()})


def write_gene_ids(path, files, gene_ids, sources=None):
    """Write the genes part of a set of ids alone, sorted; a warning names the files and says that nothing else is known.

    `sources` are as those of `write_part`, the files if None.
    """
    gene_id = np.array(sorted(gene_ids))
    blank = np.full(len(gene_id), "")
    warnings = Warnings()
    warnings.add(f"{some(files)}: the strands of the genes are not known: no bins or bases are turned round.")
    unknown = {"chrom": blank, "tss": np.full(len(gene_id), -1, np.int64), "strand": np.full(len(gene_id), ".")}
    write_part(path, sources or files, warnings, gene_id=gene_id, **unknown, group=blank)


def shared(paths):
    """Return what parts say of files that several jobs read: not their checksums, which none of them shall wait for."""
    return [{"path": str(path)} for path in as_list(paths)]


def digest_ahead(sources):
    """Begin to take the checksums of long files, which `write_part` will ask for, beside what else is done."""

    def digest():
        # What is wrong with a file, its reader says.
        with contextlib.suppress(OSError):
            for source in as_list(sources):
                _source(str(source))

    threading.Thread(target=digest, daemon=True).start()


def _source(path):
    with _DIGESTING:
        return _digested(path)


# A reader may make many parts of one file, and no job changes its inputs.
@functools.cache
def _digested(path):
    return {"path": path, "sha256": sha256(path)}


def read_part(path):
    """Return (about, arrays) of a part: a dict of JSON values and a dict of arrays, which cannot be written to."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: map_array(file.zip, f"{name}.npy") for name in file.files}
    return json.loads(str(arrays.pop("about"))), arrays


def compact_counts(values, path):
    """Return whole numbers, none of them negative, as uint16 where they fit, else as uint32. Raises InputError above 2^32 - 1."""
    highest = values.max(initial=0)
    if highest > np.iinfo(np.uint32).max:
        raise InputError(
            f"{path}: a count of {highest:g} is not believable; check the marks' columns and `histone.scale`."
        )
    return values.astype(np.uint16 if highest <= np.iinfo(np.uint16).max else np.uint32)


def stored_values(where, values, scale, warnings):
    """Return histone values as the store keeps them, and the scale they then have.

    Args:
        where: what to name in a sentence, usually a path. values: array, finite, and not negative unless the scale is `signal`.
        scale: `counts`, `log1p` (turned back into counts where all are ln(count + 1); else `warnings` says how many are not)
            or `signal`.

    Raises:
        InputError: for counts that are not believable.
    """
    if scale == "log1p":
        counts = np.rint(np.expm1(values.astype(np.float64)))
        off = np.abs(np.log1p(counts) - values) > LOG_TOLERANCE
        if not off.any():
            return compact_counts(counts, where), "counts"
        warnings.add(
            f"{where}: {off.sum()} values are not ln(whole number + 1) within {LOG_TOLERANCE}; "
            "the values are kept as they are, as logarithms."
        )
    return compact_counts(values, where) if scale == "counts" else values.astype(np.float32), scale


def unique_rows(gene_id, values, where, warnings):
    """Return the row numbers to keep so that every gene id stands once.

    Args:
        gene_id: [row] array of str.
        values: [row, ...] array; NaN equals NaN.
        where: what to name in a sentence, usually a path.
        warnings: `Warnings` that counts identical duplicates.

    Raises:
        InputError: if two rows of one gene differ.
    """
    _, first, inverse = np.unique(gene_id, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[inverse] != np.arange(len(gene_id)))
    for row in repeated:
        original = values[first[inverse[row]]]
        equal_nan = np.issubdtype(values.dtype, np.floating)
        if not np.array_equal(values[row], original, equal_nan=equal_nan):
            raise InputError(f"{where}: gene {gene_id[row]} stands twice with different values; keep one of its rows.")
    if len(repeated):
        warnings.add(
            f"{where}: {len(repeated)} genes stand twice with identical values and are used once: {some(gene_id[repeated])}."
        )
    return np.sort(first)

"""Parsed sources: the files that readers write, and that `build_store` joins.

A parsed source is an uncompressed `.npz` file without pickles. Its arrays are listed below; `gene_id` names the genes of the others.
`about` is a JSON text with the files read (`sources`), the warnings to report (`warnings`) and further values of each reader. It has
the SHA-256 of files that one job reads; `build_store` takes that of files that several jobs read, once.

    genes        gene_id [gene], chrom [gene] ('' unknown), tss [gene] int64 (0-based, -1 unknown), strand [gene] (+ - .),
                 group [gene] ('' none)
    histone      gene_id [gene], values [gene, bin, mark] uint16, uint32 or float32          one file per cell
    sequence     gene_id [gene], values [gene, position] uint8 codes 0-3 = A C G T, 4 = N
    expression   gene_id [gene], cell [cell], values [cell, gene] float32, NaN where not known
"""

import contextlib
import functools
import json
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, as_list, atomic, sha256
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.core.npz import map_array, write_arrays

log = logging.getLogger(__name__)

# How far ln(count + 1) may be from that of a whole count before the values are no longer taken for counts.
LOG_TOLERANCE = 1e-3

# Held while a checksum is taken, so that no file is read twice.
_CHECKSUM_LOCK = threading.Lock()


def write_parsed(
    path: PathLike,
    sources: PathLike | Sequence[PathLike] | Sequence[Mapping[str, str]],
    warnings: Iterable[str] = (),
    about: Mapping[str, Any] | None = None,
    **arrays: np.ndarray | Sequence[np.ndarray],
) -> None:
    """Write a parsed source.

    Args:
        path: the path of the output.
        sources: the paths read, or the entries of them in `about` (see `without_checksums`).
        warnings: sentences for the report.
        about: further JSON values.
        arrays: as the module's docstring lists them; a list of arrays stands for their concatenation.
    """
    about = {
        "sources": [source if isinstance(source, dict) else _entry(str(source)) for source in as_list(sources)],
        "warnings": list(warnings),
        **(about or {}),
    }
    with atomic(path) as temporary:
        write_arrays(temporary, about=np.array(json.dumps(about)), **arrays)
    log.info("%s: %d genes", path, len(arrays["gene_id"]))


def write_genes(
    path: PathLike,
    source: PathLike,
    warnings: Warnings,
    *,
    gene_id: np.ndarray,
    chrom: np.ndarray,
    tss: np.ndarray,
    strand: np.ndarray,
    group: np.ndarray,
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write parsed genes, one row per gene. A warning counts genes of unknown strand at a known place.

    Args:
        path: the path of the output. source: the path read. warnings: `Warnings` so far.
        gene_id, chrom, tss, strand, group: [row], as the module's docstring lists them.
        about: as for `write_parsed`.

    Raises:
        InputError: if two rows of one gene differ.
    """
    unknown = gene_id[(strand == ".") & (tss >= 0)]
    if len(unknown):
        warnings.add(
            f"{source}: {len(unknown)} genes of unknown strand are taken as on the plus strand: {shorten_list(unknown)}."
        )
    keep = unique_rows(gene_id, np.stack([chrom, tss.astype(str), strand, group], axis=1), source, warnings)
    columns = {"gene_id": gene_id, "chrom": chrom, "tss": tss, "strand": strand, "group": group}
    write_parsed(path, source, warnings, about=about, **{name: values[keep] for name, values in columns.items()})


def write_gene_ids(
    path: PathLike,
    files: Sequence[PathLike],
    gene_ids: Iterable[str],
    sources: Sequence[Mapping[str, str]] | None = None,
) -> None:
    """Write parsed genes of which only the ids are known, sorted. A warning names the files and says that strands are unknown.

    Args:
        path: the path of the output. files: the paths read. gene_ids: each once. sources: as for `write_parsed`; the files if None.
    """
    gene_id = np.array(sorted(gene_ids))
    blank = np.full(len(gene_id), "")
    warnings = Warnings()
    warnings.add(f"{shorten_list(files)}: the strands of the genes are not known: no bins or bases are reversed.")
    unknown: dict[str, Any] = {
        "chrom": blank,
        "tss": np.full(len(gene_id), -1, np.int64),
        "strand": np.full(len(gene_id), "."),
    }
    write_parsed(path, sources or files, warnings, gene_id=gene_id, **unknown, group=blank)


def without_checksums(paths: PathLike | Iterable[PathLike]) -> list[dict[str, str]]:
    """Return the entries in `about` of files that several jobs read, which leave the checksums to `build_store`."""
    return [{"path": str(path)} for path in as_list(paths)]


def start_checksums(sources: PathLike | Iterable[PathLike]) -> None:
    """Start to take the checksums of long files in a separate thread; `write_parsed` will use them."""

    def take() -> None:
        # The reader of a file reports what is wrong with it.
        with contextlib.suppress(OSError):
            for source in as_list(sources):
                _entry(str(source))

    threading.Thread(target=take, daemon=True).start()


def _entry(path: str) -> dict[str, str]:
    """Return the entry in `about` of a file, with its checksum."""
    with _CHECKSUM_LOCK:
        return _with_checksum(path)


# A reader may write many parsed sources from one file, and no job changes its inputs.
@functools.cache
def _with_checksum(path: str) -> dict[str, str]:
    return {"path": path, "sha256": sha256(path)}


def read_parsed(path: PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return (about, arrays) of a parsed source: a dict of JSON values, and a dict of read-only arrays."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: map_array(file.zip, f"{name}.npy") for name in file.files}
    return json.loads(str(arrays.pop("about"))), arrays


def compact_counts(values: np.ndarray, path: PathLike) -> np.ndarray:
    """Return whole numbers that are not negative as uint16 if they fit, else as uint32.

    Raises:
        InputError: for a count above 2^32 - 1.
    """
    highest = values.max(initial=0)
    if highest > np.iinfo(np.uint32).max:
        raise InputError(
            f"{path}: a count of {highest:g} is not believable; check the marks' columns and `histone.scale`."
        )
    return values.astype(np.uint16 if highest <= np.iinfo(np.uint16).max else np.uint32)


def stored_values(where: PathLike, values: np.ndarray, scale: str, warnings: Warnings) -> tuple[np.ndarray, str]:
    """Return (values, scale) of histone marks as the store keeps them.

    Args:
        where: what to name in a sentence, usually a path.
        values: finite numbers of any shape, not negative unless the scale is `signal`.
        scale: `counts`; `log1p`, converted to counts if all values are ln(count + 1), else kept and a warning counts the others;
            or `signal`.
        warnings: `Warnings` so far.

    Raises:
        InputError: for a count above 2^32 - 1.
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


def unique_rows(gene_id: np.ndarray, values: np.ndarray, where: PathLike, warnings: Warnings) -> np.ndarray:
    """Return the row numbers to keep, so that every gene id is kept once. A warning counts identical duplicates.

    Args:
        gene_id: [row] str.
        values: [row, ...]; NaN equals NaN.
        where: what to name in a sentence, usually a path.
        warnings: `Warnings` so far.

    Raises:
        InputError: if two rows of one gene differ.
    """
    _, first, inverse = np.unique(gene_id, return_index=True, return_inverse=True)
    repeated = np.flatnonzero(first[inverse] != np.arange(len(gene_id)))
    for row in repeated:
        original = values[first[inverse[row]]]
        equal_nan = bool(np.issubdtype(values.dtype, np.floating))
        if not np.array_equal(values[row], original, equal_nan=equal_nan):
            raise InputError(f"{where}: gene {gene_id[row]} stands twice with different values; keep one of its rows.")
    if len(repeated):
        warnings.add(
            f"{where}: {len(repeated)} genes stand twice with identical values and are used once: {shorten_list(gene_id[repeated])}."
        )
    return np.sort(first)

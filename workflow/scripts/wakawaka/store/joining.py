"""Joining parsed sources by gene: which genes all of them have, in which rows, and from which files they were read."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, readable, sha256
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.genome.windows import Assembly

log = logging.getLogger(__name__)


def read_about(path: PathLike) -> dict[str, Any]:
    """Return what a parsed source says about itself, without reading its values."""
    with np.load(path, allow_pickle=False) as file:
        return json.loads(str(file["about"]))


def read_gene_ids(path: PathLike) -> np.ndarray:
    """Return the gene ids [gene] of a parsed source, without reading its values."""
    with np.load(path, allow_pickle=False) as file:
        return file["gene_id"]


def read_layout(path: PathLike) -> tuple[np.dtype, tuple[int, ...]]:
    """Return the dtype and the shape of the values of a parsed source, without reading them."""
    with np.load(path, allow_pickle=False) as file, file.zip.open("values.npy") as values:
        np.lib.format.read_magic(values)
        shape, _, dtype = np.lib.format.read_array_header_1_0(values)
        return dtype, shape


def common_gene_ids(paths: Sequence[PathLike], cells: Sequence[str], warnings: Warnings) -> np.ndarray:
    """Return the ids [gene], sorted, that the parsed histone files of all cells have; warn of the others.

    Args:
        paths: one parsed source per cell, in the order of `cells`.
    """
    first = read_gene_ids(paths[0])
    common = every = set(first.tolist())
    for path in paths[1:]:
        ids = read_gene_ids(path)
        # Most files have the same genes in the same order.
        if not np.array_equal(ids, first):
            here = set(ids.tolist())
            common, every = common & here, every | here
    partial = sorted(every - common)
    if partial:
        cell = next(cell for cell, path in zip(cells, paths, strict=True) if partial[0] not in read_gene_ids(path))
        warnings.add(
            f"{len(partial)} genes lack histone marks in some cell and are left out: {shorten_list(partial)} "
            f"({partial[0]} lacks them in {cell})."
        )
    return np.array(sorted(common))


def joined_rows(ids: Mapping[str, np.ndarray], warnings: Warnings) -> np.ndarray:
    """Return the rows [kept] of the genes source that every source has, in its order; warn of what is left out.

    Args:
        ids: the gene ids of each source, by its name in sentences; the genes source is the first.

    Raises:
        InputError: if no gene is in all of the sources.
    """
    genes = next(iter(ids.values()))
    kept = np.ones(len(genes), bool)
    for name, others in ids.items():
        here = np.isin(genes, others)
        if not here.any():
            raise InputError(
                f"no gene of `genes` ({shorten_list(genes, 3)}) is among {name} ({shorten_list(others, 3)}): "
                "check that both files name genes by the same kind of identifier."
            )
        if not here.all():
            warnings.add(f"{(~here).sum()} genes are not among {name} and are left out: {shorten_list(genes[~here])}.")
        extra = others[~np.isin(others, genes)]
        if len(extra):
            warnings.add(
                f"{len(extra)} of {name} belong to no gene of `genes` and are not used: {shorten_list(extra)}."
            )
        kept &= here
    if not kept.any():
        raise InputError(f"no gene is in all of the sources at once ({', '.join(ids)}); check their files.")
    return np.flatnonzero(kept)


def rows_of(wanted: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Return for every wanted id its row in `ids`, [wanted] intp. Raises KeyError for an id that is not there."""
    rows = {name: row for row, name in enumerate(ids.tolist())}
    return np.array([rows[name] for name in wanted.tolist()], np.intp)


class RowFinder:
    """Finds the rows of the same genes in several sources. Most sources have one order, which is looked up once."""

    def __init__(self, wanted: np.ndarray) -> None:
        self._wanted = wanted
        self._ids = np.empty(0, str)
        self._rows = np.empty(0, np.intp)

    def rows(self, ids: np.ndarray) -> np.ndarray:
        """Return the rows [wanted] of the genes in a source with these ids."""
        if not np.array_equal(ids, self._ids):
            self._ids, self._rows = ids, rows_of(self._wanted, ids)
        return self._rows


def highest_tss(about: Mapping[str, Any], genes: Mapping[str, np.ndarray]) -> Assembly:
    """Return the highest TSS of every chromosome, in the form of the readers' `assemblies`."""
    placed = (genes["chrom"] != "") & (genes["tss"] >= 0)
    reach = pd.Series(genes["tss"][placed] + 1).groupby(genes["chrom"][placed]).max()
    path = shorten_list(source["path"] for source in about["sources"])
    return {"path": path, "reach": {str(chrom): int(end) for chrom, end in reach.items()}}


def start_checksums(abouts: Iterable[Mapping[str, Any]]) -> Callable[[], list[dict[str, Any]]]:
    """Start a thread that takes the SHA-256 of every source file that no reader took.

    Returns:
        A function that waits for the checksums and returns the source files, each once.
    """
    merged: dict[str, dict[str, Any]] = {}
    for about in abouts:
        for source in about["sources"]:
            merged.setdefault(source["path"], {}).update(source)
    pool = ThreadPoolExecutor(1)
    digests = {path: pool.submit(_checksum, path) for path, source in merged.items() if "sha256" not in source}
    pool.shutdown(wait=False)

    def wait() -> list[dict[str, Any]]:
        return [
            source | ({"sha256": digests[path].result()} if path in digests else {}) for path, source in merged.items()
        ]

    return wait


def _checksum(path: str) -> str:
    with readable(path):
        return sha256(path)

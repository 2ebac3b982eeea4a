"""Build the store: join the four sources by gene and cell. Every later step reads the store and no other file format.

store.py reads it; joining.py finds the common genes; orientation.py reverses the windows of minus-strand genes.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import PathLike, save_array
from wakawaka.core.messages import Warnings, shorten_list, write_warnings
from wakawaka.core.progress import Progress
from wakawaka.genome.windows import check_assemblies
from wakawaka.sources.parsed import read_parsed
from wakawaka.store.arrays import row_blocks, save_blocks
from wakawaka.store.joining import (
    RowFinder,
    common_gene_ids,
    highest_tss,
    joined_rows,
    read_about,
    read_gene_ids,
    read_layout,
    rows_of,
    start_checksums,
)
from wakawaka.store.orientation import OrientationTest, orient_bases, orient_bins, windows_are_oriented
from wakawaka.store.store import StoreInfo, write_cell_table, write_gene_table

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ParsedSources:
    """The paths of the parsed sources that are joined.

    Attributes:
        genes: the genes; only they are always needed.
        histone: one path per cell, in the order of `StoreSettings.cells`; empty without histone marks.
        sequence, expression: None where not used.
    """

    genes: PathLike
    histone: Sequence[PathLike] = ()
    sequence: PathLike | None = None
    expression: PathLike | None = None


@dataclass(frozen=True)
class StoreSettings:
    """The settings of a store.

    Attributes:
        cells, marks: names, in the order of the arrays' axes.
        window: length of the windows in bp.
        bins: number of bins in a window.
        strand_aware: whether the windows of minus-strand genes are reversed.
        reference: name of the expression column that a ratio is taken to, None without one.
    """

    cells: Sequence[str]
    marks: Sequence[str]
    window: int
    bins: int
    strand_aware: bool
    reference: str | None = None


def build_store(store: Sequence[PathLike], warnings: PathLike, parsed: ParsedSources, settings: StoreSettings) -> None:
    """Write the store.

    A gene is in the store if the genes source and every other source that is used have it. Its expression may be
    unknown. Where windows are `strand_aware`, the last bin and base of every window are downstream of the TSS, inside
    the gene.

    Args:
        store: output paths, known by their names: genes.tsv, cells.tsv, store.json and, where used, histone.npy,
            dna.npy, expression.npy and reference.npy.
        warnings: output path of a table with a row for each warning of the readers and of the joining.
        parsed: the sources. settings: cells, marks and windows.

    Raises:
        InputError: if the sources have no gene in common or are of different assemblies, or if a source file is gone.
    """
    paths, warned = {Path(path).name: path for path in store}, Warnings()
    about, genes = read_parsed(parsed.genes)
    others = [path for path in (parsed.sequence, *parsed.histone, parsed.expression) if path]
    abouts = [about, *map(read_about, others)]
    checksums = start_checksums(abouts)
    check_assemblies([highest_tss(about, genes), *(entry for about in abouts for entry in about.get("assemblies", ()))])
    rows = joined_rows(_gene_ids(genes["gene_id"], parsed, settings.cells, warned), warned)
    genes = {name: values[rows] for name, values in genes.items()}
    found = _write_arrays(parsed, paths, genes, settings, warned)
    write_gene_table(pd.DataFrame(genes), paths["genes.tsv"])
    write_cell_table(settings.cells, paths["cells.tsv"])
    # The readers have logged theirs already.
    sentences = [sentence for about in abouts for sentence in about["warnings"]] + warned
    write_warnings(list(dict.fromkeys(sentences)), warnings)
    StoreInfo(
        cells=len(settings.cells),
        genes=len(rows),
        marks=list(settings.marks) if parsed.histone else [],
        window=settings.window,
        bins=settings.bins,
        bin_size=settings.window // settings.bins,
        strand_aware=windows_are_oriented(_order(parsed), genes["strand"], settings.strand_aware),
        sources=checksums(),
        **found,
    ).write(paths["store.json"])
    log.info("the store holds %d genes in %d cells", len(rows), len(settings.cells))


def _write_arrays(
    parsed: ParsedSources,
    paths: Mapping[str, PathLike],
    genes: Mapping[str, np.ndarray],
    settings: StoreSettings,
    warnings: Warnings,
) -> dict[str, Any]:
    """Write the arrays of the sources that are used; return what store.json says about them."""
    found: dict[str, Any] = {"scale": None}
    if parsed.histone:
        found |= _write_histone(parsed.histone, paths["histone.npy"], genes, settings, warnings)
    if parsed.sequence:
        _write_dna(parsed.sequence, paths["dna.npy"], genes, settings.strand_aware)
    if parsed.expression:
        found["medians"] = _write_expression(parsed.expression, paths, genes["gene_id"], settings, warnings)
    return found


def _gene_ids(
    genes: np.ndarray, parsed: ParsedSources, cells: Sequence[str], warnings: Warnings
) -> dict[str, np.ndarray]:
    """Return the gene ids of each source that is used, by its name in sentences."""
    ids = {"the genes": genes}
    if parsed.sequence:
        ids["the sequences"] = read_gene_ids(parsed.sequence)
    if parsed.histone:
        ids["the histone marks"] = common_gene_ids(parsed.histone, cells, warnings)
    return ids


def _order(parsed: ParsedSources) -> str:
    """Return the order of the sources' windows, `genomic` or `transcript`: that of the bins, where there are any."""
    first = parsed.histone[0] if parsed.histone else parsed.sequence
    return read_about(first)["order"] if first else "genomic"


def _write_histone(
    parsed: Sequence[PathLike],
    output: PathLike,
    genes: Mapping[str, np.ndarray],
    settings: StoreSettings,
    warnings: Warnings,
) -> dict[str, Any]:
    """Write [cell, gene, bin, mark], some genes of a cell at a time; return what store.json says about it."""
    abouts = [read_about(path) for path in parsed]
    scale, minus = _common_scale(abouts), (genes["strand"] == "-") & settings.strand_aware
    orientation = OrientationTest(settings.marks, genes["strand"], settings.strand_aware)
    empty, finder = dict.fromkeys(settings.cells, 0), RowFinder(genes["gene_id"])

    def blocks() -> Iterator[np.ndarray]:
        progress = Progress(log, len(parsed), "cells", logging.INFO)
        for cell, path, about in zip(settings.cells, parsed, abouts, strict=True):
            _, content = read_parsed(path)
            for taken, values in row_blocks(content["values"], finder.rows(content["gene_id"])):
                if about["scale"] == "counts" and scale != "counts":
                    values = np.log1p(values.astype(np.float64))
                orient_bins(values, minus[taken], about["order"])
                empty[cell] += int((~values.any(axis=(1, 2))).sum())
                orientation.add(taken, values)
                yield values
            progress.advance(1, "%s", output)

    dtypes, shapes = zip(*map(read_layout, parsed), strict=True)
    whole = scale == "counts" and all(np.issubdtype(dtype, np.integer) for dtype in dtypes)
    dtype = np.result_type(*dtypes) if whole else np.dtype(np.float32)
    save_blocks(blocks(), (len(parsed), len(minus), *shapes[0][1:]), dtype, output)
    _warn_of_empty_windows(empty, warnings)
    orientation.report(warnings)
    return {
        "scale": scale,
        "depth": {cell: about.get("depth") for cell, about in zip(settings.cells, abouts, strict=True)},
        "counting": next((about["counting"] for about in abouts if "counting" in about), None),
    }


def _common_scale(abouts: Sequence[Mapping[str, Any]]) -> str:
    """Return the scale of all cells together: counts stay counts only if those of every cell are."""
    scales = {about["scale"] for about in abouts}
    if len(scales) == 1:
        return scales.pop()
    return "signal" if "signal" in scales else "log1p"


def _warn_of_empty_windows(empty: Mapping[str, int], warnings: Warnings) -> None:
    """Warn of cells in which genes have only zeros; `empty` is the number of these genes in each cell."""
    named = [f"{genes} in {cell}" for cell, genes in empty.items() if genes]
    if named:
        warnings.add(
            f"in {len(named)} of {len(empty)} cells some genes have only zeros in their window: {shorten_list(named)}."
        )


def _write_dna(parsed: PathLike, output: PathLike, genes: Mapping[str, np.ndarray], strand_aware: bool) -> None:
    """Write the codes [gene, position] uint8."""
    about, content = read_parsed(parsed)
    values, rows = content["values"], rows_of(genes["gene_id"], content["gene_id"])
    minus = (genes["strand"] == "-") & strand_aware

    def blocks() -> Iterator[np.ndarray]:
        for taken, codes in row_blocks(values, rows):
            orient_bases(codes, minus[taken], about["order"])
            yield codes

    save_blocks(blocks(), (len(rows), *values.shape[1:]), values.dtype, output)


def _write_expression(
    parsed: PathLike,
    paths: Mapping[str, PathLike],
    gene_id: np.ndarray,
    settings: StoreSettings,
    warnings: Warnings,
) -> dict[str, float]:
    """Write the expression [cell, gene] float32 and the reference [gene]; return the median of every cell.

    The medians are taken over all genes of the expression source, also those that the store does not have.
    """
    _, content = read_parsed(parsed)
    cells = list(settings.cells)
    absent = [cell for cell in cells if cell not in content["cell"]]
    if absent:
        warnings.add(
            f"{len(absent)} cells without expression are predicted, but neither trained on nor scored: {shorten_list(absent)}."
        )
    if settings.reference:
        reference = _select(content, [settings.reference], gene_id)[0]
        _check_reference(settings.reference, reference)
        save_array(reference, paths["reference.npy"])
    values = _select(content, cells, gene_id)
    if not np.isfinite(values).any():
        raise InputError(
            f"no gene of the store ({shorten_list(gene_id, 3)}) has an expression value in any cell; "
            f"the expression table names genes like {shorten_list(content['gene_id'], 3)}."
        )
    _warn_of_expression(values, cells, gene_id[~np.isin(gene_id, content["gene_id"])], warnings)
    save_array(values, paths["expression.npy"])
    rows = dict(zip(content["cell"].tolist(), content["values"], strict=True))
    known = {cell: rows[cell][np.isfinite(rows[cell])] for cell in cells if cell in rows}
    return {cell: float(np.median(row.astype(np.float64))) for cell, row in known.items() if len(row)}


def _select(content: Mapping[str, np.ndarray], columns: Sequence[str], gene_id: np.ndarray) -> np.ndarray:
    """Return the expression [column, gene] float32 of the named columns, NaN where the source has no value."""
    values = np.full((len(columns), len(gene_id)), np.nan, np.float32)
    known, there = np.isin(gene_id, content["gene_id"]), np.isin(columns, content["cell"])
    if known.any() and there.any():
        rows = rows_of(np.array(columns)[there], content["cell"])
        places = rows_of(gene_id[known], content["gene_id"])
        values[np.ix_(there, known)] = content["values"][np.ix_(rows, places)]
    return values


def _check_reference(name: str, values: np.ndarray) -> None:
    if not np.isfinite(values).any():
        raise InputError(
            f"config key `expression.transform` takes a ratio to {name}, for which the expression source has no value of any gene "
            "of the store; name a column that it has."
        )


def _warn_of_expression(values: np.ndarray, cells: Sequence[str], unknown: np.ndarray, warnings: Warnings) -> None:
    """Warn of genes without expression (`unknown`), and of cells in which all genes have the same value."""
    if len(unknown):
        warnings.add(
            f"{len(unknown)} genes without expression are predicted, but neither trained on nor scored: {shorten_list(unknown)}."
        )
    for cell, row in zip(cells, values, strict=True):
        finite = row[np.isfinite(row)]
        if len(finite) > 1 and np.ptp(finite) == 0:
            warnings.add(f"the expression of cell {cell} is {finite[0]:g} for all of its {len(finite)} genes.")

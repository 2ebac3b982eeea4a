"""The store: the four sources joined by gene and cell. Every later step reads it, and none knows a file format."""

import contextlib
import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from .dna import reverse_complement
from .errors import InputError
from .files import atomic, save_array, write_table
from .parts import Warnings, read_part, some

log = logging.getLogger(__name__)


def build_store(store, genes, expression, *, cells, marks, window, bins, histone=(), sequence=None):
    """Join the parts of the sources and write the store.

    A gene is in the store if it is in the genes part and in every other source that is used; its expression may be
    unknown. Bins and bases of minus-strand genes that a source gives in genomic order are turned round (bases:
    reverse-complemented), so that the last bin and base lie downstream, inside the gene, for all genes.

    Args:
        store: list of output paths, known by their names: genes.tsv, cells.tsv, expression.npy, store.json
            and, where used, histone.npy and dna.npy.
        genes, expression, sequence: paths of parts; sequence None or empty where the dna module is not used.
        cells: list of str. histone: list of paths of parts in the order of `cells`, empty where not used.
        marks, window (bp), bins: as configured, for store.json.

    Raises:
        InputError: if the sources have no gene in common.
    """
    store = {Path(path).name: path for path in store}
    warnings = Warnings()
    about, gene = read_part(genes)
    abouts = [about]
    id_lists = {"the genes": gene["gene_id"]}
    if sequence:
        abouts.append(_about(sequence))
        id_lists["the sequences"] = _ids(sequence)
    if histone:
        id_lists["the histone marks"] = _common_ids(histone, cells, warnings)
    rows = _joined(id_lists, warnings)
    gene = {name: values[rows] for name, values in gene.items()}
    minus = gene["strand"] == "-"
    scale = None
    if histone:
        scale = _write_histone(histone, store["histone.npy"], cells, gene["gene_id"], minus, warnings, abouts)
    if sequence:
        _write_dna(sequence, store["dna.npy"], gene["gene_id"], minus)
    about, values = _expression(expression, gene["gene_id"], cells, warnings)
    abouts.append(about)
    save_array(values, store["expression.npy"])
    write_table(_gene_table(gene), store["genes.tsv"])
    write_table(pd.DataFrame({"cell": cells}), store["cells.tsv"])
    info = {
        "cells": len(cells),
        "genes": len(rows),
        "marks": list(marks) if histone else [],
        "window": window,
        "bins": bins,
        "bin_size": window // bins,
        "scale": scale,
        # What the readers already logged, then what joining adds.
        "warnings": list(dict.fromkeys([sentence for about in abouts for sentence in about["warnings"]] + warnings)),
        # One file may hold many cells.
        "sources": list({source["path"]: source for about in abouts for source in about["sources"]}.values()),
    }
    with atomic(store["store.json"]) as temporary:
        temporary.write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    log.info("the store holds %d genes in %d cells", len(rows), len(cells))


def _about(part):
    with np.load(part, allow_pickle=False) as file:
        return json.loads(str(file["about"]))


def _ids(part):
    with np.load(part, allow_pickle=False) as file:
        return file["gene_id"]


def _common_ids(parts, cells, warnings):
    """Return the genes that every cell has."""
    ids = [set(_ids(part).tolist()) for part in parts]
    common = set.intersection(*ids)
    partial = sorted(set.union(*ids) - common)
    if partial:
        cell = next(cell for cell, have in zip(cells, ids, strict=True) if partial[0] not in have)
        warnings.add(
            f"{len(partial)} genes lack histone marks in some cell and are left out: {some(partial)} ({partial[0]} lacks them in {cell})."
        )
    return np.array(sorted(common))


def _joined(id_lists, warnings):
    """Return the rows of the genes source that every source knows, in its order."""
    genes = id_lists["the genes"]
    kept = np.ones(len(genes), bool)
    for name, ids in id_lists.items():
        here = np.isin(genes, ids)
        if not here.any():
            raise InputError(
                f"no gene of `genes` ({some(genes, 3)}) is among {name} ({some(ids, 3)}): "
                "check that both files name genes by the same kind of identifier."
            )
        if not here.all():
            warnings.add(f"{(~here).sum()} genes are not among {name} and are left out: {some(genes[~here])}.")
        extra = ids[~np.isin(ids, genes)]
        if len(extra):
            warnings.add(f"{len(extra)} of {name} belong to no gene of `genes` and are not used: {some(extra)}.")
        kept &= here
    if not kept.any():
        raise InputError(f"no gene is in all of the sources at once ({', '.join(id_lists)}); check their files.")
    return np.flatnonzero(kept)


def _places(wanted, ids):
    """Return for every wanted id its row in `ids`."""
    order = np.argsort(ids)
    return order[np.searchsorted(ids, wanted, sorter=order)]


def _write_histone(parts, path, cells, gene_id, minus, warnings, abouts):
    """Write [cell, gene, bin, mark] and return its scale; cell by cell, so that memory holds one of them."""
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(atomic(path))
        scales = {_about(part)["scale"] for part in parts}
        # Counts that one cell's logarithms could not be turned back into are logarithms for all cells.
        scale = "log1p" if scales == {"counts", "log1p"} else scales.pop()
        dtype = np.float32 if scale != "counts" else np.result_type(*(_dtype(part) for part in parts))
        array = None
        for row, part in enumerate(parts):
            about, content = read_part(part)
            abouts.append(about)
            values = content["values"][_places(gene_id, content["gene_id"])]
            if about["scale"] != scale:
                values = np.log1p(values.astype(np.float64))
            if about["order"] == "genomic":
                values[minus] = values[minus, ::-1]
            empty = int((values == 0).all(axis=(1, 2)).sum())
            if empty:
                warnings.add(f"{empty} genes have nothing but zeros in their window in cell {cells[row]}.")
            if array is None:
                array = np.lib.format.open_memmap(temporary, "w+", dtype, (len(parts), *values.shape))
            array[row] = values
            if (row + 1) % 10 == 0:
                log.info("histone marks of %d of %d cells", row + 1, len(parts))
        array.flush()
        del array
    return scale


def _dtype(part):
    with np.load(part, allow_pickle=False) as file:
        return file["values"].dtype


def _write_dna(part, path, gene_id, minus):
    about, content = read_part(part)
    values = content["values"][_places(gene_id, content["gene_id"])]
    if about["order"] == "genomic":
        values[minus] = reverse_complement(values[minus])
    save_array(values, path)


def _expression(part, gene_id, cells, warnings):
    """Return (about, values [cell, gene] float32)."""
    about, content = read_part(part)
    values = np.full((len(cells), len(gene_id)), np.nan, np.float32)
    known = np.isin(gene_id, content["gene_id"])
    if known.any():
        rows, columns = _places(cells, content["cell"]), _places(gene_id[known], content["gene_id"])
        values[:, known] = content["values"][np.ix_(rows, columns)]
    if not np.isfinite(values).any():
        raise InputError(
            f"no gene of the store ({some(gene_id, 3)}) has an expression value in any cell; "
            f"the expression table names genes like {some(content['gene_id'], 3)}."
        )
    if not known.all():
        warnings.add(
            f"{(~known).sum()} genes without expression are predicted, but neither trained on nor scored: {some(gene_id[~known])}."
        )
    for cell, row in zip(cells, values, strict=True):
        finite = row[np.isfinite(row)]
        if len(finite) > 1 and np.ptp(finite) == 0:
            warnings.add(f"the expression of cell {cell} is {finite[0]:g} for all of its {len(finite)} genes.")
    return about, values


def _gene_table(gene):
    table = pd.DataFrame({name: gene[name] for name in ("gene_id", "chrom", "tss", "strand", "group")})
    # Blanks would read as "-", which a strand may be; nothing downstream needs them apart.
    return table.astype({"tss": "Int64"}).mask(lambda t: (t == "") | (t == -1))

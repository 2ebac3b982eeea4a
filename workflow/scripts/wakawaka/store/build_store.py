"""The store: the four sources joined by gene and cell. Every later step reads it, and none knows a file format."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from wakawaka.core.errors import InputError
from wakawaka.core.files import atomic, readable, save_array, sha256, write_table
from wakawaka.core.messages import Warnings, some, write_warnings
from wakawaka.core.progress import Progress
from wakawaka.genome.dna import reverse_complement
from wakawaka.genome.windows import check_assemblies
from wakawaka.sources.parsed import read_part

log = logging.getLogger(__name__)

# Bytes that are written together.
_BLOCK = 1 << 18

# With fewer genes on a strand, a difference between the two sides of their TSSs may be chance.
FEWEST_TO_TEST = 20

# It marks the bodies of transcribed genes, so more of it is downstream of their TSSs.
# Source: Roadmap Epigenomics Consortium, Nature 2015, 518:317.
GENE_BODIES = "H3K36me3"


def build_store(
    store,
    warnings,
    genes,
    *,
    cells,
    marks,
    window,
    bins,
    oriented,
    histone=(),
    sequence=None,
    expression=None,
    reference=None,
):
    """Join the parts of the sources and write the store.

    A gene is in the store if it is in the genes part and in every other source that is used; its expression may be
    unknown. Where windows are `oriented`, bins and bases of minus-strand genes that a source gives in genomic order are
    turned round (bases: reverse-complemented), so that the last bin and base lie downstream, inside the gene, for all genes.

    Args:
        store: list of output paths, known by their names: genes.tsv, cells.tsv, store.json and, where used, histone.npy,
            dna.npy, expression.npy and reference.npy.
        warnings: path of a table to write, with a row for everything odd that the readers and the joining met.
        genes, expression, sequence: paths of parts; sequence and expression None or empty where they are not used.
        cells: list of str. histone: list of paths of parts in the order of `cells`, empty where not used.
        marks, window (bp), bins: as configured, for store.json.
        oriented: bool; store.json says whether downstream is into the gene in the end, which it is not where no strand is known.
        reference: the column of the expression that a ratio is taken to, or None.

    Raises:
        InputError: if the sources have no gene in common, or are of different assemblies; if a file that they share is gone.
    """
    store = {Path(path).name: path for path in store}
    warned = Warnings()
    about, gene = read_part(genes)
    parts = [part for part in (sequence, *histone, expression) if part]
    abouts = [about, *map(_about, parts)]
    sources = _sources(abouts)
    check_assemblies([_reach(about, gene), *(entry for about in abouts for entry in about.get("assemblies", ()))])
    id_lists = {"the genes": gene["gene_id"]}
    if sequence:
        id_lists["the sequences"] = _ids(sequence)
    if histone:
        id_lists["the histone marks"] = _common_ids(histone, cells, warned)
    rows = _joined(id_lists, warned)
    gene = {name: values[rows] for name, values in gene.items()}
    info = {"cells": len(cells), "genes": len(rows), "marks": list(marks) if histone else []}
    info |= {"window": window, "bins": bins, "bin_size": window // bins, "oriented": oriented, "scale": None}
    if histone:
        info |= _write_histone(histone, store["histone.npy"], cells, marks, gene, oriented, warned)
    if sequence:
        order = _write_dna(sequence, store["dna.npy"], gene["gene_id"], (gene["strand"] == "-") & oriented)
    # Of the bins, where there are any.
    order = _about(histone[0])["order"] if histone else order if sequence else "genomic"
    info["oriented"] = order == "transcript" or bool(oriented and (gene["strand"] != ".").any())
    if expression:
        info["medians"] = _write_expression(expression, store, gene["gene_id"], cells, reference, warned)
    write_table(_gene_table(gene), store["genes.tsv"])
    write_table(pd.DataFrame({"cell": cells}), store["cells.tsv"])
    # What the readers already logged, then what joining adds.
    sentences = list(dict.fromkeys([sentence for about in abouts for sentence in about["warnings"]] + warned))
    write_warnings(sentences, warnings)
    info["sources"] = sources()
    with atomic(store["store.json"]) as temporary:
        temporary.write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    log.info("the store holds %d genes in %d cells", len(rows), len(cells))


def _reach(about, gene):
    """Return the highest TSS of every chromosome, in the form of the readers' `assemblies`."""
    placed = (gene["chrom"] != "") & (gene["tss"] >= 0)
    reach = pd.Series(gene["tss"][placed] + 1).groupby(gene["chrom"][placed]).max()
    path = some(source["path"] for source in about["sources"])
    return {"path": path, "reach": {chrom: int(end) for chrom, end in reach.items()}}


def _sources(abouts):
    """Begin to take the checksums that no reader took, and return a function that waits for them: it returns every file once."""
    merged = {}
    for about in abouts:
        for source in about["sources"]:
            merged.setdefault(source["path"], {}).update(source)
    pool = ThreadPoolExecutor(1)
    digests = {path: pool.submit(_digest, path) for path, source in merged.items() if "sha256" not in source}
    pool.shutdown(wait=False)
    return lambda: [
        source | ({"sha256": digests[path].result()} if path in digests else {}) for path, source in merged.items()
    ]


def _digest(path):
    with readable(path):
        return sha256(path)


def _about(part):
    with np.load(part, allow_pickle=False) as file:
        return json.loads(str(file["about"]))


def _ids(part):
    with np.load(part, allow_pickle=False) as file:
        return file["gene_id"]


def _common_ids(parts, cells, warnings):
    """Return the genes that every cell has."""
    first = _ids(parts[0])
    common = every = set(first.tolist())
    for part in parts[1:]:
        ids = _ids(part)
        # As in most files.
        if not np.array_equal(ids, first):
            ids = set(ids.tolist())
            common, every = common & ids, every | ids
    partial = sorted(every - common)
    if partial:
        cell = next(cell for cell, part in zip(cells, parts, strict=True) if partial[0] not in _ids(part))
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
    rows = {name: row for row, name in enumerate(ids.tolist())}
    return np.array([rows[name] for name in wanted.tolist()], np.intp)


def _write_histone(parts, path, cells, marks, gene, oriented, warnings):
    """Write [cell, gene, bin, mark], some genes of a cell at a time; return what store.json says of it."""
    abouts = [_about(part) for part in parts]
    scales = {about["scale"] for about in abouts}
    # Where one cell's values are no counts, those of the others cannot stay counts.
    scale = scales.pop() if len(scales) == 1 else "signal" if "signal" in scales else "log1p"
    minus = (gene["strand"] == "-") & oriented
    body = marks.index(GENE_BODIES) if oriented and GENE_BODIES in marks else None
    profile, empty, places = np.zeros((2, len(minus))), dict.fromkeys(cells, 0), _Places(gene["gene_id"])

    def blocks():
        progress = Progress(log, len(cells), "cells", logging.INFO)
        for cell, part, about in zip(cells, parts, abouts, strict=True):
            _, content = read_part(part)
            for genes, values in _blocks(content["values"], places.rows(content["gene_id"])):
                if about["scale"] == "counts" != scale:
                    values = np.log1p(values.astype(np.float64))
                if about["order"] == "genomic":
                    values[minus[genes]] = values[minus[genes], ::-1]
                empty[cell] += int((~values.any(axis=(1, 2))).sum())
                if body is not None:
                    profile[:, genes] += _sides(values[:, :, body])
                yield values
            progress.advance(1, "%s", path)

    dtypes, shapes = zip(*map(_kind, parts), strict=True)
    whole = scale == "counts" and all(np.issubdtype(dtype, np.integer) for dtype in dtypes)
    dtype = np.result_type(*dtypes) if whole else np.dtype(np.float32)
    _save_blocks(blocks(), (len(parts), len(minus), *shapes[0][1:]), dtype, path)
    empty = {cell: genes for cell, genes in empty.items() if genes}
    if empty:
        named = some(f"{genes} in {cell}" for cell, genes in empty.items())
        warnings.add(
            f"in {len(empty)} of {len(cells)} cells there are genes with nothing but zeros in their window: {named}."
        )
    _test_orientation(profile, gene["strand"], warnings)
    return {
        "scale": scale,
        # Reads of every cell and mark that passed the filters; null where the source does not tell.
        "depth": {cell: about.get("depth") for cell, about in zip(cells, abouts, strict=True)},
        "counting": next((about["counting"] for about in abouts if "counting" in about), None),
    }


class _Places:
    """Finds the same genes in one part after another, most of which have them in one order."""

    def __init__(self, wanted):
        self._wanted, self._ids, self._rows = wanted, np.empty(0, str), None

    def rows(self, ids):
        if not np.array_equal(ids, self._ids):
            self._ids, self._rows = ids, _places(self._wanted, ids)
        return self._rows


def _blocks(values, rows):
    """Yield (slice of the rows, copy of these rows of the values), some at a time: they stay in the processor's cache."""
    size = max(_BLOCK // max(values[:1].nbytes, 1), 1)
    for start in range(0, len(rows), size):
        genes = slice(start, min(start + size, len(rows)))
        yield genes, values[rows[genes]]


def _save_blocks(blocks, shape, dtype, path):
    """Write a `.npy` of arrays that follow one another, together of this shape; not through a memory map, whose pages would be resident."""
    with atomic(path) as temporary, open(temporary, "wb") as file:
        header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(block.astype(dtype, copy=False).data)


def _sides(values):
    """Return the sums [upstream or downstream, gene] of values [gene, bin]."""
    # With an odd number of bins the one in the middle is on neither side.
    half, bins = values.shape[1] // 2, values.shape[1]
    return [side.sum(axis=1, dtype=np.float64) for side in (values[:, :half], values[:, bins - half :])]


def _test_orientation(profile, strand, warnings):
    """Say on which side of the TSS H3K36me3 lies; `profile` are its sums [upstream or downstream, gene]."""
    for name, sign in (("plus", "+"), ("minus", "-")):
        upstream, downstream = profile[:, strand == sign].sum(axis=1)
        if not upstream + downstream > 0:
            continue
        times = f"{downstream / upstream:.2f} times as much" if upstream > 0 else "all"
        log.info(
            "H3K36me3 of %d genes on the %s strand: %s downstream of the TSS as upstream",
            (strand == sign).sum(),
            name,
            times,
        )
        if downstream <= upstream and (strand == sign).sum() >= FEWEST_TO_TEST:
            warnings.add(
                f"H3K36me3, a mark of gene bodies, is not higher downstream of the TSS than upstream for the genes on the {name} strand "
                f"({times}): check the strands in the gene source, `histone.bin_order` and `oriented`."
            )


def _kind(part):
    """Return the dtype and the shape of a part's values."""
    with np.load(part, allow_pickle=False) as file, file.zip.open("values.npy") as values:
        np.lib.format.read_magic(values)
        shape, _, dtype = np.lib.format.read_array_header_1_0(values)
        return dtype, shape


def _write_dna(part, path, gene_id, minus):
    about, content = read_part(part)
    values, rows = content["values"], _places(gene_id, content["gene_id"])

    def blocks():
        for genes, codes in _blocks(values, rows):
            if about["order"] == "genomic":
                codes[minus[genes]] = reverse_complement(codes[minus[genes]])
            yield codes

    _save_blocks(blocks(), (len(rows), *values.shape[1:]), values.dtype, path)
    return about["order"]


def _write_expression(part, store, gene_id, cells, reference, warnings):
    """Write [cell, gene] float32, and the reference [gene]; return the median of every cell over all genes of the source."""
    _, content = read_part(part)
    names = [*cells, reference] if reference else list(cells)
    values = np.full((len(names), len(gene_id)), np.nan, np.float32)
    known, there = np.isin(gene_id, content["gene_id"]), np.isin(names, content["cell"])
    if known.any() and there.any():
        rows, columns = _places(np.array(names)[there], content["cell"]), _places(gene_id[known], content["gene_id"])
        values[np.ix_(there, known)] = content["values"][np.ix_(rows, columns)]
    absent = [cell for cell in cells if cell not in content["cell"]]
    if absent:
        warnings.add(
            f"{len(absent)} cells without expression are predicted, but neither trained on nor scored: {some(absent)}."
        )
    if reference:
        _check_reference(reference, values[-1])
        save_array(values[-1], store["reference.npy"])
        values = values[:-1]
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
    save_array(values, store["expression.npy"])
    rows = {cell: row[np.isfinite(row)] for cell, row in zip(content["cell"].tolist(), content["values"], strict=True)}
    return {cell: float(np.median(rows[cell].astype(np.float64))) for cell in cells if len(rows.get(cell, ()))}


def _check_reference(reference, values):
    if not np.isfinite(values).any():
        raise InputError(
            f"config key `expression.transform` takes a ratio to {reference}, for which the expression source has no value of any gene "
            "of the store; name a column that it has."
        )


def _gene_table(gene):
    table = pd.DataFrame({name: gene[name] for name in ("gene_id", "chrom", "tss", "strand", "group")})
    # Blanks would read as "-", which a strand may be; nothing downstream needs them apart.
    return table.astype({"tss": "Int64"}).mask(lambda t: (t == "") | (t == -1))

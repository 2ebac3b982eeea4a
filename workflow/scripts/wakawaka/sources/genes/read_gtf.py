"""Genes from GTF and GFF3 files, with one transcription start site (TSS) each. The formats are described in `gtf_lines`."""

import contextlib
import gc
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from wakawaka.core.files import PathLike
from wakawaka.core.messages import Warnings, shorten_list
from wakawaka.genome.windows import MITOCHONDRION, chromosome_key
from wakawaka.sources.genes.annotation import select_biotypes
from wakawaka.sources.genes.canonical_transcript import UNRANKED, Candidate, choose_tss, transcripts_by_gene
from wakawaka.sources.genes.gtf_lines import read_records
from wakawaka.sources.genes.gtf_records import Feature, GeneKey, Records, check_same_place
from wakawaka.sources.parsed import write_genes


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Switch the garbage collector off. Its searches for cycles among millions of small tuples take longer than all else."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@_without_garbage_collection()
def read_gtf(path: PathLike, parsed: PathLike, *, tss: str, biotypes: Sequence[str] | None) -> None:
    """Write the parsed genes of a GTF or GFF3; the file's content decides which of the two it is.

    The TSS is the first base in the direction of transcription: the start on the plus strand, the end on the minus strand.
    Genes are the lines of the type gene (GFF3: also ncRNA_gene, and pseudogene unless it has a parent). In a GTF, the gene_id of any
    transcript or exon makes a gene too. In a GFF3, transcripts whose gene has no line name it by gene_id or geneID.
    A gene_id on both X and Y is two genes, as the pseudo-autosomal ones in files that name genes by symbols. The one on Y gets
    `_PAR_Y` behind its id, as in GENCODE's files. Warnings count genes of unknown strand, taken as on the plus strand, and genes
    without a line whose transcripts lie apart.

    `about["assemblies"]` has the lengths of the chromosomes by the file's `##sequence-region` lines that start at 1.

    Args:
        path: the annotation. parsed: the output.
        tss: `first`: the most upstream TSS of the gene's transcripts. `canonical`: the TSS of the transcript with the best tag of
            `CANONICAL_TAGS`; among equals, or if none has a tag, of the longest of them. `longest`: of the transcript with the most
            bp in exons (its own length if it has none), the most upstream among equals. A gene without transcripts has the TSS of
            its own line.
        biotypes: those to keep (gene_type, gene_biotype or biotype), None for all.

    Raises:
        InputError: a line without nine fields, a start and end that are no positions, an invalid strand, a gene without an id, a gene
            or its transcripts at several places, no gene of a biotype, or no genes at all.
    """
    records = read_records(path, exons=tss != "first")
    warnings = Warnings()
    transcripts = transcripts_by_gene(records)
    if records.repeated:
        warnings.add(
            f"{path}: {len(records.repeated)} genes stand twice with identical values and are used once: "
            f"{shorten_list(records.repeated)}."
        )
    places = {key: feature or transcripts[key][0].feature for key, feature in records.genes.items()}
    gene_id = _gene_ids(path, places, warnings)
    biotype = np.array([records.biotypes.get(key, "") for key in places])
    keep = select_biotypes(path, gene_id, biotype, biotypes, warnings)
    kept = [key for key, wanted in zip(places, keep, strict=True) if wanted]
    _warn_apart(path, gene_id[keep], [[] if records.genes[key] else transcripts[key] for key in kept], warnings)
    if tss == "canonical":
        _warn_untagged(path, gene_id[keep], [transcripts.get(key, []) for key in kept], warnings)
    chrom = np.array([places[key].chrom for key in kept])
    lengths = _lengths(records, transcripts, chrom)
    write_genes(
        parsed,
        path,
        warnings,
        gene_id=gene_id[keep],
        chrom=chrom,
        tss=np.array([choose_tss(records.genes[key], transcripts.get(key), tss) for key in kept]),
        strand=np.array([places[key].strand for key in kept]),
        group=np.full(len(kept), ""),
        about={"assemblies": [{"path": str(path), "lengths": lengths}]} if lengths else None,
    )


def _gene_ids(path: PathLike, places: Mapping[GeneKey, Feature], warnings: Warnings) -> np.ndarray:
    """Return the ids [gene] str. A gene on Y whose id is on X too gets `_PAR_Y`, and a warning counts such genes."""
    names, renamed = [], []
    for (gene_id, on_y), place in places.items():
        other = places.get((gene_id, False)) if on_y else None
        if other:
            if other.chrom.removeprefix("chr") != "X":
                check_same_place(path, f"gene {gene_id}", place, other)
            gene_id += "_PAR_Y"
            renamed.append(gene_id)
        names.append(gene_id)
    if renamed:
        warnings.add(
            f"{path}: {len(renamed)} genes stand on X and on Y under one id; those on Y are called {shorten_list(renamed)}."
        )
    return np.array(names)


def _warn_untagged(
    path: PathLike, gene_id: np.ndarray, transcripts: Sequence[Sequence[Candidate]], warnings: Warnings
) -> None:
    """Add a warning that counts the genes with several transcripts [gene] of which none has a canonical tag."""
    untagged = [
        name
        for name, ones in zip(gene_id, transcripts, strict=True)
        if len(ones) > 1 and min(one.rank for one in ones) == UNRANKED
    ]
    if untagged:
        warnings.add(
            f"{path}: {len(untagged)} genes have several transcripts and none that is tagged as canonical; "
            f"the longest one stands in: {shorten_list(untagged)}."
        )


def _warn_apart(
    path: PathLike, gene_id: np.ndarray, transcripts: Sequence[Sequence[Candidate]], warnings: Warnings
) -> None:
    """Add a warning that counts the genes whose transcripts [gene] lie apart; a gene with a line has an empty list."""
    apart = [name for name, ones in zip(gene_id, transcripts, strict=True) if _lie_apart([one.feature for one in ones])]
    if apart:
        warnings.add(
            f"{path}: {len(apart)} genes have transcripts that lie apart and no line of the gene that spans them, and are "
            f"used as one gene each, with one TSS (give the copies of a gene ids of their own): {shorten_list(apart)}."
        )


def _lie_apart(features: Sequence[Feature]) -> bool:
    """Return whether there is a gap between features of one chromosome that none of them spans."""
    reached: int | None = None
    for feature in sorted(features, key=lambda feature: feature.start):
        if reached is not None and feature.start > reached:
            return True
        reached = max(feature.end, reached or 0)
    return False


def _lengths(
    records: Records, transcripts: Mapping[GeneKey, Sequence[Candidate]], chroms: np.ndarray
) -> dict[str, int]:
    """Return a dict from chromosomes of genes [gene] to the bp that the file states.

    Chromosomes with a gene beyond that end are left out: they are those of a file that was cut out of another. The mitochondrion is
    left out too; see `check_assemblies`.
    """
    reach: dict[str, int] = {}
    features = [feature for feature in records.genes.values() if feature]
    for feature in features + [one.feature for ones in transcripts.values() for one in ones]:
        reach[feature.chrom] = max(feature.end, reach.get(feature.chrom, 0))
    lengths = {chrom: records.lengths.get(chrom) or 0 for chrom in np.unique(chroms).tolist()}
    return {
        chrom: length
        for chrom, length in lengths.items()
        if length >= reach[chrom] and chromosome_key(chrom) != MITOCHONDRION
    }

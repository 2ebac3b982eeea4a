"""Small parsed sources, and the store that build_store makes of them."""

import numpy as np

from wakawaka.sources.expression.read_matrix import read_matrix
from wakawaka.sources.genes.read_gtf import read_gtf
from wakawaka.sources.histone.read_counts import read_counts
from wakawaka.sources.parsed import write_parsed
from wakawaka.sources.sequence.read_fasta import read_fasta
from wakawaka.store.build_store import ParsedSources, StoreSettings, build_store
from wakawaka.store.store import Store

WINDOW, BINS, MARKS = 8, 4, ["H3K4me3", "H3K27me3"]
NAMES = ["genes.tsv", "cells.tsv", "expression.npy", "store.json"]

# One gene on each strand, one on each strand over an end of the chromosome; nothing about them is symmetric.
GENOME = "ACGTTGCATCAGGACTTACGCATGGTCAACTGATTCGCCA"
PLACES = {"PLUS": (12, "+"), "MINUS": (22, "-"), "START": (1, "+"), "END": (38, "-")}
COMPLEMENT = dict(zip("ACGTN", "TGCAN", strict=True))


def build(
    folder, cells, histone=(), sequence=None, marks=MARKS, window=WINDOW, bins=BINS, strand_aware=True, **options
):
    """Build a store of the parsed sources in `folder`: genes.npz, expression.npz and those given; return it opened."""
    names = [*NAMES, *(["histone.npy"] if histone else []), *(["dna.npy"] if sequence else [])]
    names += ["reference.npy"] if options.get("reference") else []
    paths = [str(folder / "store" / name) for name in names]
    histone = [folder / name for name in histone]
    parsed = ParsedSources(folder / "genes.npz", histone, sequence, folder / "expression.npz")
    settings = StoreSettings(cells, marks, window, bins, strand_aware, **options)
    build_store(paths, folder / "warnings.tsv", parsed, settings)
    return Store(paths)


def warned(folder):
    """Return the warnings that build_store wrote."""
    return (folder / "warnings.tsv").read_text().splitlines()[1:]


def raw_files(folder):
    """Write a genome, an annotation, counts of two cells and expression values as text files."""
    (folder / "genome.fa").write_text(f">chr1\n{GENOME[:25]}\n{GENOME[25:]}\n")
    line = '1\tex\tgene\t{start}\t{end}\t.\t{strand}\t.\tgene_id "{gene}";\n'
    with open(folder / "genes.gtf", "w") as file:
        for gene, (tss, strand) in PLACES.items():
            start, end = (tss + 1, tss + 1) if strand == "+" else (1, tss + 1)
            file.write(line.format(start=start, end=end, strand=strand, gene=gene))
    for number, cell in enumerate(["a", "b"]):
        with open(folder / f"{cell}.tsv", "w") as file:
            file.write("gene_id\tbin\tH3K27me3\tH3K4me3\n")
            # In another order than the annotation's.
            for base, gene in enumerate(sorted(PLACES)):
                for place in range(1, BINS + 1):
                    file.write(f"{gene}\t{place}\t0\t{100 * number + 10 * base + place}\n")
    (folder / "expression.tsv").write_text("gene_id\ta\tb\nPLUS\t1\t2\nMINUS\t3\tNA\nEND\t5\t6\n")


def from_files(folder, order):
    """Return the store of `raw_files`; `order` is that of the bins."""
    raw_files(folder)
    read_gtf(folder / "genes.gtf", folder / "genes.npz", tss="first", biotypes=None)
    read_fasta(folder / "genome.fa", folder / "genes.npz", folder / "sequence.npz", window=WINDOW, strand_aware=True)
    for cell in ("a", "b"):
        options = {"marks": MARKS, "bins": BINS, "scale": "counts", "order": order}
        read_counts(folder / f"{cell}.tsv", folder / f"{cell}.npz", **options)
    read_matrix(folder / "expression.tsv", folder / "expression.npz", cells=["a", "b"])
    return build(folder, ["a", "b"], ["a.npz", "b.npz"], folder / "sequence.npz")


def write_genes(folder, ids, strand="+", tss=None):
    count = len(ids)
    tss = np.arange(count) * 1000 if tss is None else np.array(tss)
    columns = {"chrom": np.full(count, "1"), "tss": tss, "strand": np.full(count, strand), "group": np.full(count, "")}
    write_parsed(folder / "genes.npz", [], gene_id=np.array(ids), **columns)


def write_expression(folder, ids, cells, values):
    values = np.array(values, np.float32)
    write_parsed(folder / "expression.npz", [], gene_id=np.array(ids), cell=np.array(cells), values=values)


def write_histone(folder, name, ids, values, scale="counts", order="genomic"):
    write_parsed(
        folder / name, [], about={"scale": scale, "order": order}, gene_id=np.array(ids), values=np.array(values)
    )

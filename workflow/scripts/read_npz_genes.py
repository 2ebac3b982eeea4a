"""Genes from the course's npz files."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.genes.read_npz_genes import read_npz_genes

    read_npz_genes(
        paths=snakemake.input.npz,
        parsed=snakemake.output.parsed,
    )

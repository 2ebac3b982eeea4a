"""Genes from the files of DeepChrome or DeepDiff."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.genes.read_deepchrome_genes import read_deepchrome_genes

    read_deepchrome_genes(
        paths=snakemake.input.csv,
        parsed=snakemake.output.parsed,
        marks=snakemake.params.marks,
        bins=snakemake.params.bins,
    )

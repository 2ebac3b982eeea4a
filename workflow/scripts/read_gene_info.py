"""Genes from Roadmap's gene_info table."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.genes.read_gene_info import read_gene_info

    read_gene_info(
        path=snakemake.input.gene_info,
        parsed=snakemake.output.parsed,
        biotypes=snakemake.params.biotypes,
    )

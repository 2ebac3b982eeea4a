"""Genes from a plain table."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.genes.read_gene_table import read_gene_table

    read_gene_table(
        path=snakemake.input.table,
        parsed=snakemake.output.parsed,
        columns=snakemake.params.columns,
        first_base=snakemake.params.first_base,
    )

"""Genes from a plain table."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.read_gene_table import read_gene_table

    read_gene_table(
        path=snakemake.input.table,
        part=snakemake.output.part,
        columns=snakemake.params.columns,
        first_base=snakemake.params.first_base,
    )

"""The genes to draw, looked up in the store."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.interpretation.check_genes import check_genes

    check_genes(store=snakemake.input.store, table=snakemake.output.table, genes=snakemake.params.genes)

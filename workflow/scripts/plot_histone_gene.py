"""Draw the histone marks of one gene and their gradient x input."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_histone_gene import plot_histone_gene

    plot_histone_gene(
        attribution=snakemake.input.attribution,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
    )

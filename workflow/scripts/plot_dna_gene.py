"""Draw the gradients of the four bases around the TSS of one gene."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_dna_gene import plot_dna_gene

    plot_dna_gene(
        attribution=snakemake.input.attribution,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
    )

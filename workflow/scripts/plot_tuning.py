"""Draw the trials of the search."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_tuning import plot_tuning

    plot_tuning(
        ranks=snakemake.input.ranks,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
        values=snakemake.params.values,
        epochs=snakemake.params.epochs,
    )

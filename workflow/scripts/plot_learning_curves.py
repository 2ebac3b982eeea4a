"""Draw the loss of every run over the epochs."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_learning_curves import plot_learning_curves

    plot_learning_curves(
        histories=snakemake.input.histories,
        runs=snakemake.params.runs,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
    )

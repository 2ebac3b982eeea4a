"""Draw the layers of a trained model."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_architecture import plot_architecture

    plot_architecture(
        model=snakemake.input.model,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
    )

"""Draw the layers of a trained model."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.plot_architecture import plot_architecture

    plot_architecture(
        model=snakemake.input.model,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
    )

"""Draw the losses of the experiments."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_experiments import plot_experiments

    plot_experiments(
        scores=snakemake.input.scores,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
        networks=snakemake.params.networks,
        bases=snakemake.params.bases,
        published_mse=snakemake.params.published_mse,
        draw_published=snakemake.params.draw_published,
    )

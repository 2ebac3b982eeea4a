"""Draw the experiments side by side."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_experiments import plot_experiments

    plot_experiments(
        scores=snakemake.input.scores,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
        networks=snakemake.params.networks,
        bases=snakemake.params.bases,
        printed=snakemake.params.printed,
        draw_printed=snakemake.params.draw_printed,
    )

"""Draw the loss of every predictor in each regime."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_scores import plot_scores

    plot_scores(
        scores=snakemake.input.scores,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
    )

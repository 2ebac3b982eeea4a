"""Draw predicted against true expression of the test set."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.plot_predictions import plot_predictions

    plot_predictions(
        predictions=snakemake.input.predictions,
        scores=snakemake.input.scores,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
        target_label=snakemake.params.target_label,
    )

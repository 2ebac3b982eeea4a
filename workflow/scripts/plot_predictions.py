"""Draw predicted against true expression of the test set, or of what the folds held out where its truth is not known."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_predictions import plot_predictions

    plot_predictions(
        predictions=snakemake.input.predictions,
        out_of_fold=snakemake.input.out_of_fold,
        scores=snakemake.input.scores,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
        model=snakemake.wildcards.model,
        target_label=snakemake.params.target_label,
        binary=snakemake.params.binary,
    )

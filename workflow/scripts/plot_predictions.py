"""Draw predicted over true expression on the test set, or out of fold if its truth is unknown."""

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

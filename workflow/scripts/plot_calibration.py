"""Draw the fold models' spread against their error, or of a binary target the reliability of probabilities."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.figures.plot_calibration import plot_calibration

    plot_calibration(
        predictions=snakemake.input.predictions,
        figure=snakemake.output.figure,
        table=snakemake.output.table,
        target_label=snakemake.params.target_label,
        binary=snakemake.params.binary,
    )

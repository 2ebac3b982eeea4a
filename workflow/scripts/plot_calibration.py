"""Draw the error of the fold models over their spread or, for a binary target, the reliability of probabilities."""

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

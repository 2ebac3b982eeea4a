"""Predictions in the form of the course's competition."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.prediction.submit import submit

    submit(
        test=snakemake.input.test,
        submission=snakemake.output.submission,
        prediction=snakemake.params.prediction,
        order=snakemake.input.order or None,
    )

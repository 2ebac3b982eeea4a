"""Predict new cells with a finished model."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.prediction.predict_new import predict_new

    predict_new(
        store=snakemake.input.store,
        model=snakemake.params.model,
        preprocessing=snakemake.params.preprocessing,
        predictions=snakemake.output.predictions,
        threads=snakemake.threads,
    )

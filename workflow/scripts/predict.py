"""Predict every cell and gene with the model of one run."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.prediction.predict import predict

    predict(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        model=snakemake.input.model,
        preprocessing=snakemake.input.preprocessing,
        predictions=snakemake.output.predictions,
        run=snakemake.wildcards.run,
        threads=snakemake.threads,
    )

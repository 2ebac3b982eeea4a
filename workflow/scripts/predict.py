"""Predict every cell and gene with the model of one run."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.predict import predict

    predict(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        model=snakemake.input.model,
        predictions=snakemake.output.predictions,
        run=snakemake.wildcards.run,
        spec=snakemake.params.spec,
        modules=snakemake.params.modules,
        transform=snakemake.params.transform,
        threads=snakemake.threads,
    )

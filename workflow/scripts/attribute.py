"""Gradients of the prediction for one gene."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.interpretation.attribute import attribute

    attribute(
        store=snakemake.input.store,
        test=snakemake.input.test,
        out_of_fold=snakemake.input.out_of_fold,
        models=list(zip(snakemake.params.runs, snakemake.input.models, strict=True)),
        preprocessing=snakemake.input.preprocessing,
        attribution=snakemake.output.attribution,
        gene=snakemake.wildcards.gene,
        threads=snakemake.threads,
    )

"""Write the predictions of the baselines of a run."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.evaluation.baselines import baselines

    baselines(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        genes=snakemake.input.genes,
        predictions=snakemake.output.predictions,
        run=snakemake.wildcards.run,
        target=snakemake.params.target,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )

"""Write a store without the test set."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.withhold import withhold

    withhold(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        withheld=snakemake.output.store,
        table=snakemake.output.samples,
    )

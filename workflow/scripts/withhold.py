"""Write a store without the test set."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.tuning.drop_test_set import withhold

    withhold(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        withheld=snakemake.output.store,
        table=snakemake.output.samples,
    )

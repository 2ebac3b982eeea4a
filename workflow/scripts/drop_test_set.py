"""Write a store without the test set."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.tuning.drop_test_set import drop_test_set

    drop_test_set(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        reduced_store=snakemake.output.store,
        reduced_samples=snakemake.output.samples,
    )

"""The scores on the built-in example, compared with what its truth allows."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.example.check_example import check_example

    check_example(
        scores=snakemake.input.scores,
        truth=snakemake.input.truth,
        table=snakemake.output.table,
        models=snakemake.params.models,
    )

"""Scores per regime, beside the baselines."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.score import score

    score(
        final=snakemake.input.final,
        folds=snakemake.input.folds,
        test=snakemake.input.test,
        table=snakemake.output.table,
        summary=snakemake.output.summary,
        binary=snakemake.params.binary,
    )

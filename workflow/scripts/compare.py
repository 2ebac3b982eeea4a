"""Scores with intervals, beside every baseline."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.compare import compare

    compare(
        final=snakemake.input.final,
        folds=snakemake.input.folds,
        test=snakemake.input.test,
        baselines=snakemake.input.baselines,
        intervals=snakemake.output.intervals,
        comparisons=snakemake.output.comparisons,
        skills=snakemake.output.skills,
        draws=snakemake.params.draws,
        rank_draws=snakemake.params.rank_draws,
        seed=snakemake.params.seed,
        binary=snakemake.params.binary,
    )

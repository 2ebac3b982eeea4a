"""Rank the points of one rung of the search."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.tuning.rank_trials import rank_points

    rank_points(
        histories=snakemake.input.histories,
        before=snakemake.input.before,
        ranks=snakemake.output.ranks,
        order=snakemake.output.order,
        points=snakemake.params.points,
        folds=snakemake.params.folds,
    )

"""Rank the points of one rung of the search."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.rank_points import rank_points

    rank_points(
        histories=snakemake.input.histories,
        before=snakemake.input.before,
        ranks=snakemake.output.ranks,
        order=snakemake.output.order,
        points=snakemake.params.points,
        folds=snakemake.params.folds,
    )

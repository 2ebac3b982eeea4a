"""Rank the trials of one rung of the search."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.tuning.rank_trials import rank_trials

    rank_trials(
        histories=[
            (trial, fold, path)
            for (trial, fold), path in zip(snakemake.params.histories, snakemake.input.histories, strict=True)
        ],
        before=snakemake.input.before or None,
        ranks=snakemake.output.ranks,
        order=snakemake.output.order,
        trials=snakemake.params.trials,
    )

"""Scores of networks and baselines, regime by regime, with intervals."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.evaluation.score import score

    score(
        predictions=snakemake.input.predictions,
        baselines=snakemake.input.baselines,
        ensembles=snakemake.input.ensembles,
        genes=snakemake.input.genes,
        similarity=snakemake.input.similarity,
        scores=snakemake.output.scores,
        networks=snakemake.params.networks,
        models=snakemake.params.models,
        runs=snakemake.params.runs,
        draws=snakemake.params.draws,
        rank_draws=snakemake.params.rank_draws,
        seed=snakemake.params.seed,
        binary=snakemake.params.binary,
        threads=snakemake.threads,
    )

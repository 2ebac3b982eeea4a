"""Score networks and baselines, regime by regime, with intervals."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.evaluation.score import ScoreSettings, score

    of_files, files = snakemake.params, snakemake.input
    score(
        predictions=[(*names, path) for names, path in zip(of_files.predictions, files.predictions, strict=True)],
        baselines=list(zip(of_files.baselines, files.baselines, strict=True)),
        fold_means=list(zip(of_files.fold_means, files.fold_means, strict=True)),
        genes=snakemake.input.genes,
        similarity=snakemake.input.similarity,
        scores=snakemake.output.scores,
        settings=ScoreSettings(
            replicates=snakemake.params.replicates,
            rank_replicates=snakemake.params.rank_replicates,
            seed=snakemake.params.seed,
            binary=snakemake.params.binary,
            threads=snakemake.threads,
        ),
    )

"""Train one point of the search in one fold."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.tuning.tune import tune

    tune(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        before=snakemake.input.before,
        history=snakemake.output.history,
        checkpoint=snakemake.params.checkpoint,
        run=snakemake.wildcards.run,
        **snakemake.params.varied,
        modules=snakemake.params.modules,
        target=snakemake.params.target,
        epochs=snakemake.params.epochs,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
        code=snakemake.params.code,
    )

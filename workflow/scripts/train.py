"""Train one run of a model: a fold, or the final one."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.train import train

    train(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        model=snakemake.output.model,
        history=snakemake.output.history,
        run=snakemake.wildcards.run,
        spec=snakemake.params.spec,
        modules=snakemake.params.modules,
        transform=snakemake.params.transform,
        epochs=snakemake.params.epochs,
        batch_size=snakemake.params.batch_size,
        learning_rate=snakemake.params.learning_rate,
        seed=snakemake.params.seed,
        threads=snakemake.threads,
    )

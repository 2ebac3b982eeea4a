"""Train one trial of the search in one fold."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.training.train import TrainingFiles, TrainingSettings
    from wakawaka.tuning.tune import trial_spec, tune

    spec, schedule = trial_spec(
        **snakemake.params.varied,
        order=snakemake.input.before,
        epochs=snakemake.params.epochs,
    )
    tune(
        snakemake.input.store,
        snakemake.input.samples,
        TrainingFiles(history=snakemake.output.history, checkpoint=snakemake.params.checkpoint),
        TrainingSettings(
            run=snakemake.wildcards.run,
            spec=spec,
            modules=snakemake.params.modules,
            target=snakemake.params.target,
            schedule=schedule,
            seed=snakemake.params.seed,
            threads=snakemake.threads,
            code=snakemake.params.code,
        ),
    )

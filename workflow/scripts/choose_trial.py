"""Write the settings of the best trial of the search."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.tuning.choose_trial import choose_trial

    choose_trial(
        ranks=snakemake.input.ranks,
        chosen=snakemake.output.chosen,
        model=snakemake.params.model,
        space=snakemake.params.space,
        epochs=snakemake.params.epochs,
    )

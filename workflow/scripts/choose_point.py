"""Write what the best point of the search is built of and how it is trained."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.tuning.choose_trial import choose_point

    choose_point(
        ranks=snakemake.input.ranks,
        chosen=snakemake.output.chosen,
        model=snakemake.params.model,
        space=snakemake.params.space,
        epochs=snakemake.params.epochs,
    )

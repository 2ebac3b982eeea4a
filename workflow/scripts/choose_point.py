"""Write what the best point of the search is built of and how it is trained."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.choose_point import choose_point

    choose_point(
        ranks=snakemake.input.ranks,
        chosen=snakemake.output.chosen,
        model=snakemake.params.model,
        space=snakemake.params.space,
        epochs=snakemake.params.epochs,
    )

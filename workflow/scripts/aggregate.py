"""The fold models' mean on the test set, and the out-of-fold predictions."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.aggregate import aggregate

    aggregate(
        final=snakemake.input.final,
        folds=snakemake.input.folds,
        preprocessing=snakemake.input.preprocessing,
        test=snakemake.output.test,
        out_of_fold=snakemake.output.out_of_fold,
    )

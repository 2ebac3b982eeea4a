"""The fold models' mean on the test set, and the out-of-fold predictions."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.prediction.aggregate import aggregate

    aggregate(
        final=snakemake.input.final,
        folds=snakemake.input.folds,
        baselines=snakemake.input.baselines,
        preprocessing=snakemake.input.preprocessing,
        test=snakemake.output.test,
        out_of_fold=snakemake.output.out_of_fold,
        test_parquet=snakemake.output.test_parquet,
        out_of_fold_parquet=snakemake.output.out_of_fold_parquet,
    )

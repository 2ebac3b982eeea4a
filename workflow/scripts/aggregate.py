"""The fold models' mean on the test set, and the out-of-fold predictions."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.prediction.aggregate import Outputs, RunFiles, aggregate

    files = snakemake.input
    rows = zip(snakemake.params.runs, files.predictions, files.baselines, files.preprocessing, strict=True)
    aggregate(
        runs=[RunFiles(*row) for row in rows],
        outputs=Outputs(
            test=snakemake.output.test,
            out_of_fold=snakemake.output.out_of_fold,
            test_parquet=snakemake.output.test_parquet,
            out_of_fold_parquet=snakemake.output.out_of_fold_parquet,
        ),
    )

"""Expression from one file of `gene,value` lines per cell."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.core.files import as_list
    from wakawaka.sources.expression.read_expression_csv import read_expression_csv

    read_expression_csv(
        paths=as_list(snakemake.input.csv),
        parsed=snakemake.output.parsed,
        cells=snakemake.params.cells,
        reference=snakemake.params.reference,
    )

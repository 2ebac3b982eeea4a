"""Expression from the labels in DeepChrome's files."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.expression.read_deepchrome_expression import read_deepchrome_expression

    read_deepchrome_expression(
        paths=snakemake.input.csv,
        parsed=snakemake.output.parsed,
        cells=snakemake.params.cells,
        file_cells=snakemake.params.file_cells,
        marks=snakemake.params.marks,
        bins=snakemake.params.bins,
    )

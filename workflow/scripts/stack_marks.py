"""The marks of one cell of the sample sheet."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.histone.stack_marks import stack_marks

    stack_marks(
        parsed_marks=snakemake.input.parsed_marks,
        parsed=snakemake.output.parsed,
        marks=snakemake.params.marks,
        scale=snakemake.params.scale,
    )

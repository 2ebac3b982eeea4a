"""The marks of one cell of the sample sheet."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.histone.stack_marks import read_sample_sheet

    read_sample_sheet(
        parts=snakemake.input.parts,
        part=snakemake.output.part,
        marks=snakemake.params.marks,
        scale=snakemake.params.scale,
    )

"""Histone marks of one cell from alignments and tracks."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.read_sample_sheet import read_sample_sheet

    read_sample_sheet(
        files=snakemake.input.files,
        genes=snakemake.input.genes,
        part=snakemake.output.part,
        file_marks=snakemake.params.file_marks,
        marks=snakemake.params.marks,
        bins=snakemake.params.bins,
        window=snakemake.params.window,
        oriented=snakemake.params.oriented,
        counting=snakemake.params.counting,
        min_mapq=snakemake.params.min_mapq,
        duplicates=snakemake.params.duplicates,
        scale=snakemake.params.scale,
    )

"""Histone marks of one cell from its files of DeepChrome's or DeepDiff's."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.histone.read_deepchrome_histone import read_deepchrome_histone

    read_deepchrome_histone(
        paths=snakemake.input.csv,
        parsed=snakemake.output.parsed,
        marks=snakemake.params.marks,
        bins=snakemake.params.bins,
        order=snakemake.params.order,
    )

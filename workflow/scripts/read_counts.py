"""Histone marks of one cell from a count file."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.histone.read_counts import read_counts

    read_counts(
        path=snakemake.input.counts,
        parsed=snakemake.output.parsed,
        marks=snakemake.params.marks,
        bins=snakemake.params.bins,
        scale=snakemake.params.scale,
        order=snakemake.params.order,
    )

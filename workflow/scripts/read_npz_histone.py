"""Histone marks of all cells from the course's npz files."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.histone.read_npz_histone import read_npz_histone

    read_npz_histone(
        paths=snakemake.input.npz,
        parsed=snakemake.output.parsed,
        cells=snakemake.params.cells,
        marks=snakemake.params.marks,
        bins=snakemake.params.bins,
        scale=snakemake.params.scale,
        order=snakemake.params.order,
    )

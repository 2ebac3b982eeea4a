"""Sequences of the genes' windows from a genome in the 2bit format."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.sequence.read_2bit import read_2bit

    read_2bit(
        genome=snakemake.input.genome,
        genes=snakemake.input.genes,
        parsed=snakemake.output.parsed,
        window=snakemake.params.window,
        strand_aware=snakemake.params.strand_aware,
    )

"""Sequences of the genes' windows from a genome in FASTA."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.sequence.read_fasta import read_fasta

    read_fasta(
        genome=snakemake.input.genome,
        genes=snakemake.input.genes,
        parsed=snakemake.output.parsed,
        window=snakemake.params.window,
        strand_aware=snakemake.params.strand_aware,
    )

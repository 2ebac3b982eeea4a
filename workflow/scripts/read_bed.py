"""Genes from a BED file."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.genes.read_bed import read_bed

    read_bed(
        path=snakemake.input.bed,
        parsed=snakemake.output.parsed,
    )

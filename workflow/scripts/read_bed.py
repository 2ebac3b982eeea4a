"""Genes from a BED file."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.read_bed import read_bed

    read_bed(
        path=snakemake.input.bed,
        part=snakemake.output.part,
    )

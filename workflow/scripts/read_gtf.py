"""Genes from a GTF or GFF3 file."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.sources.genes.read_gtf import read_gtf

    read_gtf(
        path=snakemake.input.gtf,
        parsed=snakemake.output.parsed,
        tss=snakemake.params.tss,
        biotypes=snakemake.params.biotypes,
    )

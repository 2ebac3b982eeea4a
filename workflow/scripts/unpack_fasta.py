"""A gzip-compressed genome, unpacked."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.unpack_fasta import unpack_fasta

    unpack_fasta(
        genome=snakemake.input.genome,
        unpacked=snakemake.output.unpacked,
    )

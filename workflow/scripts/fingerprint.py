"""The checksums of all input files."""

from wakawaka.runtime import job

with job(snakemake):
    from wakawaka.fingerprint import fingerprint

    fingerprint(
        files=list(snakemake.input.files),
        keys=snakemake.params.named_by,
        table=snakemake.output.table,
        threads=snakemake.threads,
    )

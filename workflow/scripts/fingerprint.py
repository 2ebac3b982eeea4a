"""What a run was made of: data, settings, software, models, and the time it took."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.report.provenance import fingerprint

    fingerprint(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        preprocessing=snakemake.input.preprocessing,
        table=snakemake.output.table,
        benchmarks=snakemake.params.benchmarks,
        config=snakemake.params.config,
        target=snakemake.params.target,
    )

"""Write the provenance of a run: data, settings, software, models, and times."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.report.provenance import provenance

    provenance(
        store=snakemake.input.store,
        samples=snakemake.input.samples,
        preprocessing=snakemake.input.preprocessing,
        table=snakemake.output.table,
        benchmarks=snakemake.params.benchmarks,
        config=snakemake.params.config,
        target=snakemake.params.target,
    )

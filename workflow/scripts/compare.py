"""Models side by side: one page, and its numbers."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.report.compare import compare

    compare(
        scores=snakemake.input.scores,
        histories=snakemake.input.histories,
        preprocessing=snakemake.input.preprocessing,
        page=snakemake.output.page,
        table=snakemake.output.table,
        markdown=snakemake.output.markdown,
        networks=snakemake.params.networks,
        models=snakemake.params.models,
    )

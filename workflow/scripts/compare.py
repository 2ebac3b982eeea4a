"""Compare all models: one page, and a table of its numbers."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.report.compare import compare

    files = zip(snakemake.params.networks, snakemake.input.histories, snakemake.input.preprocessing, strict=True)
    compare(
        scores=snakemake.input.scores,
        networks=list(files),
        page=snakemake.output.page,
        table=snakemake.output.table,
        markdown=snakemake.output.markdown,
        models=snakemake.params.models,
    )

"""What the scores say, in words."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.report.verdicts import verdicts

    verdicts(
        scores=snakemake.input.scores,
        histories=snakemake.input.histories,
        audit=snakemake.input.audit,
        truth=snakemake.input.truth or None,
        verdicts=snakemake.output.verdicts,
        first_page_path=snakemake.output.first_page,
        models=snakemake.params.models,
        runs=snakemake.params.runs,
        modules=snakemake.params.modules,
        binary=snakemake.params.binary,
    )

"""Judge the scores, and write the summary that opens the report."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.report.verdicts import verdicts

    files = zip(snakemake.params.histories, snakemake.input.histories, strict=True)
    verdicts(
        scores=snakemake.input.scores,
        histories=[(*names, path) for names, path in files],
        audit=snakemake.input.audit,
        truth=snakemake.input.truth or None,
        verdicts=snakemake.output.verdicts,
        summary=snakemake.output.summary,
        modules=snakemake.params.modules,
        binary=snakemake.params.binary,
    )

"""The sources joined by gene and cell."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.store.build_store import build_store

    build_store(
        store=snakemake.output.store,
        warnings=snakemake.output.warnings,
        genes=snakemake.input.genes,
        histone=snakemake.input.histone,
        sequence=snakemake.input.sequence,
        expression=snakemake.input.expression,
        cells=snakemake.params.cells,
        marks=snakemake.params.marks,
        window=snakemake.params.window,
        bins=snakemake.params.bins,
        oriented=snakemake.params.oriented,
        reference=snakemake.params.reference,
    )

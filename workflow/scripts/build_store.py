"""The sources joined by gene and cell."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.store.build_store import ParsedSources, StoreSettings, build_store

    build_store(
        store=snakemake.output.store,
        warnings=snakemake.output.warnings,
        parsed=ParsedSources(
            genes=snakemake.input.genes,
            histone=snakemake.input.histone,
            sequence=snakemake.input.sequence or None,
            expression=snakemake.input.expression or None,
        ),
        settings=StoreSettings(
            cells=snakemake.params.cells,
            marks=snakemake.params.marks,
            window=snakemake.params.window,
            bins=snakemake.params.bins,
            strand_aware=snakemake.params.strand_aware,
            reference=snakemake.params.reference,
        ),
    )

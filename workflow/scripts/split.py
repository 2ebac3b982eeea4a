"""The test set and the folds."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.splits.split import SplitFiles, SplitSettings, split

    split(
        store=snakemake.input.store,
        files=SplitFiles(
            genes=snakemake.output.genes,
            cells=snakemake.output.cells,
            samples=snakemake.output.samples,
            audit=snakemake.output.audit,
            similarity=snakemake.output.similarity,
            warnings=snakemake.output.warnings,
        ),
        settings=SplitSettings(
            held_out_cells=snakemake.params.held_out_cells,
            held_out_genes=snakemake.input.held_out_genes or snakemake.params.held_out_genes,
            folds=snakemake.params.folds,
            hold_out=snakemake.params.hold_out,
            target=snakemake.params.target,
            seed=snakemake.params.seed,
            allow_leakage=snakemake.params.allow_leakage,
        ),
    )

"""Write the raw files of the built-in example, and the truth behind them."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.example.files import ExampleFiles
    from wakawaka.example.simulate_example import ExampleSettings, simulate_example

    settings = ExampleSettings(
        seed=snakemake.params.seed,
        cells=snakemake.params.cells,
        held_out_cells=snakemake.params.held_out_cells,
        genes=snakemake.params.genes,
        held_out=snakemake.params.held_out,
        effect=snakemake.params.effect,
        motif_copies=snakemake.params.motif_copies,
        depth=snakemake.params.depth,
        marks=snakemake.params.marks,
        window=snakemake.params.window,
        bins=snakemake.params.bins,
    )
    files = ExampleFiles(
        genome=snakemake.output.genome,
        annotation=snakemake.output.annotation,
        counts=dict(zip(settings.all_cells, snakemake.output.counts, strict=True)),
        expression=snakemake.output.expression,
        held_out_genes=snakemake.output.held_out_genes,
    )
    simulate_example(files, snakemake.output.truth, settings)

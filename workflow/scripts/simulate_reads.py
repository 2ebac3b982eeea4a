"""Write raw files that give the counts of the built-in example once they are counted: alignments, tracks and tables."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.example.simulate_reads import simulate_reads

    simulate_reads(
        counts=snakemake.input.counts,
        annotation=snakemake.input.annotation,
        genome=snakemake.input.genome,
        expression=snakemake.input.expression,
        held_out_genes=snakemake.input.held_out_genes,
        reads=snakemake.output.reads,
        genes=snakemake.output.genes,
        sequence=snakemake.output.sequence,
        quantifications=snakemake.output.quantifications,
        held_out=snakemake.output.held_out,
        cells=snakemake.params.cells,
        file_cells=snakemake.params.file_cells,
        file_marks=snakemake.params.file_marks,
        window=snakemake.params.window,
        bins=snakemake.params.bins,
        seed=snakemake.params.seed,
    )

"""Write raw files that give the counts of the built-in example after counting: alignments, tracks and tables."""

from wakawaka.core.runtime import job

with job(snakemake):
    from wakawaka.example.files import ExampleFiles, ReadFiles
    from wakawaka.example.simulate_reads import simulate_reads

    cells, of_reads = snakemake.params.cells, snakemake.params.reads
    example = ExampleFiles(
        genome=snakemake.input.genome,
        annotation=snakemake.input.annotation,
        counts=dict(zip(cells, snakemake.input.counts, strict=True)),
        expression=snakemake.input.expression,
        held_out_genes=snakemake.input.held_out_genes,
    )
    raw = ReadFiles(
        reads=[(*names, path) for names, path in zip(of_reads, snakemake.output.reads, strict=True)],
        genes=snakemake.output.genes,
        sequence=snakemake.output.sequence,
        quantifications=dict(zip(cells, snakemake.output.quantifications, strict=True)),
        held_out=snakemake.output.held_out,
    )
    simulate_reads(
        example,
        raw,
        window=snakemake.params.window,
        bins=snakemake.params.bins,
        seed=snakemake.params.seed,
    )

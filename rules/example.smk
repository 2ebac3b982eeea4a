# The raw files of the built-in example.


rule simulate_example:
    """Simulate the raw files of the built-in example, and write the truth behind them."""
    output:
        genome="results/example/genome.fa",
        annotation="results/example/genes.gtf",
        counts=expand("results/example/counts/{cell}.tsv.gz", cell=plan.cells),
        expression="results/example/expression.tsv",
        held_out_genes="results/example/held_out_genes.txt",
        truth="results/example/truth.json",
    log:
        "logs/simulate_example/simulate_example.log",
    benchmark:
        "benchmarks/simulate_example/simulate_example.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code("simulate_example.py"),
        seed=config["seed"],
        cells=config["cells"]["train"],
        held_out_cells=config["cells"]["held_out"],
        genes=config["example"]["genes"],
        held_out=config["example"]["held_out_genes"],
        effect=config["example"]["effect"],
        motif_copies=config["example"]["motif_copies"],
        depth=config["example"]["depth"],
        marks=plan.marks,
        window=config["window"],
        bins=config["bins"],
    script:
        "../workflow/scripts/simulate_example.py"


rule simulate_reads:
    """Write alignments, tracks and tables that give the counts of the built-in example."""
    input:
        counts=rules.simulate_example.output.counts,
        annotation=rules.simulate_example.output.annotation,
        genome=rules.simulate_example.output.genome,
        expression=rules.simulate_example.output.expression,
        held_out_genes=rules.simulate_example.output.held_out_genes,
    output:
        reads=[path for _, _, path in plan.example_reads],
        genes="results/example/reads/genes.gff3.gz",
        sequence="results/example/reads/genome.fa.gz",
        quantifications=expand("results/example/reads/quant/{cell}.genes.sf", cell=plan.cells),
        held_out="results/example/reads/held_out_genes.txt",
    log:
        "logs/simulate_reads/simulate_reads.log",
    benchmark:
        "benchmarks/simulate_reads/simulate_reads.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code("simulate_reads.py"),
        cells=plan.cells,
        # The cell and mark of each file of reads, in the order of the files.
        reads=[(cell, mark) for cell, mark, _ in plan.example_reads],
        window=config["window"],
        bins=config["bins"],
        seed=config["seed"],
    script:
        "../workflow/scripts/simulate_reads.py"

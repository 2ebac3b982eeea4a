# The raw files of the built-in example.


rule simulate_example:
    output:
        genome="results/example/genome.fa",
        annotation="results/example/genes.gtf",
        counts=expand("results/example/counts/{cell}.tsv.gz", cell=CELLS),
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
        marks=MARKS,
        window=config["window"],
        bins=config["bins"],
    script:
        "../workflow/scripts/simulate_example.py"


rule simulate_reads:
    input:
        counts=expand("results/example/counts/{cell}.tsv.gz", cell=CELLS),
        annotation="results/example/genes.gtf",
        genome="results/example/genome.fa",
        expression="results/example/expression.tsv",
        held_out_genes="results/example/held_out_genes.txt",
    output:
        reads=[path for _, _, path in RAW_EXAMPLE],
        genes="results/example/reads/genes.gff3.gz",
        sequence="results/example/reads/genome.fa.gz",
        quantifications=expand("results/example/reads/quant/{cell}.genes.sf", cell=CELLS),
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
        cells=CELLS,
        file_cells=[cell for cell, _, _ in RAW_EXAMPLE],
        file_marks=[mark for _, mark, _ in RAW_EXAMPLE],
        window=config["window"],
        bins=config["bins"],
        seed=config["seed"],
    script:
        "../workflow/scripts/simulate_reads.py"

# Raw files of the four sources -> the store -> the splits.


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
        marks=MARKS,
        window=config["window"],
        bins=config["bins"],
    script:
        "../workflow/scripts/simulate_example.py"


rule read_gtf:
    input:
        gtf=lambda wildcards: config["genes"]["path"],
    output:
        part="results/read_gtf/genes.npz",
    log:
        "logs/read_gtf/read_gtf.log",
    benchmark:
        "benchmarks/read_gtf/read_gtf.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("read_gtf.py"),
    script:
        "../workflow/scripts/read_gtf.py"


rule read_gene_table:
    input:
        table=lambda wildcards: config["genes"]["path"],
    output:
        part="results/read_gene_table/genes.npz",
    log:
        "logs/read_gene_table/read_gene_table.log",
    benchmark:
        "benchmarks/read_gene_table/read_gene_table.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code("read_gene_table.py"),
        columns=config["genes"]["columns"],
        first_base=config["genes"]["first_base"],
    script:
        "../workflow/scripts/read_gene_table.py"


rule read_npz_genes:
    input:
        npz=lambda wildcards: config["genes"]["path"],
    output:
        part="results/read_npz_genes/genes.npz",
    log:
        "logs/read_npz_genes/read_npz_genes.log",
    benchmark:
        "benchmarks/read_npz_genes/read_npz_genes.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("read_npz_genes.py"),
    script:
        "../workflow/scripts/read_npz_genes.py"


rule read_counts:
    input:
        counts=lambda wildcards: config["histone"]["path"].replace("{cell}", wildcards.cell),
    output:
        part="results/read_counts/{cell}.npz",
    log:
        "logs/read_counts/{cell}.log",
    benchmark:
        "benchmarks/read_counts/{cell}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("read_counts.py"),
        marks=MARKS,
        bins=config["bins"],
        scale=config["histone"]["scale"],
        order=config["histone"]["bin_order"],
    script:
        "../workflow/scripts/read_counts.py"


rule read_npz_histone:
    input:
        npz=lambda wildcards: config["histone"]["path"],
    output:
        parts=expand("results/read_npz_histone/{cell}.npz", cell=CELLS),
    log:
        "logs/read_npz_histone/read_npz_histone.log",
    benchmark:
        "benchmarks/read_npz_histone/read_npz_histone.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("read_npz_histone.py"),
        cells=CELLS,
        marks=MARKS,
        bins=config["bins"],
        scale=config["histone"]["scale"],
        order=config["histone"]["bin_order"],
    script:
        "../workflow/scripts/read_npz_histone.py"


rule read_fasta:
    input:
        genome=lambda wildcards: config["sequence"]["path"],
        genes=part("genes"),
    output:
        part="results/read_fasta/sequence.npz",
    log:
        "logs/read_fasta/read_fasta.log",
    benchmark:
        "benchmarks/read_fasta/read_fasta.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("read_fasta.py"),
        window=config["window"],
    script:
        "../workflow/scripts/read_fasta.py"


rule read_sequence_csv:
    input:
        csv=lambda wildcards: config["sequence"]["path"],
    output:
        part="results/read_sequence_csv/sequence.npz",
    log:
        "logs/read_sequence_csv/read_sequence_csv.log",
    benchmark:
        "benchmarks/read_sequence_csv/read_sequence_csv.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code("read_sequence_csv.py"),
        window=config["window"],
        order=config["sequence"]["base_order"],
    script:
        "../workflow/scripts/read_sequence_csv.py"


rule read_matrix:
    input:
        matrix=lambda wildcards: config["expression"]["path"],
    output:
        part="results/read_matrix/expression.npz",
    log:
        "logs/read_matrix/read_matrix.log",
    benchmark:
        "benchmarks/read_matrix/read_matrix.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code("read_matrix.py"),
        cells=CELLS,
    script:
        "../workflow/scripts/read_matrix.py"


rule read_npz_expression:
    input:
        npz=lambda wildcards: config["expression"]["path"],
    output:
        part="results/read_npz_expression/expression.npz",
    log:
        "logs/read_npz_expression/read_npz_expression.log",
    benchmark:
        "benchmarks/read_npz_expression/read_npz_expression.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("read_npz_expression.py"),
        cells=CELLS,
        marks=MARKS,
        bins=config["bins"],
    script:
        "../workflow/scripts/read_npz_expression.py"


rule build_store:
    input:
        genes=part("genes"),
        histone=expand(part("histone"), cell=CELLS) if "histone" in MODULES else [],
        sequence=part("sequence") if "dna" in MODULES else [],
        expression=part("expression"),
    output:
        store=STORE,
    log:
        "logs/build_store/build_store.log",
    benchmark:
        "benchmarks/build_store/build_store.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("build_store.py"),
        cells=CELLS,
        marks=MARKS,
        window=config["window"],
        bins=config["bins"],
    script:
        "../workflow/scripts/build_store.py"


rule split:
    input:
        store=STORE,
        held_out_genes=config["held_out_genes"] if isinstance(config["held_out_genes"], str) else [],
    output:
        genes="results/splits/genes.tsv",
        cells="results/splits/cells.tsv",
        samples="results/splits/samples.tsv.gz",
        audit="results/splits/audit.tsv",
    log:
        "logs/split/split.log",
    benchmark:
        "benchmarks/split/split.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code("split.py"),
        held_out_cells=config["cells"]["held_out"],
        held_out_genes=[] if isinstance(config["held_out_genes"], str) else config["held_out_genes"],
        folds=config["folds"]["number"],
        hold_out=config["folds"]["hold_out"],
        transform=config["expression"]["transform"],
        seed=config["seed"],
    script:
        "../workflow/scripts/split.py"

# The expression, which is the target: one rule per form.


rule read_matrix:
    """Read expression from a matrix of genes and cells."""
    input:
        matrix=lambda wildcards: config["expression"]["path"],
    output:
        parsed="results/read_matrix/expression.npz",
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
        cells=plan.expression_cells,
        gene_id=config["expression"]["columns"]["gene_id"],
        names=config["expression"]["names"],
        reference=plan.reference,
    script:
        "../workflow/scripts/read_matrix.py"


rule read_quantification:
    """Read expression from the tables of a quantifier, one per cell."""
    input:
        tables=lambda wildcards: plan.paths("expression"),
    output:
        parsed="results/read_quantification/expression.npz",
    log:
        "logs/read_quantification/read_quantification.log",
    benchmark:
        "benchmarks/read_quantification/read_quantification.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("read_quantification.py"),
        cells=[cell for cell, _ in paths_of(config, "expression")],
        gene_id=config["expression"]["columns"]["gene_id"],
        value=config["expression"]["columns"]["value"],
        reference=plan.reference,
    script:
        "../workflow/scripts/read_quantification.py"


rule read_expression_csv:
    """Read expression from one CSV file per cell."""
    input:
        csv=lambda wildcards: plan.paths("expression"),
    output:
        parsed="results/read_expression_csv/expression.npz",
    log:
        "logs/read_expression_csv/read_expression_csv.log",
    benchmark:
        "benchmarks/read_expression_csv/read_expression_csv.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("read_expression_csv.py"),
        cells=[cell for cell, _ in paths_of(config, "expression")],
        reference=plan.reference,
    script:
        "../workflow/scripts/read_expression_csv.py"


rule read_deepchrome_expression:
    """Read expression labels from DeepChrome's files."""
    input:
        csv=lambda wildcards: plan.paths("expression"),
    output:
        parsed="results/read_deepchrome_expression/expression.npz",
    log:
        "logs/read_deepchrome_expression/read_deepchrome_expression.log",
    benchmark:
        "benchmarks/read_deepchrome_expression/read_deepchrome_expression.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("read_deepchrome_expression.py"),
        cells=plan.cells,
        file_cells=[cell for cell, _ in paths_of(config, "expression")],
        marks=plan.marks,
        bins=config["bins"],
    script:
        "../workflow/scripts/read_deepchrome_expression.py"


rule read_npz_expression:
    """Read expression from the course's npz files."""
    input:
        npz=lambda wildcards: config["expression"]["path"],
    output:
        parsed="results/read_npz_expression/expression.npz",
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
        cells=plan.expression_cells,
        marks=plan.marks,
        bins=config["bins"],
        reference=plan.reference,
    script:
        "../workflow/scripts/read_npz_expression.py"

# What is predicted: one rule for each form.


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
        cells=EXPRESSION_CELLS,
        gene_id=config["expression"]["columns"]["gene_id"],
        names=config["expression"]["names"],
        reference=REFERENCE,
    script:
        "../workflow/scripts/read_matrix.py"


rule read_quantification:
    input:
        tables=lambda wildcards: paths("expression"),
    output:
        part="results/read_quantification/expression.npz",
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
        reference=REFERENCE,
    script:
        "../workflow/scripts/read_quantification.py"


rule read_expression_csv:
    input:
        csv=lambda wildcards: paths("expression"),
    output:
        part="results/read_expression_csv/expression.npz",
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
        reference=REFERENCE,
    script:
        "../workflow/scripts/read_expression_csv.py"


rule read_deepchrome_expression:
    input:
        csv=lambda wildcards: paths("expression"),
    output:
        part="results/read_deepchrome_expression/expression.npz",
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
        cells=CELLS,
        file_cells=[cell for cell, _ in paths_of(config, "expression")],
        marks=MARKS,
        bins=config["bins"],
    script:
        "../workflow/scripts/read_deepchrome_expression.py"


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
        cells=EXPRESSION_CELLS,
        marks=MARKS,
        bins=config["bins"],
        reference=REFERENCE,
    script:
        "../workflow/scripts/read_npz_expression.py"

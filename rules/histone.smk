# Histone marks in the bins of every gene's window: one rule per form.


rule read_mark:
    """Count one histone mark of one cell, from alignments or tracks."""
    input:
        files=lambda wildcards: [path for mark, path in plan.samples[wildcards.cell] if mark == wildcards.mark],
        genes=plan.parsed("genes"),
    output:
        parsed="results/read_mark/{cell}/{mark}.npz",
    log:
        "logs/read_mark/{cell}/{mark}.log",
    benchmark:
        "benchmarks/read_mark/{cell}/{mark}.tsv"
    conda:
        "../envs/tables.yaml"
    # Jobs in parallel keep all cores busy. Only a BAM with an index can be split by chromosome between two threads.
    threads: lambda wildcards, input: 2 if any(map(find_index, input.files)) else 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        **plan.counting,
        code=code("read_mark.py"),
    script:
        "../workflow/scripts/read_mark.py"


rule stack_marks:
    """Put the marks of one cell of the sample sheet together."""
    input:
        parsed_marks=each(rules.read_mark.output.parsed, mark=plan.marks),
    output:
        parsed="results/stack_marks/{cell}.npz",
    log:
        "logs/stack_marks/{cell}.log",
    benchmark:
        "benchmarks/stack_marks/{cell}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("stack_marks.py"),
        marks=plan.marks,
        scale=config["histone"]["scale"],
    script:
        "../workflow/scripts/stack_marks.py"


rule read_counts:
    """Read the histone marks of one cell from a table of counts."""
    input:
        counts=lambda wildcards: config["histone"]["path"].replace("{cell}", wildcards.cell),
    output:
        parsed="results/read_counts/{cell}.npz",
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
        marks=plan.marks,
        bins=config["bins"],
        scale=config["histone"]["scale"],
        order=config["histone"]["bin_order"],
    script:
        "../workflow/scripts/read_counts.py"


rule read_npz_histone:
    """Read the histone marks of all cells from the course's npz files."""
    input:
        npz=lambda wildcards: config["histone"]["path"],
    output:
        parsed=expand("results/read_npz_histone/{cell}.npz", cell=plan.cells),
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
        cells=plan.cells,
        marks=plan.marks,
        bins=config["bins"],
        scale=config["histone"]["scale"],
        order=config["histone"]["bin_order"],
    script:
        "../workflow/scripts/read_npz_histone.py"


rule read_deepchrome_histone:
    """Read the histone marks of one cell from DeepChrome's files."""
    input:
        csv=lambda wildcards: plan.paths("histone", wildcards.cell),
    output:
        parsed="results/read_deepchrome_histone/{cell}.npz",
    log:
        "logs/read_deepchrome_histone/{cell}.log",
    benchmark:
        "benchmarks/read_deepchrome_histone/{cell}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("read_deepchrome_histone.py"),
        marks=plan.marks,
        bins=config["bins"],
        order=config["histone"]["bin_order"],
    script:
        "../workflow/scripts/read_deepchrome_histone.py"

# Histone marks in the bins of every gene's window: one rule for each form.


rule read_mark:
    input:
        files=lambda wildcards: [path for mark, path in SAMPLES[wildcards.cell] if mark == wildcards.mark],
        genes=part("genes"),
    output:
        part="results/read_mark/{cell}/{mark}.npz",
    log:
        "logs/read_mark/{cell}/{mark}.log",
    benchmark:
        "benchmarks/read_mark/{cell}/{mark}.tsv"
    conda:
        "../envs/tables.yaml"
    # Files side by side keep all cores busy; only of a BAM with an index, two can take other chromosomes each.
    threads: lambda wildcards, input: 2 if any(map(find_index, input.files)) else 1
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        **COUNTING,
        code=code("read_mark.py"),
    script:
        "../workflow/scripts/read_mark.py"


rule read_sample_sheet:
    input:
        parts=expand("results/read_mark/{{cell}}/{mark}.npz", mark=MARKS),
    output:
        part="results/read_sample_sheet/{cell}.npz",
    log:
        "logs/read_sample_sheet/{cell}.log",
    benchmark:
        "benchmarks/read_sample_sheet/{cell}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("read_sample_sheet.py"),
        marks=MARKS,
        scale=config["histone"]["scale"],
    script:
        "../workflow/scripts/read_sample_sheet.py"


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


rule read_deepchrome_histone:
    input:
        csv=lambda wildcards: paths("histone", wildcards.cell),
    output:
        part="results/read_deepchrome_histone/{cell}.npz",
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
        marks=MARKS,
        bins=config["bins"],
        order=config["histone"]["bin_order"],
    script:
        "../workflow/scripts/read_deepchrome_histone.py"

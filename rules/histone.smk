# Histone marks in the bins of every gene's window: one rule for each form.


rule read_sample_sheet:
    input:
        files=lambda wildcards: [path for _, path in SAMPLES[wildcards.cell]],
        genes=part("genes"),
    output:
        part="results/read_sample_sheet/{cell}.npz",
    log:
        "logs/read_sample_sheet/{cell}.log",
    benchmark:
        "benchmarks/read_sample_sheet/{cell}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        **SHEET,
        code=code("read_sample_sheet.py"),
        file_marks=lambda wildcards: [mark for mark, _ in SAMPLES[wildcards.cell]],
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

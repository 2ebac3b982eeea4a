# The DNA of every gene's window: one rule per form.


rule read_fasta:
    """Cut the genes' windows out of a genome in FASTA."""
    input:
        genome=lambda wildcards: config["sequence"]["path"],
        genes=plan.parsed("genes"),
    output:
        parsed="results/read_fasta/sequence.npz",
    log:
        "logs/read_fasta/read_fasta.log",
    benchmark:
        "benchmarks/read_fasta/read_fasta.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        code=code("read_fasta.py"),
        window=config["window"],
        strand_aware=config["strand_aware"],
    script:
        "../workflow/scripts/read_fasta.py"


rule read_2bit:
    """Cut the genes' windows out of a genome in 2bit."""
    input:
        genome=lambda wildcards: config["sequence"]["path"],
        genes=plan.parsed("genes"),
    output:
        parsed="results/read_2bit/sequence.npz",
    log:
        "logs/read_2bit/read_2bit.log",
    benchmark:
        "benchmarks/read_2bit/read_2bit.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("read_2bit.py"),
        window=config["window"],
        strand_aware=config["strand_aware"],
    script:
        "../workflow/scripts/read_2bit.py"


rule read_sequence_csv:
    """Read the genes' windows from the course's CSV file."""
    input:
        csv=lambda wildcards: config["sequence"]["path"],
    output:
        parsed="results/read_sequence_csv/sequence.npz",
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

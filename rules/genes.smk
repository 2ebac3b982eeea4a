# The genes' transcription start sites: one rule per form.


rule read_gtf:
    """Read genes from a GTF or GFF3 file."""
    input:
        gtf=lambda wildcards: config["genes"]["path"],
    output:
        parsed="results/read_gtf/genes.npz",
    log:
        "logs/read_gtf/read_gtf.log",
    benchmark:
        "benchmarks/read_gtf/read_gtf.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code("read_gtf.py"),
        tss=config["genes"]["tss"],
        biotypes=config["genes"]["biotypes"],
    script:
        "../workflow/scripts/read_gtf.py"


rule read_gene_info:
    """Read genes from Roadmap's gene_info table."""
    input:
        gene_info=lambda wildcards: config["genes"]["path"],
    output:
        parsed="results/read_gene_info/genes.npz",
    log:
        "logs/read_gene_info/read_gene_info.log",
    benchmark:
        "benchmarks/read_gene_info/read_gene_info.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code("read_gene_info.py"),
        biotypes=config["genes"]["biotypes"],
    script:
        "../workflow/scripts/read_gene_info.py"


rule read_bed:
    """Read genes from a BED file."""
    input:
        bed=lambda wildcards: config["genes"]["path"],
    output:
        parsed="results/read_bed/genes.npz",
    log:
        "logs/read_bed/read_bed.log",
    benchmark:
        "benchmarks/read_bed/read_bed.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code("read_bed.py"),
    script:
        "../workflow/scripts/read_bed.py"


rule read_gene_table:
    """Read genes from a plain table."""
    input:
        table=lambda wildcards: config["genes"]["path"],
    output:
        parsed="results/read_gene_table/genes.npz",
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
    """Read genes from the course's npz files."""
    input:
        npz=lambda wildcards: config["genes"]["path"],
    output:
        parsed="results/read_npz_genes/genes.npz",
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


rule read_deepchrome_genes:
    """Read genes from DeepChrome's files."""
    input:
        csv=lambda wildcards: plan.paths("genes"),
    output:
        parsed="results/read_deepchrome_genes/genes.npz",
    log:
        "logs/read_deepchrome_genes/read_deepchrome_genes.log",
    benchmark:
        "benchmarks/read_deepchrome_genes/read_deepchrome_genes.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("read_deepchrome_genes.py"),
        marks=plan.marks,
        bins=config["bins"],
    script:
        "../workflow/scripts/read_deepchrome_genes.py"

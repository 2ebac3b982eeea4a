# The sources -> the store -> the splits.


rule build_store:
    """Join the parsed sources into one store of arrays and tables."""
    input:
        genes=plan.parsed("genes"),
        histone=expand(plan.parsed("histone"), cell=plan.cells) if "histone" in plan.modules else [],
        sequence=plan.parsed("sequence") if "dna" in plan.modules else [],
        expression=plan.parsed("expression"),
        shared=plan.shared_files,
    output:
        store=plan.store,
        warnings="results/store/warnings.tsv",
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
        cells=plan.cells,
        marks=plan.marks,
        window=config["window"],
        bins=config["bins"],
        strand_aware=config["strand_aware"],
        reference=plan.reference,
    script:
        "../workflow/scripts/build_store.py"


rule split:
    """Choose the test set and the folds, and audit them for leaks."""
    input:
        store=plan.store,
        held_out_genes=config["held_out_genes"] if isinstance(config["held_out_genes"], str) else [],
    output:
        genes="results/splits/genes.tsv",
        cells="results/splits/cells.tsv",
        samples="results/splits/samples.tsv.gz",
        audit="results/splits/audit.tsv",
        similarity="results/splits/similarity.tsv",
        warnings="results/splits/warnings.tsv",
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
        target=plan.target,
        seed=config["seed"],
        allow_leakage=config["allow_leakage"],
    script:
        "../workflow/scripts/split.py"

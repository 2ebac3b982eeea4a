# The sources -> the store -> the splits.


rule build_store:
    input:
        genes=part("genes"),
        histone=expand(part("histone"), cell=CELLS) if "histone" in MODULES else [],
        sequence=part("sequence") if "dna" in MODULES else [],
        expression=part("expression"),
        shared=SHARED,
    output:
        store=STORE,
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
        cells=CELLS,
        marks=MARKS,
        window=config["window"],
        bins=config["bins"],
        oriented=config["oriented"],
        reference=REFERENCE,
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
        target=TARGET,
        seed=config["seed"],
        allow_leakage=config["allow_leakage"],
    script:
        "../workflow/scripts/split.py"

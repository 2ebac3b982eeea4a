# A finished model on new cells: their sample sheet -> a store of their own -> predictions. Nothing is trained.


use rule read_mark as read_new_mark with:
    input:
        files=lambda wildcards: [path for mark, path in NEW_SAMPLES[wildcards.cell] if mark == wildcards.mark],
        genes=part("genes"),
    output:
        part="results/predict_new/{cell}/{mark}.npz",
    log:
        "logs/read_mark/new/{cell}/{mark}.log",
    benchmark:
        "benchmarks/read_mark/new/{cell}/{mark}.tsv"


use rule read_sample_sheet as read_new_sample_sheet with:
    input:
        parts=expand("results/predict_new/{{cell}}/{mark}.npz", mark=MARKS),
    output:
        part="results/predict_new/{cell}.npz",
    log:
        "logs/read_sample_sheet/new/{cell}.log",
    benchmark:
        "benchmarks/read_sample_sheet/new/{cell}.tsv"


use rule build_store as build_new_store with:
    input:
        genes=part("genes"),
        histone=expand("results/predict_new/{cell}.npz", cell=NEW_SAMPLES) if "histone" in MODULES else [],
        sequence=part("sequence") if "dna" in MODULES else [],
        expression=[],
        shared=SHARED,
    output:
        store=NEW_STORE,
        warnings="results/predict_new/warnings.tsv",
    log:
        "logs/build_store/new.log",
    benchmark:
        "benchmarks/build_store/new.tsv"
    params:
        code=code("build_store.py"),
        cells=list(NEW_SAMPLES),
        marks=MARKS,
        window=config["window"],
        bins=config["bins"],
        oriented=config["oriented"],
        reference=None,


rule predict_new:
    input:
        store=NEW_STORE,
        # A model that this pipeline can make is taken as it is: as an input it would be trained again whenever a setting has changed.
        model=[] if NEW_MODEL.startswith("results/") else [NEW_MODEL, NEW_PREPROCESSING],
    output:
        predictions="results/predict_new/predictions.tsv.gz",
    log:
        "logs/predict_new/predict_new.log",
    benchmark:
        "benchmarks/predict_new/predict_new.tsv"
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        code=code("predict_new.py"),
        # It is known by its content instead.
        digest=lambda wildcards: digests([NEW_MODEL, NEW_PREPROCESSING]),
        model=NEW_MODEL,
        preprocessing=NEW_PREPROCESSING,
    script:
        "../workflow/scripts/predict_new.py"

# A finished model on new cells: sample sheet -> store of the new cells -> predictions. Nothing is trained.


use rule read_mark as read_new_mark with:
    """Count one histone mark of one new cell, from alignments or tracks."""
    input:
        files=lambda wildcards: [path for mark, path in plan.new_samples[wildcards.cell] if mark == wildcards.mark],
        genes=plan.parsed("genes"),
    output:
        parsed="results/predict_new/{cell}/{mark}.npz",
    log:
        "logs/read_mark/new/{cell}/{mark}.log",
    benchmark:
        "benchmarks/read_mark/new/{cell}/{mark}.tsv"


use rule stack_marks as stack_new_marks with:
    """Put the marks of one new cell together."""
    input:
        parsed_marks=each(rules.read_new_mark.output.parsed, mark=plan.marks),
    output:
        parsed="results/predict_new/{cell}.npz",
    log:
        "logs/stack_marks/new/{cell}.log",
    benchmark:
        "benchmarks/stack_marks/new/{cell}.tsv"


use rule build_store as build_new_store with:
    """Join the parsed sources of new cells into a store of their own."""
    input:
        genes=plan.parsed("genes"),
        histone=each(rules.stack_new_marks.output.parsed, cell=plan.new_samples) if "histone" in plan.modules else [],
        sequence=plan.parsed("sequence") if "dna" in plan.modules else [],
        expression=[],
        shared=plan.shared_files,
    output:
        store=plan.new_store,
        warnings="results/predict_new/warnings.tsv",
    log:
        "logs/build_store/new.log",
    benchmark:
        "benchmarks/build_store/new.tsv"
    params:
        code=code("build_store.py"),
        cells=list(plan.new_samples),
        marks=plan.marks,
        window=config["window"],
        bins=config["bins"],
        strand_aware=config["strand_aware"],
        reference=None,


rule predict_new:
    """Predict new cells with a finished model."""
    input:
        store=plan.new_store,
        # A model of this pipeline is no input, because it would be trained again whenever a setting has changed.
        model=[] if plan.new_model.startswith("results/") else [plan.new_model, plan.new_preprocessing],
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
        # The content of the model stands in for the input.
        digest=lambda wildcards: digests([plan.new_model, plan.new_preprocessing]),
        model=plan.new_model,
        preprocessing=plan.new_preprocessing,
    script:
        "../workflow/scripts/predict_new.py"

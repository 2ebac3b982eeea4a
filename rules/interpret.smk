# What the model looks at.


rule attribute:
    input:
        store=STORE,
        test="results/predictions/{model}/test.tsv.gz",
        out_of_fold="results/predictions/{model}/out_of_fold.tsv.gz",
        final="results/models/{model}/final/model.keras",
        folds=lambda wildcards: expand("results/models/{model}/{run}/model.keras", model=wildcards.model, run=FOLDS),
    output:
        attribution="results/attributions/{model}/{gene}.npz",
    log:
        "logs/attribute/{model}/{gene}.log",
    benchmark:
        "benchmarks/attribute/{model}/{gene}.tsv"
    conda:
        "../envs/model.yaml"
    threads: 2
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        code=code("attribute.py"),
        modules=MODULES,
    script:
        "../workflow/scripts/attribute.py"

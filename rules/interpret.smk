# What the model looks at.


rule find_genes:
    input:
        store=STORE,
    output:
        table="results/attributions/genes.tsv",
    log:
        "logs/find_genes/find_genes.log",
    benchmark:
        "benchmarks/find_genes/find_genes.tsv"
    # First in the queue: a misspelt gene should not be found out when all has been trained.
    priority: 1
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("find_genes.py"),
        genes=config["interpret"]["genes"],
    script:
        "../workflow/scripts/find_genes.py"


rule attribute:
    input:
        store=STORE,
        test="results/predictions/{model}/test.tsv.gz",
        out_of_fold="results/predictions/{model}/out_of_fold.tsv.gz",
        models=lambda wildcards: expand("results/models/{model}/{run}/model.keras", model=wildcards.model, run=RUNS),
        preprocessing="results/models/{model}/final/preprocessing.json",
    output:
        attribution="results/attributions/{model}/{gene}.npz",
    log:
        "logs/attribute/{model}/{gene}.log",
    benchmark:
        "benchmarks/attribute/{model}/{gene}.tsv"
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=60,
    params:
        code=code("attribute.py"),
        runs=RUNS,
    script:
        "../workflow/scripts/attribute.py"

# The attribution of predictions to inputs.


rule check_genes:
    """Check that the store has the genes of `interpret`."""
    input:
        store=plan.store,
    output:
        table="results/check_genes/genes.tsv",
    log:
        "logs/check_genes/check_genes.log",
    benchmark:
        "benchmarks/check_genes/check_genes.tsv"
    # First in the queue, so that a misspelt gene is found before anything is trained.
    priority: 1
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("check_genes.py"),
        genes=config["interpret"]["genes"],
    script:
        "../workflow/scripts/check_genes.py"


rule attribute:
    """Attribute a network's prediction for a gene to positions of its inputs."""
    input:
        store=plan.store,
        test=rules.aggregate.output.test,
        out_of_fold=rules.aggregate.output.out_of_fold,
        models=lambda wildcards: each(rules.train.output.model, model=wildcards.model, run=plan.runs),
        preprocessing=each(rules.train.output.preprocessing, run="final")[0],
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
        runs=plan.runs,
    script:
        "../workflow/scripts/attribute.py"

# One model per fold, and the final one on all training samples.


onstart:
    start_afresh()


rule train:
    input:
        store=STORE,
        samples="results/splits/samples.tsv.gz",
        # Of the network `tuned` it takes the place of the params spec and schedule.
        chosen=lambda wildcards: CHOSEN if wildcards.model == TUNED else [],
    output:
        model="results/models/{model}/{run}/model.keras",
        preprocessing="results/models/{model}/{run}/preprocessing.json",
        history="results/models/{model}/{run}/history.tsv",
    log:
        "logs/train/{model}/{run}.log",
    benchmark:
        "benchmarks/train/{model}/{run}.tsv"
    # First what takes long, then the predictions: at the end no core is idle beside a last long job.
    priority: 1
    conda:
        "../envs/model.yaml"
    # One, and not all: the bits of a model depend on the number of threads, and two runs side by side are done sooner than one after
    # the other on two threads each. Where every job has a machine of its own, profiles say `set-threads`.
    threads: 1
    resources:
        mem_mb=6000,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        code=code("train.py"),
        spec=lambda wildcards: network(wildcards.model)["spec"],
        modules=lambda wildcards: network(wildcards.model)["modules"],
        shuffled_dna=lambda wildcards: network(wildcards.model)["shuffled_dna"],
        target=TARGET,
        schedule=lambda wildcards: network(wildcards.model)["schedule"],
        seed=config["seed"],
        # Not an output: it has to outlive a job that is killed.
        checkpoint="results/models/{model}/{run}/checkpoint.npz",
    script:
        "../workflow/scripts/train.py"

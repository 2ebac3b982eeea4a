# One model per fold, and the final one on all training samples.


onstart:
    remove_checkpoints()


rule train:
    """Train one run of a network: a fold, or the final run on all training samples."""
    input:
        store=plan.store,
        samples=rules.split.output.samples,
        # For the network `tuned` it replaces the params spec and schedule.
        chosen=lambda wildcards: rules.choose_trial.output.chosen if wildcards.model == TUNED else [],
    output:
        model="results/models/{model}/{run}/model.keras",
        preprocessing="results/models/{model}/{run}/preprocessing.json",
        history="results/models/{model}/{run}/history.tsv",
    log:
        "logs/train/{model}/{run}.log",
    benchmark:
        "benchmarks/train/{model}/{run}.tsv"
    # Long jobs run before predictions, so that no core is idle while a last long job runs.
    priority: 1
    conda:
        "../envs/model.yaml"
    # The bits of a model depend on the number of threads, and two runs in parallel finish sooner than two in turn with two threads each.
    # Profiles in which every job has a machine of its own say `set-threads`.
    threads: 1
    resources:
        mem_mb=6000,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        code=code("train.py"),
        spec=lambda wildcards: network(wildcards.model)["spec"],
        modules=lambda wildcards: network(wildcards.model)["modules"],
        permuted_genes=lambda wildcards: network(wildcards.model)["permuted_genes"],
        target=plan.target,
        schedule=lambda wildcards: network(wildcards.model)["schedule"],
        seed=config["seed"],
        # Not an output: it must remain when a job is killed.
        checkpoint="results/models/{model}/{run}/checkpoint.npz",
    script:
        "../workflow/scripts/train.py"

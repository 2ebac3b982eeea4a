# The search of hyperparameters, for `snakemake tuning`. Every trial is trained in all folds; the best one becomes the network `tuned`.
# All file names follow from the config, so that jobs run in parallel and an interrupted search continues.


rule drop_test_set:
    """Write a store without the test set, for the search."""
    input:
        store=plan.store,
        samples=rules.split.output.samples,
    output:
        store=plan.store_without_test_set,
        samples="results/drop_test_set/samples.tsv.gz",
    log:
        "logs/drop_test_set/drop_test_set.log",
    benchmark:
        "benchmarks/drop_test_set/drop_test_set.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code("drop_test_set.py"),
    script:
        "../workflow/scripts/drop_test_set.py"


# In the first rung a trial is named by its values, in further rungs by its rank in the rung before.
rule tune:
    """Train one trial of the search in one fold."""
    input:
        store=rules.drop_test_set.output.store,
        samples=rules.drop_test_set.output.samples,
        before=order_before,
    output:
        history="results/tune/rung-{rung}/{trial}/{run}.tsv",
    log:
        "logs/tune/rung-{rung}/{trial}/{run}.log",
    benchmark:
        "benchmarks/tune/rung-{rung}/{trial}/{run}.tsv"
    wildcard_constraints:
        run="|".join(plan.folds),
    conda:
        "../envs/model.yaml"
    # As in rule train.
    threads: 1
    resources:
        mem_mb=6000,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        code=code("tune.py"),
        varied=varied,
        modules=plan.modules,
        target=plan.target,
        epochs=lambda wildcards: plan.search.epochs[int(wildcards.rung) - 1],
        seed=config["seed"],
        # Not an output: it must remain when a job is killed.
        checkpoint="results/tune/rung-{rung}/{trial}/{run}.checkpoint.npz",
    script:
        "../workflow/scripts/tune.py"


rule rank_trials:
    """Rank the trials of one rung of the search."""
    input:
        histories=lambda wildcards: each(
            rules.tune.output.history, rung=wildcards.rung, trial=trials_of(wildcards.rung), run=plan.folds
        ),
        before=order_before,
    output:
        ranks="results/rank_trials/rung-{rung}.tsv",
        # Read by the next rung: it has no seconds, which differ between trainings.
        order="results/rank_trials/order-{rung}.tsv",
    log:
        "logs/rank_trials/rung-{rung}.log",
    benchmark:
        "benchmarks/rank_trials/rung-{rung}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("rank_trials.py"),
        # The trial and fold of each input file, in the order of the files.
        histories=lambda wildcards: [(trial, fold) for trial in trials_of(wildcards.rung) for fold in plan.folds],
        trials=lambda wildcards: dict(zip(trials_of("1"), plan.search.texts)) if wildcards.rung == "1" else {},
    script:
        "../workflow/scripts/rank_trials.py"


rule choose_trial:
    """Write the settings of the best trial."""
    input:
        ranks=each(rules.rank_trials.output.ranks, rung=plan.search.rungs[-1])[0],
    output:
        chosen="results/choose_trial/chosen.json",
    log:
        "logs/choose_trial/choose_trial.log",
    benchmark:
        "benchmarks/choose_trial/choose_trial.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("choose_trial.py"),
        model=plan.varied_settings(),
        space=plan.search.space,
        epochs=plan.search.epochs[-1],
    script:
        "../workflow/scripts/choose_trial.py"


# The script is that of rule score.
use rule score as score_tuned with:
    """Score the best trial, trained on all training samples, and the model that it is a variant of."""
    input:
        predictions=each(rules.predict.output.predictions, model=plan.tuned_networks, run=plan.runs),
        baselines=each(rules.baselines.output.predictions, run=plan.runs),
        fold_means=each(rules.aggregate.output.test, model=plan.tuned_networks),
        genes=rules.split.output.genes,
        similarity=rules.split.output.similarity,
    output:
        scores=report(
            "results/score_tuned/scores.tsv",
            caption="../workflow/report/score_tuned.rst",
            category="Tuning",
            labels={"table": "all scores of the chosen trial"},
        ),
    log:
        "logs/score_tuned/score_tuned.log",
    benchmark:
        "benchmarks/score_tuned/score_tuned.tsv"
    # The other params are those of rule score.
    params:
        predictions=[(network, run) for network in plan.tuned_networks for run in plan.runs],
        fold_means=plan.tuned_networks,


rule plot_tuning:
    """Draw the trials of the search and their losses."""
    input:
        ranks=each(rules.rank_trials.output.ranks, rung=plan.search.rungs),
    output:
        figure=report(
            "results/figures/tuning.png",
            caption="../workflow/report/plot_tuning.rst",
            category="Tuning",
            labels={"figure": "the trials of the search"},
        ),
        table="results/figures/tuning.tsv",
    log:
        "logs/plot_tuning/plot_tuning.log",
    benchmark:
        "benchmarks/plot_tuning/plot_tuning.tsv"
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        code=code("plot_tuning.py"),
        values=plan.search.values,
        epochs=plan.search.epochs,
    script:
        "../workflow/scripts/plot_tuning.py"

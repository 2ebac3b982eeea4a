# The search for settings, which `snakemake tuning` asks for: every point of a space is trained in all folds, and the best one becomes
# the network `tuned`. All file names follow from the config, so that any number of jobs may run at once and a killed search goes on.


rule withhold:
    input:
        store=STORE,
        samples="results/splits/samples.tsv.gz",
    output:
        store=WITHHELD,
        samples="results/withhold/samples.tsv.gz",
    log:
        "logs/withhold/withhold.log",
    benchmark:
        "benchmarks/withhold/withhold.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code("withhold.py"),
    script:
        "../workflow/scripts/withhold.py"


# In the first rung a point is known by its settings, in further ones by its rank in the rung before.
rule tune:
    input:
        store=WITHHELD,
        samples="results/withhold/samples.tsv.gz",
        before=order_before,
    output:
        history="results/tune/rung-{rung}/{point}/{run}.tsv",
    log:
        "logs/tune/rung-{rung}/{point}/{run}.log",
    benchmark:
        "benchmarks/tune/rung-{rung}/{point}/{run}.tsv"
    wildcard_constraints:
        run="|".join(FOLDS),
    conda:
        "../envs/model.yaml"
    # As of rule train.
    threads: 1
    resources:
        mem_mb=6000,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        code=code("tune.py"),
        varied=varied,
        modules=MODULES,
        target=TARGET,
        epochs=lambda wildcards: TUNING["epochs"][int(wildcards.rung) - 1],
        seed=config["seed"],
        # Not an output: it has to outlive a job that is killed.
        checkpoint="results/tune/rung-{rung}/{point}/{run}.checkpoint.npz",
    script:
        "../workflow/scripts/tune.py"


rule rank_points:
    input:
        histories=lambda wildcards: expand(
            "results/tune/rung-{rung}/{point}/{run}.tsv",
            rung=wildcards.rung,
            point=RUNGS[int(wildcards.rung) - 1],
            run=FOLDS,
        ),
        before=order_before,
    output:
        ranks="results/rank_points/rung-{rung}.tsv",
        # Without the seconds, which differ each time: what the next rung reads.
        order="results/rank_points/order-{rung}.tsv",
    log:
        "logs/rank_points/rung-{rung}.log",
    benchmark:
        "benchmarks/rank_points/rung-{rung}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code("rank_points.py"),
        points=lambda wildcards: list(map(texts, POINTS)) if wildcards.rung == "1" else [],
        folds=len(FOLDS),
    script:
        "../workflow/scripts/rank_points.py"


rule choose_point:
    input:
        ranks=RANKS[-1],
    output:
        chosen=CHOSEN,
    log:
        "logs/choose_point/choose_point.log",
    benchmark:
        "benchmarks/choose_point/choose_point.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("choose_point.py"),
        model=whole(VARIED),
        space=TUNING["space"],
        epochs=TUNING["epochs"][-1],
    script:
        "../workflow/scripts/choose_point.py"


# The same script as of rule score: the chosen point, trained on all training samples, beside the model that it is a variant of.
use rule score as score_tuned with:
    input:
        predictions=expand("results/predictions/{network}/{run}.tsv.gz", network=TUNED_NETWORKS, run=RUNS),
        baselines=expand("results/baselines/{run}.tsv.gz", run=RUNS),
        ensembles=expand("results/predictions/{network}/test.tsv.gz", network=TUNED_NETWORKS),
        genes="results/splits/genes.tsv",
        similarity="results/splits/similarity.tsv",
    output:
        scores=report(
            "results/score_tuned/scores.tsv",
            caption="../workflow/report/score_tuned.rst",
            category="Tuning",
            labels={"table": "all scores of the chosen point"},
        ),
    log:
        "logs/score_tuned/score_tuned.log",
    benchmark:
        "benchmarks/score_tuned/score_tuned.tsv"
    # The other params are those of rule score.
    params:
        networks=TUNED_NETWORKS,
        models=TUNED_NETWORKS,


rule plot_tuning:
    input:
        ranks=RANKS,
    output:
        figure=report(
            "results/figures/tuning.png",
            caption="../workflow/report/plot_tuning.rst",
            category="Tuning",
            labels={"figure": "the points of the search"},
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
        values={knob: list(map(text, values)) for knob, values in TUNING["space"].items()},
        epochs=TUNING["epochs"],
    script:
        "../workflow/scripts/plot_tuning.py"

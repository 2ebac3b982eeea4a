# Models side by side, and the experiments, which `snakemake experiments` asks for.


rule compare:
    input:
        scores="results/scores/scores.tsv",
        histories=expand("results/models/{network}/final/history.tsv", network=NETWORKS),
        preprocessing=expand("results/models/{network}/final/preprocessing.json", network=NETWORKS),
    output:
        page=report(
            "results/compare/compare.html",
            caption="../workflow/report/compare.rst",
            category="Comparison",
            labels={"page": "models side by side"},
        ),
        table="results/compare/compare.tsv",
        markdown="results/compare/compare.md",
    log:
        "logs/compare/compare.log",
    benchmark:
        "benchmarks/compare/compare.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("compare.py"),
        networks=NETWORKS,
        models=MODELS,
    script:
        "../workflow/scripts/compare.py"


# The same script as of rule score. Of experiments there is no mean of the fold models.
use rule score as score_experiments with:
    input:
        predictions=experiment_predictions,
        baselines=expand("results/baselines/{run}.tsv.gz", run=RUNS),
        ensembles=[],
        genes="results/splits/genes.tsv",
        similarity="results/splits/similarity.tsv",
    output:
        scores=report(
            "results/score_experiments/scores.tsv",
            caption="../workflow/report/score_experiments.rst",
            category="Experiments",
            labels={"table": "all scores of the experiments"},
        ),
    log:
        "logs/score_experiments/score_experiments.log",
    benchmark:
        "benchmarks/score_experiments/score_experiments.tsv"
    # The other params are those of rule score.
    params:
        networks=EXPERIMENT_NETWORKS,
        models=[],


rule plot_experiments:
    input:
        scores="results/score_experiments/scores.tsv",
    output:
        figure=report(
            "results/figures/experiments.png",
            caption="../workflow/report/plot_experiments.rst",
            category="Experiments",
            labels={"figure": "the report's experiments"},
        ),
        table="results/figures/experiments.tsv",
    log:
        "logs/plot_experiments/plot_experiments.log",
    benchmark:
        "benchmarks/plot_experiments/plot_experiments.tsv"
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        code=code("plot_experiments.py"),
        networks=EXPERIMENTS,
        bases=BASES,
        printed={name: config["experiments"][name]["printed"] for name in EXPERIMENTS},
        draw_printed=COURSE,
    script:
        "../workflow/scripts/plot_experiments.py"

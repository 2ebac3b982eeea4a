# The comparison of models, and the experiments, for `snakemake experiments`.


rule compare:
    """Compare the scores and settings of all networks on one page."""
    input:
        scores=rules.score.output.scores,
        histories=each(rules.train.output.history, model=plan.networks, run="final"),
        preprocessing=each(rules.train.output.preprocessing, model=plan.networks, run="final"),
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
        # The network of each input file, in the order of the files.
        networks=plan.networks,
        models=plan.models,
    script:
        "../workflow/scripts/compare.py"


# The script is that of rule score. Experiments have no fold mean.
use rule score as score_experiments with:
    """Score the experiments and the models that they are variants of."""
    input:
        predictions=experiment_predictions,
        baselines=each(rules.baselines.output.predictions, run=plan.runs),
        fold_means=[],
        genes=rules.split.output.genes,
        similarity=rules.split.output.similarity,
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
        predictions=[(network, run) for network in plan.experiment_networks for run in plan.runs],
        fold_means=[],


rule plot_experiments:
    """Draw the scores of the report's experiments."""
    input:
        scores=rules.score_experiments.output.scores,
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
        networks=plan.experiments,
        bases=plan.bases,
        published_mse={name: config["experiments"][name]["published_mse"] for name in plan.experiments},
        draw_published=plan.is_course,
    script:
        "../workflow/scripts/plot_experiments.py"

# The figures of the report, each with a table of its values.


rule plot_learning_curves:
    """Draw the losses of all runs of a model by epoch."""
    input:
        histories=lambda wildcards: each(rules.train.output.history, model=wildcards.model, run=plan.runs),
    output:
        figure=report(
            "results/figures/{model}/learning_curves.png",
            caption="../workflow/report/plot_learning_curves.rst",
            category="Training",
            labels={"model": "{model}", "figure": "learning curves"},
        ),
        table="results/figures/{model}/learning_curves.tsv",
    log:
        "logs/plot_learning_curves/{model}.log",
    benchmark:
        "benchmarks/plot_learning_curves/{model}.tsv"
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        code=code("plot_learning_curves.py"),
        runs=plan.runs,
    script:
        "../workflow/scripts/plot_learning_curves.py"


rule plot_scores:
    """Draw the scores of all predictors."""
    input:
        scores=rules.score.output.scores,
    output:
        figure=report(
            "results/figures/scores.png",
            caption="../workflow/report/plot_scores.rst",
            category="Scores",
            labels={"figure": "all predictors side by side"},
        ),
        table="results/figures/scores.tsv",
    log:
        "logs/plot_scores/plot_scores.log",
    benchmark:
        "benchmarks/plot_scores/plot_scores.tsv"
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        code=code("plot_scores.py"),
    script:
        "../workflow/scripts/plot_scores.py"


rule plot_predictions:
    """Draw predicted against true expression, or ROC curves for labels."""
    input:
        predictions=rules.aggregate.output.test,
        out_of_fold=rules.aggregate.output.out_of_fold,
        scores=rules.score.output.scores,
    output:
        figure=report(
            "results/figures/{model}/predictions.png",
            caption="../workflow/report/plot_predictions.rst",
            category="Scores",
            labels={"model": "{model}", "figure": "ROC curves" if plan.binary else "predicted against true"},
        ),
        table="results/figures/{model}/predictions.tsv",
    log:
        "logs/plot_predictions/{model}.log",
    benchmark:
        "benchmarks/plot_predictions/{model}.tsv"
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code("plot_predictions.py"),
        target_label=plan.target_label,
        binary=plan.binary,
    script:
        "../workflow/scripts/plot_predictions.py"


rule plot_calibration:
    """Draw how predictions of a model agree with the truth on average."""
    input:
        predictions=rules.aggregate.output.test,
    output:
        figure=report(
            "results/figures/{model}/calibration.png",
            caption="../workflow/report/plot_calibration.rst",
            category="Scores",
            labels={"model": "{model}", "figure": "calibration"},
        ),
        table="results/figures/{model}/calibration.tsv",
    log:
        "logs/plot_calibration/{model}.log",
    benchmark:
        "benchmarks/plot_calibration/{model}.tsv"
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code("plot_calibration.py"),
        target_label=plan.target_label,
        binary=plan.binary,
    script:
        "../workflow/scripts/plot_calibration.py"


rule plot_architecture:
    """Draw the layers of a model."""
    input:
        model=each(rules.train.output.model, run="final")[0],
    output:
        figure=report(
            "results/figures/{model}/architecture.png",
            caption="../workflow/report/plot_architecture.rst",
            category="Training",
            labels={"model": "{model}", "figure": "architecture"},
        ),
        table="results/figures/{model}/architecture.tsv",
    log:
        "logs/plot_architecture/{model}.log",
    benchmark:
        "benchmarks/plot_architecture/{model}.tsv"
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=2000,
        runtime=15,
    params:
        code=code("plot_architecture.py"),
    script:
        "../workflow/scripts/plot_architecture.py"


rule plot_histone_gene:
    """Draw the histone marks of a gene and their attribution."""
    input:
        attribution=rules.attribute.output.attribution,
    output:
        figure=report(
            "results/figures/{model}/histone_{gene}.png",
            caption="../workflow/report/plot_histone_gene.rst",
            category="Interpretation",
            labels={"model": "{model}", "gene": "{gene}", "figure": "histone marks"},
        ),
        table="results/figures/{model}/histone_{gene}.tsv",
    log:
        "logs/plot_histone_gene/{model}/{gene}.log",
    benchmark:
        "benchmarks/plot_histone_gene/{model}/{gene}.tsv"
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        code=code("plot_histone_gene.py"),
    script:
        "../workflow/scripts/plot_histone_gene.py"


rule plot_dna_gene:
    """Draw the DNA of a gene and its attribution."""
    input:
        attribution=rules.attribute.output.attribution,
    output:
        figure=report(
            "results/figures/{model}/dna_{gene}.png",
            caption="../workflow/report/plot_dna_gene.rst",
            category="Interpretation",
            labels={"model": "{model}", "gene": "{gene}", "figure": "DNA sequence"},
        ),
        table="results/figures/{model}/dna_{gene}.tsv",
    log:
        "logs/plot_dna_gene/{model}/{gene}.log",
    benchmark:
        "benchmarks/plot_dna_gene/{model}/{gene}.tsv"
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        code=code("plot_dna_gene.py"),
    script:
        "../workflow/scripts/plot_dna_gene.py"

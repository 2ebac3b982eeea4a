# Figures of the report; each with the table of what it shows.


rule plot_learning_curves:
    input:
        histories=lambda wildcards: expand("results/models/{model}/{run}/history.tsv", model=wildcards.model, run=RUNS),
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
        runs=RUNS,
    script:
        "../workflow/scripts/plot_learning_curves.py"


rule plot_scores:
    input:
        scores="results/scores/scores.tsv",
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
    input:
        predictions="results/predictions/{model}/test.tsv.gz",
        out_of_fold="results/predictions/{model}/out_of_fold.tsv.gz",
        scores="results/scores/scores.tsv",
    output:
        figure=report(
            "results/figures/{model}/predictions.png",
            caption="../workflow/report/plot_predictions.rst",
            category="Scores",
            labels={"model": "{model}", "figure": "ROC curves" if BINARY else "predicted against true"},
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
        target_label=TARGET_LABEL,
        binary=BINARY,
    script:
        "../workflow/scripts/plot_predictions.py"


rule plot_calibration:
    input:
        predictions="results/predictions/{model}/test.tsv.gz",
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
        target_label=TARGET_LABEL,
        binary=BINARY,
    script:
        "../workflow/scripts/plot_calibration.py"


rule plot_architecture:
    input:
        model="results/models/{model}/final/model.keras",
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
    input:
        attribution="results/attributions/{model}/{gene}.npz",
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
    input:
        attribution="results/attributions/{model}/{gene}.npz",
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

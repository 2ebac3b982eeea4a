# Predictions of every model, their scores, and the submission.


rule predict:
    input:
        store=STORE,
        samples="results/splits/samples.tsv.gz",
        model="results/models/{model}/{run}/model.keras",
        preprocessing="results/models/{model}/{run}/preprocessing.json",
    output:
        predictions="results/predictions/{model}/{run}.tsv.gz",
    log:
        "logs/predict/{model}/{run}.log",
    benchmark:
        "benchmarks/predict/{model}/{run}.tsv"
    conda:
        "../envs/model.yaml"
    threads: 1
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        code=code("predict.py"),
    script:
        "../workflow/scripts/predict.py"


rule aggregate:
    input:
        final="results/predictions/{model}/final.tsv.gz",
        folds=prediction_files,
        preprocessing=lambda wildcards: expand(
            "results/models/{model}/{run}/preprocessing.json", model=wildcards.model, run=RUNS
        ),
    output:
        test="results/predictions/{model}/test.tsv.gz",
        out_of_fold="results/predictions/{model}/out_of_fold.tsv.gz",
    log:
        "logs/aggregate/{model}.log",
    benchmark:
        "benchmarks/aggregate/{model}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code("aggregate.py"),
    script:
        "../workflow/scripts/aggregate.py"


rule baselines:
    input:
        store=[path for path in STORE if not path.endswith("dna.npy")],
        samples="results/splits/samples.tsv.gz",
    output:
        predictions="results/baselines/{run}.tsv.gz",
    log:
        "logs/baselines/{run}.log",
    benchmark:
        "benchmarks/baselines/{run}.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 2
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("baselines.py"),
        target=TARGET,
        seed=config["seed"],
    script:
        "../workflow/scripts/baselines.py"


rule score:
    input:
        final="results/predictions/{model}/final.tsv.gz",
        folds=prediction_files,
        test="results/predictions/{model}/test.tsv.gz",
    output:
        table=report(
            "results/scores/{model}/scores.tsv",
            caption="../workflow/report/score.rst",
            category="Scores",
            labels={"model": "{model}", "table": "all scores"},
        ),
        summary="results/scores/{model}/summary.tsv",
    log:
        "logs/score/{model}.log",
    benchmark:
        "benchmarks/score/{model}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=30,
    params:
        code=code("score.py"),
        binary=BINARY,
    script:
        "../workflow/scripts/score.py"


rule compare:
    input:
        final="results/predictions/{model}/final.tsv.gz",
        folds=prediction_files,
        test="results/predictions/{model}/test.tsv.gz",
        baselines=expand("results/baselines/{run}.tsv.gz", run=RUNS),
    output:
        intervals=report(
            "results/scores/{model}/intervals.tsv",
            caption="../workflow/report/compare.rst",
            category="Scores",
            labels={"model": "{model}", "table": "scores with intervals"},
        ),
        comparisons=report(
            "results/scores/{model}/comparisons.tsv",
            caption="../workflow/report/compare.rst",
            category="Scores",
            labels={"model": "{model}", "table": "beside each baseline"},
        ),
        skills="results/scores/{model}/skills.tsv",
    log:
        "logs/compare/{model}.log",
    benchmark:
        "benchmarks/compare/{model}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("compare.py"),
        draws=config["bootstrap"]["draws"],
        rank_draws=config["bootstrap"]["rank_draws"],
        seed=config["seed"],
        binary=BINARY,
    script:
        "../workflow/scripts/compare.py"


rule check_example:
    input:
        scores="results/scores/{model}/scores.tsv",
        truth="results/example/truth.json",
    output:
        table=report(
            "results/scores/{model}/example.tsv",
            caption="../workflow/report/check_example.rst",
            category="Scores",
            labels={"model": "{model}", "table": "the example against its truth"},
        ),
    log:
        "logs/check_example/{model}.log",
    benchmark:
        "benchmarks/check_example/{model}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("check_example.py"),
    script:
        "../workflow/scripts/check_example.py"


rule submit:
    input:
        test="results/predictions/{model}/test.tsv.gz",
        order=config["submission"]["order"] or [],
    output:
        submission="results/predictions/{model}/submission.csv",
    log:
        "logs/submit/{model}.log",
    benchmark:
        "benchmarks/submit/{model}.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=code("submit.py"),
        prediction=config["submission"]["prediction"],
    script:
        "../workflow/scripts/submit.py"

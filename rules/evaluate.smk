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
        baselines=expand("results/baselines/{run}.tsv.gz", run=RUNS),
        preprocessing=lambda wildcards: expand(
            "results/models/{model}/{run}/preprocessing.json", model=wildcards.model, run=RUNS
        ),
    output:
        test="results/predictions/{model}/test.tsv.gz",
        out_of_fold="results/predictions/{model}/out_of_fold.tsv.gz",
        test_parquet="results/predictions/{model}/test.parquet",
        out_of_fold_parquet="results/predictions/{model}/out_of_fold.parquet",
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
        genes="results/splits/genes.tsv",
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
        predictions=expand("results/predictions/{network}/{run}.tsv.gz", network=NETWORKS, run=RUNS),
        baselines=expand("results/baselines/{run}.tsv.gz", run=RUNS),
        ensembles=expand("results/predictions/{model}/test.tsv.gz", model=MODELS),
        genes="results/splits/genes.tsv",
        similarity="results/splits/similarity.tsv",
    output:
        scores=report(
            "results/scores/scores.tsv",
            caption="../workflow/report/score.rst",
            category="Scores",
            labels={"table": "all scores"},
        ),
    log:
        "logs/score/score.log",
    benchmark:
        "benchmarks/score/score.tsv"
    conda:
        "../envs/tables.yaml"
    threads: 4
    resources:
        mem_mb=6000,
        runtime=120,
    params:
        code=code("score.py"),
        networks=NETWORKS,
        models=MODELS,
        runs=RUNS,
        draws=config["bootstrap"]["draws"],
        rank_draws=config["bootstrap"]["rank_draws"],
        seed=config["seed"],
        binary=BINARY,
    script:
        "../workflow/scripts/score.py"


rule verdicts:
    input:
        scores="results/scores/scores.tsv",
        histories=expand("results/models/{model}/{run}/history.tsv", model=MODELS, run=RUNS),
        audit="results/splits/audit.tsv",
        truth="results/example/truth.json" if SIMULATED else [],
    output:
        verdicts=report(
            "results/verdicts/verdicts.tsv",
            caption="../workflow/report/verdicts.rst",
            category="Scores",
            labels={"table": "verdicts"},
        ),
        first_page="results/verdicts/first_page.rst",
    log:
        "logs/verdicts/verdicts.log",
    benchmark:
        "benchmarks/verdicts/verdicts.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        code=code("verdicts.py"),
        models=MODELS,
        runs=RUNS,
        modules=MODULES,
        binary=BINARY,
    script:
        "../workflow/scripts/verdicts.py"


rule check_example:
    input:
        scores="results/scores/scores.tsv",
        truth="results/example/truth.json",
    output:
        table=report(
            "results/check_example/example.tsv",
            caption="../workflow/report/check_example.rst",
            category="Scores",
            labels={"table": "the example against its truth"},
        ),
    log:
        "logs/check_example/check_example.log",
    benchmark:
        "benchmarks/check_example/check_example.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=code("check_example.py"),
        models=MODELS,
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


rule fingerprint:
    input:
        store=STORE,
        samples="results/splits/samples.tsv.gz",
        preprocessing=expand("results/models/{model}/{run}/preprocessing.json", model=NETWORKS, run=RUNS),
        # So that it comes after these jobs. Their benchmark files as inputs would train everything again where they were deleted.
        others=[
            *expand("results/predictions/{model}/{run}.tsv.gz", model=NETWORKS, run=RUNS),
            *expand("results/baselines/{run}.tsv.gz", run=RUNS),
        ],
    output:
        table=report(
            "results/fingerprint/fingerprint.tsv",
            caption="../workflow/report/fingerprint.rst",
            category="Data and versions",
            labels={"table": "fingerprint"},
        ),
    log:
        "logs/fingerprint/fingerprint.log",
    benchmark:
        "benchmarks/fingerprint/fingerprint.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("fingerprint.py"),
        benchmarks="benchmarks",
        config=config,
        target=TARGET,
    script:
        "../workflow/scripts/fingerprint.py"

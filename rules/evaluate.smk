# Predictions of every model, their scores, and the submission.


rule predict:
    """Predict all samples with one run of a network."""
    input:
        store=plan.store,
        samples=rules.split.output.samples,
        model=rules.train.output.model,
        preprocessing=rules.train.output.preprocessing,
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


rule baselines:
    """Predict all samples with the baselines, fitted on the training samples of one run."""
    input:
        store=[path for path in plan.store if not path.endswith("dna.npy")],
        samples=rules.split.output.samples,
        genes=rules.split.output.genes,
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
        target=plan.target,
        seed=config["seed"],
    script:
        "../workflow/scripts/baselines.py"


rule aggregate:
    """Join the predictions of a network's runs: the test set, and the samples that folds hold out."""
    input:
        predictions=each(rules.predict.output.predictions, run=plan.runs),
        baselines=each(rules.baselines.output.predictions, run=plan.runs),
        preprocessing=each(rules.train.output.preprocessing, run=plan.runs),
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
        runs=plan.runs,
    script:
        "../workflow/scripts/aggregate.py"


rule score:
    """Score networks and baselines by regime, with bootstrap intervals."""
    input:
        predictions=each(rules.predict.output.predictions, model=plan.networks, run=plan.runs),
        baselines=each(rules.baselines.output.predictions, run=plan.runs),
        fold_means=each(rules.aggregate.output.test, model=plan.models),
        genes=rules.split.output.genes,
        similarity=rules.split.output.similarity,
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
        # The network and run, the run, and the model of each input file, in the order of the files.
        predictions=[(network, run) for network in plan.networks for run in plan.runs],
        baselines=plan.runs,
        fold_means=plan.models,
        replicates=config["bootstrap"]["replicates"],
        rank_replicates=config["bootstrap"]["rank_replicates"],
        seed=config["seed"],
        binary=plan.binary,
    script:
        "../workflow/scripts/score.py"


rule verdicts:
    """Judge the scores, and write the summary that opens the report."""
    input:
        scores=rules.score.output.scores,
        histories=each(rules.train.output.history, model=plan.models, run=plan.runs),
        audit=rules.split.output.audit,
        truth=rules.simulate_example.output.truth if plan.is_simulated else [],
    output:
        verdicts=report(
            "results/verdicts/verdicts.tsv",
            caption="../workflow/report/verdicts.rst",
            category="Scores",
            labels={"table": "verdicts"},
        ),
        summary="results/verdicts/summary.rst",
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
        # The model and run of each input file, in the order of the files.
        histories=[(model, run) for model in plan.models for run in plan.runs],
        modules=plan.modules,
        binary=plan.binary,
    script:
        "../workflow/scripts/verdicts.py"


rule check_example:
    """Compare the scores of the built-in example with its planted effects."""
    input:
        scores=rules.score.output.scores,
        truth=rules.simulate_example.output.truth,
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
        models=plan.models,
    script:
        "../workflow/scripts/check_example.py"


rule submit:
    """Write predictions in the form of the course's competition."""
    input:
        test=rules.aggregate.output.test,
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


rule provenance:
    """List the data, settings, software, models and times of the run."""
    input:
        store=plan.store,
        samples=rules.split.output.samples,
        preprocessing=each(rules.train.output.preprocessing, model=plan.networks, run=plan.runs),
        # They make it run after these jobs, whose benchmark files it reads. As inputs, deleted benchmark files would cause new training.
        others=[
            *each(rules.predict.output.predictions, model=plan.networks, run=plan.runs),
            *each(rules.baselines.output.predictions, run=plan.runs),
        ],
    output:
        table=report(
            "results/provenance/provenance.tsv",
            caption="../workflow/report/provenance.rst",
            category="Data and versions",
            labels={"table": "provenance"},
        ),
    log:
        "logs/provenance/provenance.log",
    benchmark:
        "benchmarks/provenance/provenance.tsv"
    conda:
        "../envs/tables.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        code=code("provenance.py"),
        benchmarks="benchmarks",
        config=config,
        target=plan.target,
    script:
        "../workflow/scripts/provenance.py"

# WakaWaka: gene expression from histone-mark read counts and DNA sequence.
#
# The parts of the pipeline, in the order in which data flow through them. Settings: config.yaml.
from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


# Checks the config, names the files.
include: "rules/common.smk"
# The raw files of the built-in example.
include: "rules/example.smk"
# The four sources, each in any of its forms.
include: "rules/genes.smk"
include: "rules/histone.smk"
include: "rules/sequence.smk"
include: "rules/expression.smk"
# The sources -> the store -> the splits.
include: "rules/prepare.smk"
# One model per fold, and the final one.
include: "rules/train.smk"
# Predictions, their scores, the submission.
include: "rules/evaluate.smk"
# The search for better settings, by the folds alone.
include: "rules/tune.smk"
# A finished model on new cells.
include: "rules/predict_new.smk"
# What the model looks at.
include: "rules/interpret.smk"
# Models side by side, and the report's experiments.
include: "rules/compare.smk"
# Figures of the report.
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        TARGETS,


# Asked for by its name: the report's experiments, in all folds, their scores and their figure.
rule experiments:
    input:
        "results/score_experiments/scores.tsv",
        "results/figures/experiments.png",


# Asked for by its name: the search for settings, and the scores of what it chose.
rule tuning:
    input:
        RANKS,
        CHOSEN,
        "results/figures/tuning.png",
        "results/score_tuned/scores.tsv",

# WakaWaka: gene expression from histone-mark read counts and DNA sequence.
#
# The stages of the pipeline, in the order in which data flow through them. Settings: config.yaml.
from snakemake.utils import min_version

min_version("9.0")


configfile: "config.yaml"


report: "workflow/report/workflow.rst"


# The checked config and the plan of the run.
include: "rules/common.smk"
# The raw files of the built-in example.
include: "rules/example.smk"
# The four sources, one rule per form.
include: "rules/genes.smk"
include: "rules/histone.smk"
include: "rules/sequence.smk"
include: "rules/expression.smk"
# The sources -> the store -> the splits.
include: "rules/prepare.smk"
# One model per fold, and the final model.
include: "rules/train.smk"
# Predictions, their scores, the submission.
include: "rules/evaluate.smk"
# The search for better hyperparameters, on the folds alone.
include: "rules/tune.smk"
# A finished model on new cells.
include: "rules/predict_new.smk"
# The attribution of predictions to inputs.
include: "rules/interpret.smk"
# The comparison of models, and the report's experiments.
include: "rules/compare.smk"
# Figures of the report.
include: "rules/report.smk"


rule all:
    """Make all predictions, scores, figures and pages; for new cells, only their predictions."""
    default_target: True
    input:
        targets,


rule experiments:
    """Train and score the report's experiments, in all folds (on request)."""
    input:
        rules.score_experiments.output.scores,
        rules.plot_experiments.output.figure,


rule tuning:
    """Search for better hyperparameters, and score the best trial (on request)."""
    input:
        each(rules.rank_trials.output.ranks, rung=plan.search.rungs),
        rules.choose_trial.output.chosen,
        rules.plot_tuning.output.figure,
        rules.score_tuned.output.scores,

"""The names that tables, verdicts, pages and figures show: regimes, predictors, losses, metrics, verdicts and bins of similarity.

No module that trains or predicts imports this one, so that a change of wording reruns no training.
"""

import math
from typing import NamedTuple

import pandas as pd

from wakawaka.splits.regimes import BOTH_UNSEEN, FINAL, LEAKING, POOL, TRAIN, UNSEEN_CELL, UNSEEN_GENE

REGIMES = {
    TRAIN: "training samples",
    UNSEEN_CELL: "seen genes, unseen cells",
    UNSEEN_GENE: "unseen genes, seen cells",
    BOTH_UNSEEN: "both unseen",
    LEAKING: "random rows (leaking)",
    POOL: "all held-out samples",
}

BASELINES = {
    "training_mean": "training mean",
    "gene_mean": "per-gene training mean",
    "nearest_cell": "nearest training cell",
    "ridge_bins": "ridge on all bins",
    "ridge_summaries": "ridge on summaries of marks",
    "trees_summaries": "boosted trees on summaries of marks",
}
ABLATIONS = {"histone_only": "histone only", "dna_only": "DNA only", "permuted_genes": "DNA of other genes"}

# Runs in the table of scores, apart from fold-1 ...: the final model, the mean of the fold models' predictions, and the mean of the
# folds' scores.
FOLD_MEAN, MEAN = "fold_mean", "mean"


class Loss(NamedTuple):
    """The names of a loss: `title` in text and tables, `axis` in figures."""

    title: str
    axis: str


LOSSES = {"mse": Loss("MSE", "mean squared error"), "bce": Loss("log loss", "mean cross-entropy (log loss)")}

# In the order of the columns of tables. `metric_title` has the names of skills and of differences.
METRICS = {
    **{metric: loss.title for metric, loss in LOSSES.items()},
    "rmse": "RMSE",
    "skill": "skill",
    "r2": "R²",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "auroc": "AUROC",
    "aupr": "AUPR",
    "pearson_across_genes": "Pearson across genes",
    "spearman_across_genes": "Spearman across genes",
    "auroc_across_genes": "AUROC across genes",
    "aupr_across_genes": "AUPR across genes",
    "pearson_across_cells": "Pearson across cells",
    "spearman_across_cells": "Spearman across cells",
    "auroc_across_cells": "AUROC across cells",
    "pearson_beyond_gene_mean": "Pearson beyond gene means",
    "spearman_beyond_gene_mean": "Spearman beyond gene means",
    "sd_ratio": "standard deviation of predictions / truths",
    "coverage": "coverage",
    "spread_factor": "spread factor",
    "spread_error_rank": "rank correlation of spread and error",
    "calibration_error": "expected calibration error",
}
DIFFERENCE = "_difference"

# The words of a verdict.
HOLDS, SHORT, UNDECIDED = "holds", "falls short", "undecided"

# Similarity of a held-out gene to the training genes: of any similarity, or within a bin, with the bins' upper ends.
ALL = "all"
SIMILARITY_NAMES = ("below 0.01", "0.01 to 0.05", "0.05 to 0.2", "0.2 and above")
SIMILARITY_ENDS = (0.01, 0.05, 0.2, math.inf)


def predictor_title(predictor: str, run: str = "") -> str:
    """Return the name of a predictor, and of the mean of its fold models for the run `fold_mean`."""
    model, _, ablation = predictor.partition(".")
    title = BASELINES.get(predictor, f"{model}, {ABLATIONS[ablation]}" if ablation else model)
    return f"{title}, mean of the folds" if run == FOLD_MEAN else title


def metric_title(metric: str, baseline: str | None = None) -> str:
    """Return the name of a metric; of a skill or a difference with what it is compared with."""
    of, found, _ = metric.partition(DIFFERENCE)
    title = METRICS[of]
    if baseline is None:
        return title
    return f"{title} {'minus that of' if found else 'compared with'} {predictor_title(baseline)}"


def is_network(predictor: str) -> bool:
    """Return whether a predictor is a network: a model, one of its ablations, or an experiment."""
    return predictor not in BASELINES


def is_ablation(predictor: str) -> bool:
    """Return whether a predictor is an ablation of a model."""
    return is_network(predictor) and "." in predictor


def loss_of(binary: bool) -> str:
    """Return the metric that is the loss of values or of labels."""
    return "bce" if binary else "mse"


def shown_set(table: pd.DataFrame) -> tuple[str, str]:
    """Return the set and the run that pages and figures show: the test set if any of its truths is known, else the mean over folds."""
    return ("test", FINAL) if (table["set"] == "test").any() else ("validation", MEAN)

"""The checks of scores: each has a threshold, a meaning in words, and advice for a score that falls short."""

import math
from typing import NamedTuple

from wakawaka.report.thresholds import COLLAPSED
from wakawaka.splits.regimes import BOTH_UNSEEN, HELD_OUT, LEAKING, UNSEEN_CELL, UNSEEN_GENE

SEEN, UNSEEN, ANY = (UNSEEN_CELL, LEAKING), (UNSEEN_GENE, BOTH_UNSEEN), HELD_OUT

# The metrics of the spread of the fold models, which only their mean has.
OF_SPREAD = ("coverage", "spread_error_rank", "calibration_error")


class Check(NamedTuple):
    """What a score has to be.

    Attributes:
        name: name of the check.
        metric, baseline: what score is checked. A baseline that starts with a dot is an ablation of the model.
        regimes: the regimes that are checked.
        least, most: the bounds of the score.
        certain: whether the whole interval must be above `least`; else only the value must be within the bounds.
        means: a sentence on what the score means.
        advice: what to do if the score falls short.
    """

    name: str
    metric: str
    baseline: str | None
    regimes: tuple[str, ...]
    least: float
    most: float
    certain: bool
    means: str
    advice: str


def _beats(name: str, baseline: str, regimes: tuple[str, ...], means: str, advice: str) -> Check:
    """Return a check that the skill compared with a baseline is certainly above 0."""
    return Check(name, "skill", baseline, regimes, 0, math.inf, True, means, advice)


def _exceeds(name: str, metric: str, regimes: tuple[str, ...], least: float, means: str, advice: str) -> Check:
    """Return a check that a score is certainly above `least`."""
    return Check(name, metric, None, regimes, least, math.inf, True, means, advice)


LEARN = "train for more epochs or with another learning rate; see the learning curves"
SIMPLER = "use the simpler model for these data, or give the network more samples"
CELLS = "the model distinguishes genes, but not cells: check that marks of cells are not mixed up, and compare their depths in store.json"
NOT_CELLS = "the model distinguishes genes, but not cells: do not use it for differences between cells"
ABLATION = "the network does not need this input: leave it out of `modules`, or check the input for errors"
CHECKS = (
    Check(
        "collapse", "sd_ratio", None, ANY, COLLAPSED, math.inf, False, "Near 0, the model predicts almost a constant.", LEARN,
    ),
    _beats("training mean", "training_mean", ANY, "The baseline is a constant.", LEARN),
    _beats(
        "memorising, per-gene mean", "gene_mean", SEEN,
        "The baseline is each gene's average over the training cells, which uses no input.",
        "do not use the model for seen genes, because the average is better; give it marks that differ between cells",
    ),
    _beats("nearest cell", "nearest_cell", SEEN, "The baseline is the gene's value in the most similar training cell.", SIMPLER),
    _beats("ridge on bins", "ridge_bins", ANY, "The baseline is a linear model of the marks in all bins.", SIMPLER),
    _beats("ridge on summaries", "ridge_summaries", ANY, "The baseline is a linear model of three numbers per mark.", SIMPLER),
    _beats("boosted trees", "trees_summaries", ANY, "The baseline is boosted trees on three numbers per mark.", SIMPLER),
    _beats(
        "memorising, DNA", ".permuted_genes", UNSEEN, "The baseline is the same network trained with the DNA of other genes.",
        "no effect of the sequence is shown to generalise to other genes: shrink the dense layer after the DNA module if there is one, "
        "train on more genes, or use the network with histone marks only",
    ),
    _beats("DNA", ".histone_only", ANY, "The baseline is the same network without DNA. DNA also identifies seen genes.", ABLATION),
    _beats("histone marks", ".dna_only", ANY, "The baseline is the same network without histone marks.", ABLATION),
    _exceeds("R2", "r2", ANY, 0, "It is the share of the variance within the regime that is explained.", LEARN),
    _exceeds(
        "correlation", "pearson", ANY, 0,
        "It measures whether high truths have high predictions. Most of the variance is between genes.", LEARN,
    ),
    _exceeds("rank correlation", "spearman", ANY, 0, "It is the correlation of ranks.", LEARN),
    _exceeds("correlation across genes", "pearson_across_genes", ANY, 0, "It measures how the genes of one cell differ.", LEARN),
    _exceeds("correlation across cells", "pearson_across_cells", ANY, 0, "It measures how cells differ for one gene.", CELLS),
    _exceeds(
        "correlation beyond the gene means", "pearson_beyond_gene_mean", SEEN, 0,
        "It measures what the predictions add about a cell to each gene's average.", NOT_CELLS,
    ),
    _exceeds(
        "rank correlation across genes", "spearman_across_genes", ANY, 0, "It measures the order of the genes of one cell.", LEARN,
    ),
    _exceeds("rank correlation across cells", "spearman_across_cells", ANY, 0, "It measures the order of cells for one gene.", CELLS),
    _exceeds(
        "rank correlation beyond the gene means", "spearman_beyond_gene_mean", SEEN, 0,
        "It is the correlation of ranks beyond each gene's average.", NOT_CELLS,
    ),
    _exceeds("AUROC", "auroc", ANY, 0.5, "It is the share of pairs of a 1 and a 0 in the right order. A random guess has 0.5.", LEARN),
    Check(
        "AUPR", "aupr_difference", "training_mean", ANY, 0, math.inf, True,
        "It is the gain over the base rate, which a random guess has.", LEARN,
    ),
    _exceeds("AUROC across genes", "auroc_across_genes", ANY, 0.5, "It measures how the genes of one cell differ.", LEARN),
    _exceeds("AUROC across cells", "auroc_across_cells", ANY, 0.5, "It measures how cells differ for one gene.", LEARN),
    Check(
        "AUPR across genes", "aupr_across_genes_difference", "training_mean", ANY, 0, math.inf, True,
        "It is the gain over the base rate within a cell.", LEARN,
    ),
    Check(
        "coverage", "coverage", None, ANY, 0.9, 0.99, False,
        "It is the share of truths within 1.96 standard deviations of the mean of the fold models.",
        "do not show the fold models' spread as an error bar, or multiply it by `spread_factor` in results/scores/scores.tsv first",
    ),
    Check(
        "spread and error", "spread_error_rank", None, ANY, 0.1, math.inf, False,
        "It measures whether errors are larger where the fold models disagree.",
        "do not select predictions by the fold models' spread, because it does not predict the error",
    ),
    Check(
        "calibration", "calibration_error", None, ANY, 0, 0.1, False,
        "It is the mean distance of probabilities from the observed share of 1s.",
        "do not read the output as a probability; calibrate it on validation samples first",
    ),
)  # fmt: skip

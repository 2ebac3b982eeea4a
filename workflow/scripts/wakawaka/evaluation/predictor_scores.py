"""The scores of one predictor on the samples of a mask, for all bootstrap replicates: dicts from metrics to [1 + replicate]."""

from typing import NamedTuple

import numpy as np

from wakawaka.splits.regimes import LEAKING, TRAIN, UNSEEN_CELL
from wakawaka.statistics import calibration, weighted_metrics
from wakawaka.statistics.bootstrap import Replicates
from wakawaka.statistics.metrics import cross_entropies

# The regimes whose genes have training samples, so that each gene's training mean can be subtracted.
SEEN_GENES = (UNSEEN_CELL, LEAKING, TRAIN)

Scores = dict[str, np.ndarray]


class Samples(NamedTuple):
    """The samples of one regime in one run, and their bootstrap weights.

    Attributes:
        regime: name of the regime.
        truth: [cell, gene] float64, finite in the mask and in `trained`.
        mask: [cell, gene] bool, the samples to score.
        trained: [cell, gene] bool, the training samples of the run.
        replicates: weights for all scores.
        rank_replicates: weights for scores of ranks, which take longer; None leaves these scores out.
        binary: whether truths are 0 or 1 and predictions are probabilities.
    """

    regime: str
    truth: np.ndarray
    mask: np.ndarray
    trained: np.ndarray
    replicates: Replicates
    rank_replicates: Replicates | None
    binary: bool


def predictor_scores(samples: Samples, predicted: np.ndarray) -> Scores:
    """Return the scores of predictions [cell, gene], which are finite in the mask."""
    truth, mask, replicates = samples.truth, samples.mask, samples.replicates
    scores = weighted_metrics.value_scores(truth, predicted, mask, replicates)
    if samples.binary:
        losses = cross_entropies(np.where(mask, truth, 0), predicted)
        scores = {"bce": weighted_metrics.mean_loss(losses, mask, replicates), "sd_ratio": scores["sd_ratio"]}
    if samples.rank_replicates is None:
        return scores
    rank = weighted_metrics.label_scores if samples.binary else weighted_metrics.rank_scores
    scores |= rank(truth, predicted, mask, samples.rank_replicates)
    if samples.regime in SEEN_GENES and not samples.binary and np.isfinite(predicted[samples.trained]).all():
        scores |= _beyond_gene_mean(samples, predicted, samples.rank_replicates)
    return scores


def _beyond_gene_mean(samples: Samples, predicted: np.ndarray, rank_replicates: Replicates) -> Scores:
    """Return the correlations after each gene's mean over the training samples is subtracted.

    The mean prediction is subtracted from predictions, and the mean truth from truths. A predictor of the gene alone then has no
    correlation, whatever its predictions are.
    """
    count = samples.trained.sum(axis=0)
    mask = samples.mask & (count > 0)
    if not mask.any():
        return {}
    truth, predicted = (
        values - np.where(samples.trained, values, 0).sum(axis=0) / np.maximum(count, 1)
        for values in (samples.truth, predicted)
    )
    pearson = weighted_metrics.value_scores(truth, predicted, mask, samples.replicates)["pearson"]
    spearman = weighted_metrics.rank_scores(truth, predicted, mask, rank_replicates)["spearman"]
    return {"pearson_beyond_gene_mean": pearson, "spearman_beyond_gene_mean": spearman}


def spread_scores(samples: Samples, mean: np.ndarray, sd: np.ndarray) -> Scores:
    """Return the calibration of the mean and standard deviation [cell, gene] of the fold models.

    Only the coverage has replicates; the other scores are [1].
    """
    mask = samples.mask
    truths, means, sds = samples.truth[mask], mean[mask], sd[mask]
    if samples.binary:
        return {"calibration_error": np.array([calibration.ece(truths, means)])}
    inside = np.abs(samples.truth - mean) <= calibration.Z * sd
    return {
        "coverage": weighted_metrics.mean_loss(inside.astype(np.float64), mask, samples.replicates),
        "spread_factor": np.array([calibration.factor(truths, means, sds)]),
        "spread_error_rank": np.array([calibration.spread_error_rank(truths, means, sds)]),
    }


def mean_over_folds(of_folds: list[Scores], sizes: list[np.ndarray]) -> Scores:
    """Return the means over folds of the metrics that all folds have, weighted by the folds' samples [1 + replicate]."""
    metrics = set.intersection(*(set(scores) for scores in of_folds))
    means = {
        metric: _weighted_mean([scores[metric] for scores in of_folds], sizes)
        for metric in of_folds[0]
        if metric in metrics
    }
    if "mse" in means:
        means["rmse"] = np.sqrt(means["mse"])
    return means


def _weighted_mean(scores: list[np.ndarray], weights: list[np.ndarray]) -> np.ndarray:
    """Return the weighted mean of scores [1 + replicate] over folds.

    A replicate's mean is over the folds in which the score is defined. The plain score is defined only if all folds have it.
    """
    length = len(scores[0])
    values, weight = np.stack(scores), np.stack([of_fold[:length] for of_fold in weights])
    weight = np.where(np.isfinite(values), weight, 0)
    total = weight.sum(axis=0)
    mean = np.where(total > 0, np.nansum(values * weight, axis=0) / np.where(total > 0, total, 1), np.nan)
    mean[0] = np.nan if np.isnan(values[:, 0]).any() else mean[0]
    return mean


def compared(scores: Scores, other: Scores, loss: str, *, differences: bool) -> Scores:
    """Return the skill compared with another predictor on the same samples and replicates.

    With `differences`, the differences of all other common metrics follow, named <metric>_difference.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        result = {"skill": np.where(other[loss] > 0, 1 - scores[loss] / other[loss], np.nan)}
    if differences:
        for metric in (name for name in scores if name in other and name not in (loss, "sd_ratio")):
            result[f"{metric}_difference"] = scores[metric] - other[metric]
    return result

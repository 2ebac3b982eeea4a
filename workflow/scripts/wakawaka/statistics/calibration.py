"""Does the spread of the fold models say anything about the error, and do probabilities mean what they say?

The standard deviation over an ensemble (Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017) is how far its models disagree. It knows
nothing of the noise in the truth, which no model can predict, nor of errors that all models share, so it is mostly far smaller than the
error. Two things can be asked of it: whether it is larger where the error is larger, and by what it has to be multiplied to be of the
error's size (Fortin, Abaza, Anctil and Turcotte, Journal of Hydrometeorology 2014, 15:1708).

Arrays are [sample] floats; samples of which one of the arrays has a NaN are left out. What is not defined is NaN.
"""

from statistics import NormalDist

import numpy as np
import pandas as pd

from wakawaka.statistics.metrics import pearson

# The part of the truths that an interval is to hold, and how many standard deviations of a normal distribution that takes.
LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)

# As many bins, but no more than leave each so many samples: the error of fewer is mostly chance.
BINS = 10
FEWEST = 5


def coverage(truth, mean, sd, level=LEVEL):
    """Return the part of the truths that lie within mean ± z * sd, z being such that a normal distribution has `level` there.

    `level` is what it should be, were the errors normal with the standard deviation sd. NaN without samples.
    """
    truth, mean, sd = _known(truth, mean, sd)
    return float(np.mean(np.abs(truth - mean) <= _z(level) * sd)) if len(truth) else np.nan


def spread_error_rank(truth, mean, sd):
    """Return Spearman's correlation between sd and the absolute error; NaN for fewer than three samples or a constant."""
    truth, mean, sd = _known(truth, mean, sd)
    return pearson(*(pd.Series(values).rank().to_numpy() for values in (sd, np.abs(truth - mean))))


def factor(truth, mean, sd, level=LEVEL):
    """Return the smallest number that sd must be multiplied by for mean ± z * sd to hold the part `level` of the truths.

    1 is a spread of the error's size, 3 one that is three times too small. NaN without samples, and where no number does it
    because sd is 0 for too many samples.
    """
    truth, mean, sd = _known(truth, mean, sd)
    error = np.abs(truth - mean)
    with np.errstate(divide="ignore"):
        needed = np.divide(error, _z(level) * sd, out=np.zeros(len(error)), where=error > 0)
    # Not interpolated, because a number between a finite one and infinity is none.
    least = np.quantile(needed, level, method="inverted_cdf") if len(needed) else np.nan
    return float(least) if np.isfinite(least) else np.nan


def ece(truth, predicted):
    """Return the expected calibration error of probabilities: the mean over samples of |part of 1s - mean probability| of their bin.

    The bins are those of `reliability_bins`. Source: Guo, Pleiss, Sun and Weinberger, ICML 2017. NaN without samples.
    """
    bins = reliability_bins(truth, predicted)
    gaps = (bins["part_of_1s"] - bins["mean_predicted"]).abs()
    return float(np.average(gaps, weights=bins["samples"])) if len(bins) else np.nan


def spread_bins(truth, mean, sd, level=LEVEL):
    """Return a DataFrame of ten bins of samples by their sd, smallest first: bin (from 1), samples, mean_sd, rmse, coverage.

    Bins hold equally many samples, as far as these differ in sd: samples of one sd are in one bin. There are fewer bins where ten
    would hold fewer than five samples each, a single one where all sds are equal, and none without samples.
    """
    truth, mean, sd = _known(truth, mean, sd)
    count = min(BINS, max(len(sd) // FEWEST, 1))
    ends = np.quantile(sd, np.arange(1, count) / count) if len(sd) else []
    rows = [
        {
            "samples": len(rows),
            "mean_sd": sd[rows].mean(),
            "rmse": np.sqrt(np.mean((truth[rows] - mean[rows]) ** 2)),
            "coverage": coverage(truth[rows], mean[rows], sd[rows], level),
        }
        for rows in _groups(np.searchsorted(ends, sd))
    ]
    return _numbered(rows, ["samples", "mean_sd", "rmse", "coverage"])


def reliability_bins(truth, predicted):
    """Return a DataFrame of the ten bins [0, 0.1), ... [0.9, 1] of a probability: bin (from 1), samples, mean_predicted, part_of_1s.

    Empty bins are left out, and the others numbered without them. truth: 0 or 1.
    """
    truth, predicted = _known(truth, predicted)
    rows = [
        {"samples": len(rows), "mean_predicted": predicted[rows].mean(), "part_of_1s": truth[rows].mean()}
        for rows in _groups(np.minimum(np.floor(predicted * BINS), BINS - 1))
    ]
    return _numbered(rows, ["samples", "mean_predicted", "part_of_1s"])


def _z(level):
    return NormalDist().inv_cdf((1 + level) / 2)


def _known(*arrays):
    """Return the arrays as float64, without the samples that are NaN in one of them."""
    arrays = np.array(arrays, np.float64)
    return arrays[:, ~np.isnan(arrays).any(axis=0)]


def _groups(numbers):
    """Return the rows [sample] of every number that there is, smallest first."""
    return [np.flatnonzero(numbers == number) for number in np.unique(numbers)]


def _numbered(rows, columns):
    return pd.DataFrame([{"bin": number, **row} for number, row in enumerate(rows, start=1)], columns=["bin", *columns])

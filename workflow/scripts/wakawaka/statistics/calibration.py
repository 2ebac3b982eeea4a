"""Calibration of the fold models: does their spread predict the error, and are their probabilities correct?

The spread of an ensemble is the standard deviation of its predictions (Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017). It does
not contain the noise of the truth, nor errors that all models share, so it is usually far smaller than the error. Two questions
remain: is the spread larger where the error is larger, and by which factor is it too small (Fortin, Abaza, Anctil and Turcotte,
Journal of Hydrometeorology 2014, 15:1708)?

Arrays are [sample] floats. A sample with a NaN in one of the arrays is left out. Undefined results are NaN.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pandas as pd

from wakawaka.statistics.metrics import pearson

# The share of truths that an interval should contain, and its half width in standard deviations of a normal distribution.
LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)

# The number of bins. There are fewer where a bin would hold fewer samples than MIN_SAMPLES, whose error would be mostly chance.
BINS = 10
MIN_SAMPLES = 5


def coverage(truth: np.ndarray, mean: np.ndarray, sd: np.ndarray, level: float = LEVEL) -> float:
    """Return the share of truths within mean ± z * sd; NaN without samples.

    z is the half width that contains the share `level` of a normal distribution. The result should be `level`.
    """
    truth, mean, sd = _known(truth, mean, sd)
    if not len(truth):
        return np.nan
    return float(np.mean(np.abs(truth - mean) <= _z(level) * sd))


def spread_error_rank(truth: np.ndarray, mean: np.ndarray, sd: np.ndarray) -> float:
    """Return Spearman's correlation of sd and absolute error; NaN for fewer than three samples or a constant."""
    truth, mean, sd = _known(truth, mean, sd)
    return pearson(*(pd.Series(values).rank().to_numpy() for values in (sd, np.abs(truth - mean))))


def factor(truth: np.ndarray, mean: np.ndarray, sd: np.ndarray, level: float = LEVEL) -> float:
    """Return the smallest number f for which mean ± z * f * sd contains the share `level` of the truths.

    The spread is as large as the error at 1, and three times too small at 3. The result is NaN without samples, and where sd is 0 for
    too many samples.
    """
    truth, mean, sd = _known(truth, mean, sd)
    error = np.abs(truth - mean)
    with np.errstate(divide="ignore"):
        needed = np.divide(error, _z(level) * sd, out=np.zeros(len(error)), where=error > 0)
    # Not interpolated, because the mean of a finite number and infinity is no quantile.
    least = np.quantile(needed, level, method="inverted_cdf") if len(needed) else np.nan
    return float(least) if np.isfinite(least) else np.nan


def ece(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return the expected calibration error of probabilities; NaN without samples.

    It is the mean over samples of |share of 1s - mean probability| in the sample's bin of `reliability_bins` (Guo, Pleiss, Sun and
    Weinberger, ICML 2017).
    """
    bins = reliability_bins(truth, predicted)
    gaps = (bins["part_of_1s"] - bins["mean_predicted"]).abs()
    return float(np.average(gaps, weights=bins["samples"])) if len(bins) else np.nan


def spread_bins(truth: np.ndarray, mean: np.ndarray, sd: np.ndarray, level: float = LEVEL) -> pd.DataFrame:
    """Return ten bins of samples, sorted by sd, as a table: bin (from 1), samples, mean_sd, rmse, coverage.

    Bins hold equal numbers of samples, except that samples with equal sd stay in one bin. There are fewer bins where ten would hold
    fewer than `MIN_SAMPLES` samples each, and none without samples.
    """
    truth, mean, sd = _known(truth, mean, sd)
    count = min(BINS, max(len(sd) // MIN_SAMPLES, 1))
    ends = np.quantile(sd, np.arange(1, count) / count) if len(sd) else np.zeros(0)

    def describe(rows: np.ndarray) -> dict[str, float]:
        return {
            "mean_sd": sd[rows].mean(),
            "rmse": np.sqrt(np.mean((truth[rows] - mean[rows]) ** 2)),
            "coverage": coverage(truth[rows], mean[rows], sd[rows], level),
        }

    return _describe_bins(np.searchsorted(ends, sd), describe, ["mean_sd", "rmse", "coverage"])


def reliability_bins(truth: np.ndarray, predicted: np.ndarray) -> pd.DataFrame:
    """Return the bins [0, 0.1), ... [0.9, 1] of a probability as a table: bin (from 1), samples, mean_predicted, part_of_1s.

    Empty bins are left out, and the remaining bins are numbered without gaps. The truth is 0 or 1.
    """
    truth, predicted = _known(truth, predicted)

    def describe(rows: np.ndarray) -> dict[str, float]:
        return {"mean_predicted": predicted[rows].mean(), "part_of_1s": truth[rows].mean()}

    bins = np.minimum(np.floor(predicted * BINS), BINS - 1)
    return _describe_bins(bins, describe, ["mean_predicted", "part_of_1s"])


def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _known(*arrays: np.ndarray) -> np.ndarray:
    """Return the arrays [array, sample] as float64, without the samples that are NaN in one of them."""
    values = np.array(arrays, np.float64)
    return values[:, ~np.isnan(values).any(axis=0)]


def _describe_bins(
    numbers: np.ndarray, describe: Callable[[np.ndarray], dict[str, float]], columns: list[str]
) -> pd.DataFrame:
    """Return one row for each bin in use; `numbers` [sample] are the bins of the samples, and bins are renumbered from 1."""
    rows = [np.flatnonzero(numbers == number) for number in np.unique(numbers)]
    found = [{"bin": number, "samples": len(some), **describe(some)} for number, some in enumerate(rows, start=1)]
    return pd.DataFrame(found, columns=["bin", "samples", *columns])

"""Calibration against its definitions, scipy and simulated errors."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from wakawaka.statistics import calibration
from wakawaka.statistics.calibration import coverage, ece, factor, reliability_bins, spread_bins, spread_error_rank

SCRIPTS = Path(calibration.__file__).parents[2]
EMPTY = np.zeros(0)


def simulated(times, samples=20000):
    """Return truths, means and sds: the errors are normal, with `times` the sd."""
    rng = np.random.default_rng(0)
    mean, sd = rng.normal(size=samples), rng.uniform(0.5, 2, samples)
    return mean + times * sd * rng.normal(size=samples), mean, sd


def test_calibration_imports_no_tensorflow():
    check = "import sys, wakawaka.statistics.calibration; print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], cwd=SCRIPTS, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(("times", "level"), [(1, 0.95), (1, 0.5), (3, 0.95), (0.5, 0.8)])
def test_coverage_and_factor_of_normal_errors(times, level):
    truth, mean, sd = simulated(times)
    expected = 2 * stats.norm.cdf(stats.norm.ppf((1 + level) / 2) / times) - 1
    assert coverage(truth, mean, sd, level) == pytest.approx(expected, abs=0.01)
    assert factor(truth, mean, sd, level) == pytest.approx(times, rel=0.02)


@pytest.mark.parametrize("samples", [1, 3, 19, 20, 21, 1000])
def test_the_factor_is_the_smallest_that_covers_the_level(samples):
    truth, mean, sd = simulated(2, samples)
    least = factor(truth, mean, sd)
    assert coverage(truth, mean, sd * least * (1 + 1e-9)) >= 0.95
    assert coverage(truth, mean, sd * least * (1 - 1e-9)) < 0.95


def test_coverage_by_hand():
    assert pytest.approx(1.959964) == calibration.Z
    assert coverage([1.9, -1.9, 2.0, 0.0], [0, 0, 0, 0], [1, 1, 1, 0]) == 0.75


def test_rank_correlation_is_spearmans_of_sd_and_absolute_error():
    truth, mean, sd = simulated(1, 50)
    expected = stats.spearmanr(sd, np.abs(truth - mean)).statistic
    assert spread_error_rank(truth, mean, sd) == pytest.approx(expected) and expected > 0.1
    assert spread_error_rank([-1, 2, -3], [0, 0, 0], [1, 2, 3]) == pytest.approx(1)


@pytest.mark.parametrize("function", [coverage, spread_error_rank, factor])
def test_scores_without_samples_are_undefined(function):
    assert np.isnan(function(EMPTY, EMPTY, EMPTY))
    assert np.isnan(function([np.nan], [1.0], [1.0]))


@pytest.mark.parametrize("function", [coverage, spread_error_rank, factor])
def test_samples_with_a_nan_are_left_out(function):
    truth, mean, sd = simulated(2, 30)
    more = [np.append(values, [np.nan, 1.0][::step]) for values, step in ((truth, 1), (mean, -1), (sd, -1))]
    more[1][-1] = 1.0
    more[2][-1] = np.nan
    assert function(*more) == function(truth, mean, sd)


def test_a_spread_of_zero():
    truth, mean, sd = np.arange(40.0), np.zeros(40), np.zeros(40)
    # Only the first truth equals the mean, and no factor covers the others.
    assert coverage(truth, mean, sd) == 1 / 40
    assert np.isnan(factor(truth, mean, sd)) and np.isnan(spread_error_rank(truth, mean, sd))
    assert factor(mean, mean, sd) == 0
    # One in forty is within the 5% that may be outside.
    assert factor(truth, mean, np.where(truth == 39, 0, 1)) == pytest.approx(37 / calibration.Z)


def test_bins_of_spread():
    truth, mean, sd = simulated(2, 1000)
    bins = spread_bins(truth, mean, sd)
    assert bins.columns.tolist() == ["bin", "samples", "mean_sd", "rmse", "coverage"]
    assert bins["bin"].tolist() == list(range(1, 11)) and bins["samples"].tolist() == [100] * 10
    least = np.argsort(sd)[:100]
    assert bins["mean_sd"][0] == pytest.approx(sd[least].mean())
    assert bins["rmse"][0] == pytest.approx(np.sqrt(((truth - mean)[least] ** 2).mean()))
    assert bins["coverage"][0] == coverage(truth[least], mean[least], sd[least])
    assert (np.diff(bins["mean_sd"]) > 0).all()


@pytest.mark.parametrize(("samples", "sizes"), [(1, [1]), (7, [7]), (11, [6, 5]), (49, [6, 5, 5, 6, 5, 5, 6, 5, 6])])
def test_few_samples_have_fewer_bins(samples, sizes):
    found = spread_bins(*simulated(1, samples))["samples"].tolist()
    assert sorted(found) == sorted(sizes)


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_samples_of_equal_spread_share_a_bin(value):
    assert spread_bins(np.ones(100), np.zeros(100), np.full(100, value))["samples"].tolist() == [100]
    mixed = spread_bins(np.ones(100), np.zeros(100), np.r_[np.full(80, value), 1 + np.arange(20)])
    assert mixed["samples"].tolist() == [80, 10, 10]


def test_no_samples_give_no_bins():
    assert spread_bins(EMPTY, EMPTY, EMPTY).columns.tolist() == ["bin", "samples", "mean_sd", "rmse", "coverage"]
    assert len(spread_bins(EMPTY, EMPTY, EMPTY)) == len(reliability_bins(EMPTY, EMPTY)) == 0


def test_bins_of_probability():
    bins = reliability_bins([0, 1, 1, 0, 1, np.nan], [0.0, 0.05, 0.1, 0.95, 1.0, 0.5])
    assert bins.columns.tolist() == ["bin", "samples", "mean_predicted", "part_of_1s"]
    assert bins.to_numpy().tolist() == [[1, 2, 0.025, 0.5], [2, 1, 0.1, 1], [3, 2, 0.975, 0.5]]


def test_calibration_error():
    # Gaps of 0.475 in two, 0.9 in one and 0.475 in two of five samples.
    assert ece([0, 1, 1, 0, 1, np.nan], [0.0, 0.05, 0.1, 0.95, 1.0, 0.5]) == pytest.approx((4 * 0.475 + 0.9) / 5)
    rng = np.random.default_rng(0)
    probability = rng.random(50000)
    labels = rng.random(50000) < probability
    assert ece(labels, probability) < 0.02 < 0.15 < ece(labels, probability**2)
    assert np.isnan(ece(EMPTY, EMPTY)) and np.isnan(ece([np.nan], [0.5]))

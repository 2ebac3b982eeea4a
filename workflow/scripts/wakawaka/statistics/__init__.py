"""Metrics, bootstrap intervals, calibration and ridge regression, on plain arrays."""

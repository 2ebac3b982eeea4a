"""Rows of a table of scores, as `score` writes them."""

import numpy as np


def score_row(predictor, metric, value, regime, baseline=None, half=0.05, **more):
    """Return a row of the table of scores, of the test set unless `more` says otherwise; these are columns.

    Its interval reaches `half` to both sides of the value; None: there is none.
    """
    low, high = (np.nan, np.nan) if half is None else (value - half, value + half)
    return {
        "set": "test", "regime": regime, "similarity": "all", "run": "final", "predictor": predictor, "metric": metric,
        "baseline": baseline, "value": value, "ci_low": low, "ci_high": high, "resampled": "genes", "cells": 2, "genes": 10,
        "samples": 20, **more,
    }  # fmt: skip

"""Baselines, the scores of all predictors, and the names that people read."""

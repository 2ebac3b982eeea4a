"""Baselines and scores."""

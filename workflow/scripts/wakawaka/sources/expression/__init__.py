"""Readers of expression values."""

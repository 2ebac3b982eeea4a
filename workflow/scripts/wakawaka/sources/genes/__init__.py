"""Readers of gene annotations."""

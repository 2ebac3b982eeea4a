"""Figures, each with a table of its numbers."""

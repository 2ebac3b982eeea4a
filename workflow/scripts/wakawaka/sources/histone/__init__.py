"""Readers of histone marks."""

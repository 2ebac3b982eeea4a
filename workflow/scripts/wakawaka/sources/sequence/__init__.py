"""Readers of DNA sequence."""

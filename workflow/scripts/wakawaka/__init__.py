"""Predict gene expression from histone-mark counts and DNA sequence."""

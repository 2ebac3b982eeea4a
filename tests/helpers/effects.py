"""Random windows of genes, errors with gene effects in them, and the effects fitted to these."""

import numpy as np
import pytest

from wakawaka.network.gene_effects import BASES, GeneEffects, TrainingGenes

WINDOW = 300
START = (WINDOW - BASES) // 2
SPEC = {
    "histone": {"convolutions": [], "dropout": 0, "dense": [3]},
    "dna": {
        "convolutions": [{"filters": 2, "kernel_size": 6, "activation": "relu", "pool_size": 50}],
        "dropout": 0,
        "dense": [],
    },
    "joint": {"dense": [3], "dropout": 0},
    "negative_slope": 0.05,
}


def some_dna(genes, seed=1):
    return np.random.default_rng(seed).integers(0, 4, (genes, WINDOW), np.uint8)


def mutated(dna, count):
    """Other bases at the first `count` of those by which a gene is recognised."""
    other = dna.copy()
    other[START : START + count] = (other[START : START + count] + 1) % 4
    return other


def some_errors(genes, cells=8, between=0.5, seed=1):
    random = np.random.default_rng(seed)
    errors = random.normal(size=(cells, genes)) + random.normal(scale=between**0.5, size=genes)
    errors[random.random(errors.shape) < 0.3] = np.nan
    return errors.astype(np.float32)


def fit_effects(errors, dna):
    seen = TrainingGenes(dna, np.isfinite(errors).any(axis=0))
    effects = GeneEffects(seen.codes, seen.values(errors))
    assert effects(dna) == pytest.approx(seen.identities @ effects.values, abs=1e-5)
    return effects

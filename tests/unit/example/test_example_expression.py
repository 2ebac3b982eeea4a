"""The expected MSEs of the example against simulations."""

import numpy as np
import pytest

from wakawaka.example.example_counts import draw_activity
from wakawaka.example.example_expression import draw_expression, expected_loss, expected_mse


@pytest.mark.parametrize(("effect", "cells", "genes"), [(1, 8, 720), (1, 3, 9), (0.5, 3, 9), (0, 3, 9)])
def test_expected_mse_agrees_with_simulation(effect, cells, genes):
    """Many examples at once: the last cell and the last third of the genes of every example are held out."""
    rng = np.random.default_rng(0)
    examples = 200_000 // genes
    everyone = genes * 3 // 2
    a, r = (draw_activity(rng, cells + 1, examples * everyone) for _ in range(2))
    motif = rng.random(examples * everyone) < 0.5
    y = draw_expression(rng, a, r, motif, effect)
    unknown = (y - effect * (1.2 * a - 0.8 * r - 0.5 * a * r + 2.0 * motif)).reshape(cells + 1, examples, everyone)
    y = y.reshape(cells + 1, examples, everyone)

    training_mean = y[:-1, :, :genes].mean(axis=(0, 2))[:, np.newaxis]
    unseen = {
        "unseen_gene": np.mean((y[:-1, :, genes:] - training_mean) ** 2),
        "both_unseen": np.mean((y[-1, :, genes:] - training_mean) ** 2),
    }
    simulated = {
        regime: {"oracle": np.mean(unknown[:, :, genes:] ** 2), "training_mean": mse, "gene_mean": mse}
        for regime, mse in unseen.items()
    }
    simulated["unseen_cell"] = {
        # What is left of y within a gene is noise.
        "oracle": unknown.var(axis=0, ddof=1).mean(),
        "training_mean": np.mean((y[-1, :, :genes] - training_mean) ** 2),
        "gene_mean": np.mean((y[-1, :, :genes] - y[:-1, :, :genes].mean(axis=0)) ** 2),
    }
    expected = expected_mse(effect, cells, genes)
    assert list(expected) == ["unseen_cell", "unseen_gene", "both_unseen"]
    for regime, of_regime in expected.items():
        # 100 000 genes or more: a mean of squares has a relative standard error of about sqrt(3 / 100 000) = 0.5%.
        assert of_regime == pytest.approx(simulated[regime], rel=0.02), regime


def test_expected_mse_of_the_full_example():
    expected = expected_mse(1, 8, 720)
    assert expected["unseen_cell"] == pytest.approx(
        {"oracle": 0.25, "training_mean": 3.738, "gene_mean": 2.024}, abs=1e-3
    )
    assert expected["unseen_gene"] == pytest.approx(
        {"oracle": 0.41, "training_mean": 3.743, "gene_mean": 3.743}, abs=1e-3
    )
    assert expected["both_unseen"] == expected["unseen_gene"]


@pytest.mark.parametrize("effect", [1, 0.5, 0])
def test_expected_loss_agrees_with_simulation(effect):
    rng = np.random.default_rng(0)
    a, r = (draw_activity(rng, 2, 200_000) for _ in range(2))
    motif = rng.random(200_000) < 0.5
    y = draw_expression(rng, a, r, motif, effect)
    known = y - effect * (1.2 * a - 0.8 * r)
    mse = np.mean((known - effect * (2.0 * motif - 0.5 * a * r)) ** 2)
    lacking = {
        "motif": np.mean((known - effect * (2.0 * 0.5 - 0.5 * a * r)) ** 2),
        "interaction": np.mean((known - effect * 2.0 * motif) ** 2),
    }
    # (A R)^2 has a standard deviation of sqrt(8): of 200 000 genes in 2 cells its mean has a relative standard error of 0.6%.
    # With half the effect, the error of the others weighs twice as much: 1%.
    assert expected_loss(effect) == pytest.approx({name: of - mse for name, of in lacking.items()}, rel=0.04)

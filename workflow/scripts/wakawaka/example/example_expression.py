"""The expression of the built-in example, and the MSEs that its truth allows."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from wakawaka.core.files import PathLike, write_table
from wakawaka.example.example_counts import GENE_SHARE
from wakawaka.example.example_genome import MOTIF_SHARE
from wakawaka.splits.regimes import BOTH_UNSEEN, UNSEEN_CELL, UNSEEN_GENE

# Slopes of A, R, A x R and the motif, then standard deviations.
ACTIVITY, REPRESSION, INTERACTION, MOTIF = 1.2, -0.8, -0.5, 2.0
GENE_EFFECT_SD, NOISE_SD = 0.4, 0.5


def draw_expression(
    rng: np.random.Generator, a: np.ndarray, r: np.ndarray, motif: np.ndarray, effect: float
) -> np.ndarray:
    """Return the expression y [cell, gene] of A and R [cell, gene] and the presence of the motif [gene]."""
    planted = ACTIVITY * a + REPRESSION * r + INTERACTION * a * r + MOTIF * motif
    gene_effect = rng.normal(scale=GENE_EFFECT_SD, size=len(motif))
    return effect * planted + gene_effect + rng.normal(scale=NOISE_SD, size=a.shape)


def expected_mse(effect: float, cells: int, genes: int) -> dict[str, dict[str, float]]:
    """Return the expected MSE {regime: {predictor: value}} for numbers of training cells and training genes.

    s is the gene's share of the variance of A and of R. The covariance of two cells of one gene is s for A, s for R and s^2 for A R.
    A, R and A R are uncorrelated. The variance of y within a gene is therefore
        W = effect^2 (1.2^2 (1 - s) + 0.8^2 (1 - s) + 0.5^2 (1 - s^2)) + noise^2
    and the variance between genes, where a share p of the genes carries the motif, is
        B = effect^2 (1.2^2 s + 0.8^2 s + 0.5^2 s^2 + 2.0^2 p (1 - p)) + gene_effect^2.
    The mean of n cells of a gene has the expected squared error W (1 + 1/n) for another cell. The mean of all training samples, with
    N genes, has the variance B/N + W/(n N), and the covariance B/N with another cell of one of its genes. The oracle knows A, R, the
    motif, and the effects of the training genes.
    """
    squares = ACTIVITY**2, REPRESSION**2, INTERACTION**2
    shares = GENE_SHARE, GENE_SHARE, GENE_SHARE**2
    within = effect**2 * sum(square * (1 - share) for square, share in zip(squares, shares, strict=True)) + NOISE_SD**2
    motif = MOTIF**2 * MOTIF_SHARE * (1 - MOTIF_SHARE)
    between = (
        effect**2 * (sum(square * share for square, share in zip(squares, shares, strict=True)) + motif)
        + GENE_EFFECT_SD**2
    )

    mean_within = within / (cells * genes)
    seen = between + within - between / genes + mean_within
    unseen = between + within + between / genes + mean_within
    unseen_gene = {"oracle": GENE_EFFECT_SD**2 + NOISE_SD**2, "training_mean": unseen, "gene_mean": unseen}
    return {
        UNSEEN_CELL: {"oracle": NOISE_SD**2, "training_mean": seen, "gene_mean": within * (1 + 1 / cells)},
        UNSEEN_GENE: unseen_gene,
        BOTH_UNSEEN: dict(unseen_gene),
    }


def expected_loss(effect: float) -> dict[str, float]:
    """Return how much the expected MSE increases for a predictor that lacks the motif, or the interaction: {name: value}.

    The presence of the motif has the variance p (1 - p), where p is the share of genes that carry it. A R has the variance 1.
    """
    motif = MOTIF**2 * MOTIF_SHARE * (1 - MOTIF_SHARE)
    return {"motif": effect**2 * motif, "interaction": effect**2 * INTERACTION**2}


def write_expression(y: np.ndarray, table: pd.DataFrame, cells: Sequence[str], path: PathLike) -> None:
    """Write the expression y [cell, gene] as a table: one row per gene, sorted by id, and one column per cell."""
    lines = pd.DataFrame(y.T.round(5), columns=list(cells))
    lines.insert(0, "gene_id", table["gene_id"])
    write_table(lines.sort_values("gene_id"), path)

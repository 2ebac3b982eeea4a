"""Per-gene random effects: each training gene's mean residual, shrunken.

The network must not memorise its training genes, because it has to predict other genes too. What is peculiar to a training gene is
added apart: the part of the errors that is the same in all cells. In a linear mixed model that is the gene's random effect, and the
shrunken mean is its best linear unbiased prediction, BLUP (Robinson, Statistical Science 1991, 6:15). A gene is recognised by the
sequence around its TSS, so genes that were not trained on have no effect.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from wakawaka.genome.dna import one_hot

# The number of bases around the TSS by which a gene is recognised.
BASES = 64
# The sequence identity from which the whole effect counts, and the one up to which nothing of it does; between them it is proportional.
# Two unrelated sequences agree in a quarter of the bases: in 16, with a standard deviation of 3.5.
FULL_IDENTITY, NO_IDENTITY = 7 / 8, 3 / 4
# The number of genes that are compared with all others at once.
GENES_AT_ONCE = 1000


@dataclass(frozen=True)
class GeneEffects:
    """The random effects of training genes, which are known by the bases around their TSS.

    Called with DNA codes [window, position], it returns the effect of each window, [window] float32: the sum of the values, each
    times the scaled identity of the window to its gene. The layers of `ensemble.mean_of` compute the same, up to rounding.

    Attributes:
        codes: DNA codes [gene, base] uint8 of the genes.
        values: [gene] float32, in units of the target.
    """

    codes: np.ndarray
    values: np.ndarray

    def __call__(self, dna: np.ndarray) -> np.ndarray:
        return np.concatenate([identity @ self.values for identity in self._identities(dna)])

    def recognised(self, dna: np.ndarray) -> np.ndarray:
        """Return whether each window is similar to any of the genes, [window] bool."""
        return np.concatenate([identity.any(axis=1) for identity in self._identities(dna)])

    def _identities(self, dna: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the scaled identities [window, gene] of some windows at a time."""
        bases = around_tss(dna)
        for first in range(0, len(bases), GENES_AT_ONCE):
            yield scaled_identity(bases[first : first + GENES_AT_ONCE], self.codes)


def around_tss(dna: np.ndarray) -> np.ndarray:
    """Return the central `BASES` of windows [gene, position], all of them if the windows are shorter: [gene, base]."""
    start, length = centre(dna.shape[1])
    return dna[:, start : start + length]


def centre(window: int) -> tuple[int, int]:
    """Return the start and the number of the bases by which a gene is recognised, for a window of `window` bp."""
    length = min(BASES, window)
    return (window - length) // 2, length


def scaled_identity(codes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the scaled sequence identity of every pair, [gene, other gene] float32.

    It is 0 up to `NO_IDENTITY`, 1 from `FULL_IDENTITY`, and linear between them. N agrees with nothing.

    Args:
        codes: DNA codes [gene, base] uint8.
        others: DNA codes [other gene, base] uint8.
    """
    agreeing = one_hot(codes).reshape(len(codes), -1) @ one_hot(others).reshape(len(others), -1).T
    return np.clip((agreeing / codes.shape[1] - NO_IDENTITY) / (FULL_IDENTITY - NO_IDENTITY), 0, 1)


class TrainingGenes:
    """The genes with training samples, whose random effects can be estimated.

    Args:
        dna: DNA codes [gene, position] uint8 of all genes.
        trained: mask [gene] of the genes with training samples.

    Attributes:
        codes: DNA codes [training gene, base] uint8.
        identities: the scaled identities of all genes to these, sparse [gene, training gene] float64.
    """

    def __init__(self, dna: np.ndarray, trained: np.ndarray) -> None:
        self._trained, bases = np.flatnonzero(trained), around_tss(dna)
        self.codes = bases[self._trained]
        starts = range(0, len(bases), GENES_AT_ONCE)
        blocks = [scaled_identity(bases[first : first + GENES_AT_ONCE], self.codes) for first in starts]
        self.identities = scipy.sparse.vstack(
            [scipy.sparse.csr_array(block.astype(float)) for block in blocks], format="csr"
        )

    def values(self, errors: np.ndarray) -> np.ndarray:
        """Return the values of `GeneEffects`, [training gene] float32; zeros where genes differ no more than by chance.

        The effect of a gene with n cells is the mean of its errors, less the mean of all, times n / (n + within / between). The
        variances within and between genes are those of `variances`. That is the BLUP, except that the errors are those of samples
        that the model was fitted to, and therefore a little too small. Genes with the same bases around the TSS share their
        effects: these are the ridge regression of the errors on the scaled identities, with the penalty within / between.

        Args:
            errors: [cell, gene] float32, truth - prediction of the training samples, NaN elsewhere.
        """
        within, between = variances(errors)
        if not between > 0:
            return np.zeros(len(self.codes), np.float32)
        identities, errors = self.identities[self._trained], errors[:, self._trained]
        weighted = identities.T @ scipy.sparse.diags_array(np.isfinite(errors).sum(axis=0).astype(float))
        # Without any noise, genes with the same bases would make the equations singular.
        penalty = scipy.sparse.diags_array(np.full(len(self.codes), max(within / between, 1e-6)))
        means = np.nanmean(errors, axis=0, dtype=float) - np.nanmean(errors, dtype=float)
        solution = scipy.sparse.linalg.spsolve((weighted @ identities + penalty).tocsc(), weighted @ means)
        return solution.astype(np.float32)


def variances(errors: np.ndarray) -> tuple[float, float]:
    """Return the variances (within genes, between genes) of errors [cell, gene] with NaN; NaN for too few cells or genes.

    They are those of a one-way analysis of variance with unequal numbers (Searle, Casella and McCulloch, Variance Components, 1992,
    chapter 3). Where genes differ less than chance would make them, the second one is negative.

    >>> variances(np.array([[1.0, 4.0], [3.0, 6.0]]))
    (2.0, 3.5)
    """
    counts = np.isfinite(errors).sum(axis=0)
    errors, counts = errors[:, counts > 0].astype(np.float64), counts[counts > 0]
    total, genes = counts.sum(), len(counts)
    if genes < 2 or total == genes:
        return np.nan, np.nan
    means = np.nanmean(errors, axis=0)
    within = np.nansum((errors - means) ** 2) / (total - genes)
    between = (counts * (means - np.nanmean(errors)) ** 2).sum() / (genes - 1)
    effective = (total - (counts**2).sum() / total) / (genes - 1)
    return float(within), float((between - within) / effective)

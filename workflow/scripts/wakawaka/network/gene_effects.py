"""What is peculiar to each gene that a model has seen: the part of its errors that is the same in all cells, shrunken.

A model that predicts other genes well must not know its training genes by heart; but of a gene that it has seen in other cells, it
may say what it has seen there. In a linear mixed model that is the gene's random effect (Robinson, Statistical Science 1991, 6:15).
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from wakawaka.genome.dna import one_hot

# A gene is recognised by so many bases around its TSS: in full where these parts of them are the same, not at all below the other
# one, in proportion between. Of two unrelated sequences a quarter of the bases agree: 16, with a standard deviation of 3.5.
BASES = 64
SAME, OTHER = 7 / 8, 3 / 4
# Genes that are compared with all others at once.
GENES_AT_ONCE = 1000


@dataclass(frozen=True)
class GeneEffects:
    """Effects by the bases around the TSS. codes: [gene, base] uint8. values: [gene] float32, in units of the target.

    Called with the codes of windows [window, position], it returns the effect of each, [window] float32: the sum of the values, each times
    the likeness (0 to 1) of the window to its gene. It is exactly what the layers of `model.mean_of` compute, but for rounding.
    """

    codes: np.ndarray
    values: np.ndarray

    def __call__(self, dna):
        return np.concatenate([alike @ self.values for alike in self._likenesses(dna)])

    def recognised(self, dna):
        """Return [window] bool, whether a window is like any of the genes."""
        return np.concatenate([alike.any(axis=1) for alike in self._likenesses(dna)])

    def _likenesses(self, dna):
        seen = around_tss(dna)
        for first in range(0, len(seen), GENES_AT_ONCE):
            yield likeness(seen[first : first + GENES_AT_ONCE], self.codes)


def around_tss(dna):
    """Return the central bases [gene, base], `BASES` or all there are, of windows [gene, position]."""
    start, length = centre(dna.shape[1])
    return dna[:, start : start + length]


def centre(window):
    """Return (start, length) of the bases by which a gene is recognised, in a window of so many bp."""
    length = min(BASES, window)
    return (window - length) // 2, length


def likeness(some, others):
    """Return how much each of [gene, base] codes is like each other one, [gene, other] float32 from 0 to 1; N is like nothing."""
    agreeing = one_hot(some).reshape(len(some), -1) @ one_hot(others).reshape(len(others), -1).T
    return np.clip((agreeing / some.shape[1] - OTHER) / (SAME - OTHER), 0, 1)


class SeenGenes:
    """The genes that a model was trained on, and how to find their effects.

    Args:
        dna: codes [gene, position] uint8 of all genes. seen: [gene] bool, those that there are training samples of.

    Attributes:
        codes: [seen gene, base] uint8. alike: sparse [gene, seen gene] float64, the likenesses of all genes to these.
    """

    def __init__(self, dna, seen):
        self._seen, bases = np.flatnonzero(seen), around_tss(dna)
        self.codes = bases[self._seen]
        parts = range(0, len(bases), GENES_AT_ONCE)
        blocks = [likeness(bases[first : first + GENES_AT_ONCE], self.codes) for first in parts]
        self.alike = scipy.sparse.vstack(
            [scipy.sparse.csr_array(block.astype(float)) for block in blocks], format="csr"
        )

    def values(self, errors):
        """Return [seen gene] float32, the values of `GeneEffects`; zeros where genes do not differ more than chance makes them.

        The variances between genes and within them are those of `variances`. With these, a gene's effect is the mean of its errors, less
        the mean of all, times n / (n + within / between) for its n cells: the best linear unbiased prediction, but for the errors being
        those of samples that the model was fitted to, which are a little too small. Genes with the same bases around the TSS share
        theirs: the effects are the ridge regression of the errors on the likenesses, with the penalty within / between.

        Args:
            errors: [cell, gene] float32, truth - prediction of the training samples, NaN elsewhere.
        """
        within, between = variances(errors)
        if not between > 0:
            return np.zeros(len(self.codes), np.float32)
        alike, errors = self.alike[self._seen], errors[:, self._seen]
        weighted = alike.T @ scipy.sparse.diags_array(np.isfinite(errors).sum(axis=0).astype(float))
        # Without any noise nothing would keep the effects of genes of the same bases apart.
        penalty = scipy.sparse.diags_array(np.full(len(self.codes), max(within / between, 1e-6)))
        means = np.nanmean(errors, axis=0, dtype=float) - np.nanmean(errors, dtype=float)
        return scipy.sparse.linalg.spsolve((weighted @ alike + penalty).tocsc(), weighted @ means).astype(np.float32)


def variances(errors):
    """Return the variances (within genes, between genes) of [cell, gene] errors with NaN; NaN where cells or genes are too few.

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

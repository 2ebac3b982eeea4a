"""The order in which an epoch goes through its samples."""

import numpy as np


def batches(genes, size, genes_per_batch, seed):
    """Return a list of index arrays, which together hold every sample once.

    Without `genes_per_batch` this is one random order of all samples, cut into batches. With it, the samples of each gene are put in
    random order and cut into portions of size // genes_per_batch, the last of which may be smaller, and what is cut into batches
    is these portions in random order: of one gene there are then several cells in a batch, side by side.

    Args:
        genes: [sample] int, the gene of each sample.
        size: samples of a batch.
        genes_per_batch: a divisor of size, or None.
        seed: of `numpy.random.default_rng`.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(genes))
    if genes_per_batch is not None:
        order = order[np.argsort(genes[order], kind="stable")]
        ordered = genes[order]
        place_in_gene = np.arange(len(order)) - np.searchsorted(ordered, ordered)
        starts = np.flatnonzero(place_in_gene % (size // genes_per_batch) == 0)
        portions = np.split(order, starts[1:])
        order = np.concatenate([portions[number] for number in rng.permutation(len(portions))])
    return np.split(order, range(size, len(order), size))

"""The order in which an epoch goes through its samples."""

from collections.abc import Sequence

import numpy as np


def batches(genes: np.ndarray, size: int, genes_per_batch: int | None, seed: int | Sequence[int]) -> list[np.ndarray]:
    """Return arrays of sample numbers, one for each batch, which together hold every sample once.

    Without `genes_per_batch`, all samples are put in random order and cut into batches. With it, the samples of each gene are put in
    random order and cut into portions of size // genes_per_batch samples; the last portion of a gene may be smaller. The portions are
    put in random order and cut into batches. A batch then has several cells of each of its genes next to each other.

    Args:
        genes: [sample] int, the gene of each sample.
        size: number of samples in a batch; the last batch may be smaller.
        genes_per_batch: a divisor of `size`, or None.
        seed: seed of `numpy.random.default_rng`.
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

"""The order of the samples of an epoch."""

import numpy as np
import pytest

from wakawaka.training.batches import batches

# 30 genes, most with many samples; of the last, fewer than a portion.
GENES = np.repeat(np.arange(30), [40] * 20 + [37] * 7 + [3, 2, 1])


def equal(one, other):
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("genes_per_batch", [None, 1, 2, 5, 20])
@pytest.mark.parametrize("order", ["by gene", "mixed"])
def test_every_sample_is_there_once(genes_per_batch, order):
    genes = GENES if order == "by gene" else np.random.default_rng(1).permutation(GENES)
    found = batches(genes, 20, genes_per_batch, [1, 2])
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(len(genes)))
    assert all(0 < len(batch) <= 20 for batch in found)


@pytest.mark.parametrize("genes_per_batch", [None, 4, 20])
@pytest.mark.parametrize(("samples", "sizes"), [(45, [20, 20, 5]), (40, [20, 20]), (20, [20]), (7, [7]), (1, [1])])
def test_batches_are_full_but_the_last(samples, sizes, genes_per_batch):
    assert [len(batch) for batch in batches(GENES[:samples], 20, genes_per_batch, 1)] == sizes


@pytest.mark.parametrize("genes_per_batch", [None, 4])
def test_the_seed_fixes_the_order(genes_per_batch):
    one = batches(GENES, 20, genes_per_batch, [7, 1])
    assert equal(one, batches(GENES, 20, genes_per_batch, [7, 1]))
    # Another epoch, another run.
    assert not equal(one, batches(GENES, 20, genes_per_batch, [7, 2]))
    assert not equal(one, batches(GENES, 20, genes_per_batch, [8, 1]))


def test_shuffling_is_global():
    """Neither genes nor neighbours stay together: every gene is spread over the epoch as chance has it."""
    found = batches(GENES, 20, None, 1)
    place = np.empty(len(GENES), int)
    place[np.concatenate(found)] = np.arange(len(GENES))
    # The mean place of 40 samples drawn without regard to their gene, within five standard deviations.
    for gene in range(20):
        assert abs(place[gene == GENES].mean() / len(GENES) - 0.5) < 5 * np.sqrt(1 / 12 / 40)
    # Of 40 samples in 54 batches chance puts about 28 in different ones.
    spread = [len(np.unique(place[gene == GENES] // 20)) for gene in range(20)]
    assert 24 < np.mean(spread) < 32
    correlation = np.corrcoef(place[1:], place[:-1])[0, 1]
    assert abs(correlation) < 5 / np.sqrt(len(GENES))


class TestGenesPerBatch:
    @pytest.mark.parametrize("genes_per_batch", [1, 2, 4, 5, 10, 20])
    def test_so_many_genes_are_in_a_batch_each_side_by_side(self, genes_per_batch):
        genes = np.random.default_rng(1).permutation(GENES)
        portion = 20 // genes_per_batch
        order = genes[np.concatenate(batches(genes, 20, genes_per_batch, 3))]
        starts = np.flatnonzero(np.diff(order, prepend=-1))
        lengths = np.diff(starts, append=len(order))
        # Two portions of one gene may happen to follow each other; a gene has one that is not full, at most.
        assert (lengths % portion != 0).sum() <= (np.bincount(genes) % portion != 0).sum()
        whole = np.bincount(genes) // portion
        assert sum(lengths // portion) >= whole.sum()

    def test_full_portions_fill_batches(self):
        found = batches(np.repeat(np.arange(10), 40), 20, 4, 3)
        assert [len(batch) for batch in found] == [20] * 20

    def test_genes_with_fewer_samples_than_a_portion(self):
        genes = np.arange(30) // 2
        found = batches(genes, 20, 4, 3)
        assert [len(batch) for batch in found] == [20, 10]
        # Both samples of a gene are side by side.
        assert (np.diff(genes[np.concatenate(found)].reshape(-1, 2), axis=1) == 0).all()

    def test_which_samples_share_a_portion_and_which_portions_a_batch_is_random(self):
        one, other = (batches(GENES, 20, 2, seed) for seed in (1, 2))
        together = [
            {frozenset(half.tolist()) for batch in found for half in (batch[:10], batch[10:])} for found in (one, other)
        ]
        assert len(together[0] & together[1]) < 3
        order = GENES[[batch[0] for batch in one]]
        assert abs(np.corrcoef(order[1:], order[:-1])[0, 1]) < 5 / np.sqrt(len(order))

    def test_the_samples_of_a_gene_are_not_in_the_order_of_the_store(self):
        (batch,) = batches(np.zeros(20, int), 20, 1, 1)
        assert not np.array_equal(batch, np.arange(20)) and not np.array_equal(batch, np.arange(20)[::-1])

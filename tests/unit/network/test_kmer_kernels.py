"""The k-mer index and the compiled loops, against slow computations with numpy."""

import weakref

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from wakawaka.genome.dna import N
from wakawaka.network import kmer_kernels
from wakawaka.network.kmer_kernels import LANES, LONGEST, Buffers, Layout, gather_max, index_kmers, scatter_add

NONE = -np.inf


@pytest.fixture(autouse=True)
def _one_thread():
    yield
    kmer_kernels.use_threads(1)


def random_codes(rng, genes, length, unknown=0.05):
    codes = rng.integers(0, 4, (genes, length)).astype(np.uint8)
    codes[rng.random((genes, length)) < unknown] = N
    return codes


def numbers_in_base(letters, base):
    return letters.astype(np.int64) @ base ** np.arange(letters.shape[1])[::-1]


class TestIndexKmers:
    @pytest.mark.parametrize("width", range(1, 13))
    def test_the_index_has_the_kmer_at_every_position(self, width):
        codes = random_codes(np.random.default_rng(width), 7, 60)
        # A run of N, and N at both ends.
        codes[2, 10:30] = codes[3, 0] = codes[4, -1] = codes[5] = N
        index = index_kmers(codes, width)
        length = index.kmers.shape[1]
        assert length <= LONGEST and index.parts * length >= width > (index.parts - 1) * length
        assert index.index.dtype == np.uint16 and index.kmers.dtype == np.uint8
        # Every part of a filter at its last position has a k-mer, which may need bases from beyond the end.
        assert index.index.shape == (7, 60 - width + 1 + (index.parts - 1) * length)
        padded = np.pad(codes, [(0, 0), (0, length)])
        expected = sliding_window_view(padded, length, axis=1)[:, : index.index.shape[1]]
        assert np.array_equal(index.kmers[index.index], expected)

    @pytest.mark.parametrize("width", [1, 4, 6, 9, 12])
    def test_kmers_with_n_have_rows_of_their_own_after_all_others(self, width):
        index = index_kmers(random_codes(np.random.default_rng(1), 20, 50), width)
        length = index.kmers.shape[1]
        plain, unknown = index.kmers[: 4**length], index.kmers[4**length :]
        assert np.array_equal(numbers_in_base(plain, 4), np.arange(4**length)) and plain.max() == 3
        assert (unknown == N).any(axis=1).all()
        numbers = numbers_in_base(unknown, 5)
        assert len(np.unique(numbers)) == len(numbers)
        # No row for a k-mer with N that does not occur.
        assert np.isin(np.arange(4**length, len(index.kmers)), index.index).all()

    def test_without_n_there_are_no_further_rows(self):
        assert len(index_kmers(random_codes(np.random.default_rng(1), 3, 50, 0), 5).kmers) == 4**5

    @pytest.mark.parametrize(("width", "beyond"), [(7, 1), (9, 1), (11, 1), (12, 0), (13, 2)])
    def test_the_last_kmer_may_reach_beyond_the_end(self, width, beyond):
        codes = np.full((1, 30), 3, np.uint8)
        index = index_kmers(codes, width)
        length = index.kmers.shape[1]
        assert index.kmers[index.index[0, -1]].tolist() == [3] * (length - beyond) + [0] * beyond

    def test_a_sequence_may_be_as_short_as_the_filter(self):
        index = index_kmers(np.array([[0, 1, 2, N, 3]], np.uint8), 5)
        assert index.kmers[index.index].tolist() == [[[0, 1, 2, N, 3]]]

    def test_the_same_sequences_give_the_same_kmers(self):
        codes = random_codes(np.random.default_rng(1), 20, 80)
        # The store's codes are read-only.
        codes.setflags(write=False)
        before = codes.copy()
        first, second = index_kmers(codes, 8), index_kmers(codes, 8)
        assert np.array_equal(first.index, second.index) and np.array_equal(first.kmers, second.kmers)
        assert first.parts == second.parts == 2 and np.array_equal(codes, before)

    def test_one_hot_kmers_have_a_zero_column_for_n(self):
        index = index_kmers(np.array([[0, N, 3]], np.uint8), 2)
        assert index.one_hot.dtype == np.float32 and index.one_hot.shape == (18, 8)
        assert index.one_hot[index.index[0]].tolist() == [[1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1]]


# samples, positions, k-mers, bases of one, parts, pool size, filters
SIZES = {
    "one part": (6, 60, 30, 3, 1, 10, 32),
    "pool does not divide": (6, 59, 30, 3, 1, 8, 32),
    "filters overlap": (6, 60, 30, 3, 1, 10, 40),
    "two parts": (6, 64, 30, 4, 2, 7, 16),
    "three parts": (6, 64, 30, 5, 3, 9, 18),
    "pool of one": (6, 20, 30, 3, 1, 1, 16),
    "pool of 255": (3, 520, 4096, 6, 1, 255, 16),
    "pool of 300": (3, 650, 4096, 6, 1, 300, 33),
    "batch of one": (1, 60, 30, 3, 1, 10, 16),
    "windows left out": (4, 9, 30, 3, 1, 10, 16),
}


class Lookup:
    """Random k-mers and responses of the given sizes."""

    def __init__(self, samples, positions, kmers, bases, parts, pool, filters, seed=1):
        rng = np.random.default_rng(seed)
        self.index = rng.integers(0, kmers, (samples, positions)).astype(np.uint16)
        self.layout = Layout(kmers, parts, bases, pool, filters)
        assert self.layout.columns % LANES == 0 and filters <= self.layout.columns < filters + LANES
        self.table = rng.normal(-0.5, 1, (parts * kmers, self.layout.columns)).astype(np.float32)

    def pool(self, floor=0.0, dropout=0.0, seed=1, index=None, buffers=None):
        index = self.index if index is None else index
        random = {"dropout": dropout, "seed": np.int32(seed), "buffers": buffers or Buffers()}
        return gather_max(index, self.table, self.layout, floor=floor, **random)

    def windows(self, index):
        """The responses [sample, window, place, filter] float32, parts added in their order."""
        layout = self.layout
        count = index.shape[1] - (layout.parts - 1) * layout.step
        shifts = [index[:, part * layout.step :][:, :count] + part * layout.kmers for part in range(layout.parts)]
        responses = self.table[shifts[0]]
        for shift in shifts[1:]:
            responses = responses + self.table[shift]
        full = count // layout.pool_size * layout.pool_size
        return responses[:, :full, : layout.filters].reshape(len(index), -1, layout.pool_size, layout.filters)

    def add(self, winners, gradient, dropout=0.0, index=None):
        index = self.index if index is None else index
        return scatter_add(index, winners, gradient, self.layout, dropout=dropout)


def no_winner(winners):
    return winners == np.iinfo(winners.dtype).max


@pytest.fixture(params=SIZES)
def lookup(request):
    return Lookup(*SIZES[request.param])


class TestGatherMax:
    @pytest.mark.parametrize("floor", [0.0, NONE])
    def test_maxima_and_the_first_place_they_are_at(self, lookup, floor):
        # Few k-mers: in most windows one occurs more than once, and the first one wins.
        pooled, winners = lookup.pool(floor)
        windows = lookup.windows(lookup.index)
        # The same additions in the same order: equal to the last bit.
        assert pooled.dtype == np.float32 and np.array_equal(pooled, np.maximum(windows.max(axis=2), np.float32(floor)))
        assert winners.dtype == (np.uint8 if lookup.layout.pool_size < 256 else np.uint16)
        below = windows.max(axis=2) <= floor
        assert np.array_equal(no_winner(winners), below)
        assert np.array_equal(winners[~below], windows.argmax(axis=2)[~below])

    def test_these_sizes_have_maxima_below_the_floor(self):
        assert 0 < no_winner(Lookup(*SIZES["pool of one"]).pool()[1]).mean() < 1

    @pytest.mark.parametrize("name", ["filters overlap", "three parts", "pool of 300"])
    def test_a_repeated_sample_gives_the_same_as_without_sharing(self, name):
        lookup = Lookup(*SIZES[name])
        repeats = lookup.index[[0, 0, 0, 1, 2, 2, 0]]
        for floor in (0.0, NONE):
            together = lookup.pool(floor, 0.5, index=repeats)
            # Dropout follows from the place in the batch, so what stands between is changed instead of taken apart.
            for sample in range(len(repeats)):
                alone = np.full_like(repeats, np.arange(len(repeats))[:, None])
                alone[sample] = repeats[sample]
                for array, other in zip(together, lookup.pool(floor, 0.5, index=alone), strict=True):
                    assert np.array_equal(array[sample], other[sample])

    @pytest.mark.parametrize("threads", [2, 3])
    def test_threads_do_not_change_a_bit(self, lookup, threads):
        index = np.repeat(lookup.index, 2, axis=0)
        one = lookup.pool(dropout=0.3, index=index)
        kmer_kernels.use_threads(threads)
        for array, other in zip(lookup.pool(dropout=0.3, index=index), one, strict=True):
            assert np.array_equal(array, other)

    def test_more_threads_than_samples(self):
        lookup = Lookup(*SIZES["batch of one"])
        one = lookup.pool()
        kmer_kernels.use_threads(3)
        assert np.array_equal(lookup.pool()[0], one[0])

    def test_the_windows_of_no_sample(self):
        lookup = Lookup(*SIZES["one part"])
        pooled, winners = lookup.pool(index=lookup.index[:0])
        assert pooled.shape == winners.shape == (0, 6, 32)
        assert not lookup.add(winners, pooled).any()


class TestScatterAdd:
    @pytest.mark.parametrize("floor", [0.0, NONE])
    @pytest.mark.parametrize("threads", [1, 2, 3])
    def test_the_gradient_goes_to_the_kmers_of_the_maxima(self, lookup, floor, threads):
        _, winners = lookup.pool(floor)
        # Whole numbers: their sums are exact in any order.
        gradient = np.random.default_rng(2).integers(-9, 10, winners.shape).astype(np.float32)
        kmer_kernels.use_threads(threads)
        found = lookup.add(winners, gradient)
        layout = lookup.layout
        expected = np.zeros_like(lookup.table)
        sample, window, column = np.nonzero(~no_winner(winners))
        won = sample, window, column
        for part in range(layout.parts):
            place = window * layout.pool_size + winners[won] + part * layout.step
            np.add.at(expected, (part * layout.kmers + lookup.index[sample, place], column), gradient[won])
        assert found.dtype == np.float32 and found.shape == expected.shape and np.array_equal(found, expected)
        assert expected.any() or not winners.size
        assert not found[:, layout.filters :].any()

    def test_dropped_features_get_no_gradient_and_others_more(self):
        lookup = Lookup(*SIZES["two parts"])
        _, winners = lookup.pool(NONE, 0.5)
        _, all_winners = lookup.pool(NONE)
        kept = ~no_winner(winners)
        assert 0 < kept.mean() < 1
        gradient = np.random.default_rng(2).integers(-9, 10, winners.shape).astype(np.float32)
        # Divided by 1 - dropout: doubled.
        assert np.array_equal(lookup.add(winners, gradient, 0.5), lookup.add(all_winners, 2 * gradient * kept))

    def test_two_threads_are_two_threads_every_time(self):
        lookup = Lookup(*SIZES["three parts"])
        _, winners = lookup.pool()
        gradient = np.random.default_rng(2).normal(size=winners.shape).astype(np.float32)
        one = lookup.add(winners, gradient)
        kmer_kernels.use_threads(2)
        two = lookup.add(winners, gradient)
        assert all(np.array_equal(lookup.add(winners, gradient), two) for _ in range(20))
        # Sums of some dozen float32 in another order.
        assert np.allclose(two, one, rtol=1e-5, atol=1e-5)


# Large enough that five standard deviations are a small part of the rate; filters that are no multiple of LANES.
MANY = (100, 50, 30, 3, 1, 2, 72)


def kept(lookup, dropout, seed=1):
    """Whether elements [sample, window, filter] are kept; without a floor every one has a winner."""
    return ~no_winner(lookup.pool(NONE, dropout, seed)[1])


class TestDropout:
    @pytest.mark.parametrize("dropout", [0.01, 0.1, 0.5, 0.9])
    @pytest.mark.parametrize("seed", [0, 1, -(2**31), 2**31 - 1])
    def test_the_rate(self, dropout, seed):
        mask = kept(Lookup(*MANY), dropout, seed)
        # Five standard deviations of a binomial: beyond them once in two million honest masks.
        assert abs(mask.mean() - (1 - dropout)) < 5 * np.sqrt(dropout * (1 - dropout) / mask.size)
        for axes in ((0, 1), (0, 2), (1, 2)):
            means = mask.mean(axis=axes)
            assert np.abs(means - (1 - dropout)).max() < 5.5 * np.sqrt(dropout * (1 - dropout) * means.size / mask.size)

    @pytest.mark.parametrize("dropout", [0.1, 0.5])
    @pytest.mark.parametrize("floor", [0.0, NONE])
    def test_what_is_kept_is_scaled_and_the_rest_zero(self, dropout, floor):
        lookup = Lookup(*MANY)
        (pooled, winners), (whole, places), mask = (
            lookup.pool(floor, dropout),
            lookup.pool(floor),
            kept(lookup, dropout),
        )
        assert np.array_equal(pooled, np.where(mask, whole * np.float32(1 / (1 - dropout)), 0))
        assert np.array_equal(winners, np.where(mask, places, np.iinfo(places.dtype).max))

    def test_no_dropout_keeps_all(self):
        assert kept(Lookup(*MANY), 0.0).all()

    def test_the_mask_follows_from_the_seed_alone(self):
        one, other = Lookup(*MANY, seed=1), Lookup(*MANY, seed=2)
        assert np.array_equal(kept(one, 0.5, 7), kept(one, 0.5, 7))
        assert np.array_equal(kept(one, 0.5, 7), kept(other, 0.5, 7))

    @pytest.mark.parametrize("threads", [2, 3])
    def test_the_mask_does_not_depend_on_the_threads(self, threads):
        lookup = Lookup(*MANY)
        one = kept(lookup, 0.5)
        kmer_kernels.use_threads(threads)
        assert np.array_equal(kept(lookup, 0.5), one)

    @pytest.mark.parametrize("seeds", [(1, 2), (1, -1), (0, 1 << 16), (5, 5 ^ (1 << 30))])
    def test_other_seeds_give_other_masks(self, seeds):
        lookup = Lookup(*MANY)
        uncorrelated(*(kept(lookup, 0.5, seed) for seed in seeds))

    @pytest.mark.parametrize("axis", [0, 1, 2])
    @pytest.mark.parametrize("lag", [1, 2, 16])
    def test_neighbours_are_dropped_independently(self, axis, lag):
        mask = np.moveaxis(kept(Lookup(*MANY), 0.5), axis, 0)
        uncorrelated(mask[lag:], mask[:-lag])

    @pytest.mark.parametrize("seeds", [(1, 1), (1, 2), (1, 17), (1, 1 + 72), (1, -1)])
    def test_no_mask_is_another_or_itself_moved_along(self, seeds):
        lookup = Lookup(*MANY)
        one, other = (np.fft.rfft(2.0 * kept(lookup, 0.5, seed).ravel() - 1) for seed in seeds)
        correlations = np.abs(np.fft.irfft(one * other.conj()))
        itself = seeds[0] == seeds[1]
        assert not itself or correlations[0] == pytest.approx(len(correlations))
        # The largest of 360,000 sums of as many signs is about five standard deviations, and once in a million masks above seven.
        assert correlations[itself:].max() < 7 * np.sqrt(len(correlations))


def uncorrelated(one, other):
    """Of independent masks that keep half, the halves of places that agree are binomial: five standard deviations."""
    assert abs((one == other).mean() - 0.5) < 5 * 0.5 / np.sqrt(one.size)


class TestBuffers:
    def test_what_somebody_holds_is_not_handed_out_again(self):
        buffers = Buffers()
        held = [buffers.take((3, 4), np.float32) for _ in range(8)]
        for number, array in enumerate(held):
            array[:] = number
        assert all((array == number).all() for number, array in enumerate(held))
        in_a_list, in_a_dict = [held.pop()], {"a": held.pop()}
        del held, array
        for _ in range(8):
            buffers.take((3, 4), np.float32)[:] = -1
        assert (in_a_list[0] == 7).all() and (in_a_dict["a"] == 6).all()

    def test_what_is_released_is_used_again(self):
        buffers = Buffers()
        array, other = buffers.take((3, 4), np.float32), buffers.take((3, 4), np.float32)
        assert other is not array
        # New memory might lie at the same place.
        same = weakref.ref(array)
        del array
        assert buffers.take((3, 4), np.float32) is same() is not None

    @pytest.mark.parametrize(("shape", "dtype"), [((4, 3), np.float32), ((3, 4), np.uint8), ((3, 4), np.int32)])
    def test_only_the_same_shape_and_type_are_used_again(self, shape, dtype):
        buffers = Buffers()
        buffers.take((3, 4), np.float32)
        array = buffers.take(shape, dtype)
        assert array.shape == shape and array.dtype == dtype
        # As TensorFlow takes them without a copy.
        assert array.ctypes.data % 64 == 0 and array.flags.c_contiguous and array.flags.writeable

    def test_sizes_that_are_no_longer_asked_for_are_freed(self):
        buffers = Buffers()
        for size in range(1, 50):
            buffers.take((size,), np.float32)
        assert len(buffers._arrays) <= 5

    def test_results_of_two_lookups_are_not_the_same_memory(self):
        lookup, buffers = Lookup(*SIZES["one part"]), Buffers()
        first = lookup.pool(buffers=buffers)
        copies = [array.copy() for array in first]
        lookup.table[:] = 9
        second = lookup.pool(buffers=buffers)
        assert all(np.array_equal(array, copy) for array, copy in zip(first, copies, strict=True))
        assert not np.array_equal(second[0], first[0])

"""Convolution and max pooling of DNA by looking k-mers up: the loops, compiled by Numba.

On one-hot DNA, the response of a filter of width k depends on the k-mer alone. With the table of the responses of all filters to
all k-mers, a convolution followed by max pooling is the maximum over the rows of the k-mers in a pooling window. The gradient goes
to the rows of the maxima. A wider filter is the sum of such rows, from one table for each part of at most `LONGEST` bases.
Nothing is approximated: only the order of the additions within a filter differs from that of a convolution.

The module is longer than others, because Numba keeps compiled code and does not notice changes in other modules: all functions
that a loop calls stand here.
"""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

from wakawaka.core.numba_jit import numba_jit
from wakawaka.genome.dna import N, one_hot

# The longest k-mer of a table. There are 4,096 k-mers of six bases; for 132 filters the table fills the second-level cache of a core.
LONGEST = 6

# The position of a maximum within its pooling window has 16 bits.
LARGEST_POOL = 2**16 - 1

# TensorFlow takes results without copying them if they start at a multiple of so many bytes.
_ALIGNMENT = 64

# The number of values in a vector.
LANES = 16

_threads = 1
_helpers: ThreadPoolExecutor | None = None


@dataclass(frozen=True)
class KmerIndex:
    """The k-mers of a set of sequences, for filters of one width.

    Attributes:
        index: [gene, position] uint16, the row in `kmers` of the k-mer that starts at a position.
        kmers: DNA codes [k-mer, base] uint8: all k-mers of A, C, G and T in alphabetical order, then those with N that occur.
        parts: number of consecutive k-mers that a filter spans.
        dilation: distance in bp between the bases of a k-mer.
    """

    index: np.ndarray
    kmers: np.ndarray
    parts: int
    dilation: int = 1

    @property
    def step(self) -> int:
        """The distance in bp from one part of a filter to the next."""
        return self.kmers.shape[1] * self.dilation

    @property
    def one_hot(self) -> np.ndarray:
        """The k-mers one-hot, [k-mer, 4 x base] float32."""
        return one_hot(self.kmers).reshape(len(self.kmers), -1)


@dataclass(frozen=True)
class Layout:
    """The sizes of a table of responses, and of the pooling of its rows.

    Attributes:
        kmers: number of k-mers.
        parts: number of parts of a filter; the table has a block of `kmers` rows for each.
        step: distance in positions from one part of a filter to the next.
        pool_size: width and stride of the pooling windows. A last window that is not full is left out, as by Keras' MaxPooling1D.
        filters: number of filters, at least `LANES`.
    """

    kmers: int
    parts: int
    step: int
    pool_size: int
    filters: int

    @property
    def columns(self) -> int:
        """The number of columns of the table: a column per filter, and unused ones up to the next multiple of `LANES`."""
        return -(-self.filters // LANES) * LANES


def index_kmers(codes: np.ndarray, width: int, dilation: int = 1, padding: str = "valid") -> KmerIndex:
    """Return the k-mer index of sequences for filters of `width` bases.

    The last k-mer of a filter may reach beyond the end of the sequence, if only a part of it belongs to the filter. A is read there;
    that has no effect, because the filter's weights are zero there.

    Args:
        codes: DNA codes [gene, position] uint8.
        width: bases that a filter spans.
        dilation: distance in bp between these bases.
        padding: `valid` or `same`, as for `keras.layers.Conv1D`.
    """
    parts = -(-width // LONGEST)
    length = -(-width // parts)
    beyond = (width - 1) * dilation
    if padding == "same":
        # A convolution is padded with zeros, and N is a row of zeros.
        codes = np.pad(codes, [(0, 0), (beyond // 2, beyond - beyond // 2)], constant_values=N)
    index = np.empty((len(codes), codes.shape[1] - beyond + (parts - 1) * length * dilation), np.uint16)
    rows = np.full(5**length, -1, np.int32)
    count = 4**length
    for phase in range(dilation):
        count = _number_kmers(codes[:, phase::dilation], length, rows, index[:, phase::dilation], count)
    with_n = np.flatnonzero(rows >= 0)
    with_n = with_n[np.argsort(rows[with_n])]
    kmers = [_digits(np.arange(4**length), 4, length), _digits(with_n, 5, length)]
    return KmerIndex(index, np.concatenate(kmers), parts, dilation)


def use_threads(threads: int) -> None:
    """Share the work of `gather_max` and `scatter_add` among `threads` threads, including the calling one."""
    global _threads, _helpers
    _threads = threads
    _helpers = ThreadPoolExecutor(threads - 1) if threads > 1 else None


def gather_max(
    index: np.ndarray,
    table: np.ndarray,
    layout: Layout,
    *,
    floor: float,
    dropout: float,
    seed: np.int32,
    buffers: "Buffers",
) -> tuple[np.ndarray, np.ndarray]:
    """Return the maximum of every pooling window, and its position.

    Args:
        index: [sample, position] uint16, rows of `KmerIndex.index`. A sample equal to the one before is not computed again.
        table: [part x k-mer, column] float32, the response of each part of the filters to each k-mer.
        layout: the sizes.
        floor: the least maximum: 0 for a ReLU, -inf for none. NaN is never a maximum.
        dropout: the fraction of the results that is set to zero at random; the others are divided by 1 - dropout.
        seed: decides, together with the place of an element, whether the element is kept.
        buffers: the results are taken from these.

    Returns:
        (pooled, winners), both [sample, window, filter]. Pooled is float32. Winners are the positions within the windows of the
        first maxima, uint8 (uint16 if the pool size is 256 or more); the largest number of the type where the floor or dropout leaves
        no maximum.
    """
    shape = len(index), (index.shape[1] - (layout.parts - 1) * layout.step) // layout.pool_size, layout.filters
    pooled, winners = buffers.take(shape, np.float32), buffers.take(shape, np.min_scalar_type(layout.pool_size))
    dropped = np.uint32(min(round(dropout * 2**32), 2**32 - 1)).view(np.int32)
    scale = np.float32(1 / (1 - dropout))

    def share(first: int, last: int) -> None:
        settings = layout.kmers, layout.step, layout.pool_size, np.float32(floor), dropped, scale, seed, first
        _gather(index[first:last], table, *settings, pooled[first:last], winners[first:last])

    _in_threads(share, len(index))
    return pooled, winners


def scatter_add(
    index: np.ndarray, winners: np.ndarray, gradient: np.ndarray, layout: Layout, *, dropout: float
) -> np.ndarray:
    """Return the gradient of the table of `gather_max`, [part x k-mer, column] float32.

    Args:
        index, layout, dropout: as for `gather_max`.
        winners: as `gather_max` returned them.
        gradient: [sample, window, filter] float32, that of the pooled results.
    """
    scale = np.float32(1 / (1 - dropout))

    def share(first: int, last: int) -> np.ndarray:
        # The last row takes the gradients of windows without a winner.
        table = np.zeros((layout.parts * layout.kmers + 1, layout.columns), np.float32)
        settings = layout.kmers, layout.step, layout.pool_size, scale
        _scatter(index[first:last], winners[first:last], gradient[first:last], *settings, table)
        return table

    # The order of the sums is fixed, whichever thread ends first.
    tables = _in_threads(share, len(index))
    for table in tables[1:]:
        tables[0] += table
    return tables[0][:-1]


class Buffers:
    """Large arrays that are used again once nobody else holds them, because fresh memory for every step costs milliseconds."""

    def __init__(self) -> None:
        self._arrays: list[np.ndarray] = []

    def take(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        """Return an uninitialised array that nobody else holds. Hold the array itself: views of it do not count."""
        for array in self._arrays:
            # Held by the list, by this loop and by the call; so CPython up to 3.13 counts (3.14 would not count the loop).
            if array.shape == shape and array.dtype == dtype and sys.getrefcount(array) == 3:
                return array
        self._arrays = [array for array in self._arrays if sys.getrefcount(array) > 3][-4:]
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        memory = np.empty(size + _ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % _ALIGNMENT
        self._arrays.append(memory[start : start + size].view(dtype).reshape(shape))
        return self._arrays[-1]


def _in_threads(function: Callable[[int, int], Any], count: int) -> list[Any]:
    """Return the results of function(first, last) for equal shares of range(count), in their order."""
    edges = [count * number // _threads for number in range(_threads + 1)]
    futures = [_helpers.submit(function, *share) for share in pairwise(edges[1:])] if _helpers else []
    return [function(*edges[:2]), *(future.result() for future in futures)]


def _digits(numbers: np.ndarray, base: int, count: int) -> np.ndarray:
    """Return the last `count` digits of numbers, [number, digit] uint8."""
    return (numbers[:, None] // base ** np.arange(count)[::-1] % base).astype(np.uint8)


@numba_jit
def _number_kmers(codes: np.ndarray, length: int, rows: np.ndarray, index: np.ndarray, count: int) -> int:
    """Fill `index` and return the number of k-mers that are then known.

    A k-mer with N gets the next row when it is first met; rows[its number in base five] is set to that.
    """
    plain = 4**length
    for gene in range(codes.shape[0]):
        four = five = 0
        last_n = -1
        for end in range(index.shape[1] + length - 1):
            code = codes[gene, end] if end < codes.shape[1] else 0
            if code == N:
                last_n = end
            four = (four * 4 + (code & 3)) % plain
            five = (five * 5 + code) % rows.shape[0]
            start = end - length + 1
            if start >= 0:
                if last_n < start:
                    index[gene, start] = four
                else:
                    if rows[five] < 0:
                        rows[five] = count
                        count += 1
                    index[gene, start] = rows[five]
    return count


@numba_jit
def _gather(
    index: np.ndarray, table: np.ndarray, kmers: int, step: int, pool_size: int, floor: Any, dropped: Any, scale: Any, seed: Any,
    first: int, pooled: np.ndarray, winners: np.ndarray,
) -> None:  # fmt: skip
    """Fill `pooled` and `winners` of `gather_max` for samples from number `first` of the batch on."""
    samples, windows, filters = pooled.shape
    parts = len(table) // kmers
    again = np.zeros(samples + 1, np.bool_)
    for sample in range(1, samples):
        again[sample] = (index[sample] == index[sample - 1]).all()
    # Kept for the next sample in case that it is equal.
    maxima, places = np.empty((windows, LANES), np.float32), np.empty((windows, LANES), np.int32)
    # A few filters at a time, because their columns of the table fit into the caches.
    for column in range(0, filters, LANES):
        column = min(column, filters - LANES)
        for sample in range(samples):
            for window in range(windows):
                if again[sample]:
                    best, place = load(maxima, window, 0), load(places, window, 0)
                else:
                    best, place = repeat(floor), repeat(np.int32(-1))
                    here, one = repeat(np.int32(0)), repeat(np.int32(1))
                    rows = index[sample, window * pool_size :]
                    for start in range(pool_size):
                        response = load(table, np.intp(rows[start]), column)
                        for part in range(1, parts):
                            row = np.intp(rows[start + part * step])
                            response = plus(response, load(table, part * kmers + row, column))
                        place = where_larger(response, best, here, place)
                        best = where_larger(response, best, response, best)
                        here = plus(here, one)
                    if again[sample + 1]:
                        store(maxima, window, 0, best)
                        store(places, window, 0, place)
                if dropped:
                    number = ((first + sample) * windows + window) * filters + column
                    bits = hashes(np.int32(seed + number * 0x85EBCA6B))
                    best = where_below(bits, repeat(dropped), repeat(np.float32(0)), times(best, repeat(scale)))
                    place = where_below(bits, repeat(dropped), repeat(np.int32(-1)), place)
                store(pooled[sample], window, column, best)
                store(winners[sample], window, column, place)


@numba_jit
def _scatter(
    index: np.ndarray, winners: np.ndarray, gradient: np.ndarray, kmers: int, step: int, pool_size: int, scale: Any, table: np.ndarray
) -> None:  # fmt: skip
    """Add the gradients of `scatter_add` to `table`."""
    samples, windows, filters = gradient.shape
    rows = np.full(np.iinfo(winners.dtype).max + 1, len(table) - 1)
    for sample in range(samples):
        for window in range(windows):
            for part in range((len(table) - 1) // kmers):
                start = window * pool_size + part * step
                for place in range(pool_size):
                    rows[place] = part * kmers + index[sample, start + place]
                for f in range(filters):
                    table[rows[winners[sample, window, f]], f] += gradient[sample, window, f] * scale


# Vectors of LANES numbers. Without them, the compiler reads and writes the running maxima of a pooling window for every row. In vectors
# they stay in registers, which is far faster. Each function becomes a few instructions; LLVM splits vectors that are longer than registers.


class Floats(types.Type):
    """LANES float32."""


class Ints(types.Type):
    """LANES int32."""


_FLOATS, _INTS = Floats("Floats"), Ints("Ints")
_IR = {_FLOATS: ir.VectorType(ir.FloatType(), LANES), _INTS: ir.VectorType(ir.IntType(32), LANES)}


@register_model(Floats)
@register_model(Ints)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _IR[kind])


@intrinsic
def repeat(context: Any, value: Any) -> Any:
    """Return a vector of one float32 or int32."""
    kind = _FLOATS if value == types.float32 else _INTS

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _repeat(builder, arguments[0], _IR[kind])

    return kind(value), generate


@intrinsic
def load(context: Any, array: Any, row: Any, column: Any) -> Any:
    """Return array[row, column : column + LANES] of a float32 or int32 array."""
    kind = _FLOATS if array.dtype == types.float32 else _INTS

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_pointer(context, builder, array, arguments, _IR[kind]), align=4)

    return kind(array, types.intp, types.intp), generate


@intrinsic
def store(context: Any, array: Any, row: Any, column: Any, vector: Any) -> Any:
    """Set array[row, column : column + LANES]; integers are cut to the array's number of bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value, kind = arguments[3], array.dtype
        if kind != types.float32 and kind.bitwidth < 32:
            value = builder.trunc(value, ir.VectorType(ir.IntType(kind.bitwidth), LANES))
        builder.store(value, _pointer(context, builder, array, arguments[:3], value.type), align=1)

    return types.void(array, types.intp, types.intp, vector), generate


@intrinsic
def plus(context: Any, a: Any, b: Any) -> Any:
    """Return the sums of floats, or of ints."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fadd(*arguments) if a == _FLOATS else builder.add(*arguments)

    return a(a, b), generate


@intrinsic
def times(context: Any, a: Any, b: Any) -> Any:
    """Return the products of floats."""
    return _FLOATS(a, b), lambda context, builder, signature, arguments: builder.fmul(*arguments)


@intrinsic
def where_larger(context: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    """Return x where the float a is larger than b, else y; x and y are floats or ints."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, x, y = arguments
        return builder.select(builder.fcmp_ordered(">", a, b), x, y)

    return x(a, b, x, y), generate


@intrinsic
def where_below(context: Any, a: Any, b: Any, x: Any, y: Any) -> Any:
    """Return x where the int a, read as unsigned, is below b, else y; x and y are floats or ints."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b, x, y = arguments
        return builder.select(builder.icmp_unsigned("<", a, b), x, y)

    return x(a, b, x, y), generate


@intrinsic
def hashes(context: Any, number: Any) -> Any:
    """Return LANES times 32 bits that all depend on all bits of an int32.

    The mixing function is lowbias32 of C. Wellons' hash-prospector, over the number XOR a constant of each lane.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        def constant(values: Any) -> Any:
            return ir.Constant(_IR[_INTS], values)

        lanes = constant([lane * 0x9E3779B9 % 2**32 for lane in range(LANES)])
        bits = builder.xor(_repeat(builder, arguments[0], _IR[_INTS]), lanes)
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
            bits = builder.xor(bits, builder.lshr(bits, constant([shift] * LANES)))
            bits = builder.mul(bits, constant([factor] * LANES))
        return bits

    return _INTS(types.int32), generate


def _repeat(builder: Any, value: Any, kind: Any) -> Any:
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    first = ir.Constant(_IR[_INTS], [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), first)


def _pointer(context: Any, builder: Any, kind: Any, arguments: Any, vector: Any) -> Any:
    """Return the pointer, as one to a vector, to array[row, column]; the elements of a row are contiguous."""
    array, row, column = arguments
    array = context.make_array(kind)(context, builder, array)
    size = ir.Constant(ir.IntType(64), kind.dtype.bitwidth // 8)
    offset = builder.add(builder.mul(row, builder.extract_value(array.strides, 0)), builder.mul(column, size))
    start = builder.bitcast(array.data, ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(start, [offset]), vector.as_pointer())

"""Convolution and max pooling of DNA by looking k-mers up: the loops, compiled by Numba.

Over one-hot DNA, a bank of filters of width k has one row of answers for each k-mer. With the table of these rows at hand, a
convolution followed by max pooling is the maximum over the rows that the k-mers of a pooling window name; its gradient
goes to the rows that won. Wider filters are sums of such rows, from a table for each part of LONGEST positions or less.
Nothing is approximated; only the order of the additions within a filter differs from a convolution's.
"""

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

from wakawaka.core.numba_jit import compiled
from wakawaka.genome.dna import N, one_hot

# There are 4,096 words of six bases: with 132 filters a table about as large as the second-level cache of a core.
LONGEST = 6

# The winning position within a pooling window has 16 bits.
LARGEST_POOL = 2**16 - 1

# Results are handed to TensorFlow without a copy if they start at a multiple of this many bytes.
_ALIGNMENT = 64

# Numbers in a vector.
LANES = 16

_threads = 1
_helpers = None


@dataclass(frozen=True)
class Words:
    """The words (k-mers) of a set of sequences, for filters of one width.

    Attributes:
        index: [gene, position] uint16, the row in `letters` of the word that starts at a position.
        letters: [word, letter] uint8 codes: all words of A, C, G and T in alphabetical order, then those with N that occur.
        parts: number of words, one after the other, that a filter spans.
        dilation: distance in bp between the letters of a word.
    """

    index: np.ndarray
    letters: np.ndarray
    parts: int
    dilation: int = 1

    @property
    def step(self):
        """The distance in bp from one part of a filter to the next."""
        return self.letters.shape[1] * self.dilation

    @property
    def one_hot(self):
        """The words one-hot, [word, 4 x letter] float32."""
        return one_hot(self.letters).reshape(len(self.letters), -1)


def find_words(codes, width, dilation=1, padding="valid"):
    """Return the `Words` of sequences, codes [gene, position] uint8, for filters of `width` letters.

    The letters lie `dilation` bp apart; padding is `valid` or `same`, as Keras has it. Where the last word of a filter is only partly
    used, it may reach beyond the end of the sequence: A is read there, which is without effect, because the filter's weights are
    zero there.
    """
    parts = -(-width // LONGEST)
    length = -(-width // parts)
    beyond = (width - 1) * dilation
    if padding == "same":
        # What a convolution sees beyond the ends is zeros, and so is N.
        codes = np.pad(codes, [(0, 0), (beyond // 2, beyond - beyond // 2)], constant_values=N)
    index = np.empty((len(codes), codes.shape[1] - beyond + (parts - 1) * length * dilation), np.uint16)
    rows = np.full(5**length, -1, np.int32)
    count = 4**length
    for phase in range(dilation):
        count = _number_words(codes[:, phase::dilation], length, rows, index[:, phase::dilation], count)
    with_n = np.flatnonzero(rows >= 0)
    with_n = with_n[np.argsort(rows[with_n])]
    letters = [_digits(np.arange(4**length), 4, length), _digits(with_n, 5, length)]
    return Words(index, np.concatenate(letters), parts, dilation)


def use_threads(threads):
    """Share the work of `pool_words` and `add_to_words` among `threads` threads, the calling one included."""
    global _threads, _helpers
    _threads = threads
    _helpers = ThreadPoolExecutor(threads - 1) if threads > 1 else None


def pool_words(index, table, *, words, step, pool, filters, floor, dropout, seed, buffers):
    """Return the maximum of every pooling window, and the position it is at.

    Args:
        index: [sample, position] uint16, rows of `Words.index`. A sample equal to the one before is not computed again.
        table: [part x word, column] float32, the answers of each part of the filters to each word, with a column for each filter
            and unused ones up to the next multiple of LANES.
        words: number of words. step: distance in `index` from one part of a filter to the next.
        pool: width and stride of the windows. The last one is left out if it is not full, as by Keras' MaxPooling1D.
        filters: their number, LANES at least.
        floor: the maxima are at least this: 0 for a ReLU, -inf for none. What is not a number is never a maximum.
        dropout: the part of the results to be zeroed at random; the others are divided by 1 - dropout, as by Keras' Dropout.
        seed: int32. Whether an element is kept depends on the seed and the element's place alone.
        buffers: the `Buffers` from which the results come.

    Returns:
        (pooled, winners), both [sample, window, filter]: float32, and the position within the window of the first maximum as
        uint8 (uint16 for pools of 256 and more), or the type's largest number where a floor or dropout leaves no winner.
    """
    parts = len(table) // words
    shape = len(index), (index.shape[1] - (parts - 1) * step) // pool, filters
    pooled, winners = buffers.take(shape, np.float32), buffers.take(shape, np.min_scalar_type(pool))
    dropped = np.uint32(min(round(dropout * 2**32), 2**32 - 1)).view(np.int32)
    scale = np.float32(1 / (1 - dropout))

    def share(first, last):
        settings = words, step, pool, np.float32(floor), dropped, scale, seed, first
        _pool(index[first:last], table, *settings, pooled[first:last], winners[first:last])

    _in_threads(share, len(index))
    return pooled, winners


def add_to_words(index, winners, gradient, *, words, step, parts, pool, filters, columns, dropout):
    """Return the gradient of the table of `pool_words`, [part x word, column] float32.

    Args:
        index, words, step, pool, filters, dropout: as for `pool_words`.
        winners: from there.
        gradient: [sample, window, filter] float32, of the pooled results.
        parts, columns: the table's numbers of parts and of columns.
    """
    scale = np.float32(1 / (1 - dropout))

    def share(first, last):
        # What has no winner goes to a word of its own at the end.
        table = np.zeros((parts * words + 1, columns), np.float32)
        _add(index[first:last], winners[first:last], gradient[first:last], words, step, pool, scale, table)
        return table

    # Added in one order, whichever thread is ready first.
    tables = _in_threads(share, len(index))
    for table in tables[1:]:
        tables[0] += table
    return tables[0][:-1]


class Buffers:
    """Large arrays that are used again as soon as nobody else holds them: fresh memory for every step costs milliseconds."""

    def __init__(self):
        self._arrays = []

    def take(self, shape, dtype):
        """Return an uninitialised array that nobody else holds. Hold the array itself: a view of it does not count."""
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


def _in_threads(function, count):
    """Return the results of function(first, last) over equal shares of range(count), in their order."""
    edges = [count * number // _threads for number in range(_threads + 1)]
    futures = [_helpers.submit(function, *share) for share in pairwise(edges[1:])]
    return [function(*edges[:2]), *(future.result() for future in futures)]


def _digits(numbers, base, count):
    """Return the last `count` digits of numbers, [number, digit] uint8."""
    return (numbers[:, None] // base ** np.arange(count)[::-1] % base).astype(np.uint8)


@compiled
def _number_words(codes, length, rows, index, count):
    """Fill `index`; set rows[number in base five] of a word with N when it is first met; return the number of words then known."""
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


@compiled
def _pool(index, table, words, step, pool, floor, dropped, scale, seed, first, pooled, winners):
    samples, windows, filters = pooled.shape
    parts = len(table) // words
    again = np.zeros(samples + 1, np.bool_)
    for sample in range(1, samples):
        again[sample] = (index[sample] == index[sample - 1]).all()
    # Kept for the next sample if it is the same.
    maxima, places = np.empty((windows, LANES), np.float32), np.empty((windows, LANES), np.int32)
    # Some filters at a time: their part of the table fits the caches better than the whole.
    for column in range(0, filters, LANES):
        column = min(column, filters - LANES)
        for sample in range(samples):
            for window in range(windows):
                if again[sample]:
                    best, place = load(maxima, window, 0), load(places, window, 0)
                else:
                    best, place = repeat(floor), repeat(np.int32(-1))
                    here, one = repeat(np.int32(0)), repeat(np.int32(1))
                    rows = index[sample, window * pool :]
                    for start in range(pool):
                        answer = load(table, np.intp(rows[start]), column)
                        for part in range(1, parts):
                            row = np.intp(rows[start + part * step])
                            answer = plus(answer, load(table, part * words + row, column))
                        place = where_larger(answer, best, here, place)
                        best = where_larger(answer, best, answer, best)
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


@compiled
def _add(index, winners, gradient, words, step, pool, scale, table):
    samples, windows, filters = gradient.shape
    rows = np.full(np.iinfo(winners.dtype).max + 1, len(table) - 1)
    for sample in range(samples):
        for window in range(windows):
            for part in range((len(table) - 1) // words):
                start = window * pool + part * step
                for place in range(pool):
                    rows[place] = part * words + index[sample, start + place]
                for f in range(filters):
                    table[rows[winners[sample, window, f]], f] += gradient[sample, window, f] * scale


# Vectors of LANES numbers. Left to itself, the compiler reads and writes the running maxima of a pooling window for every row; held in a
# vector they stay in registers, which is far faster. Each function becomes a few instructions; where registers are shorter, LLVM splits
# them. They stand in this module because the code of the loops is kept, and has to be made anew when one of them changes.


class Floats(types.Type):
    """LANES float32."""


class Ints(types.Type):
    """LANES int32."""


_FLOATS, _INTS = Floats("Floats"), Ints("Ints")
_IR = {_FLOATS: ir.VectorType(ir.FloatType(), LANES), _INTS: ir.VectorType(ir.IntType(32), LANES)}


@register_model(Floats)
@register_model(Ints)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, kind):
        super().__init__(manager, kind, _IR[kind])


@intrinsic
def repeat(context, value):
    """Return a vector of one float32 or int32."""
    kind = _FLOATS if value == types.float32 else _INTS

    def generate(context, builder, signature, arguments):
        return _repeat(builder, arguments[0], _IR[kind])

    return kind(value), generate


@intrinsic
def load(context, array, row, column):
    """Return array[row, column : column + LANES] of a float32 or int32 array."""
    kind = _FLOATS if array.dtype == types.float32 else _INTS

    def generate(context, builder, signature, arguments):
        return builder.load(_pointer(context, builder, array, arguments, _IR[kind]), align=4)

    return kind(array, types.intp, types.intp), generate


@intrinsic
def store(context, array, row, column, vector):
    """Set array[row, column : column + LANES]; integers are cut to the array's number of bits."""

    def generate(context, builder, signature, arguments):
        value = arguments[3]
        if isinstance(array.dtype, types.Integer) and array.dtype.bitwidth < 32:
            value = builder.trunc(value, ir.VectorType(ir.IntType(array.dtype.bitwidth), LANES))
        builder.store(value, _pointer(context, builder, array, arguments[:3], value.type), align=1)

    return types.void(array, types.intp, types.intp, vector), generate


@intrinsic
def plus(context, a, b):
    """Return the sums of floats, or of ints."""

    def generate(context, builder, signature, arguments):
        return builder.fadd(*arguments) if a == _FLOATS else builder.add(*arguments)

    return a(a, b), generate


@intrinsic
def times(context, a, b):
    """Return the products of floats."""
    return _FLOATS(a, b), lambda context, builder, signature, arguments: builder.fmul(*arguments)


@intrinsic
def where_larger(context, a, b, x, y):
    """Return x where the float a is larger than b, else y; x and y are floats or ints."""

    def generate(context, builder, signature, arguments):
        a, b, x, y = arguments
        return builder.select(builder.fcmp_ordered(">", a, b), x, y)

    return x(a, b, x, y), generate


@intrinsic
def where_below(context, a, b, x, y):
    """Return x where the int a, taken as unsigned, is below b, else y; x and y are floats or ints."""

    def generate(context, builder, signature, arguments):
        a, b, x, y = arguments
        return builder.select(builder.icmp_unsigned("<", a, b), x, y)

    return x(a, b, x, y), generate


@intrinsic
def hashes(context, number):
    """Return LANES times 32 bits that all depend on all bits of an int32.

    The mixing function is lowbias32 of C. Wellons' hash-prospector, over the number XOR a constant of each lane.
    """

    def generate(context, builder, signature, arguments):
        def constant(values):
            return ir.Constant(_IR[_INTS], values)

        lanes = constant([lane * 0x9E3779B9 % 2**32 for lane in range(LANES)])
        bits = builder.xor(_repeat(builder, arguments[0], _IR[_INTS]), lanes)
        for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
            bits = builder.xor(bits, builder.lshr(bits, constant([shift] * LANES)))
            bits = builder.mul(bits, constant([factor] * LANES))
        return bits

    return _INTS(types.int32), generate


def _repeat(builder, value, kind):
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, ir.Constant(ir.IntType(32), 0))
    first = ir.Constant(_IR[_INTS], [0] * LANES)
    return builder.shuffle_vector(one, ir.Constant(kind, ir.Undefined), first)


def _pointer(context, builder, kind, arguments, vector):
    """Return the pointer, as one to a vector, to array[row, column]; the elements of a row lie side by side."""
    array, row, column = arguments
    array = context.make_array(kind)(context, builder, array)
    size = ir.Constant(ir.IntType(64), kind.dtype.bitwidth // 8)
    offset = builder.add(builder.mul(row, builder.extract_value(array.strides, 0)), builder.mul(column, size))
    start = builder.bitcast(array.data, ir.IntType(8).as_pointer())
    return builder.bitcast(builder.gep(start, [offset]), vector.as_pointer())

"""Sixteen numbers at a time, for the loops that Numba compiles.

Left to itself, the compiler reads and writes the running maxima of a pooling window for every row; held in a vector they stay in registers,
which is far faster. Each function becomes a few instructions; where registers are shorter, LLVM splits them.
"""

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic, models, register_model

LANES = 16


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

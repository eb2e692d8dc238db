"""Many running totals at once, kept in registers: how a reduction gets past the latency of one operation.

    totals = chains(x)
    ...
    for i in range(0, whole, totals.size):
        for j in range(totals.size):
            totals[j] += x[i + j]

The inner trips are independent of each other, so the compiler may turn them into vectors without permission to
reorder any addition; their number is a constant, so it unrolls them, and the array, being on the stack and known to
nobody else, ends up in registers.
"""

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array

CHAINS = 64
"""8 vectors of 32 bytes in f32, 16 in f64. Two additions a cycle with a latency of 3 or 4 cycles need 6 to 8 vectors in
flight; a loop of fewer trips LLVM unrolls before it looks for vectors, and then finds none."""


@intrinsic
def chains(typingctx, x):
    """An uninitialised array of CHAINS elements of x's type on the calling kernel's stack; it must not be returned."""
    if not isinstance(x, types.Array):
        return None
    kind = types.Array(x.dtype, 1, "C")

    def codegen(context, builder, signature, args):
        data_type = context.get_data_type(kind.dtype)
        item_bytes = context.get_abi_sizeof(data_type)
        size = ir.Constant(context.get_value_type(types.intp), CHAINS)
        item = ir.Constant(size.type, item_bytes)
        data = cgutils.alloca_once(builder, data_type, size=size)
        data.align = 64
        array = context.make_array(kind)(context, builder)
        populate_array(array, data=data, shape=[size], strides=[item], itemsize=item, meminfo=None)
        return array._getvalue()

    return kind(x), codegen


@njit(nogil=True, inline="always")
def fold(totals, width):
    """totals[j] += totals[j + width] for the first ``width``."""
    for j in range(width):
        totals[j] += totals[j + width]


@njit(nogil=True, inline="always")
def total_of(totals):
    """The sum of CHAINS totals, by halves: 6 additions deep. Destroys them."""
    # Written out: with constant widths all of it unrolls, where a loop over widths costs a quarter of a small sum.
    fold(totals, 32)
    fold(totals, 16)
    fold(totals, 8)
    fold(totals, 4)
    fold(totals, 2)
    return totals[0] + totals[1]


PARALLEL_BYTES = 1 << 19
"""Bytes read from which more threads than one pay. Entering a team of two was measured at 2 to 3 microseconds, in which
one core reads about 256 KB from its caches: half of this."""

PART_BYTES, MOST_PARTS = 1 << 16, 256
"""A part of an operand: small enough that 2 to 8 threads share the smallest parallel operand evenly, and no more parts
than the widest machines have threads. They depend on the size alone, so no bit of a result depends on the threads."""

LINE_BYTES = 64
"""A cache line: partial results stand that far apart, or threads would take the line from each other."""


@njit(nogil=True)
def part_count(read_bytes):
    """Parts to share among threads; 1 where one thread is faster alone."""
    if read_bytes < PARALLEL_BYTES:
        return 1
    return min(MOST_PARTS, read_bytes // PART_BYTES)


@njit(nogil=True)
def part(size, parts, index):
    """(first, last) of the index-th of equal parts of ``size`` elements, cut at multiples of CHAINS."""
    each = ((size + CHAINS - 1) // CHAINS + parts - 1) // parts * CHAINS
    return min(index * each, size), min((index + 1) * each, size)

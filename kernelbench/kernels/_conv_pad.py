"""An image with zeros around it, its columns dealt to phases: every vector load of a convolution is then contiguous.

padded[c, rows, phases, width]: column j of phase f is column j stride + f of the padded image, so the input of
neighbouring pixels lies side by side whatever the stride. Copying costs two instructions a vector, against the
2 k r s operations that each element takes part in.
"""

from llvmlite import ir
from numba import njit
from numba.extending import intrinsic

from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import element_pointer, moved
from kernelbench.simd.vectortype import WORD, VectorType


def _alternate(first):
    def typed(typingctx, low, high):
        if not isinstance(low, VectorType) or low != high:
            return None

        def codegen(context, builder, signature, args):
            numbers = [first + 2 * i for i in range(low.lanes)]
            return builder.shuffle_vector(*args, ir.Constant(ir.VectorType(WORD, low.lanes), numbers))

        return low(low, high), codegen

    return typed


_even, _odd = _alternate(0), _alternate(1)


@intrinsic
def even_lanes(typingctx, low, high):
    """Lanes 0, 2, 4 ... of two vectors taken as one."""
    return _even(typingctx, low, high)


@intrinsic
def odd_lanes(typingctx, low, high):
    """Lanes 1, 3, 5 ... of two vectors taken as one."""
    return _odd(typingctx, low, high)


@njit(nogil=True)
def clear(at, count, like):
    """Zeros in at[0:count]."""
    step = simd.lanes(like)
    for j in range(0, count - step + 1, step):
        simd.store(at, j, simd.zeros(like))
    for j in range(count // step * step, count):
        at[j] = like.dtype.type(0)


@njit(nogil=True)
def fill_plane(x, image, channel, stride, reach, rows, width, target):
    """The inside of target[rows, stride, width] = channel ``channel`` of x[image], ``reach`` = (rows, columns) in.

    What lies around it is left as it is: zeros, since ``clear``.
    """
    top, left = reach
    h, w = x.shape[2], x.shape[3]
    for row in range(top, min(rows, top + h)):
        at = moved(target, row * stride * width)
        start = element_pointer(x, ((image * x.shape[1] + channel) * h + row - top) * w)
        if stride == 1:
            copy_row(moved(at, left), start, min(w, width - left), x)
        else:
            deal_row(at, start, w, stride, left, width, x)


@njit(nogil=True, forceinline=True)
def copy_row(at, start, count, like):
    """at[0:count] = start[0:count]"""
    step = simd.lanes(like)
    if count < step:
        for j in range(count):
            at[j] = start[j]
        return
    for j in range(0, count - step, step):
        simd.store(at, j, simd.load(start, j))
    # The last vector may overlap the one before: cheaper than what is left over one by one.
    simd.store(at, count - step, simd.load(start, count - step))


@njit(nogil=True)
def deal_row(at, start, count, stride, left, width, like):
    """Column j of the input to phase (j + left) % stride, place (j + left) // stride, as far as phases are wide."""
    # Beyond, columns have no place: no weight meets them.
    room = min(count, stride * width - left)
    if stride != 2:
        for j in range(left, room + left):
            at[j % stride * width + j // stride] = start[j - left]
        return
    step = simd.lanes(like)
    first, second = moved(at, (left & 1) * width + (left >> 1)), moved(at, (left + 1 & 1) * width + (left + 1 >> 1))
    for j in range(0, room - 2 * step + 1, 2 * step):
        u, v = simd.load(start, j), simd.load(start, j + step)
        simd.store(first, j >> 1, even_lanes(u, v))
        simd.store(second, j >> 1, odd_lanes(u, v))
    done = room // (2 * step) * (2 * step)
    rest = room - done
    if rest:
        u, v = simd.load_part(start, done, rest), simd.load_part(start, done + step, rest - step)
        simd.store_part(first, done >> 1, even_lanes(u, v), rest + 1 >> 1)
        simd.store_part(second, done >> 1, odd_lanes(u, v), rest >> 1)

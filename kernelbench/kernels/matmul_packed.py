"""matmul, the last rungs: a register tile over packed panels, as a BLAS is built

  packed           14 x 32 sums in registers (AVX-512, f32), b in panels, a in slivers: every load feeds many FMAs
  packed_parallel  a part of c for each thread, each with panels of its own

Packing is part of the call, as it is in a BLAS; only scratch memory is made ahead. Operands, work and tolerance
are the op's (matmul.py): each c[i,j] adds its products in order, one FMA after the other, so nothing is reordered.
"""

from numba import get_num_threads, njit, prange

from kernelbench.kernels._gemm import MR, WORKSPACE_BYTES, product
from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.kernels._scratch import Scratch
from kernelbench.kernels.matmul import matmul


def _with_workspace(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n], scratch for one thread)"""
    return (*inputs, Scratch.of(WORKSPACE_BYTES))


def _with_workspaces(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n], scratch for each thread, their number)"""
    # Asked for in compiled code, the number would be an address of this process: Numba would not cache the kernel.
    threads = get_num_threads()
    return (*inputs, Scratch.of(threads * WORKSPACE_BYTES), threads)


@matmul.variant(style="packed", dtypes=("f64", "f32"), prepare=_with_workspace)
@njit(nogil=True)
def packed(a, b, work, c):
    """A tile of c in registers over packed panels of b: two vectors loaded for 28 vectors of FMAs."""
    # a[m,k], b[k,n], c[m,n]; work is the address of scratch memory
    product(a, b, c, 0, a.shape[0], 0, b.shape[1], work)


@matmul.variant(style="parallel", dtypes=("f64", "f32"), parallel=True, prepare=_with_workspaces)
@njit(nogil=True, parallel=True)
def packed_parallel(a, b, work, threads, c):
    """Packed, a part of c for each thread: bands of rows, cut into columns too where rows are few."""
    # a[m,k], b[k,n], c[m,n]; work is the address of scratch memory, WORKSPACE_BYTES for each thread
    m, n = c.shape
    # A band of fewer than 8 tiles' rows would not repay its packing; what threads remain share the columns.
    bands = max(1, min(threads, m // (8 * MR)))
    parts = threads // bands
    for part in prange(bands * parts):
        band, strip = part // parts, part % parts
        # Strips begin at whole cache lines of c's first row, so that two threads seldom write to the same one.
        lines = (n + 15) // 16
        left, right = lines * strip // parts * 16, min(n, lines * (strip + 1) // parts * 16)
        product(a, b, c, m * band // bands, m * (band + 1) // bands, left, right, work + part * WORKSPACE_BYTES)

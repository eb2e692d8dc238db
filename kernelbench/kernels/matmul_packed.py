"""matmul, the last rungs: a register tile over packed panels, as a BLAS is built

  packed           14 x 32 sums in registers (AVX-512, f32), b in panels, a in slivers: every load feeds many FMAs
  packed_parallel  a part of c for each thread, each with panels of its own

Packing is part of the call, as it is in a BLAS; only scratch memory is made ahead. Operands, work and tolerance
are the op's (matmul.py): each c[i,j] adds its products in order, one FMA after the other, so nothing is reordered.

Blocks are arguments of the call, which `kernelbench tune` chooses anew: what they should be depends on the caches.
The tile itself is compiled in, for it must fit the registers.
"""

from numba import get_num_threads, njit, prange

from kernelbench.kernels._gemm import KC_BYTES, MR, NC_BYTES, PACK_FROM_BLOCKS, product_by, workspace_bytes
from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.kernels._scratch import Scratch
from kernelbench.kernels.matmul import matmul

BLOCKS = {
    "kc_bytes": (KC_BYTES, 640, 1280, 1920),
    "nc_bytes": (NC_BYTES, 1024, 2048, 8192, 16384),
}
"""A slice of a row of a, at most, and of the columns of a block of b, in f32: kc x nc of b are 160 KiB to
10 MiB, so that some fit every L2 or share of an L3. No slice is longer than KC_BYTES: so far apart lie a sliver's
rows."""
PACK_FROM = {"pack_from": (PACK_FROM_BLOCKS, 1 << 20)}
"""Blocks of mr rows from which on b is packed: the default, or never. Packing always loses where rows are few."""
BAND_TILES = 8
"""A band of fewer tiles' rows would not repay its packing."""


def _blocks(shape: Shape) -> Arrays:
    return shape["kc_bytes"], shape["nc_bytes"], shape["pack_from"]


def _with_workspace(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n], kc_bytes, nc_bytes, pack_from, scratch for one thread)"""
    return (*inputs, *_blocks(shape), Scratch.of(workspace_bytes(shape["kc_bytes"], shape["nc_bytes"])))


def _with_workspaces(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n], kc_bytes, nc_bytes, pack_from, least tiles a band, scratch of a thread, its size, threads)"""
    # Asked for in compiled code, the number would be an address of this process: Numba would not cache the kernel.
    threads, each = get_num_threads(), workspace_bytes(shape["kc_bytes"], shape["nc_bytes"])
    return (*inputs, *_blocks(shape), shape["band_tiles"], Scratch.of(threads * each), each, threads)


@matmul.variant(style="packed", dtypes=("f64", "f32"), prepare=_with_workspace, tunable={**BLOCKS, **PACK_FROM})
@njit(nogil=True)
def packed(a, b, kc_bytes, nc_bytes, pack_from, work, c):
    """A tile of c in registers over packed panels of b: two vectors loaded for 28 vectors of FMAs."""
    # a[m,k], b[k,n], c[m,n]; work is the address of scratch memory
    product_by(a, b, c, 0, a.shape[0], 0, b.shape[1], kc_bytes, nc_bytes, pack_from, work)


@matmul.variant(
    style="parallel",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_with_workspaces,
    tunable={**BLOCKS, **PACK_FROM, "band_tiles": (BAND_TILES, 1, 2, 4, 16)},
)
@njit(nogil=True, parallel=True)
def packed_parallel(a, b, kc_bytes, nc_bytes, pack_from, band_tiles, work, each, threads, c):
    """Packed, a part of c for each thread: bands of rows, cut into columns too where rows are few."""
    # a[m,k], b[k,n], c[m,n]; work is the address of scratch memory, ``each`` bytes for each thread
    m, n = c.shape
    # What threads remain where bands are few share the columns.
    bands = max(1, min(threads, m // (band_tiles * MR)))
    parts = threads // bands
    for part in prange(bands * parts):
        band, strip = part // parts, part % parts
        # Strips begin at whole cache lines of c's first row, so that two threads seldom write to the same one.
        lines = (n + 15) // 16
        left, right = lines * strip // parts * 16, min(n, lines * (strip + 1) // parts * 16)
        first, last = m * band // bands, m * (band + 1) // bands
        product_by(a, b, c, first, last, left, right, kc_bytes, nc_bytes, pack_from, work + part * each)

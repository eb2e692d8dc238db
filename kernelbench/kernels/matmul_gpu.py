"""matmul, as a GPU runs it: a grid of blocks, tiles shared by a block, threads as lanes, barriers

What a CUDA kernel says for one thread (tx, ty) of a block, the multiplier of one column in a few rows:

    __shared__ float tile_a[32][64], tile_b[64][64];
    float sum[4] = {0};                                       // registers, alive across barriers
    for (int p0 = 0; p0 < k; p0 += 64) {
        copy(tile_a, a, ...); copy(tile_b, b, ...);           // each thread a few elements
        __syncthreads();                                      // tiles complete before anyone reads
        for (int p = 0; p < 64; p++) for (int r = 0; r < 4; r++) sum[r] += tile_a[4 * ty + r][p] * tile_b[p][tx];
        __syncthreads();                                      // all have read before anyone overwrites
    }
    for (int r = 0; r < 4; r++) c[...] = sum[r];

A CPU core has no thousand threads to switch between. It runs the block instead, one phase after the other:

  grid      blocks are independent, in any order: a loop shared out over the cores
  lanes     neighbours in tx do the same thing to neighbouring columns: they are the lanes of a vector (a warp)
  barrier   the loop over the warps of a block is cut in two wherever the kernel says __syncthreads(): all warps
            finish one phase before any begins the next (loop fission, as MCUDA and POCL do it: Stratton 2008)
  registers what a thread keeps across a barrier must be put away at the end of a phase, for the core goes on
            with other threads: ``sums`` has a place for each
  shared    memory is plain memory; the tiles of 8 + 16 KiB and 8 KiB of sums stay in L1 because nothing else is used

What is left of a GPU's trick is its blocking: every element copied to a tile serves 32 or 64 multiply-adds, and the
copies have the strides of the tiles, not of a and b. Operands, work and tolerance are the op's (matmul.py): each
c[i,j] adds its products in order, so nothing is reordered.
"""

from numba import get_num_threads, njit, prange

from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.kernels._scratch import Scratch
from kernelbench.kernels.matmul import matmul
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import moved, pointer_at

BLOCK_ROWS, BLOCK_COLUMNS, STEPS = 32, 64, 64
"""A block's part of c, and the steps of k between two barriers."""
ROWS = 4
"""Rows of one thread: each element of b it reads serves 4 sums. With two vectors of columns a warp has 8 sums under
way, enough to hide 4 cycles of an FMA, and 11 registers of the 16 that any x86-64 has."""
TILE_A, TILE_B, SUMS = BLOCK_ROWS * STEPS, STEPS * BLOCK_COLUMNS, BLOCK_ROWS * BLOCK_COLUMNS
BLOCK_BYTES = 4 * (TILE_A + TILE_B + SUMS)
"""32 KiB of f32 for the core that runs a block."""


@njit(nogil=True)
def copy_tile(x, row, column, rows, width, pitch, tile):
    """tile[rows,pitch] = x[row : row + rows, column : column + width], zeros beyond x: each lane one element.

    Columns from ``width``, cut off at x's edge, to the end of a vector are filled as well; rows beyond x with zeros.
    """
    m, n = x.shape
    step = simd.lanes(x)
    for r in range(rows):
        inside = width if row + r < m else 0
        start = (row + r) * n + column
        for j in range(0, width, step):
            value = simd.load(x, start + j) if j + step <= inside else simd.load_part(x, start + j, max(0, inside - j))
            simd.store(tile, r * pitch + j, value)


@njit(nogil=True)
def multiply_warp(tile_a, tile_b, sums, row, column, steps):
    """The phase between the barriers for one warp: ROWS rows of two vectors of columns of ``sums``, ``steps`` of k."""
    step = simd.lanes(tile_b)
    a0, b = row * STEPS, column
    a1, a2, a3 = a0 + STEPS, a0 + 2 * STEPS, a0 + 3 * STEPS
    s0 = row * BLOCK_COLUMNS + column
    s1, s2, s3 = s0 + BLOCK_COLUMNS, s0 + 2 * BLOCK_COLUMNS, s0 + 3 * BLOCK_COLUMNS
    c00, c01 = simd.load(sums, s0), simd.load(sums, s0 + step)
    c10, c11 = simd.load(sums, s1), simd.load(sums, s1 + step)
    c20, c21 = simd.load(sums, s2), simd.load(sums, s2 + step)
    c30, c31 = simd.load(sums, s3), simd.load(sums, s3 + step)
    for p in range(steps):
        x, y = simd.load(tile_b, b), simd.load(tile_b, b + step)
        c00, c01 = simd.fma(x, tile_a[a0 + p], c00), simd.fma(y, tile_a[a0 + p], c01)
        c10, c11 = simd.fma(x, tile_a[a1 + p], c10), simd.fma(y, tile_a[a1 + p], c11)
        c20, c21 = simd.fma(x, tile_a[a2 + p], c20), simd.fma(y, tile_a[a2 + p], c21)
        c30, c31 = simd.fma(x, tile_a[a3 + p], c30), simd.fma(y, tile_a[a3 + p], c31)
        b += BLOCK_COLUMNS
    simd.store(sums, s0, c00), simd.store(sums, s0 + step, c01)
    simd.store(sums, s1, c10), simd.store(sums, s1 + step, c11)
    simd.store(sums, s2, c20), simd.store(sums, s2 + step, c21)
    simd.store(sums, s3, c30), simd.store(sums, s3 + step, c31)


@njit(nogil=True)
def write_sums(sums, c, row, column):
    """The last phase: c's part of the block, as much of it as c has."""
    m, n = c.shape
    width = min(BLOCK_COLUMNS, n - column)
    for r in range(min(BLOCK_ROWS, m - row)):
        for j in range(0, width, simd.lanes(c)):
            value = simd.load(sums, r * BLOCK_COLUMNS + j)
            if j + simd.lanes(c) <= width:
                simd.store(c, (row + r) * n + column + j, value)
            else:
                simd.store_part(c, (row + r) * n + column + j, value, width - j)


@njit(nogil=True)
def run_block(a, b, c, row, column, shared):
    """Every thread of one block, phase by phase; ``shared`` is the block's memory."""
    tile_a, tile_b, sums = shared, moved(shared, TILE_A), moved(shared, TILE_A + TILE_B)
    # Threads beyond c have nothing to do: whole warps of them are left out, single ones compute in vain.
    step, k = simd.lanes(c), a.shape[1]
    rows = (min(BLOCK_ROWS, c.shape[0] - row) + ROWS - 1) // ROWS * ROWS
    columns = min(BLOCK_COLUMNS, c.shape[1] - column)
    for j in range(0, rows * BLOCK_COLUMNS, step):
        simd.store(sums, j, simd.zeros(c))
    for p in range(0, k, STEPS):
        steps = min(STEPS, k - p)
        copy_tile(a, row, p, rows, steps, STEPS, tile_a)
        copy_tile(b, p, column, steps, columns, BLOCK_COLUMNS, tile_b)
        # Barrier: both loops have ended, so the tiles are complete.
        for j in range(0, columns, 2 * step):
            for i in range(0, rows, ROWS):
                multiply_warp(tile_a, tile_b, sums, i, j, steps)
        # Barrier: every warp has read the tiles, so the next trip may overwrite them.
    write_sums(sums, c, row, column)


def _with_shared_memory(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n], the memory that blocks share, one part for each core, number of cores)"""
    # Asked for in compiled code, the number would be an address of this process: Numba would not cache the kernel.
    cores = get_num_threads()
    return (*inputs, Scratch.of(cores * BLOCK_BYTES), cores)


@matmul.variant(style="gpu_style", dtypes=("f32",), parallel=True, prepare=_with_shared_memory)
@njit(nogil=True, parallel=True)
def gpu_style(a, b, memory, cores, c):
    """A CUDA kernel's grid, shared tiles, warps and barriers on the CPU: blocks over cores, threads as lanes."""
    # a[m,k], b[k,n], c[m,n]; memory is the address of BLOCK_BYTES for each of the cores
    m, n = c.shape
    down, across = (m + BLOCK_ROWS - 1) // BLOCK_ROWS, (n + BLOCK_COLUMNS - 1) // BLOCK_COLUMNS
    # A grid-stride loop: as many "multiprocessors" as cores, each taking every cores-th block.
    for core in prange(min(cores, down * across)):
        shared = pointer_at(memory + core * BLOCK_BYTES, c)
        for block in range(core, down * across, cores):
            run_block(a, b, c, block // across * BLOCK_ROWS, block % across * BLOCK_COLUMNS, shared)

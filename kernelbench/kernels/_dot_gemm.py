"""The blocking of the products of 8-bit integers and of bf16 (compare _gemm, whose loops these are, in words).

    for j0 in n by nc        b[k, nc] becomes panels of words, nr wide, read from L2 or L3
      for i in m by mr       a block of rows of the result
        for p0 in k by kc    a[mr, kc], the sliver, is copied to its place in L1
          for j in nc by nr  the tile: sums[mr, nr] live in registers for kc words

Panels are packed right before the first block of rows that needs them, some at a time, so that their words still lie
in cache then. Where one block is all there is (m <= mr: a model answering one token), each group of panels takes the
place of the one before it in L1, and nothing but b itself is read from memory.
"""

import numpy as np
from numba import njit

from kernelbench.kernels._dot_tile import (
    KC,
    LANES,
    MR_BF16,
    MR_I8,
    NR,
    SLIVER_ROW,
    interleave,
    memory_at,
    tile,
)
from kernelbench.simd import lanes as simd
from kernelbench.simd.dot import dot4
from kernelbench.simd.vector import element_bytes, element_pointer, moved

NC = 1024
"""Columns of b at once; as in _gemm, a panel read from L3 instead of L2 costs nothing that could be measured."""
PANELS_BYTES = 4 << 20
"""Panels at once: fewer columns where k is long. Not fewer than NC_LEAST, or copying slivers would show."""
NC_LEAST = 8 * NR
GROUP = 8 * NR
"""Columns packed together: 256 bytes of a row of int8 at AVX-512, enough to set prefetchers going; 8 panels of kc words
are 393 KB, which L2 has room for."""
KC_LONE = 24
"""kc where b is used by one block of rows: a group of panels is then 25 KiB and stays in L1."""
STRIP_LEAST = 4 * NR
"""Columns of a thread's strip: with fewer, copying a's slivers would show."""
CROSSOVER = 1 << 20
"""m n k below which one thread is as fast: 1 M products take 5 us on one core, about what entering a team costs."""
MR = max(MR_I8, MR_BF16)
SLIVER_BYTES = MR * SLIVER_ROW * 4
SUMS_BYTES = MR * NC * 4
HEAD_BYTES = SLIVER_BYTES + SUMS_BYTES + 4 * NR * 4


@njit(nogil=True)
def panel_rows(k, itemsize):
    """Rows of words that b[k,:] takes in its panels: its own, and one for each slice of kc."""
    words = (k * itemsize + 3) // 4
    return words + (words + KC - 1) // KC


@njit(nogil=True)
def work_bytes(k, itemsize):
    """Scratch of one thread for a product with b[k,:] of ``itemsize`` bytes an element, whole pages."""
    panels = max(PANELS_BYTES, 4 * NC_LEAST * panel_rows(k, itemsize))
    return (HEAD_BYTES + panels + 4095) // 4096 * 4096


def scratch_bytes(k: int, itemsize: int) -> int:
    """``work_bytes`` without compiling it."""
    panels: int = max(PANELS_BYTES, 4 * NC_LEAST * panel_rows.py_func(k, itemsize))
    return -(-(HEAD_BYTES + panels) // 4096) * 4096


@njit(nogil=True)
def parts_of_rows(threads, n):
    """(bands of rows, strips of columns) for the threads: strips first, for every band packs b for itself."""
    strips = max(1, min(threads, n // STRIP_LEAST))
    return threads // strips, strips


@njit(nogil=True)
def part_of(part, bands, strips, m, n):
    """(i0, i1, j0, j1) of a part of c[m,n]; strips are whole panels, which are whole cache lines."""
    band, strip, panels = part // strips, part % strips, (n + NR - 1) // NR
    left, right = panels * strip // strips * NR, min(n, panels * (strip + 1) // strips * NR)
    return m * band // bands, m * (band + 1) // bands, left, right


@njit(nogil=True)
def columns_at_once(k, itemsize):
    """nc: as many columns as PANELS_BYTES hold, between NC_LEAST and NC, whole panels."""
    fit = PANELS_BYTES // (4 * max(1, panel_rows(k, itemsize))) // NR * NR
    return max(NC_LEAST, min(NC, fit))


@njit(nogil=True, inline="always")
def offset_of(a):
    """What is added to a so that its bytes are unsigned: 128 for int8, else nothing."""
    return 128 if a.dtype.type(-1) < a.dtype.type(0) else 0


@njit(nogil=True)
def copy_sliver(a, row, rows, first, count, sliver):
    """sliver[rows, count] = a[row : row + rows, first : first + count], and anything up to a whole vector.

    Signed bytes become unsigned: a + 128, which is a with its highest bit turned.
    """
    each, step, k = 4 // element_bytes(a), simd.lanes(a), a.shape[1]
    flip = a.dtype.type(-offset_of(a))
    whole = count // step * step
    for r in range(rows):
        at, source = r * SLIVER_ROW * each, (row + r) * k + first
        for v in range(0, whole, step):
            simd.store(sliver, at + v, simd.load(a, source + v) ^ flip)
        if whole < count:
            simd.store(sliver, at + whole, simd.load_part(a, source + whole, count - whole) ^ flip)


@njit(nogil=True)
def pack_ragged(b, first, count, column, width, aside, panel):
    """panel[NR] = a word of each of b[first : first + count, column : column + width], zeros beyond; put together
    aside."""
    zero = b.dtype.type(0)
    for r in range(4 // element_bytes(b)):
        inside = width if r < count else 0
        for s in range(inside):
            aside[r * NR + s] = b[first + r, column + s]
        for s in range(inside, NR):
            aside[r * NR + s] = zero
    interleave(aside, NR, panel)


@njit(nogil=True)
def pack_panels(b, first, count, column, width, aside, panels, apart):
    """Panels of b[first : first + count, column : column + width], ``apart`` words from one to the next.

    Word by word down the rows, for each all panels: reading rows of b 32 bytes at a time would fetch every line twice
    and keep the prefetchers idle.
    """
    each, n = 4 // element_bytes(b), b.shape[1]
    for p in range(0, count, each):
        whole = width // NR * NR if p + each <= count else 0
        at, source = moved(panels, p // each * NR), element_pointer(b, (first + p) * n + column)
        for s in range(0, whole, NR):
            interleave(moved(source, s), n, moved(at, s // NR * apart))
        for s in range(whole, width, NR):
            pack_ragged(b, first + p, count - p, column + s, min(NR, width - s), aside, moved(at, s // NR * apart))


@njit(nogil=True)
def begin_sums(panel, words, offset):
    """panel[0, NR], what every sum begins with: -offset x the sum of the signed bytes in each column below it."""
    one = simd.reinterpret(simd.fill(panel, np.int32(0x01010101)), np.uint8)
    for j in range(0, NR, LANES):
        # Four sums in turn, for each waits for the one before: 4 or 5 cycles.
        s0, s1, s2, s3 = simd.zeros(panel), simd.zeros(panel), simd.zeros(panel), simd.zeros(panel)
        fours = words // 4 * 4 if offset else 0
        for p in range(1, fours, 4):
            s0 = dot4(s0, one, signed_bytes(panel, p * NR + j))
            s1 = dot4(s1, one, signed_bytes(panel, (p + 1) * NR + j))
            s2 = dot4(s2, one, signed_bytes(panel, (p + 2) * NR + j))
            s3 = dot4(s3, one, signed_bytes(panel, (p + 3) * NR + j))
        for p in range(fours + 1, words + 1 if offset else 0):
            s0 = dot4(s0, one, signed_bytes(panel, p * NR + j))
        simd.store(panel, j, (s0 + s1 + s2 + s3) * np.int32(-offset))


@njit(nogil=True)
def signed_bytes(words, at):
    """A vector of ``words`` from ``at`` on as int8."""
    return simd.reinterpret(simd.load(words, at), np.int8)


@njit(nogil=True)
def block_of_rows(a, b, top, rows, j, columns, fresh, lone, work, panels, target, target_row):
    """target[rows, columns] = a[top : top + rows] @ b[:, j : j + columns]; a ragged last panel's part is left in the
    sums of ``work``.

    ``panels``: those of b from column j on, filled from it first where they are ``fresh``; else b is not read. Where
    the block is ``lone``, each group of them takes the place of the one before.
    """
    k, itemsize = a.shape[1], element_bytes(a)
    kc = KC_LONE if lone else KC
    steps, apart = 4 * kc // itemsize, (kc + 1 if lone else panel_rows(k, itemsize)) * NR
    aside, edge = memory_at(work + SLIVER_BYTES + SUMS_BYTES, b), memory_at(work + SLIVER_BYTES, target)
    for r in range(0 if k else rows):  # empty sums
        for s in range(columns):
            target[r * target_row + s] = edge[r * NC + s] = 0
    for p in range(0, k, steps):
        count = min(steps, k - p)
        words = (count * itemsize + 3) // 4
        copy_sliver(a, top, rows, p, count, memory_at(work, a))
        for g in range(0, columns, GROUP):
            width = min(GROUP, columns - g)
            group = panels if lone else moved(panels, g // NR * apart + p // steps * (kc + 1) * NR)
            if fresh:
                pack_panels(b, p, count, j + g, width, aside, moved(group, NR), apart)
            for s in range(0, width, NR):
                panel = moved(group, s // NR * apart)
                if fresh:
                    begin_sums(panel, words, offset_of(a))
                whole = s + NR <= width
                to, to_row = (moved(target, g + s), target_row) if whole else (moved(edge, g + s), NC)
                tile(rows, words, memory_at(work, np.int32), panel, to, to_row, p == 0)

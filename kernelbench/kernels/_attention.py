"""Attention without its matrix of scores: tiles of it, made, weighed and used up in cache (Dao et al. 2022).

    for each head                   its keys are transposed into panels, 2 vectors wide, once
      for mr queries at a time      scaled, in a sliver in L1
        for KEYS keys at a time     scores[mr, keys] = queries @ keys^T     the register tile of a matmul
                                    weights = exp(scores - m), m the largest score so far; sums += weights
                                    o[mr, d] = o exp(old m - m) + weights @ values     the same tile again
        o /= sums

Subtracting any m leaves o as it is (Milakov and Gimelshein 2018): the largest keeps exp from overflowing, and when a
later block raises it, what is summed so far shrinks by exp(old m - m). The scores lie as the register tile wants
its left operand, so the second product reads them where the first has left them, 21 KiB in L1.
"""

import numpy as np
from numba import carray, njit

from kernelbench.kernels._gemm import KC_BYTES, MR, PAD_BYTES, VECTOR_BYTES, VECTORS, tile
from kernelbench.kernels._transpose_tile import transpose_tile
from kernelbench.simd import lanes as simd
from kernelbench.simd.math import exp
from kernelbench.simd.vector import element_pointer, moved, pointer_at

KEYS = 384
"""Keys at a time: 14 rows of their scores are 21 KiB, two thirds of a 32 KiB L1; a sliver has room for KC_BYTES."""
STRIDE = (KC_BYTES + PAD_BYTES) // 4
"""Elements from one row of a sliver to the next."""
LANES = max(VECTOR_BYTES // 4, 1)
NR = VECTORS * LANES
NOTHING = np.float32(-np.inf)
"""The score of what is not seen: its weight is exp(-inf) = 0."""

_SLIVER = MR * STRIDE
_HIGHEST = 2 * _SLIVER
_SUMS = _HIGHEST + 16
_OUTPUT = _SUMS + 16
"""Where scratch memory holds what, in elements: queries, weights, then a number each query, then o unscaled."""


def scratch_bytes(t: int, d: int) -> int:
    """Scratch memory one thread needs for heads of t keys of d elements."""
    wide = d + 16
    return -(-4 * (_OUTPUT + MR * wide + 16 + (t + 16) * d + 16 + t * wide * (d % LANES > 0)) // 4096) * 4096


@njit(nogil=True)
def whole(n):
    """n rounded up to whole vectors."""
    return (n + LANES - 1) // LANES * LANES


@njit(nogil=True)
def seen_by(query, s, t, causal):
    """Keys that a query sees: the s queries are the last of t positions, and none looks ahead."""
    return max(0, min(t, query + 1 + t - s)) if causal else t


@njit(nogil=True)
def multiply(rows, vectors, steps, a, b, b_row, c, c_row, first):
    """The register tile, compiled once for both products."""
    tile(rows, vectors, steps, a, b, b_row, c, c_row, first)


@njit(nogil=True)
def pack_keys(k, panels):
    """panels[d, width] of NR keys each, the last one of whole vectors, zeros beyond: k[t,d] transposed in squares."""
    t, d = k.shape
    for first in range(0, t, NR):
        width = min(NR, t - first)
        panel = carray(moved(panels, first * d), (d, whole(width)))
        keys = k[first:]
        for i in range(0, width, LANES):
            # Squares where both sides are whole, single elements at the edges.
            squares = d // LANES * LANES if i + LANES <= width else 0
            for j in range(0, squares, LANES):
                transpose_tile(keys, i, j, panel)
            for p in range(squares, d):
                for lane in range(i, i + LANES):
                    panel[p, lane] = keys[lane, p] if lane < width else np.float32(0)


@njit(nogil=True)
def copy_values(v, values):
    """values[t, d to whole vectors] = v[t,d], zeros beyond."""
    t, d = v.shape
    for i in range(t):
        for j in range(0, d, LANES):
            simd.store(values, i * whole(d) + j, simd.load_part(v, i * d + j, d - j))


@njit(nogil=True)
def copy_queries(q, top, rows, p, steps, scale, sliver):
    """sliver[rows, steps] = scale q[top : top + rows, p : p + steps]."""
    d = q.shape[1]
    for r in range(rows):
        for j in range(0, steps, LANES):
            part = simd.load_part(q, (top + r) * d + p + j, steps - j)
            simd.store(sliver, r * STRIDE + j, part * scale)


@njit(nogil=True, inline="always")
def score(q, panels, top, rows, first, keys, t, work):
    """The sliver of weights = scores of queries top.. and keys first..first + keys, scaled by 1 / sqrt(d)."""
    d = q.shape[1]
    queries, scores = pointer_at(work, q), pointer_at(work + 4 * _SLIVER, q)
    scale = np.float32(1 / np.sqrt(max(d, 1)))
    for p in range(0, d, KEYS):
        steps = min(KEYS, d - p)
        if first == 0 or d > KEYS:
            copy_queries(q, top, rows, p, steps, scale, queries)
        for j in range(0, keys, NR):
            width = whole(min(NR, t - first - j))
            panel = moved(panels, (first + j) * d + p * width)
            multiply(rows, width // LANES, steps, queries, panel, width, moved(scores, j), STRIDE, p == 0)


@njit(nogil=True)
def weigh(scores, at, seen, highest):
    """scores[at : at + seen] become exp(scores - m), with zeros to a whole vector; m = max(highest, scores).

    Returns m, what was subtracted (m, or 0 while there is no score above -inf) and the sum of the weights.
    """
    end = at + whole(seen)
    for j in range(at + seen, end):
        scores[j] = NOTHING
    most = simd.fill(scores, highest)
    for j in range(at, end, LANES):
        most = simd.maximum(simd.load(scores, j), most)
    m = simd.highest(most)
    base = m if m > NOTHING else np.float32(0)
    total = simd.zeros(scores)
    for j in range(at, end, LANES):
        weight = exp(simd.load(scores, j) - base)
        simd.store(scores, j, weight)
        total = total + weight
    return m, base, simd.sum(total)


@njit(nogil=True)
def weigh_rows(top, rows, first, keys, s, t, d, causal, work, like):
    """Weights of a block from its scores; o and the sums so far shrink where a score is the highest so far."""
    scores, output = pointer_at(work + 4 * _SLIVER, like), pointer_at(work + 4 * _OUTPUT, like)
    highest, sums = pointer_at(work + 4 * _HIGHEST, like), pointer_at(work + 4 * _SUMS, like)
    for r in range(rows):
        before = NOTHING if first == 0 else highest[r]
        seen = max(0, min(keys, seen_by(top + r, s, t, causal) - first))
        m, base, total = weigh(scores, r * STRIDE, seen, before)
        for j in range(whole(seen), keys):
            scores[r * STRIDE + j] = 0
        if first > 0:
            factor = exp(simd.fill(output, before - base))
            for j in range(r * whole(d), (r + 1) * whole(d), LANES):
                simd.store(output, j, simd.load(output, j) * factor)
            total += sums[r] * simd.highest(factor)
        highest[r], sums[r] = m, total


@njit(nogil=True, error_model="numpy")
def put_out(o, top, rows, s, t, causal, work):
    """o[top : top + rows] = what is summed up, divided by the sum of the weights; zeros where no key is seen."""
    d = o.shape[1]
    output, sums = pointer_at(work + 4 * _OUTPUT, o), pointer_at(work + 4 * _SUMS, o)
    for r in range(rows):
        none = seen_by(top + r, s, t, causal) == 0
        part = np.float32(0) if none else np.float32(1) / sums[r]
        for j in range(0, d, LANES):
            value = simd.zeros(o) if none else simd.load(output, r * whole(d) + j) * part
            simd.store_part(o, (top + r) * d + j, value, d - j)


@njit(nogil=True, inline="always")
def block_of_queries(q, v, o, panels, values, v_row, top, rows, causal, work):
    """o[top : top + rows, :] of one head, from packed keys and values with rows v_row apart."""
    (s, d), t = q.shape, v.shape[0]
    weights, output = pointer_at(work + 4 * _SLIVER, q), pointer_at(work + 4 * _OUTPUT, q)
    # Blocks of keys that lie ahead of the last query are never touched.
    seen = seen_by(top + rows - 1, s, t, causal)
    for first in range(0, seen, KEYS):
        keys = min(KEYS, seen - first)
        score(q, panels, top, rows, first, keys, t, work)
        weigh_rows(top, rows, first, keys, s, t, d, causal, work, q)
        for j in range(0, d, NR):
            vectors = whole(min(NR, d - j)) // LANES
            at = moved(values, first * v_row + j)
            multiply(rows, vectors, keys, weights, at, v_row, moved(output, j), whole(d), first == 0)
    put_out(o, top, rows, s, t, causal, work)


@njit(nogil=True)
def blocks_of(s):
    """Blocks of at most mr queries; their heights differ by one at most."""
    return (s + MR - 1) // MR


@njit(nogil=True)
def attend(q, k, v, causal, begin, end, work, o):
    """Blocks of queries begin..end, counted through all heads; ``work`` is the address of ``scratch_bytes``."""
    # q[b,h,s,d], k,v[b,h,t,d], o[b,h,s,d]
    heads, s, t, d = q.shape[1], q.shape[2], k.shape[2], q.shape[3]
    blocks, packed = blocks_of(s), -1
    panels = pointer_at(work + 4 * (_OUTPUT + MR * whole(d) + 16) // 64 * 64, q)
    for unit in range(begin, end):
        head, block = unit // blocks, unit % blocks
        batch, inner = head // heads, head % heads
        values, v_row = element_pointer(v, head * t * d), d
        if d % LANES:
            values, v_row = moved(panels, (t + 16) * d // 16 * 16 + 16), whole(d)
        if head != packed:
            packed = head
            pack_keys(k[batch, inner], panels)
            if d % LANES:
                copy_values(v[batch, inner], values)
        top, after = s * block // blocks, s * (block + 1) // blocks
        block_of_queries(
            q[batch, inner], v[batch, inner], o[batch, inner], panels, values, v_row, top, after - top, causal, work
        )


@njit(nogil=True)
def share(part, parts, heads, s, t, causal):
    """First block of queries of one of ``parts`` parts of equal work, counted in keys seen."""
    blocks, each = blocks_of(s), 0
    for block in range(blocks):
        each += seen_by(s * (block + 1) // blocks - 1, s, t, causal) + 1
    goal = heads * each * part // parts
    head, rest = goal // max(each, 1), goal % max(each, 1)
    unit = head * blocks
    for block in range(blocks):
        rest -= seen_by(s * (block + 1) // blocks - 1, s, t, causal) + 1
        unit += rest >= 0
    return unit

"""One query against a cache of keys and values: both are read once, in blocks, front to back.

    for each block of keys     scores = q . k a key, in lanes, 4 keys at once
                               weights = exp(scores - m), m the largest score so far
                               sum, o += weights, weights v; what is there first shrinks by exp(old m - m)

A part of the cache leaves m, the sum and o in scratch memory; parts are put together by the same rule, so that
several threads may share one head. An element of f32 or bf16 is widened to f32 on its way into a register.
"""

import numpy as np
from numba import njit
from numba.extending import overload

from kernelbench.kernels._attention import LANES, NOTHING, weigh, whole
from kernelbench.simd import lanes as simd
from kernelbench.simd.math import exp
from kernelbench.simd.vector import pointer_at
from kernelbench.simd.vectortype import element_of

BLOCK = 256
"""Keys at a time: 64 KiB of a cache in f32 with d = 64, whose values the core fetches ahead as a stream of its own."""
_QUERY, _SCORES = 16, 32
"""Where scratch memory holds what, in elements: m, the sum; the query's last vector; scores; then o."""
_OUTPUT = _SCORES + BLOCK + 16


def part_bytes(d: int) -> int:
    """Scratch memory of one part of a head: a multiple of a cache line, so that no two threads share one."""
    return 4 * (_OUTPUT + -(-d // 16) * 16)


def vector_at(memory, at):
    """A vector of f32 from ``memory`` of f32 or bf16 (as uint16)."""
    raise NotImplementedError


@overload(vector_at, jit_options={"forceinline": True})
def _vector_at(memory, at):
    load = simd.load_bf16 if element_of(memory).bitwidth == 16 else simd.load

    def vector(memory, at):
        return load(memory, at)

    return vector


def number_at(memory, at):
    """One number as f32 from the array ``memory`` of f32 or bf16 (as uint16), flat index ``at``."""
    raise NotImplementedError


@overload(number_at, jit_options={"forceinline": True})
def _number_at(memory, at):
    if element_of(memory).bitwidth == 16:
        return lambda memory, at: np.uint32(memory.flat[at] << 16).view(np.float32)
    return lambda memory, at: memory.flat[at]


@njit(nogil=True)
def last_of(q, at, d, query):
    """query[LANES] = the last LANES elements of a head of q, zeros for those that whole vectors have had before.

    So the last vector of a key may begin within the one before it, and needs no mask.
    """
    for lane in range(LANES):
        p = d - LANES + lane
        query[lane] = q.flat[at + p] if p >= d // LANES * LANES else np.float32(0)


@njit(nogil=True)
def score_keys(q, at, query, k, key, keys, d, scores, scale):
    """scores[keys] = scale q . k for ``keys`` keys whose first element is k's element ``key``."""
    lined = d // LANES * LANES
    for j in range(0, keys - 3, 4):
        k0 = key + j * d
        k1, k2, k3 = k0 + d, k0 + 2 * d, k0 + 3 * d
        s0, s1, s2, s3 = simd.zeros(q), simd.zeros(q), simd.zeros(q), simd.zeros(q)
        for p in range(0, lined, LANES):
            x = simd.load(q, at + p)
            s0, s1 = simd.fma(vector_at(k, k0 + p), x, s0), simd.fma(vector_at(k, k1 + p), x, s1)
            s2, s3 = simd.fma(vector_at(k, k2 + p), x, s2), simd.fma(vector_at(k, k3 + p), x, s3)
        if lined < d:
            x, p = simd.load(query, 0), d - LANES
            s0, s1 = simd.fma(vector_at(k, k0 + p), x, s0), simd.fma(vector_at(k, k1 + p), x, s1)
            s2, s3 = simd.fma(vector_at(k, k2 + p), x, s2), simd.fma(vector_at(k, k3 + p), x, s3)
        scores[j], scores[j + 1] = simd.sum(s0) * scale, simd.sum(s1) * scale
        scores[j + 2], scores[j + 3] = simd.sum(s2) * scale, simd.sum(s3) * scale
    for j in range(keys // 4 * 4, keys):
        total = simd.zeros(q)
        for p in range(0, lined, LANES):
            total = simd.fma(vector_at(k, key + j * d + p), simd.load(q, at + p), total)
        if lined < d:
            total = simd.fma(vector_at(k, key + (j + 1) * d - LANES), simd.load(query, 0), total)
        scores[j] = simd.sum(total) * scale


@njit(nogil=True)
def add_values(v, value, keys, d, weights, output, shrunk):
    """output = output * shrunk + weights[keys] @ v[keys, d], v from element ``value`` on; 4 vectors in registers."""
    step = 4 * LANES
    for p in range(0, d - step + 1, step):
        o0, o1 = simd.load(output, p) * shrunk, simd.load(output, p + LANES) * shrunk
        o2, o3 = simd.load(output, p + 2 * LANES) * shrunk, simd.load(output, p + 3 * LANES) * shrunk
        for j in range(keys):
            at, w = value + j * d + p, simd.fill(output, weights[j])
            o0, o1 = simd.fma(vector_at(v, at), w, o0), simd.fma(vector_at(v, at + LANES), w, o1)
            o2 = simd.fma(vector_at(v, at + 2 * LANES), w, o2)
            o3 = simd.fma(vector_at(v, at + 3 * LANES), w, o3)
        simd.store(output, p, o0)
        simd.store(output, p + LANES, o1)
        simd.store(output, p + 2 * LANES, o2)
        simd.store(output, p + 3 * LANES, o3)
    for first in range(d // step * step, d, LANES):
        # The last vector begins within the one before; what both hold comes out the same, and is stored apart.
        p = min(first, d - LANES)
        total = simd.load(output, first) * shrunk
        for j in range(keys):
            total = simd.fma(vector_at(v, value + j * d + p), simd.fill(output, weights[j]), total)
        simd.store(output, first, total)


@njit(nogil=True)
def attend_part(q, k, v, head, begin, end, work):
    """m, sum and unscaled o of keys begin..end of one head, left in scratch memory at the address ``work``."""
    # q[b,h,d] f32, k,v[b,h,t,d] f32 or bf16, d >= LANES
    t, d = k.shape[2], k.shape[3]
    memory, query = pointer_at(work, q), pointer_at(work + 4 * _QUERY, q)
    scores, output = pointer_at(work + 4 * _SCORES, q), pointer_at(work + 4 * _OUTPUT, q)
    at, scale = head * d, np.float32(1 / np.sqrt(max(d, 1)))
    last_of(q, at, d, query)
    highest, total = NOTHING, np.float32(0)
    for p in range(0, whole(d), LANES):
        simd.store(output, p, simd.zeros(output))
    for first in range(begin, end, BLOCK):
        keys = min(BLOCK, end - first)
        start = (head * t + first) * d
        score_keys(q, at, query, k, start, keys, d, scores, scale)
        before = highest
        highest, base, more = weigh(scores, 0, keys, before)
        shrunk = exp(simd.fill(output, before - base))
        total = total * simd.highest(shrunk) + more
        add_values(v, start, keys, d, scores, output, shrunk)
    memory[0], memory[1] = highest, total


@njit(nogil=True, error_model="numpy")
def put_together(o, head, t, parts, work, each):
    """o of one head from its parts, ``each`` bytes apart from the address ``work`` on; zeros where there is no key."""
    # o[b,h,d]
    d, highest, total = o.shape[2], NOTHING, np.float32(0)
    for part in range(parts):
        highest = max(highest, pointer_at(work + part * each, o)[0])
    base = highest if highest > NOTHING else np.float32(0)
    for part in range(parts):
        memory = pointer_at(work + part * each, o)
        total += memory[1] * np.exp(memory[0] - base)
    if t == 0:
        total = np.float32(1)
    for p in range(0, d, LANES):
        value = simd.zeros(o)
        for part in range(parts):
            memory = pointer_at(work + part * each, o)
            value = simd.fma(simd.load(memory, _OUTPUT + p), np.exp(memory[0] - base) / total, value)
        simd.store(o, head * d + min(p, d - LANES), value)

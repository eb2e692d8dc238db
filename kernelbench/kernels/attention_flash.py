"""attention, the last rungs: no matrix of scores (the way of Dao et al., FlashAttention, 2022)

  flash     14 queries by 384 keys at a time: scores, weights and output of a tile stay in L1 and registers
  parallel  an equal part of the work of all heads for each thread, each with packed keys of its own

Transposing and packing the keys of a head is part of the call; only scratch memory is made ahead. Operands, work and
tolerance are the op's (attention.py).
"""

from numba import get_num_threads, njit, prange

from kernelbench.kernels._attention import attend, blocks_of, scratch_bytes, share
from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.kernels._scratch import Scratch
from kernelbench.kernels.attention import attention

CROSSOVER = 1 << 18
"""Multiply-adds of a product, b h s t d, up to which one thread does it all: 6 us, what waking a second one takes."""


def _with_scratch(inputs: Arrays, shape: Shape) -> Arrays:
    """(q, k, v, causal, scratch for one thread)"""
    return (*inputs, shape["causal"], Scratch.of(scratch_bytes(shape["t"], shape["d"])))


def _with_scratches(inputs: Arrays, shape: Shape) -> Arrays:
    """(q, k, v, causal, scratch for each thread, bytes of each, their number)"""
    # Asked for in compiled code, the number would be an address of this process: Numba would not cache the kernel.
    threads, each = get_num_threads(), scratch_bytes(shape["t"], shape["d"])
    return (*inputs, shape["causal"], Scratch.of(threads * each), each, threads)


@attention.variant(style="fused", dtypes=("f32",), prepare=_with_scratch)
@njit(nogil=True)
def flash(q, k, v, causal, work, o):
    """Tiles of scores in L1, used up as they are made; keys ahead of a block of queries are never touched."""
    # q[b,h,s,d], k,v[b,h,t,d], o[b,h,s,d]; work is the address of scratch memory
    attend(q, k, v, causal, 0, q.shape[0] * q.shape[1] * blocks_of(q.shape[2]), work, o)


@attention.variant(style="parallel", dtypes=("f32",), parallel=True, prepare=_with_scratches)
@njit(nogil=True, parallel=True)
def parallel(q, k, v, causal, work, each, threads, o):
    """Flash, a run of blocks of queries for each thread, cut so that all see as many keys."""
    # q[b,h,s,d], k,v[b,h,t,d], o[b,h,s,d]; work is the address of ``each`` bytes of scratch for each thread
    (batches, heads, s, d), t = q.shape, k.shape[2]
    if batches * heads * s * t * d <= CROSSOVER:
        attend(q, k, v, causal, 0, batches * heads * blocks_of(s), work, o)
    else:
        for part in prange(threads):
            first = share(part, threads, batches * heads, s, t, causal)
            last = share(part + 1, threads, batches * heads, s, t, causal)
            attend(q, k, v, causal, first, last, work + part * each, o)

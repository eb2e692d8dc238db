"""attention_decode: o[b,h,d] = softmax(q k^T / sqrt(d)) v, q[b,h,d], k,v[b,h,t,d]: one new token and a cache of t

The ladder, each rung a line:
  naive       scores of a head one number at a time, then their exponentials, then the sum of values
  vectorized  blocks of 256 keys: 4 dot products in lanes at once, exp in lanes, values summed in registers
  parallel    the heads shared by the threads, each head cut into parts where there are too few
  numpy       np.matmul, softmax, np.matmul
  torch       torch's scaled_dot_product_attention

bf16: the cache and the query in bf16, arithmetic and output in f32 (torch: output in bf16).

Work of one call, s = bytes per element of the cache:
  FLOP   b h t (4 d + 5)           a product of each key and of each value; 5 a score for its softmax
  bytes  s b h (2 t d + d) read + 4 b h d written: each number of the cache is used once
The intensity is about 2 / s FLOP/B, 0.5 in f32 and 1 in bf16: reading the cache binds, and half the bytes are half the
time. Queries that share a cache (several new tokens, grouped heads) raise it: that is attention with s > 1.

NaN in q, k, v, and infinite scores, give NaN as the formula has it. Without a key the output is zeros.
"""

from math import gcd

import numpy as np
from numba import get_num_threads, njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._attention import LANES
from kernelbench.kernels._attention_cache import BLOCK, attend_part, number_at, part_bytes, put_together
from kernelbench.kernels._attention_check import attention_error
from kernelbench.kernels._bf16 import decode
from kernelbench.kernels._check import Verification
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._scratch import Scratch
from kernelbench.model import DTYPE_BYTES, Accuracy, Work
from kernelbench.simd.vector import pointer_at


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    b, h, t, d = (shape[name] for name in "bhtd")
    return tuple(random_values(rng, size, dtype) for size in ((b, h, d), (b, h, t, d), (b, h, t, d)))


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["b"], shape["h"], shape["d"]), "f32"),)


def _work(shape: Shape, dtype: str) -> Work:
    b, h, t, d = (shape[name] for name in "bhtd")
    read, write = DTYPE_BYTES[dtype] * b * h * d * (2 * t + 1), 4 * b * h * d
    return Work(
        model="modelled",
        flop=b * h * t * (4 * d + 5),
        mix="fma",  # of f32: bf16 is widened first
        read_bytes=read,
        write_bytes=write,
        rfo_bytes=write,
        working_set_bytes=read + write,
    )


def _check(v: Verification) -> Accuracy:
    return attention_error(v, v.inputs[0][:, :, None, :], v.outputs[0][:, :, None, :])


attention_decode = Op(
    name="attention_decode",
    summary="o[b,h,d] = softmax(q k^T / sqrt(d)) v, q[b,h,d], k,v[b,h,t,d]",
    dims=("b", "h", "t", "d"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
    sizes=("1x8x512x64", "1x8x2048x64", "1x32x4096x128"),
    square=False,
)


def _scratch(count: int, d: int, t: int) -> Scratch:
    """Scratch for ``count`` parts of heads, or for a row of t scores if that is more."""
    return Scratch.of(max(4 * t, count * part_bytes(d)))


def _with_scratch(inputs: Arrays, shape: Shape) -> Arrays:
    """(q in f32, k, v, scratch for one part)"""
    q, k, v = inputs
    return decode(q) if q.dtype == np.uint16 else q, k, v, _scratch(1, shape["d"], shape["t"])


def _with_parts(inputs: Arrays, shape: Shape) -> Arrays:
    """(q in f32, k, v, scratch for all parts, bytes of each, parts of a head)"""
    # As few parts as give every thread as many: 3 heads on 2 threads are 6 halves. Blocks of keys are not cut.
    heads, threads = shape["b"] * shape["h"], get_num_threads()
    parts = max(1, min(threads // gcd(heads, threads), -(-shape["t"] // BLOCK)))
    q, k, v, _ = _with_scratch(inputs, shape)
    return q, k, v, _scratch(heads * parts, shape["d"], shape["t"]), part_bytes(shape["d"]), parts


@njit(nogil=True, error_model="numpy")
def by_numbers(q, k, v, row, o):
    """All heads, one number at a time."""
    (batches, heads, t, d), scale = k.shape, np.float32(1 / np.sqrt(max(k.shape[3], 1)))
    scores, step = pointer_at(row, q), q.strides[2] // q.itemsize  # see relu/naive for why the step is read
    for head in range(batches * heads):
        first, most, total = head * t * d, np.float32(-np.inf), np.float32(0)
        for j in range(t):
            score = np.float32(0)
            for p in range(d):
                score += q.flat[head * d + p] * number_at(k, first + j * d + p)
            scores[j] = score
            most = max(most, score)
        for j in range(0, t, step):
            scores[j] = np.exp((scores[j] - most) * scale)
            total += scores[j]
        for p in range(d):
            value = np.float32(0)
            for j in range(t):
                value += scores[j] * number_at(v, first + j * d + p)
            o[head // heads, head % heads, p] = value
        if t > 0:
            for p in range(0, d, step):
                o[head // heads, head % heads, p] /= total


@attention_decode.variant(style="naive", dtypes=("f32", "bf16"), prepare=_with_scratch)
@njit(nogil=True)
def naive(q, k, v, row, o):
    """One number at a time, each sum a single chain of adds; values are read down their columns."""
    # q[b,h,d] f32, k,v[b,h,t,d] f32 or bf16, o[b,h,d]; row is the address of t numbers
    by_numbers(q, k, v, row, o)


@attention_decode.variant(style="vectorized", dtypes=("f32", "bf16"), prepare=_with_scratch)
@njit(nogil=True)
def vectorized(q, k, v, work, o):
    """One pass over keys and values in blocks of 256; heads thinner than a vector go one number at a time."""
    # q[b,h,d] f32, k,v[b,h,t,d] f32 or bf16, o[b,h,d]; work is the address of scratch memory
    batches, heads, t, d = k.shape
    if d < LANES:
        by_numbers(q, k, v, work, o)
    else:
        for head in range(batches * heads):
            attend_part(q, k, v, head, 0, t, work)
            put_together(o, head, t, 1, work, 0)


CROSSOVER = 1 << 16
"""Elements of the cache up to which one thread does it all: 256 KiB of f32 take some 5 us, as waking a second does."""


@attention_decode.variant(style="parallel", dtypes=("f32", "bf16"), parallel=True, prepare=_with_parts)
@njit(nogil=True, parallel=True)
def parallel(q, k, v, work, each, parts, o):
    """Vectorized, heads or parts of heads a thread; parts are put together by the largest score of all."""
    # q[b,h,d] f32, k,v[b,h,t,d] f32 or bf16, o[b,h,d]; work is the address of ``each`` bytes of scratch for each part
    batches, heads, t, d = k.shape
    if d < LANES:
        by_numbers(q, k, v, work, o)
    else:
        if 2 * batches * heads * t * d <= CROSSOVER:
            for part in range(batches * heads * parts):
                p = part % parts
                attend_part(q, k, v, part // parts, t * p // parts, t * (p + 1) // parts, work + part * each)
        else:
            for part in prange(batches * heads * parts):
                p = part % parts
                attend_part(q, k, v, part // parts, t * p // parts, t * (p + 1) // parts, work + part * each)
        for head in range(batches * heads):
            put_together(o, head, t, parts, work + head * parts * each, each)


def _with_scores(inputs: Arrays, shape: Shape) -> Arrays:
    """(q, k, v, scores and a number a head, in a tuple)"""
    b, h, t = (shape[name] for name in "bht")
    return (*inputs, (np.empty((b, h, t, 1), np.float32), np.empty((b, h, 1, 1), np.float32)))


@attention_decode.variant(style="library", dtypes=("f32",), parallel=True, prepare=_with_scores)
def numpy(q, k, v, made, o):
    """np.matmul, softmax by ufuncs in place, np.matmul; scores are made ahead. With the cost of the calls."""
    scores, row = made
    with np.errstate(invalid="ignore", divide="ignore"):
        np.matmul(k, q[..., None], out=scores)
        np.multiply(scores, np.float32(1 / np.sqrt(max(q.shape[2], 1))), out=scores)
        np.max(scores, axis=2, keepdims=True, initial=-np.inf, out=row)
        np.subtract(scores, row, out=scores)
        np.exp(scores, out=scores)
        np.sum(scores, axis=2, keepdims=True, out=row)
        np.divide(scores, row, out=scores)
        np.matmul(scores.swapaxes(2, 3), v, out=o[:, :, None, :])


def _torch_outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["b"], shape["h"], shape["d"]), dtype),)


@attention_decode.variant(
    style="library",
    name="torch",
    dtypes=("f32", "bf16"),
    parallel=True,
    prepare=_peers.for_torch,
    outputs=_torch_outputs,
    unavailable=_peers.missing("torch"),
)
def with_torch(q, k, v, o):
    """torch's scaled_dot_product_attention; it has no out=, so its result is copied. bf16 gives bf16."""
    kind = "bfloat16" if q.dtype == np.uint16 else ""
    query, keys, values, output = (_peers.tensor(x, kind) for x in (q, k, v, o))
    made = _peers.torch().nn.functional.scaled_dot_product_attention(query.unsqueeze(2), keys, values)
    output.copy_(made.squeeze(2))

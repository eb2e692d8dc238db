"""attention: o[b,h,s,d] = softmax(q k^T / sqrt(d)) v, q[b,h,s,d], k,v[b,h,t,d]: values weighed by their keys

The ladder, each rung a line (flash and parallel are in attention_flash.py):
  naive         a row of scores at a time, one number at a time
  materialised  two packed matrix products with all s x t scores of a head in between, and a softmax over their rows
  flash         scores by tiles of 14 x 384, used up in L1 as they are made; the softmax follows the largest so far
  parallel      flash, an equal part of the work of all heads for each thread
  numpy         np.matmul, a softmax in place, np.matmul
  torch         torch's scaled_dot_product_attention

causal=1: no query looks ahead. The s queries are the last of the t positions, so that query i sees keys 0 .. i + t - s
(s = t: itself and all before; s < t: new tokens behind a cache). A query that sees no key gives zeros.

Work of one call, p = pairs of a query and a key it sees (s t; about half of it if causal), f32:
  FLOP   b h (4 p d + 5 p)         two products of 2 p d; scale, maximum, difference, exp and sum a score
  bytes  4 b h d (s + 2 t) read + 4 b h s d written: nothing but operands, if scores stay in cache
         materialised: 8 b h s t read and as much written more, for scores and weights are written and read again
The intensity of self-attention is about s / 4 FLOP/B: the arithmetic binds from some 20 queries on, even out of DRAM.

NaN in q, k, v, and infinite scores, give NaN as the formula has it. A causal kernel may let NaN or infinity in v reach
up to 14 queries before it (0 x NaN), as libraries do.
"""

import numpy as np
from numba import carray, njit

from kernelbench.kernels import _peers
from kernelbench.kernels._attention import seen_by, weigh
from kernelbench.kernels._attention_check import attention_error
from kernelbench.kernels._check import Verification
from kernelbench.kernels._gemm import WORKSPACE_BYTES, product
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._scratch import Scratch
from kernelbench.model import Accuracy, Work
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import pointer_at


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    b, h, s, t, d = (shape[name] for name in "bhstd")
    return tuple(random_values(rng, (b, h, n, d), dtype) for n in (s, t, t))


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return ((tuple(shape[name] for name in "bhsd"), dtype),)


def _pairs(s: int, t: int, causal: int) -> int:
    """Pairs of a query and a key it sees: causal, query i sees i + 1 + t - s of them, if any."""
    least = max(1, t - s + 1)
    return min(s, t) * (least + t) // 2 if causal else s * t


def _work(shape: Shape, dtype: str) -> Work:
    b, h, s, t, d = (shape[name] for name in "bhstd")
    pairs = _pairs(s, t, shape["causal"])
    operands = 4 * b * h * d
    return Work(
        model="modelled",
        flop=b * h * pairs * (4 * d + 5),
        mix="fma",
        read_bytes=operands * (s + 2 * t),
        write_bytes=operands * s,
        rfo_bytes=operands * s,
        working_set_bytes=operands * 2 * (s + t),
    )


def _materialised_work(shape: Shape, dtype: str) -> Work:
    """Scores and weights written and read again; they take the place of one head."""
    b, h, s, t, d = (shape[name] for name in "bhstd")
    fused, scores = _work(shape, dtype), 4 * s * t
    return Work(
        model="modelled",
        flop=fused.flop,
        mix="fma",
        read_bytes=4 * b * h * d * (s + 2 * t) + 2 * b * h * scores,
        write_bytes=4 * b * h * d * s + 2 * b * h * scores,
        rfo_bytes=fused.rfo_bytes,
        working_set_bytes=8 * b * h * d * (s + t) + scores,
    )


def _check(v: Verification) -> Accuracy:
    return attention_error(v, v.inputs[0], v.outputs[0])


attention = Op(
    name="attention",
    summary="o[b,h,s,d] = softmax(q k^T / sqrt(d)) v, q[b,h,s,d], k,v[b,h,t,d]",
    dims=("b", "h", "s", "t", "d"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
    params={"causal": (0, 1)},
    sizes=("1x8x128x128x64", "1x8x512x512x64", "1x8x1024x1024x64"),
    square=False,
)


def _with_row(inputs: Arrays, shape: Shape) -> Arrays:
    """(q, k, v, causal, scratch for a row of scores)"""
    return (*inputs, shape["causal"], Scratch.of(4 * shape["t"]))


@attention.variant(style="naive", dtypes=("f32",), prepare=_with_row)
@njit(nogil=True, error_model="numpy")
def naive(q, k, v, causal, row, o):
    """A query at a time: its scores, their exponentials, its sum of values; each sum a single chain of adds."""
    # q[b,h,s,d], k,v[b,h,t,d], o[b,h,s,d]; row is the address of t numbers; see relu/naive for why the step is read
    (batches, heads, s, d), t, step = q.shape, k.shape[2], q.strides[3] // q.itemsize
    scores, scale = pointer_at(row, q), np.float32(1 / np.sqrt(max(d, 1)))
    for head in range(batches * heads):
        b, h = head // heads, head % heads
        queries, keys, values = q[b, h], k[b, h], v[b, h]
        for i in range(s):
            seen, most, total = seen_by(i, s, t, causal), np.float32(-np.inf), np.float32(0)
            for j in range(seen):
                score = np.float32(0)
                for p in range(d):
                    score += queries[i, p] * keys[j, p]
                scores[j] = score
                most = max(most, score)
            for j in range(0, seen, step):
                scores[j] = np.exp((scores[j] - most) * scale)
                total += scores[j]
            for p in range(d):
                value = np.float32(0)
                for j in range(seen):
                    value += scores[j] * values[j, p]
                o[b, h, i, p] = value
            if seen > 0:
                for p in range(0, d, step):
                    o[b, h, i, p] /= total


def _with_scores(inputs: Arrays, shape: Shape) -> Arrays:
    """(q, k, v, causal, scratch: a matmul's, then k^T[d,t] and scores[s,t] of one head)"""
    s, t, d = (shape[name] for name in "std")
    # A whole vector may reach beyond the last score.
    return (*inputs, shape["causal"], Scratch.of(WORKSPACE_BYTES + 4 * t * (s + d) + 64))


@njit(nogil=True)
def multiplied(a, b, c, work):
    """c = a @ b, packed; compiled once for both products."""
    product(a, b, c, 0, a.shape[0], 0, b.shape[1], work)


@njit(nogil=True, error_model="numpy")
def softmax_rows(scores, at, s, t, scale, causal):
    """Rows of scores[s,t] become weights that sum to 1; ``at`` is where they begin."""
    for j in range(at, at + s * t):
        scores[j] *= scale
    for i in range(s):
        row, seen = at + i * t, seen_by(i, s, t, causal)
        # Whole vectors reach into the next row, or into the room behind the last one.
        behind = simd.load(scores, row + seen)
        _, _, total = weigh(scores, row, seen, np.float32(-np.inf))
        simd.store(scores, row + seen, behind)
        for j in range(row, row + seen):
            scores[j] /= total
        for j in range(row + seen, row + t):
            scores[j] = 0


@attention.variant(style="packed", dtypes=("f32",), prepare=_with_scores, work=_materialised_work)
@njit(nogil=True)
def materialised(q, k, v, causal, work, o):
    """All scores of a head at once, hidden ones too: two packed products and passes over s x t numbers in between."""
    # q[b,h,s,d], k,v[b,h,t,d], o[b,h,s,d]; work is the address of scratch memory
    (batches, heads, s, d), t = q.shape, k.shape[2]
    memory = pointer_at(work + WORKSPACE_BYTES, q)
    transposed, scores = carray(memory, (d, t)), carray(pointer_at(work + WORKSPACE_BYTES + 4 * d * t, q), (s, t))
    for head in range(batches * heads):
        b, h = head // heads, head % heads
        for j in range(t):
            for p in range(d):
                transposed[p, j] = k[b, h, j, p]
        multiplied(q[b, h], transposed, scores, work)
        softmax_rows(memory, d * t, s, t, np.float32(1 / np.sqrt(max(d, 1))), causal)
        multiplied(scores, v[b, h], o[b, h], work)


def _mask(s: int, t: int) -> np.ndarray:
    """[s,t]: what each query sees in causal attention."""
    mask: np.ndarray = np.arange(t)[None, :] <= np.arange(s)[:, None] + t - s
    return mask


class Temporaries:
    """What NumPy needs beside its operands, made ahead: scores, a number a query, what a causal one does not see."""

    def __init__(self, shape: Shape) -> None:
        b, h, s, t = (shape[name] for name in "bhst")
        self.scores = np.empty((b, h, s, t), np.float32)
        self.row = np.empty((b, h, s, 1), np.float32)
        self.hidden = ~_mask(s, t)


@attention.variant(
    style="library",
    dtypes=("f32",),
    parallel=True,
    prepare=lambda inputs, shape: (*inputs, shape["causal"], Temporaries(shape)),
)
def numpy(q, k, v, causal, made, o):
    """np.matmul, softmax by ufuncs in place, np.matmul; scores and mask are made ahead. With the cost of the calls."""
    least = np.finfo(np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        np.matmul(q, k.swapaxes(2, 3), out=made.scores)
        np.multiply(made.scores, np.float32(1 / np.sqrt(max(q.shape[3], 1))), out=made.scores)
        if causal:
            np.copyto(made.scores, np.float32(-np.inf), where=made.hidden)
        # A query that sees nothing has -inf everywhere: no less than the least number, and a sum above 0, give zeros.
        np.max(made.scores, axis=3, keepdims=True, initial=least.min, out=made.row)
        np.subtract(made.scores, made.row, out=made.scores)
        np.exp(made.scores, out=made.scores)
        np.sum(made.scores, axis=3, keepdims=True, out=made.row)
        np.maximum(made.row, least.tiny, out=made.row)
        np.divide(made.scores, made.row, out=made.scores)
        np.matmul(made.scores, v, out=o)


def _for_torch(inputs: Arrays, shape: Shape) -> Arrays:
    """(q, k, v, causal, mask): torch counts positions from the first query, so s != t needs a mask of its own."""
    _peers.for_torch(inputs, shape)
    s, t, causal = shape["s"], shape["t"], shape["causal"]
    return (*inputs, causal, _mask(s, t) if causal and s != t else np.empty((0, 0), bool))


@attention.variant(
    style="library",
    name="torch",
    dtypes=("f32",),
    parallel=True,
    prepare=_for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(q, k, v, causal, mask, o):
    """torch's scaled_dot_product_attention (it has no out=: its result is copied); a mask, made ahead, if s != t."""
    tensors = [_peers.tensor(x) for x in (q, k, v)]
    own = _peers.tensor(mask) if mask.size else None
    made = _peers.torch().nn.functional.scaled_dot_product_attention(
        *tensors, attn_mask=own, is_causal=bool(causal) and own is None
    )
    _peers.tensor(o).copy_(made)

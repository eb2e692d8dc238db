"""What a product of 8-bit operands prepares, does and must give; the kernels themselves are in matmul_int8.py."""

import numpy as np
from msgspec import structs
from numba import get_num_threads

from kernelbench.kernels._check import Verification, exactly
from kernelbench.kernels._dot_gemm import panel_rows, scratch_bytes
from kernelbench.kernels._dot_tile import KC, NR
from kernelbench.kernels._product import product_error
from kernelbench.kernels._quantize import absmax_int8
from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.kernels._scratch import Scratch
from kernelbench.model import Accuracy, Work
from kernelbench.simd.dot import QUAD


def quantized(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n]) as int8 with a scale for each operand. Raises ValueError for NaN and infinity."""
    return tuple(absmax_int8(x)[0] for x in inputs)


def with_scratch(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k] int8, b[k,n] int8, scratch)"""
    return (*quantized(inputs, shape), Scratch.of(scratch_bytes(shape["k"], 1)))


def with_scratches(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k] int8, b[k,n] int8, scratch of each thread, their number)"""
    # Asked for in compiled code, the number would be an address of this process: Numba would not cache the kernel.
    threads = get_num_threads()
    return (*quantized(inputs, shape), Scratch.of(threads * scratch_bytes(shape["k"], 1)), threads)


def with_panels(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k] int8, panels of b, scratch)"""
    a, b, work = with_scratch(inputs, shape)
    return a, panels(b, 128), work


def with_panels_and_scratches(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k] int8, panels of b, scratch of each thread, their number)"""
    a, b, *rest = with_scratches(inputs, shape)
    return (a, panels(b, 128), *rest)


def panels(b: np.ndarray, offset: int) -> np.ndarray:
    """b[k,n] int8 as the words that the tile reads, int32[panels, panel_rows(k), NR], zeros beyond b.

    A word holds four steps of k of a column. Above each slice of kc words lies what the sums over it begin with:
    -offset x the sum of each of its columns, which takes out an ``offset`` added to the other operand.
    """
    k, n = b.shape
    words, columns = -(-k // QUAD), -(-n // NR) * NR
    padded = np.zeros((words * QUAD, columns), np.int8)
    padded[:k, :n] = b
    made = np.zeros((columns // NR, panel_rows.py_func(k, 1), NR), np.int32)
    quads = padded.reshape(words, QUAD, columns // NR, NR).transpose(2, 0, 3, 1)
    whole = np.ascontiguousarray(quads).view(np.int32).reshape(columns // NR, words, NR)
    for i, first in enumerate(range(0, words, KC)):
        top, last = first + i, min(first + KC, words)
        sums = padded[first * QUAD : last * QUAD].sum(axis=0, dtype=np.int32)
        made[:, top] = (-offset * sums).reshape(-1, NR)
        made[:, top + 1 : top + 1 + last - first] = whole[:, first:last]
    return made


def work(shape: Shape, dtype: str) -> Work:
    """2 m n k integer operations; bytes of the 8-bit operands, once each, and of the 32-bit result."""
    m, n, k = shape["m"], shape["n"], shape["k"]
    return Work(
        model="modelled",
        flop=2 * m * n * k,  # integer operations
        mix="dot",
        read_bytes=m * k + k * n,
        write_bytes=4 * m * n,
        rfo_bytes=4 * m * n,
        working_set_bytes=m * k + k * n + 4 * m * n,
    )


def work_on_panels(shape: Shape, dtype: str) -> Work:
    """``work`` where b was packed ahead."""
    return structs.replace(work(shape, dtype), prepared_bytes=shape["k"] * shape["n"])


def check(v: Verification) -> Accuracy:
    """c[m,n] int32 exactly, then its dequantized values against float64; raises WrongResult."""
    (a, scale_a), (b, scale_b) = v.once("int8", lambda: tuple(absmax_int8(x) for x in v.inputs))
    # Integers below 2^53 are exact in float64 whatever the order: 127 * 127 * k < 2^53 for k < 5.5e11.
    oracle = v.once("oracle", lambda: (a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64))
    exactly(v.outputs[0], oracle)
    # Half a step of either scale on each factor: (|a| + |b|) / 254 of a product whose factors are at
    # least 1/2 of the peak each, 1.6% at most; what a wrong integer would do is caught above, exactly.
    accuracy = product_error(v, v.inputs[0], v.inputs[1], v.outputs[0] * (scale_a * scale_b), 0.016)
    return structs.replace(accuracy, reference="exact int64 oracle, then float64")

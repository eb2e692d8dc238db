"""What a product of bf16 operands does and must give; the kernels themselves are in matmul_bf16.py."""

import numpy as np
from msgspec import structs
from numba import get_num_threads

from kernelbench.kernels._bf16 import decode
from kernelbench.kernels._check import EPS, Verification, close_to
from kernelbench.kernels._dot_gemm import scratch_bytes
from kernelbench.kernels._product import WHOLE_UP_TO
from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.kernels._scratch import Scratch
from kernelbench.kernels.matmul import matmul
from kernelbench.model import Accuracy, Work


def with_scratch(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n], scratch)"""
    return (*inputs, Scratch.of(scratch_bytes(shape["k"], 2)))


def with_scratches(inputs: Arrays, shape: Shape) -> Arrays:
    """(a[m,k], b[k,n], scratch of each thread, their number)"""
    # Asked for in compiled code, the number would be an address of this process: Numba would not cache the kernel.
    threads = get_num_threads()
    return (*inputs, Scratch.of(threads * scratch_bytes(shape["k"], 2)), threads)


def work(shape: Shape, dtype: str) -> Work:
    """The op's work, done by dot products of pairs."""
    return structs.replace(matmul.work(shape, dtype), mix="dot")


def check(v: Verification) -> Accuracy:
    """c[m,n] bf16, every element, against float64; raises WrongResult.

    A product of two bf16 has 16 bits and is exact in f32. Their sum errs by sqrt(k) u of |a||b| in f32 (see matmul's
    own check), and |a||b| <= ||a_i|| ||b_j||; then it is rounded once, by 2^-8 of itself at most. ``vdpbf16ps`` takes
    denormal sums as 0, each less than 2^-126.
    """
    a, b = (decode(x).astype(np.float64) for x in v.inputs)
    k = v.shape["k"]

    def reference() -> tuple[np.ndarray, np.ndarray]:
        small = v.shape["m"] * v.shape["n"] * k <= WHOLE_UP_TO
        exact = np.einsum("mk,kn->mn", a, b) if small else a @ b
        norms = np.sqrt((a * a).sum(axis=1))[:, None] * np.sqrt((b * b).sum(axis=0))
        summing = max(8.0, k**0.5) * EPS["f32"] * norms + (k + 1) * 2.0**-126
        return exact, EPS["bf16"] * np.abs(exact) + summing

    with np.errstate(invalid="ignore", over="ignore"):  # NaN and infinity are compared as such
        exact, bound = v.once("bf16", reference)
    metric = "max |error| / (2^-8 |c| + sqrt(k) 2^-24 |a| |b|)"
    # 1% for what two bounds at once leave out: the rounding of the error of the sum.
    return close_to(decode(v.outputs[0]), exact, bound, 1.01, metric=metric, reference="float64")

"""saxpy: z[n] = a x[n] + y[n], the same op written in C, in Numba, with NumPy and with torch, on one roofline.

    gcc -O3 -march=native -shared -fPIC saxpy.c -o libsaxpy.so    # in this folder, once; without it C is skipped
    kernelbench run -m saxpy.py

The ladder, each rung a line:
  numba   a loop that Numba compiles to vectors
  c       the same loop, compiled by a C compiler and entered through its symbol
  numpy   two calls, so z is written twice and read once more
  torch   one call, one pass

Work of one call, s = 4 bytes per f32:
  FLOP   2 n                       a multiplication and an addition an element
  bytes  2 s n read + s n written  and s n more read for ownership of z's lines
The intensity is 2 / (3 s) = 0.167 FLOP/B: memory binds at every level.
"""

import importlib.util

import numpy as np
from numba import njit

import kernelbench as kb

A = 0.75
"""Exact in f32, and 0.75 x + y of operands below 1 stays below 2. saxpy.c has the same number."""


def inputs(shape, dtype, rng):
    """x[n], y[n]."""
    n = shape["n"]
    return kb.random_values(rng, (n,), dtype), kb.random_values(rng, (n,), dtype)


def outputs(shape, dtype):
    """z[n]: a vector of its own, for in place it would grow from call to call."""
    return (((shape["n"],), dtype),)


def work(shape, dtype):
    n, s = shape["n"], 4
    return kb.Work(
        model="declared",
        flop=2 * n,
        mix="fma",
        read_bytes=2 * s * n,
        write_bytes=s * n,
        rfo_bytes=s * n,
        working_set_bytes=3 * s * n,
    )


def check(v):
    """One rounding with a fused multiply-add, two without: each at most 2**-24 of a |x| + |y|."""
    x, y = (operand.astype(np.float64) for operand in v.inputs)
    scale = A * np.abs(x) + np.abs(y)
    return kb.close_to(v.outputs[0], A * x + y, scale, 2 * 2.0**-24, metric="|error| / (a|x| + |y|)", reference="f64")


# Three operands of 8 KiB, 128 KiB and 4 MiB: 24 KiB lie in the first cache level, 384 KiB in the second, 12 MiB beyond.
saxpy = kb.Op("saxpy", "z[n] = a x[n] + y[n]", ("n",), inputs, outputs, work, check, sizes=("2048", "32768", "1048576"))


@saxpy.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True, fastmath={"contract"})
def numba(x, y, z):
    """A unit-stride loop; "contract" alone allows the fused multiply-add, and reorders nothing."""
    # x[n], y[n], z[n]
    a = np.float32(A)
    for i in range(x.size):
        z[i] = a * x[i] + y[i]


# Pointers take the inputs, then the outputs; n takes the dimension of its name.
saxpy.variant(style="vectorized", name="c", dtypes=("f32",))(
    kb.c_function("libsaxpy.so", "saxpy_f32", "void(const float *x, const float *y, float *z, int64_t n)")
)


@saxpy.variant(style="library", dtypes=("f32",))
def numpy(x, y, z):
    """np.multiply(x, a, out=z), then np.add(z, y, out=z)."""
    np.multiply(x, np.float32(A), out=z)
    np.add(z, y, out=z)


def without_torch():
    """Why the variant cannot run here, or "": then it can."""
    return "" if importlib.util.find_spec("torch") else "torch is not installed; pip install torch"


def ready_torch(inputs, shape):
    """Ahead of timing: import torch, and keep it to the one thread that the case is measured at."""
    import torch

    torch.set_num_threads(1)
    return inputs


@saxpy.variant(style="library", dtypes=("f32",), prepare=ready_torch, unavailable=without_torch)
def torch(x, y, z):
    """torch.add(y, x, alpha=a, out=z)."""
    import torch

    tensor = torch.from_numpy
    torch.add(tensor(y), tensor(x), alpha=A, out=tensor(z))

"""One side of a comparison: y[n] = 2 x[n] in several kernels, some of which ab_head.py lacks or has otherwise."""

import ctypes

import numpy as np
from numba import njit

import kernelbench as kb


def _work(shape, dtype):
    size = 4 * shape["n"]
    return kb.Work(
        model="modelled", flop=shape["n"], mix="add", read_bytes=size, write_bytes=size, working_set_bytes=2 * size
    )


def _check(v: kb.Verification) -> kb.Accuracy:
    # Doubling is exact in binary floating point.
    exact = 2.0 * v.inputs[0].astype(np.float64)
    return kb.close_to(v.outputs[0], exact, 1.0, 0.0, metric="max |error|", reference="float64")


def _op(name):
    return kb.Op(
        name=name,
        summary="y[n] = 2 x[n]",
        dims=("n",),
        inputs=lambda shape, dtype, rng: (kb.random_values(rng, (shape["n"],), dtype),),
        outputs=lambda shape, dtype: (((shape["n"],), dtype),),
        work=_work,
        check=_check,
    )


scale, slow, square = _op("scale"), _op("slow"), _op("square")


@scale.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def same(x, y):
    """As on the other side."""
    for i in range(x.size):
        y[i] = x[i] + x[i]


@scale.variant(style="vectorized", dtypes=("f32",), prepare=lambda inputs, shape: (inputs[0], inputs[0]))
@njit(nogil=True)
def prepared(x, other, y):
    """The other side prepares something else."""
    for i in range(x.size):
        y[i] = x[i] + other[i]


@scale.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def gone(x, y):
    """The other side lacks it."""
    for i in range(x.size):
        y[i] = x[i] + x[i]


@scale.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def wrong(x, y):
    """Wrong on the other side."""
    for i in range(x.size):
        y[i] = x[i] + x[i]


@scale.variant(style="python", dtypes=("f32",))
def crashes(x, y):
    """Ends its process here, and is right on the other side."""
    ctypes.string_at(0)


@square.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def shaped(x, y):
    """Has another shape on the other side, behind the same id."""
    for i in range(x.size):
        y[i] = x[i] + x[i]


@slow.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def loop(x, y):
    """The other side goes over it many times."""
    for _ in range(1 + int(x[0] == 0)):
        for i in range(x.size):
            y[i] = x[i] + x[i]

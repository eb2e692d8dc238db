"""The other side of ab_base.py: one kernel wrong, one slower, one of another shape, one new, one gone."""

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


scale, slow = _op("scale"), _op("slow")
square = kb.Op(
    name="square",
    summary="y[m,n] = 2 x[m,n]",
    dims=("m", "n"),
    inputs=lambda shape, dtype, rng: (kb.random_values(rng, (shape["m"], shape["n"]), dtype),),
    outputs=lambda shape, dtype: (((shape["m"], shape["n"]), dtype),),
    work=_work,
    check=_check,
)


@scale.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def same(x, y):
    """As on the other side."""
    for i in range(x.size):
        y[i] = x[i] + x[i]


@scale.variant(style="vectorized", dtypes=("f32",), prepare=lambda inputs, shape: (2 * inputs[0], np.float64(0)))
@njit(nogil=True)
def prepared(twice, nothing, y):
    """The other side prepares something else."""
    for i in range(twice.size):
        y[i] = twice[i]


@scale.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def fresh(x, y):
    """The other side lacks it."""
    for i in range(x.size):
        y[i] = x[i] + x[i]


@scale.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def wrong(x, y):
    """Wrong here."""
    for i in range(x.size):
        y[i] = x[i] + 1


@scale.variant(style="python", dtypes=("f32",))
def crashes(x, y):
    """Ends its process on the other side."""
    np.add(x, x, out=y)


@square.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def shaped(x, y):
    """Has another shape on the other side, behind the same id."""
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            y[i, j] = x[i, j] + x[i, j]


@slow.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def loop(x, y):
    """Goes over it eight times."""
    for _ in range(8 + int(x[0] == 0)):
        for i in range(x.size):
            y[i] = x[i] + x[i]

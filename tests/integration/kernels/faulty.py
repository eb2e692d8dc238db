"""double: y[n] = 2 x[n], right in two ways and broken in every way that a process or a result can be."""

import os
import signal
import sys

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


double = kb.Op(
    name="double",
    summary="y[n] = 2 x[n]",
    dims=("n",),
    inputs=lambda shape, dtype, rng: (kb.random_values(rng, (shape["n"],), dtype),),
    outputs=lambda shape, dtype: (((shape["n"],), dtype),),
    work=_work,
    check=_check,
)


@double.variant(style="vectorized", dtypes=("f32",))
@njit(nogil=True)
def sound(x, y):
    """Right."""
    for i in range(x.size):
        y[i] = x[i] + x[i]


@double.variant(style="python", dtypes=("f32",))
def sound_python(x, y):
    """Right, called from Python."""
    np.add(x, x, out=y)


def _numpy_work(shape, dtype):
    size = np.prod(tuple(shape.values())) * np.dtype(np.float32).itemsize
    return kb.Work(model="modelled", flop=size / 4, read_bytes=size, write_bytes=size, working_set_bytes=2 * size)


def _numpy_check(v: kb.Verification) -> kb.Accuracy:
    error = np.max(np.abs(v.outputs[0] - 2 * v.inputs[0]))
    if error > 0:
        raise kb.WrongResult(f"off by {error}")
    return kb.Accuracy(metric="max |error|", value=error, reference="numpy", tolerance=np.int64(0))


@double.variant(style="python", dtypes=("f32",), work=_numpy_work, check=_numpy_check)
def counted_by_numpy(x, y):
    """Right; its work and its error are NumPy's numbers."""
    np.add(x, x, out=y)


@double.variant(style="python", dtypes=("f32",), work=lambda shape, dtype: kb.Work(model="modelled", flop=np.nan))
def workless(x, y):
    """Right, but its work is not a number."""
    np.add(x, x, out=y)


@double.variant(style="python", dtypes=("f32",), check=lambda v: None)
def unchecked(x, y):
    """Right, but its check says nothing."""
    np.add(x, x, out=y)


@double.variant(style="python", dtypes=("f32",))
def garbled(x, y):
    """Raises with a text that is not for a terminal, nor for a UTF-8 file, and far too long."""
    raise ValueError("first\nsecond \udcff \x1b[31m" + "z" * 1_000_000)


@double.variant(style="python", dtypes=("f32",))
def segfault(x, y):
    """Ends as a kernel does that touches memory it has not."""
    os.kill(os.getpid(), signal.SIGSEGV)


@double.variant(style="naive", dtypes=("f32",))
@njit
def wild_store(x, y):
    """Writes 2^46 bytes beyond its output."""
    y[1 << 44] = x[0]


@double.variant(style="naive", dtypes=("f32",))
@njit(nogil=True)
def endless(x, y):
    """Never returns."""
    while y[0] != x[0] + x[0] + 1:
        y[0] = x[0]


@double.variant(style="python", dtypes=("f32",))
def leaves(x, y):
    """Ends the process without a word to anybody."""
    os._exit(3)


@double.variant(style="python", dtypes=("f32",))
def exits(x, y):
    """Ends the interpreter as a script would."""
    sys.exit("this kernel had enough")


@double.variant(style="naive", dtypes=("f32",))
@njit
def nan(x, y):
    """Right but for a NaN."""
    for i in range(x.size):
        y[i] = x[i] + x[i]
    y[x.size // 2] = np.nan


@double.variant(style="naive", dtypes=("f32",))
@njit
def one_wrong(x, y):
    """Right but for the last bit of one element."""
    for i in range(x.size):
        y[i] = x[i] + x[i]
    y[5] = np.float32(y[5] * np.float32(1.0000001))


@double.variant(style="python", dtypes=("f32",))
def hoards(x, y):
    """Takes memory until there is no more."""
    kept = []
    while True:
        kept.append(np.ones(1 << 22, np.float32))


@double.variant(style="naive", dtypes=("f32",))
@njit
def hoards_native(x, y):
    """The same in compiled code."""
    kept = [np.ones(1 << 22, np.float32)]
    while True:
        kept.append(np.ones(1 << 22, np.float32))


@double.variant(style="naive", dtypes=("f32",))
@njit
def reserves(x, y):
    """The same without touching it: there is an error before there is too much."""
    kept = [np.empty(1 << 22, np.float32)]
    while True:
        kept.append(np.empty(1 << 22, np.float32))


@double.variant(style="naive", dtypes=("f32",))
@njit
def untypable(x, y):
    """Does not compile."""
    y[0] = x.no_such_attribute


def _no_operands(inputs, shape):
    raise ValueError("these operands cannot be prepared")


@double.variant(style="naive", dtypes=("f32",), prepare=_no_operands)
@njit
def unprepared(x, y):
    """Never gets its operands."""
    y[0] = x[0]

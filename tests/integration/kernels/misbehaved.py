"""Kernels of y[n] = 2 x[n] that do beside their work what a kernel should not, and sound ones of every kind."""

import ctypes
import threading

import numpy as np
from numba import njit

import kernelbench as kb

twice = kb.Op(
    "twice",
    "y[n] = 2 x[n]",
    ("n",),
    inputs=lambda shape, dtype, rng: (kb.random_values(rng, (shape["n"],), dtype),),
    outputs=lambda shape, dtype: (((shape["n"],), dtype),),
    check=kb.same_as("compiled"),
)
called = twice.variant(style="library", dtypes=("f32",))


@twice.variant(style="naive", dtypes=("f32",), check=kb.same_as("numpy"))
@njit(nogil=True)
def compiled(x, y):
    """Sound."""
    for i in range(x.size):
        y[i] = x[i] + x[i]


@called
def numpy(x, y):
    """Sound."""
    np.add(x, x, out=y)


@called
def takes_too_few(x):
    """Has no place for its output."""


@twice.variant(style="naive", dtypes=("f32",))
@njit(nogil=True)
def takes_too_many(x, n, y):
    """Wants a number that nobody gives."""


@called
def returns_a_value(x, y):
    """Leaves its output alone."""
    return x + x


@called
def returns_a_view(x, y):
    """Leaves its output alone."""
    return x[:]


@called
def rebinds(x, y):
    """Gives the name of its output to something else."""
    y = x + x  # noqa: F841 - the fault itself


@called
def mutates(x, y):
    """Doubles its input as well."""
    np.add(x, x, out=y)
    x += x


def poke(address):
    """Write one f32 there."""
    ctypes.c_float.from_address(address).value = 1.0


@called
def writes_before_its_input(x, y):
    """One element."""
    np.add(x, x, out=y)
    poke(x.ctypes.data - 4)


@called
def writes_after_its_input(x, y):
    """One element."""
    np.add(x, x, out=y)
    poke(x.ctypes.data + x.nbytes)


@called
def writes_before_its_output(x, y):
    """One element."""
    np.add(x, x, out=y)
    poke(y.ctypes.data - 4)


@twice.variant(style="naive", dtypes=("f32",))
@njit(nogil=True)
def writes_after_its_output(x, y):
    """One element."""
    for i in range(x.size + 1):
        y[i] = np.float32(2) * x[i % x.size]


kept = []


@called
def leaks(x, y):
    """4 KiB a call."""
    np.add(x, x, out=y)
    kept.append(bytearray(4096))


@called
def prints(x, y):
    """A line a call."""
    np.add(x, x, out=y)
    print("still working \x1b[31m")


stop = threading.Event()
started = []


def spin():
    """Take a core."""
    while not stop.is_set():
        sum(range(1000))


@called
def starts_a_thread(x, y):
    """That goes on for ever."""
    if not started:
        started.append(threading.Thread(target=spin, daemon=True))
        started[0].start()
    np.add(x, x, out=y)


@called
def illegal(x, y):
    """An instruction that no CPU has, as one of a newer instruction set on an older one."""
    import os
    import signal

    os.kill(os.getpid(), signal.SIGILL)


def in_c(name, library, symbol, signature="void(const float *x, float *y, int64_t n)"):
    """A C function of a library that is wrong."""
    function = kb.c_function(library, symbol, signature)
    twice.variant(style="vectorized", dtypes=("f32",), name=name)(function)


in_c("library_not_built", "libtwice.so", "twice")
in_c("library_is_text", __file__, "twice")

"""Kernels of the catalogue with one small thing broken each: what a verification must catch.

`double` is declared in faulty.py; `matmul` and its int8 kernel are the catalogue's own.
"""

import numpy as np
from faulty import double
from numba import njit

import kernelbench as kb
from kernelbench.kernels import matmul as ladder

QUANTIZED = kb.get("matmul/int8")
int8 = QUANTIZED.function
STEPS = 20_000_000
"""Dependent multiply-adds, 3 cycles or more each: no core does them in less than the millisecond of a sample."""


@ladder.matmul.variant(style="tiled", dtypes=("f32",))
@njit(nogil=True)
def edge_tile_lacks_a_step(a, b, c):
    """The last tile of c leaves out the last step of k."""
    m, k = a.shape
    n = b.shape[1]
    ladder.band(a, b, c, 0, m, 64, 1024)
    for i in range(m // 16 * 16, m):
        for j in range(n // 16 * 16, n):
            c[i, j] -= a[i, k - 1] * b[k - 1, j]


@ladder.matmul.variant(style="tiled", dtypes=("f32",))
@njit(nogil=True)
def one_inner_element_wrong(a, b, c):
    """One element far from every edge lacks one product."""
    ladder.band(a, b, c, 0, a.shape[0], 64, 1024)
    c[101, 77] -= a[101, 0] * b[0, 77]


def _int8(name):
    return ladder.matmul.variant(
        name=name,
        style="quantized",
        dtypes=("i8",),
        types=QUANTIZED.types,
        prepare=QUANTIZED.prepare,
        outputs=QUANTIZED.outputs,
        work=QUANTIZED.work,
        check=QUANTIZED.check,
    )


@_int8("off_by_one_in_a_lane")
@njit(nogil=True)
def off_by_one_in_a_lane(a, b, work, c):
    """One lane of the last vector of the last row is one too large."""
    int8(a, b, work, c)
    c[c.shape[0] - 1, c.shape[1] - 3] += 1


@_int8("last_integer_not_written")
@njit(nogil=True)
def last_integer_not_written(a, b, work, c):
    """Right, but the last element stays as it was."""
    m, n = c.shape
    before = c[m - 1, n - 1]
    int8(a, b, work, c)
    c[m - 1, n - 1] = before


@double.variant(style="naive", dtypes=("f32",))
@njit
def last_not_written(x, y):
    """Stops one element early."""
    for i in range(x.size - 1):
        y[i] = x[i] + x[i]


def _counted(inputs, shape):
    """The operands, and a counter of calls."""
    return (*inputs, np.zeros(1, np.int64))


@double.variant(style="naive", dtypes=("f32",), prepare=_counted)
@njit
def right_once(x, calls, y):
    """Right on the first entry, wrong on every later one."""
    for i in range(x.size):
        y[i] = x[i] + x[i] + (calls[0] > 0)
    calls[0] += 1


@double.variant(style="naive", dtypes=("f32",), prepare=_counted)
@njit
def works_once(x, calls, y):
    """Right on the first entry; later ones return at once and leave what is there."""
    if calls[0] == 0:
        for i in range(x.size):
            y[i] = x[i] + x[i]
    calls[0] += 1


_calls = 0


@double.variant(style="python", dtypes=("f32",))
def right_once_python(x, y):
    """Right on the first entry, counted in a global."""
    global _calls
    np.add(x, x, out=y)
    if _calls:
        y[0] += 1
    _calls += 1


@double.variant(style="naive", dtypes=("f32",), prepare=_counted)
@njit
def raises_at_once(x, calls, y):
    """Raises on the first entry."""
    raise ValueError("no first call")


@double.variant(style="naive", dtypes=("f32",), prepare=_counted)
@njit
def raises_soon(x, calls, y):
    """Raises from the third entry on: the first to be verified, the second to be calibrated."""
    calls[0] += 1
    if calls[0] > 2:
        raise ValueError("no third call")
    for i in range(x.size):
        y[i] = x[i] + x[i]


@double.variant(style="naive", dtypes=("f32",), prepare=_counted)
@njit(nogil=True)
def raises_while_timed(x, calls, y):
    """So slow that a sample is one call, and raises in the second of them."""
    calls[0] += 1
    if calls[0] > 3:
        raise ValueError("no fourth call")
    slow = x[0]
    for _ in range(STEPS):
        slow = slow * np.float32(0.5) + np.float32(0.25)
    for i in range(x.size):
        y[i] = x[i] + x[i]
    calls[0] += slow > 1  # never, as slow tends to 1/2: only so that the loop is not dropped


@double.variant(style="python", dtypes=("f32",), prepare=_counted)
def raises_while_timed_python(x, calls, y):
    """The same called from Python: a million additions of its own are a sample as well."""
    calls[0] += 1
    if calls[0] > 3:
        raise ValueError("no fourth call")
    sum(range(1_000_000))
    np.add(x, x, out=y)


@double.variant(style="naive", dtypes=("f32",), prepare=lambda inputs, shape: (*inputs, *inputs))
@njit
def changes_its_input(x, same, y):
    """Right every time, from the second copy of its input; the first is counted up."""
    for i in range(x.size):
        y[i] = same[i] + same[i]
    x[x.size - 1] += 1

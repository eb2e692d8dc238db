"""relu: y[n] = max(x[n], 0)

The ladder, each rung a line:
  python      a Python loop, one boxed number at a time
  naive       the same loop compiled, each element behind a branch of its own
  vectorized  a loop the compiler turns into vector instructions: one max for 8 or 16 elements
  streaming   whole vectors stored past the caches: no line of y is read for ownership
  parallel    the vectorized loop on every thread
  int8        8-bit in, 8-bit out: the scale does not change under max(x, 0), so the bytes are the answer
  numpy       np.maximum, as a Python user calls it
  torch       torch.clamp_min with out=, as a Python user calls it

Work of one call, s = bytes per element:
  operations  n              one comparison an element
  bytes       s n read + s n written
  and s n more read for ownership of y's lines, unless the CPU evades it
The intensity is 1 / (2 s): 0.125 FLOP/B in f32, so every level of memory binds before the arithmetic does.

NaN gives NaN in every variant, as np.maximum does.
"""

import numpy as np
from numba import njit, prange

from kernelbench.kernels import _peers
from kernelbench.kernels._check import Verification, elementwise, exactly
from kernelbench.kernels._quantize import absmax_int8
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._streaming import whole_vectors, without_ownership
from kernelbench.kernels._vectors import PARALLEL_ELEMENTS, SIZES
from kernelbench.model import DTYPE_BYTES, Accuracy, Work
from kernelbench.simd import lanes as simd


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    # The quantized variant starts from the same f32 operands that the others get.
    return (random_values(rng, (shape["n"],), "f32" if dtype == "i8" else dtype),)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["n"],), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    n, s = shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        flop=n,
        mix="add",  # a max has an add's ports and does one operation a lane, half an FMA's two
        read_bytes=s * n,
        write_bytes=s * n,
        rfo_bytes=s * n,
        working_set_bytes=2 * s * n,
    )


def _exact(x: np.ndarray) -> np.ndarray:
    """By comparison, not by max: no code shared with the variants."""
    return np.where(x < 0, 0.0, x.astype(np.float64))


def _check(v: Verification) -> Accuracy:
    # max(x, 0) rounds nothing: any difference at all is an error.
    return elementwise(
        v.outputs[0],
        lambda part: (_exact(v.inputs[0][part]), 1.0),
        0.0,
        metric="max |error|",
        reference="float64 by comparison",
    )


relu = Op(
    name="relu",
    summary="y[n] = max(x[n], 0)",
    dims=("n",),
    sizes=SIZES,
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
)

PYTHON_RATE = 1.5e7
"""Operations a second assumed of the interpreter, only to skip sizes that would take minutes."""


@relu.variant(
    style="python", dtypes=("f32",), python_flops=PYTHON_RATE, prepare=lambda inputs, shape: (inputs[0].tolist(),)
)
def python(x, y):
    """A list comprehension over Python floats."""
    y[:] = [v if not v < 0.0 else 0.0 for v in x]


@relu.variant(style="naive", dtypes=("f64", "f32"))
@njit(nogil=True)
def naive(x, y):
    """One element a trip: the index counts down in strides the compiler cannot turn into vectors."""
    # x[n], y[n]. The step is read from memory, so nothing tells the compiler that neighbours follow
    # each other and it must handle one element at a time, as the source says.
    step = x.strides[0] // x.itemsize
    i = 0
    while i < x.size:
        v = x[i]
        if v < 0:
            v = x.dtype.type(0)
        y[i] = v
        i += step


@relu.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def vectorized(x, y):
    """A unit-stride loop with a select instead of a branch: the compiler emits one max a vector."""
    # x[n], y[n]
    zero = x.dtype.type(0)
    for i in range(x.size):
        v = x[i]
        y[i] = zero if v < zero else v


@relu.variant(style="vectorized", dtypes=("f64", "f32"), work=without_ownership(_work))
@njit(nogil=True)
def streaming(x, y):
    """Whole vectors stored past the caches: for what is too large to stay there."""
    # x[n], y[n]. A streaming store needs a whole vector at its own alignment: the ends are done as usual.
    zero = x.dtype.type(0)
    first, last = whole_vectors(y)
    vectorized(x[:first], y[:first])
    w = simd.lanes(y)
    for i in range(first, last, w):
        simd.stream(y, i, simd.maximum(zero, simd.load(x, i)))
    vectorized(x[last:], y[last:])
    simd.fence()


@relu.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """The vectorized loop, one contiguous part a thread."""
    # x[n], y[n]
    if x.size < PARALLEL_ELEMENTS:
        vectorized(x, y)
        return
    zero = x.dtype.type(0)
    for i in prange(x.size):
        v = x[i]
        y[i] = zero if v < zero else v


def _quantize(inputs: Arrays, shape: Shape) -> Arrays:
    return (absmax_int8(inputs[0])[0],)


def _int8_work(shape: Shape, dtype: str) -> Work:
    n = shape["n"]
    return Work(
        model="modelled",
        flop=n,  # integer operations; a byte-wise max has no ceiling of its own here, so no mix
        read_bytes=n,
        write_bytes=n,
        rfo_bytes=n,
        working_set_bytes=2 * n,
        prepared_bytes=n,
    )


def _int8_check(v: Verification) -> Accuracy:
    quantized, scale = v.once("int8", lambda: absmax_int8(v.inputs[0]))
    exactly(v.outputs[0], np.where(quantized < 0, 0, quantized))
    # In steps of `scale`, so that the output stands as it is: rounding to the nearest errs by half a step.
    return elementwise(
        v.outputs[0],
        lambda part: (_exact(v.inputs[0][part]) / scale, 1.0),
        0.5 + 1e-4,
        metric="max |error| / scale",
        reference="exact integers, then float64",
    )


@relu.variant(
    style="quantized",
    dtypes=("i8",),
    prepare=_quantize,
    outputs=lambda shape, dtype: (((shape["n"],), "i8"),),
    work=_int8_work,
    check=_int8_check,
)
@njit(nogil=True)
def int8(x, y):
    """8-bit in and out (absmax scale, prepared ahead): a quarter of the bytes of f32."""
    # x[n], y[n] int8
    zero = np.int8(0)
    for i in range(x.size):
        y[i] = max(x[i], zero)


@relu.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y):
    """np.maximum(x, 0, out=y), with the cost of the Python call."""
    np.maximum(x, 0, out=y)


@relu.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=_peers.for_torch,
    unavailable=_peers.missing("torch"),
)
def with_torch(x, y):
    """torch.clamp_min(x, 0, out=y), which is relu with a place for the result, and the cost of the Python call."""
    _peers.torch().clamp_min(_peers.tensor(x), 0, out=_peers.tensor(y))

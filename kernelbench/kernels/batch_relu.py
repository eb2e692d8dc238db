"""batch_relu: y[k,n] = max(x[k,n], 0) of k arrays of n elements each: many small tasks, or few large ones

The ladder, each rung a line:
  serial    one array after the other, each in vectors, in one compiled call
  parallel  pieces of the arrays shared among the threads of a compiled loop: large ones are cut, small ones bundled
  pool      concurrent.futures.ThreadPoolExecutor.map over the arrays, each a compiled call that releases the GIL
  numpy     np.maximum for one array after the other, from Python

The results come in the order of the arrays, whoever computed them: each task writes its own place.

When do threads pay? Handing work over has a price, and two threads save at most half of the time. Entering the
compiled loop takes 2 to 3 microseconds whatever the work, so it pays once the serial loop takes more than about twice
that: a few hundred KiB. A pool pays about 10 microseconds an array (a future, a lock, a wake-up, the GIL): arrays
must take several times that each, a MiB or more, before it gains anything. With many small arrays it is hundreds of
times slower than the serial loop. benchmarks/crossover.py measures both crossovers.

Work of one call, s = bytes per element:
  operations  k n                        one comparison an element
  bytes       s k n read + s k n written  and s k n more read for ownership of y's lines

NaN gives NaN in every variant, as np.maximum does.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
from numba import get_num_threads, njit, prange

from kernelbench.kernels._check import Verification, elementwise
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._vectors import PARALLEL_ELEMENTS
from kernelbench.kernels.relu import vectorized as relu_array
from kernelbench.model import DTYPE_BYTES, Accuracy, Work

PIECE = 1 << 14
"""Elements a thread takes of one array at a time: 64 KiB of f32, so that 16 pieces share 1 MiB evenly among 2 to 8
threads, and each is 50 times longer than what finding it costs."""


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    return (random_values(rng, (shape["k"], shape["n"]), dtype),)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    return (((shape["k"], shape["n"]), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    elements, s = shape["k"] * shape["n"], DTYPE_BYTES[dtype]
    return Work(
        model="modelled",
        flop=elements,
        mix="add",  # a max has an add's ports and does one operation a lane, half an FMA's two
        read_bytes=s * elements,
        write_bytes=s * elements,
        rfo_bytes=s * elements,
        working_set_bytes=2 * s * elements,
    )


def _check(v: Verification) -> Accuracy:
    flat = v.inputs[0].reshape(-1)
    # max(x, 0) rounds nothing: any difference at all is an error.
    return elementwise(
        v.outputs[0],
        lambda part: (np.where(flat[part] < 0, 0.0, flat[part].astype(np.float64)), 1.0),
        0.0,
        metric="max |error|",
        reference="float64 by comparison",
    )


batch_relu = Op(
    name="batch_relu",
    summary="y[k,n] = max(x[k,n], 0), k arrays of n",
    dims=("k", "n"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
    sizes=("1000x256", "100x10000", "8x1000000"),
)


@batch_relu.variant(style="vectorized", dtypes=("f64", "f32"))
@njit(nogil=True)
def serial(x, y):
    """One array after the other on one thread."""
    # x[k,n], y[k,n]
    for i in range(x.shape[0]):
        relu_array(x[i], y[i])


@batch_relu.variant(style="parallel", dtypes=("f64", "f32"), parallel=True)
@njit(nogil=True, parallel=True)
def parallel(x, y):
    """Pieces of at most 16384 elements shared among the threads; a small batch stays with one."""
    # x[k,n], y[k,n]
    k, n = x.shape
    if x.size < PARALLEL_ELEMENTS:
        serial(x, y)
        return
    pieces = (n + PIECE - 1) // PIECE
    for task in prange(k * pieces):
        i, first = task // pieces, task % pieces * PIECE
        relu_array(x[i, first : first + PIECE], y[i, first : first + PIECE])


@cache
def executor(threads: int) -> ThreadPoolExecutor:
    """The pool of so many threads; it lives as long as the process."""
    return ThreadPoolExecutor(threads)


def _with_pool(inputs: Arrays, shape: Shape) -> Arrays:
    return inputs[0], executor(get_num_threads())


@batch_relu.variant(style="python", name="pool", dtypes=("f64", "f32"), parallel=True, prepare=_with_pool)
def pool(x, threads, y):
    """ThreadPoolExecutor.map of a compiled, nogil relu over the arrays, with the cost of a future for each."""
    for _ in threads.map(relu_array, x, y):
        pass


@batch_relu.variant(style="library", dtypes=("f64", "f32"))
def numpy(x, y):
    """np.maximum(x[i], 0, out=y[i]) for one array after the other, with the cost of k Python calls."""
    for array, result in zip(x, y, strict=True):
        np.maximum(array, 0, out=result)

"""depthwise_conv2d: y[n,c,p,q] = sum over r, s of x[n,c, p stride + r - R/2, q stride + s - S/2] weights[c,r,s]

One filter a channel, as in the nets made for phones; images, strides and padding as in conv2d. The ladder:
  naive       six loops: one running sum a pixel
  vectorized  the innermost loop runs along rows of pixels: one weight times a vector of them
  tiled       4 rows x a vector of pixels in registers over a padded copy of the channel: with stride 1 a row of input
              is loaded once for each of the R rows of output that see it
  parallel    tiled, a run of channels a thread
  numpy       np.einsum over a sliding window view
  torch       torch.nn.functional.conv2d with a group for each channel (oneDNN)

Work of one call, s = bytes per element:
  FLOP   2 n c R S p q       a multiply and an add for each weight of each pixel, those that meet padding included
  bytes  s (n c h w + c R S) read + s n c p q written
With 3x3 weights that is 18 FLOP for 8 bytes, 2.2 FLOP/B in f32: close to where memory and arithmetic meet in L2 or L3,
and far below a full convolution's, for no input is used by a second filter.

NaN and infinity in x reach the pixels that see them; weights are taken to be finite (see conv2d).
"""

import numpy as np
from numba import get_num_threads, njit, prange

from kernelbench.kernels import _conv, _peers
from kernelbench.kernels._check import Verification, close_to
from kernelbench.kernels._conv import METRIC, Geometry, both, depthwise, taps, tolerance
from kernelbench.kernels._conv_gemm import plane_size
from kernelbench.kernels._conv_pad import clear, fill_plane
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.kernels._scratch import Scratch
from kernelbench.model import Accuracy, Work
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import element_pointer, moved, pointer_at


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    x = random_values(rng, tuple(shape[d] for d in "nchw"), dtype)
    return x, random_values(rng, tuple(shape[d] for d in "crs"), dtype)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    g = Geometry.of(shape)
    return (((shape["n"], shape["c"], g.p, g.q), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    return _conv.work(shape, dtype, shape["c"], shape["c"])


def _check(v: Verification) -> Accuracy:
    exact, scale = v.once("depthwise", lambda: both(depthwise, v.inputs[0], v.inputs[1], v.shape))
    allowed = tolerance(v.shape["r"] * v.shape["s"], v.dtype)
    return close_to(v.outputs[0], exact, scale, allowed, metric=METRIC, reference="float64 einsum")


depthwise_conv2d = Op(
    name="depthwise_conv2d",
    summary="y[n,c,p,q] = x[n,c,h,w] convolved with weights[c,r,s], padded by r // 2 and s // 2",
    dims=("n", "c", "h", "w", "r", "s"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_check,
    params={"stride": (1, 2)},
    sizes=("1x192x28x28x3x3", "1x144x56x56x3x3", "1x32x112x112x3x3", "1x96x56x56x7x7"),
    square=False,
)


def _with_stride(inputs: Arrays, shape: Shape) -> Arrays:
    """(x, weights, stride)"""
    return (*inputs, shape["stride"])


@depthwise_conv2d.variant(style="naive", dtypes=("f64", "f32"), prepare=_with_stride)
@njit(nogil=True)
def naive(x, weights, stride, y):
    """Six loops: one running sum a pixel, bound by the latency of an add."""
    # x[n,c,h,w], weights[c,r,s], y[n,c,p,q]
    height, width = x.shape[2:]
    _, rows, columns = weights.shape
    for n, c, p, q in np.ndindex(y.shape):
        total = x.dtype.type(0)
        top, left = p * stride - rows // 2, q * stride - columns // 2
        for r in range(rows):
            for s in range(columns):
                if 0 <= top + r < height and 0 <= left + s < width:
                    total += x[n, c, top + r, left + s] * weights[c, r, s]
        y[n, c, p, q] = total


@depthwise_conv2d.variant(style="vectorized", dtypes=("f64", "f32"), prepare=_with_stride)
@njit(nogil=True, fastmath={"contract"})
def vectorized(x, weights, stride, y):
    """One weight times a row of pixels: a vector of multiply-adds, for two loads and a store each."""
    # x[n,c,h,w], weights[c,r,s], y[n,c,p,q]. No sum is reordered: every pixel adds its weights in order.
    _, rows, columns = weights.shape
    for n in range(y.shape[0]):
        for c in range(y.shape[1]):
            y[n, c] = 0
            for r in range(rows):
                for s in range(columns):
                    shift = (r - rows // 2, s - columns // 2)
                    _conv.add_shifted(x[n, c], weights[c, r, s], shift, stride, y[n, c])


def _with_planes(inputs: Arrays, shape: Shape, threads: int = 1) -> Arrays:
    """(x, weights, offsets, stride, scratch for a padded channel a thread)"""
    g = Geometry.of(shape)
    needed = 8 * threads * (g.plane + SLACK + g.phases**2 * g.width)
    offsets = taps({**shape, "c": 1})
    return (*inputs, offsets, shape["stride"], Scratch.of(needed))


def _with_threads(inputs: Arrays, shape: Shape) -> Arrays:
    """As ``_with_planes`` for every thread, and their number"""
    threads = get_num_threads()
    return (*_with_planes(inputs, shape, threads), threads)


SLACK = 64
"""Elements beyond a padded channel: whole vectors are loaded, and threads share no cache line."""
ROWS = 4
"""Rows of pixels at once: a chain of FMAs for each hides their latency of 4 cycles."""


@depthwise_conv2d.variant(style="tiled", dtypes=("f64", "f32"), prepare=_with_planes)
@njit(nogil=True)
def tiled(x, weights, offsets, stride, work, y):
    """4 rows x a vector of pixels in registers, over a padded copy of one channel at a time."""
    # x[n,c,h,w], weights[c,r,s], offsets[r*s], y[n,c,p,q]; work is the address of scratch memory
    channels(x, weights, offsets, stride, work, y, 0, x.shape[0] * x.shape[1])


@depthwise_conv2d.variant(style="parallel", dtypes=("f64", "f32"), parallel=True, prepare=_with_threads)
@njit(nogil=True, parallel=True)
def parallel(x, weights, offsets, stride, work, threads, y):
    """Tiled, an equal run of channels a thread."""
    # x[n,c,h,w], weights[c,r,s], offsets[r*s], y[n,c,p,q]; work is the address of scratch memory for each thread
    planes = x.shape[0] * x.shape[1]
    rows, width = plane_size(weights, y, stride)
    each = ((rows + stride) * stride * width + SLACK) * x.itemsize // 64 * 64
    for thread in prange(threads):
        first, last = planes * thread // threads, planes * (thread + 1) // threads
        channels(x, weights, offsets, stride, work + thread * each, y, first, last)


@njit(nogil=True)
def channels(x, weights, offsets, stride, work, y, first, last):
    """y[plane // c, plane % c] for planes first..last: each is padded into scratch, then made four rows at a time."""
    rows, width = plane_size(weights, y, stride)
    image, reach = pointer_at(work, x), (weights.shape[1] // 2, weights.shape[2] // 2)
    pitch = stride * stride * width
    clear(image, rows * stride * width, x)
    p, q = y.shape[2:]
    for plane in range(first, last):
        n, c = plane // x.shape[1], plane % x.shape[1]
        fill_plane(x, n, c, stride, reach, rows, width, image)
        out, filters = element_pointer(y, plane * p * q), weights[c]
        for i in range(0, p, ROWS):
            four_rows(filters, offsets, moved(image, i * pitch), pitch, stride, moved(out, i * q), q, p - i)


@njit(nogil=True)
def four_rows(filters, offsets, start, pitch, stride, out, q, left):
    """out[4, q] = the sums of 4 rows of pixels, or of the ``left`` rows that are left."""
    # Where fewer are left, the last is made again in the place of those missing, from the same input.
    last = min(ROWS, left) - 1
    row1, row2 = min(1, last), min(2, last)
    step = simd.lanes(filters)
    for j in range(0, q, step):
        if stride == 1 and last == ROWS - 1:
            s0, s1, s2, s3 = in_turn(filters, moved(start, j), pitch)
        else:
            s0, s1, s2, s3 = apart(filters, offsets, moved(start, j), row1 * pitch, row2 * pitch, last * pitch)
        put(out, j, s0, q)
        put(moved(out, row1 * q), j, s1, q)
        put(moved(out, row2 * q), j, s2, q)
        put(moved(out, last * q), j, s3, q)


@njit(nogil=True, forceinline=True)
def put(out, j, value, q):
    """out[j:] = ``value``, as far as it lies inside out[q]."""
    if j + simd.lanes(out) <= q:
        simd.store(out, j, value)
    else:
        simd.store_part(out, j, value, q - j)


@njit(nogil=True, forceinline=True)
def in_turn(filters, start, pitch):
    """Sums of 4 rows of pixels, stride 1: row r + 3 of the input is loaded for the lowest, then moves up."""
    s0 = s1 = s2 = s3 = simd.zeros(filters)
    for s in range(filters.shape[1]):
        v0, v1, v2 = simd.load(start, s), simd.load(start, pitch + s), simd.load(start, 2 * pitch + s)
        for r in range(filters.shape[0]):
            v3 = simd.load(start, (r + 3) * pitch + s)
            factor = simd.fill(filters, filters[r, s])
            s0, s1 = simd.fma(v0, factor, s0), simd.fma(v1, factor, s1)
            s2, s3 = simd.fma(v2, factor, s2), simd.fma(v3, factor, s3)
            v0, v1, v2 = v1, v2, v3
    return s0, s1, s2, s3


@njit(nogil=True, forceinline=True)
def apart(filters, offsets, start, row1, row2, row3):
    """Sums of 4 rows of pixels whose input lies 0, row1, row2 and row3 elements from ``start``."""
    s0 = s1 = s2 = s3 = simd.zeros(filters)
    e = 0
    for r in range(filters.shape[0]):
        for s in range(filters.shape[1]):
            at, factor = offsets[e], simd.fill(filters, filters[r, s])
            s0 = simd.fma(simd.load(start, at), factor, s0)
            s1 = simd.fma(simd.load(start, at + row1), factor, s1)
            s2 = simd.fma(simd.load(start, at + row2), factor, s2)
            s3 = simd.fma(simd.load(start, at + row3), factor, s3)
            e += 1
    return s0, s1, s2, s3


@depthwise_conv2d.variant(style="library", dtypes=("f64", "f32"), prepare=_with_stride)
def numpy(x, weights, stride, y):
    """np.einsum over a sliding window view of the padded x, with its hidden copy and the cost of the calls."""
    np.einsum("ncpqrs,crs->ncpq", _conv.windows(x, weights.shape[1:], stride), weights, out=y)


@depthwise_conv2d.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=lambda inputs, shape: _with_stride(_peers.for_torch(inputs, shape), shape),
    unavailable=_peers.missing("torch"),
)
def with_torch(x, weights, stride, y):
    """torch.nn.functional.conv2d, groups=c; it has no out=, so copying its result into y is timed as well."""
    c, r, s = weights.shape
    made = _peers.torch().nn.functional.conv2d(
        _peers.tensor(x), _peers.tensor(weights).unsqueeze(1), stride=stride, padding=(r // 2, s // 2), groups=c
    )
    _peers.tensor(y).copy_(made)

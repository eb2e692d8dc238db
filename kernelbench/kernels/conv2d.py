"""conv2d: y[n,k,p,q] = sum over c, r, s of x[n,c, p stride + r - R/2, q stride + s - S/2] weights[k,c,r,s]

Images x[n,c,h,w] and y[n,k,p,q], channels before pixels; zeros around x, R // 2 rows and S // 2 columns on each side,
so that a 3x3 layer of stride 1 keeps its map's size. The ladder, each rung a line:
  naive            seven loops: one running sum a pixel, every weight read again for every pixel
  vectorized       the innermost loop runs along rows of pixels: one weight times a vector of them
  tiled            4 output channels x 2 vectors of pixels in registers: an element loaded serves 4 FMAs
  im2col           the input of every pixel written out as a matrix[c r s, p q], then a packed matmul
  packed           that matmul without the matrix: its register tile reads the padded image (conv2d_packed.py)
  packed_parallel  packed, a part of the pixels or of the output channels a thread
  numpy            np.einsum over a sliding window view: NumPy's own im2col and BLAS
  torch            torch.nn.functional.conv2d (oneDNN)

Work of one call, s = bytes per element:
  FLOP   2 n k c R S p q     a multiply and an add for each weight of each pixel, those that meet padding included:
                             naive and vectorized skip them, 3.5% of all at 56x56 with 3x3
  bytes  s (n c h w + k c R S) read + s n k p q written, each operand counted once
A 64x56x56 layer of 64 3x3 filters has 231 MFLOP for 1.8 MB, 132 FLOP/B: bound by arithmetic. im2col moves that
matrix on top, R S / stride^2 times x, and reads it again.

NaN and infinity in x reach the pixels that see them. Weights are taken to be finite: whether one that is not meets
the padding's zeros is up to the variant.
"""

import numpy as np
from numba import carray, njit

from kernelbench.kernels import _conv, _conv_gemm, _peers
from kernelbench.kernels._conv import Geometry
from kernelbench.kernels._conv_pad import copy_row
from kernelbench.kernels._gemm import WORKSPACE_BYTES, product
from kernelbench.kernels._registry import Arrays, Op, Outputs, Shape, random_values
from kernelbench.model import Work
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import element_pointer, moved, pointer_at


def _inputs(shape: Shape, dtype: str, rng: np.random.Generator) -> Arrays:
    x = random_values(rng, tuple(shape[d] for d in "nchw"), dtype)
    return x, random_values(rng, tuple(shape[d] for d in "kcrs"), dtype)


def _outputs(shape: Shape, dtype: str) -> Outputs:
    g = Geometry.of(shape)
    return (((shape["n"], shape["k"], g.p, g.q), dtype),)


def _work(shape: Shape, dtype: str) -> Work:
    return _conv.work(shape, dtype, shape["k"], shape["k"] * shape["c"])


conv2d = Op(
    name="conv2d",
    summary="y[n,k,p,q] = x[n,c,h,w] convolved with weights[k,c,r,s], padded by r // 2 and s // 2",
    dims=("n", "c", "h", "w", "k", "r", "s"),
    inputs=_inputs,
    outputs=_outputs,
    work=_work,
    check=_conv.check,
    params={"stride": (1, 2)},
    sizes=("1x128x28x28x128x3x3", "1x64x56x56x64x3x3", "1x3x224x224x64x7x7", "1x256x14x14x256x1x1"),
    square=False,
)


def _with_stride(inputs: Arrays, shape: Shape) -> Arrays:
    """(x, weights, stride)"""
    return (*inputs, shape["stride"])


@conv2d.variant(style="naive", dtypes=("f64", "f32"), prepare=_with_stride)
@njit(nogil=True)
def naive(x, weights, stride, y):
    """Seven loops: one running sum a pixel, bound by the latency of an add."""
    # x[n,c,h,w], weights[k,c,r,s], y[n,k,p,q]
    _, channels, height, width = x.shape
    rows, columns = weights.shape[2:]
    for n, k, p, q in np.ndindex(y.shape):
        total = x.dtype.type(0)
        top, left = p * stride - rows // 2, q * stride - columns // 2
        for c in range(channels):
            for r in range(rows):
                for s in range(columns):
                    if 0 <= top + r < height and 0 <= left + s < width:
                        total += x[n, c, top + r, left + s] * weights[k, c, r, s]
        y[n, k, p, q] = total


@conv2d.variant(style="vectorized", dtypes=("f64", "f32"), prepare=_with_stride)
@njit(nogil=True, fastmath={"contract"})
def vectorized(x, weights, stride, y):
    """One weight times a row of pixels: a vector of multiply-adds, for two loads and a store each."""
    # x[n,c,h,w], weights[k,c,r,s], y[n,k,p,q]. No sum is reordered: every pixel adds its weights in order.
    _, channels, rows, columns = weights.shape
    for n in range(y.shape[0]):
        for k in range(y.shape[1]):
            y[n, k] = 0
            for c in range(channels):
                for r in range(rows):
                    for s in range(columns):
                        shift = (r - rows // 2, s - columns // 2)
                        _conv.add_shifted(x[n, c], weights[k, c, r, s], shift, stride, y[n, k])


@conv2d.variant(style="tiled", dtypes=("f64", "f32"), prepare=_conv_gemm.with_workspace)
@njit(nogil=True)
def tiled(x, weights, offsets, stride, work, y):
    """4 output channels x 2 vectors of pixels in registers over a padded copy of x: 6 loads for 8 vectors of FMAs."""
    # x[n,c,h,w], weights[k,c,r,s], offsets[c*r*s], y[n,k,p,q]; work is the address of scratch memory
    k, p, q = y.shape[1:]
    pitch = _conv_gemm.row_pitch(weights, y, stride)
    flat, step = weights.reshape((k, offsets.size)), 2 * simd.lanes(x)
    image = pointer_at(work + WORKSPACE_BYTES, x)
    for n in range(x.shape[0]):
        _conv_gemm.pad_image(x, n, weights, y, stride, image)
        for i in range(p):
            for j in range(0, q, step):
                for top in range(0, k, 4):
                    four_channels(flat, top, offsets, moved(image, i * pitch + j), y[n, :, i], j)


@njit(nogil=True)
def four_channels(weights, top, offsets, start, out, j):
    """out[top : top + 4, j : j + 2 vectors] = the sums of all weights, as far as it lies inside out[k,q]."""
    # Past the last channel its own sums are made again and not written.
    k, step = weights.shape[0], simd.lanes(weights)
    w0, w1, w2, w3 = (
        weights[top],
        weights[min(top + 1, k - 1)],
        weights[min(top + 2, k - 1)],
        weights[min(top + 3, k - 1)],
    )
    s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = simd.zeros(weights)
    for e in range(offsets.size):
        u, v = simd.load(start, offsets[e]), simd.load(start, offsets[e] + step)
        s0, t0 = simd.fma(u, w0[e], s0), simd.fma(v, w0[e], t0)
        s1, t1 = simd.fma(u, w1[e], s1), simd.fma(v, w1[e], t1)
        s2, t2 = simd.fma(u, w2[e], s2), simd.fma(v, w2[e], t2)
        s3, t3 = simd.fma(u, w3[e], s3), simd.fma(v, w3[e], t3)
    left = out.shape[1] - j
    for r, s, t in ((0, s0, t0), (1, s1, t1), (2, s2, t2), (3, s3, t3)):
        if top + r < k:
            target = element_pointer(out[top + r], j)
            simd.store_part(target, 0, s, left)
            simd.store_part(target, step, t, max(0, left - step))


def _im2col_work(shape: Shape, dtype: str) -> Work:
    g = Geometry.of(shape)
    matrix = shape["n"] * shape["c"] * shape["r"] * shape["s"] * g.p * g.q
    return _conv.work(shape, dtype, shape["k"], shape["k"] * shape["c"], matrix)


@conv2d.variant(style="tiled", dtypes=("f64", "f32"), prepare=_conv_gemm.with_matrix, work=_im2col_work)
@njit(nogil=True)
def im2col(x, weights, offsets, stride, work, y):
    """The input of every pixel written out, matrix[c r s, p q], then a packed matmul: fast FMAs, more traffic."""
    # x[n,c,h,w], weights[k,c,r,s], offsets[c*r*s], y[n,k,p,q]; work: a workspace, an image, a matrix
    k, p, q = y.shape[1:]
    pitch = _conv_gemm.row_pitch(weights, y, stride)
    flat, out = weights.reshape((k, offsets.size)), y.reshape((x.shape[0], k, p * q))
    image = pointer_at(work + WORKSPACE_BYTES, x)
    start = moved(image, _conv_gemm.image_elements(x, weights, y, stride))
    matrix = carray(start, (offsets.size, p * q))
    for n in range(x.shape[0]):
        _conv_gemm.pad_image(x, n, weights, y, stride, image)
        for e in range(offsets.size):
            for i in range(p):
                copy_row(moved(start, (e * p + i) * q), moved(image, offsets[e] + i * pitch), q, x)
        product(flat, matrix, out[n], 0, k, 0, p * q, work)


@conv2d.variant(style="library", dtypes=("f64", "f32"), parallel=True, prepare=_with_stride)
def numpy(x, weights, stride, y):
    """np.einsum over a sliding window view of the padded x, with its hidden copies and the cost of the calls."""
    seen = _conv.windows(x, weights.shape[2:], stride)
    np.einsum("ncpqrs,kcrs->nkpq", seen, weights, out=y, optimize=True)


@conv2d.variant(
    style="library",
    name="torch",
    dtypes=("f64", "f32"),
    parallel=True,
    prepare=lambda inputs, shape: _with_stride(_peers.for_torch(inputs, shape), shape),
    unavailable=_peers.missing("torch"),
)
def with_torch(x, weights, stride, y):
    """torch.nn.functional.conv2d; it has no out=, so copying its result into y is timed as well (1 to 20%)."""
    r, s = weights.shape[2:]
    made = _peers.torch().nn.functional.conv2d(
        _peers.tensor(x), _peers.tensor(weights), stride=stride, padding=(r // 2, s // 2)
    )
    _peers.tensor(y).copy_(made)

"""conv2d, the last rungs: a matmul's register tile that reads the padded image where a matmul reads packed panels

  packed           14 output channels x 32 pixels (AVX-512, f32) in registers; x is padded, no matrix is written
  packed_parallel  the pixels of all images dealt to threads, or their output channels where pixels are few

x and weights are as they come: padding and copying them is part of the call, only scratch memory is made ahead.
Operands, work and tolerance are the op's (conv2d.py): each pixel adds its products in order, so nothing is reordered.
"""

from numba import njit, prange

from kernelbench.kernels import _conv_gemm
from kernelbench.kernels._conv_gemm import as_it_is, columns_of, pad_channel, pad_image, row_pitch
from kernelbench.kernels._gemm import MR, VECTORS, WORKSPACE_BYTES
from kernelbench.kernels.conv2d import conv2d
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import element_pointer, moved, pointer_at


@conv2d.variant(style="packed", dtypes=("f64", "f32"), prepare=_conv_gemm.with_workspace)
@njit(nogil=True)
def packed(x, weights, offsets, stride, work, y):
    """A tile of y in registers over the padded image: two vectors loaded for 28 vectors of FMAs."""
    # x[n,c,h,w], weights[k,c,r,s], offsets[c*r*s], y[n,k,p,q]; work is the address of scratch memory
    k, p, q = y.shape[1:]
    pitch = row_pitch(weights, y, stride)
    flat, out = weights.reshape((k, offsets.size)), y.reshape((x.shape[0], k, p * q))
    image = pointer_at(work + WORKSPACE_BYTES, x)
    for n in range(x.shape[0]):
        source = image
        if as_it_is(x, weights, y, stride):
            source = element_pointer(x, n * x[0].size)
        else:
            pad_image(x, n, weights, y, stride, image)
        columns_of(flat, offsets, out[n], source, pitch, q, (0, k), (0, p * q), work)


@conv2d.variant(style="parallel", dtypes=("f64", "f32"), parallel=True, prepare=_conv_gemm.with_workspaces)
@njit(nogil=True, parallel=True)
def packed_parallel(x, weights, offsets, stride, work, threads, y):
    """Packed: every thread pads some channels, then computes a run of pixels, or some output channels of it."""
    # x[n,c,h,w], weights[k,c,r,s], offsets[c*r*s], y[n,k,p,q]; work: WORKSPACE_BYTES a thread, then padded images
    (images, c), (k, p, q) = x.shape[:2], y.shape[1:]
    pitch = row_pitch(weights, y, stride)
    flat, out = weights.reshape((k, offsets.size)), y.reshape((images, k, p * q))
    base = pointer_at(work + threads * WORKSPACE_BYTES, x)
    size = _conv_gemm.image_elements(x, weights, y, stride)
    padded = images * c
    if as_it_is(x, weights, y, stride):
        base, padded = element_pointer(x, 0), 0
    for plane in prange(padded):
        pad_channel(x, plane // c, plane % c, weights, y, stride, moved(base, plane // c * size))
    nr = VECTORS * simd.lanes(x)
    tiles = (p * q + nr - 1) // nr
    # Fewer than 8 tiles of pixels a thread would not repay copying the weights: channels are dealt then.
    parts = max(1, min(threads, images * tiles // 8))
    bands = max(1, min(threads // parts, k // MR))
    for task in prange(parts * bands):
        part, band = task // bands, task % bands
        first, last = images * tiles * part // parts, images * tiles * (part + 1) // parts
        mine = work + task * WORKSPACE_BYTES
        for n in range(first // tiles, (last + tiles - 1) // tiles):
            left, right = max(first - n * tiles, 0) * nr, min(min(last - n * tiles, tiles) * nr, p * q)
            rows = (k * band // bands, k * (band + 1) // bands)
            columns_of(flat, offsets, out[n], moved(base, n * size), pitch, q, rows, (left, right), mine)

"""Convolution as a matmul whose second operand is never written out ("implicit GEMM").

    y[k, pixels] = weights[k, c r s] @ input[c r s, pixels]

where row e of ``input`` is the padded image shifted by offsets[e]. The blocking is that of the packed matmul:

    for e0 in c r s by kc            a slice of kc steps of the sum
      for j0 in pixels by nc         their part of the padded image stays in L2
        for i in k by mr             weights[mr, kc], the sliver, is copied to its place in L1
          for j in nc by nr          the tile: y[mr, nr] in registers

With 512-bit vectors a row of pixels usually fills one, and the tile reads the image in place: r s times fewer bytes
than im2col writes. Shorter rows, and narrower registers, which have no place for masks, go through panels as in a
matmul, packed from the padded image a slice at a time.
"""

from numba import get_num_threads, njit

from kernelbench.kernels._conv import Geometry, taps
from kernelbench.kernels._conv_pad import clear, fill_plane
from kernelbench.kernels._conv_tile import IN_PLACE, conv_tile
from kernelbench.kernels._gemm import (
    KC_BYTES,
    MR,
    SLIVER_BYTES,
    TILE_BYTES,
    VECTOR_BYTES,
    VECTORS,
    WORKSPACE_BYTES,
    copy_sliver,
)
from kernelbench.kernels._gemm_copies import exchange
from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.kernels._scratch import Scratch
from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import copy_vector, element_bytes, element_pointer, lanes_of, moved, pointer_at

BLOCK_BYTES = 512 << 10
"""What a block's input may take: half of a 1 MiB L2, where it is read once for every mr output channels."""


def _scratch(shape: Shape, threads: int, images: int, after: int = 0) -> Scratch:
    """Scratch: threads' tiles, ``images`` padded images and ``after`` elements, of 8 bytes each at most."""
    g = Geometry.of(shape)
    # Whole vectors are loaded: what lies beyond the last pixel may reach into three more rows and two vectors.
    elements = images * shape["c"] * g.plane + 3 * g.phases**2 * g.width + 2 * lanes_of(4) + after
    return Scratch.of(threads * WORKSPACE_BYTES + 8 * elements)


def with_workspace(inputs: Arrays, shape: Shape) -> Arrays:
    """(x, weights, offsets, stride, scratch for one thread and one image)"""
    return (*inputs, taps(shape), shape["stride"], _scratch(shape, 1, 1))


def with_matrix(inputs: Arrays, shape: Shape) -> Arrays:
    """As ``with_workspace``, with room for a matrix of every pixel's input after the image."""
    g = Geometry.of(shape)
    matrix = shape["c"] * shape["r"] * shape["s"] * g.p * g.q
    return (*inputs, taps(shape), shape["stride"], _scratch(shape, 1, 1, matrix))


def with_workspaces(inputs: Arrays, shape: Shape) -> Arrays:
    """(x, weights, offsets, stride, scratch for each thread and all images, number of threads)"""
    # Asked for in compiled code, the number would be an address of this process: Numba would not cache the kernel.
    threads = get_num_threads()
    return (*inputs, taps(shape), shape["stride"], _scratch(shape, threads, shape["n"]), threads)


@njit(nogil=True, inline="always")
def plane_size(weights, y, stride):
    """(rows, columns of a phase) of a padded channel."""
    return (y.shape[2] - 1) * stride + weights.shape[-2], y.shape[3] - 1 + (weights.shape[-1] + stride - 1) // stride


@njit(nogil=True)
def row_pitch(weights, y, stride):
    """Elements of a padded image from one row of output pixels to the next."""
    return stride * stride * plane_size(weights, y, stride)[1]


@njit(nogil=True)
def image_elements(x, weights, y, stride):
    """Elements of a padded image."""
    rows, width = plane_size(weights, y, stride)
    return x.shape[1] * rows * stride * width


@njit(nogil=True)
def as_it_is(x, weights, y, stride):
    """Whether x itself serves as the padded image: 1x1 weights need no padding, and a tile fits into a channel."""
    same = weights.shape[2] * weights.shape[3] * stride == 1
    return IN_PLACE and same and y.shape[2] * y.shape[3] >= VECTORS * simd.lanes(x)


@njit(nogil=True)
def pad_channel(x, image, channel, weights, y, stride, target):
    """target[channel, rows, phases, width] = x[image, channel] with zeros around it."""
    rows, width = plane_size(weights, y, stride)
    reach = (weights.shape[2] // 2, weights.shape[3] // 2)
    size = rows * stride * width
    clear(moved(target, channel * size), size, x)
    fill_plane(x, image, channel, stride, reach, rows, width, moved(target, channel * size))


@njit(nogil=True)
def pad_image(x, image, weights, y, stride, target):
    """target[c, rows, phases, width] = x[image] with zeros around it."""
    for channel in range(x.shape[1]):
        pad_channel(x, image, channel, weights, y, stride, target)


@njit(nogil=True, inline="always")
def columns_of(weights, offsets, out, source, pitch, q, rows, columns, work):
    """out[k0:k1, j0:j1] from the padded image ``source``, whose rows of q pixels lie ``pitch`` apart.

    weights[k, c*r*s], out[k, p*q]; rows = (k0, k1), columns = (j0, j1); ``work``: address of WORKSPACE_BYTES.
    """
    (k0, k1), (j0, j1), terms = rows, columns, weights.shape[1]
    if terms == 0:
        out[k0:k1, j0:j1] = 0
    # Nothing between rows of pixels: they are one.
    across, jump = out.shape[1] if pitch == q else q, pitch - q
    lanes = max(VECTOR_BYTES // element_bytes(weights), 1)
    in_place = IN_PLACE and 2 * across >= lanes
    kc = KC_BYTES // element_bytes(weights)
    slices = (terms + kc - 1) // kc
    blocks = (k1 - k0 + MR - 1) // MR
    for piece in range(slices):
        e = terms * piece // slices
        steps = terms * (piece + 1) // slices - e
        nc = block_columns(offsets, e, steps, in_place, VECTORS * lanes, element_bytes(weights))
        for j in range(j0, j1, nc):
            width = min(nc, j1 - j)
            if not in_place:
                pack(offsets, e, steps, source, pitch, across, j, width, work, weights)
            for block in range(blocks):
                # Heights differ by one at most: 64 channels are 13 + 13 + 13 + 13 + 12, not 14 x 4 + 8.
                top = k0 + (k1 - k0) * block // blocks
                height = k0 + (k1 - k0) * (block + 1) // blocks - top
                channels(weights, offsets, out, top, height, e, steps, source, across, jump, j, width, in_place, work)


@njit(nogil=True)
def block_columns(offsets, e, steps, in_place, nr, itemsize):
    """Pixels whose input for ``steps`` steps fits BLOCK_BYTES, in whole tiles of nr."""
    distinct = steps
    if in_place:
        # Neighbouring weights of a row read the same input.
        for step in range(e, e + steps - 1):
            distinct -= offsets[step + 1] - offsets[step] <= 2
    return max(1, BLOCK_BYTES // (itemsize * distinct * nr)) * nr


@njit(nogil=True, inline="always")
def channels(weights, offsets, out, top, rows, e, steps, source, q, jump, j, columns, in_place, work):
    """out[top : top + rows, j : j + columns] for ``steps`` steps from e; source is read in place, or its panels."""
    lanes = max(VECTOR_BYTES // element_bytes(weights), 1)
    nr, n = VECTORS * lanes, out.shape[1]
    aside, sliver = pointer_at(work, weights), pointer_at(work + TILE_BYTES, weights)
    panels = pointer_at(work + TILE_BYTES + SLIVER_BYTES, weights)
    copy_sliver(weights, top, rows, e, steps, sliver)
    places = element_pointer(offsets, e)
    for s in range(j, j + columns, nr):
        width = min(nr, j + columns - s)
        vectors = (width + lanes - 1) // lanes
        ragged = width < vectors * lanes
        # A ragged tile in place makes the pixels before it as well, rather than read what lies behind the image.
        back = min(vectors * lanes - width, s) if in_place else 0
        row0, at0 = (s - back) // q, (s - back) % q
        second = s - back + lanes if vectors == VECTORS else s - back
        row1, at1 = second // q, second % q
        start0, start1, b_row = moved(source, row0 * (q + jump) + at0), moved(source, row1 * (q + jump) + at1), 0
        if not in_place:
            start0, start1, b_row = moved(panels, (s - j) * steps), moved(panels, (s - j) * steps + lanes), nr
            at0 = at1 = q - nr  # a panel has no rows of pixels that could end
        c_row, target = n, element_pointer(out, top * n + s)
        if ragged:
            c_row, target = nr, aside
            exchange(out, top, rows, s, width, nr, moved(aside, back), True)
        conv_tile(
            rows, vectors, steps, sliver, places, b_row, start0, start1, jump, q, at0, at1, target,
            c_row, e == 0,
        )  # fmt: skip
        if ragged:
            exchange(out, top, rows, s, width, nr, moved(aside, back), False)


@njit(nogil=True)
def pack(offsets, e, steps, source, pitch, q, j, columns, work, like):
    """Panels[steps, nr] of the implicit matrix: steps e and on, pixels j : j + columns."""
    lanes = max(VECTOR_BYTES // element_bytes(like), 1)
    nr = VECTORS * lanes
    panels = pointer_at(work + TILE_BYTES + SLIVER_BYTES, like)
    for s in range(0, columns, nr):
        width = min(nr, columns - s)
        row, at = (j + s) // q, (j + s) % q
        for step in range(steps):
            place, start = moved(panels, s * steps + step * nr), moved(source, offsets[e + step] + row * pitch + at)
            # A row of pixels is copied in whole vectors; what that overruns belongs to the next and is written after.
            done, left = 0, q - at
            while done < width:
                for v in range(0, min(left, width - done), lanes):
                    copy_vector(moved(place, done + v), moved(start, v))
                done += left
                # From the first pixel past this row's end to the first of the next.
                start = moved(start, left + pitch - q)
                left = q

"""What the packed matmul copies: panels of b, and tiles at c's ragged edge."""

from numba import njit

from kernelbench.simd.vector import copy_vector, element_pointer, moved


@njit(nogil=True)
def pack_panel(b, row, rows, column, width, lanes, panel):
    """panel[rows][width, to whole vectors] = b[row : row + rows, column : column + width], zeros beyond."""
    n = b.shape[1]
    whole = width // lanes
    padded = (width + lanes - 1) // lanes * lanes
    for p in range(rows):
        at = moved(panel, p * padded)
        start = element_pointer(b, (row + p) * n + column)
        for v in range(whole):
            copy_vector(moved(at, v * lanes), moved(start, v * lanes))
        for s in range(whole * lanes, padded):
            at[s] = start[s] if s < width else b.dtype.type(0)


@njit(nogil=True)
def exchange(c, top, rows, column, width, stride, aside, fetch):
    """Copy the part of a ragged tile that lies inside c to the scratch tile (``fetch``), or back."""
    for r in range(rows):
        for s in range(width):
            if fetch:
                aside[r * stride + s] = c[top + r, column + s]
            else:
                c[top + r, column + s] = aside[r * stride + s]

"""The thread pools of Numba and of the BLAS, made to start when we say."""

from __future__ import annotations

import numba
import numpy as np


@numba.njit(parallel=True, nogil=True)
def touch(x):
    """x[n] = 0, one part a thread."""
    for i in numba.prange(x.size):
        x[i] = 0


def start() -> None:
    """Make both pools create their threads now, so that they can be pinned.

    OpenMP creates its threads at the first parallel region, OpenBLAS at the latest in its first call that
    is worth sharing.
    """
    if numba.config.NUMBA_NUM_THREADS > 1:
        touch(np.empty(64 * numba.config.NUMBA_NUM_THREADS, np.float32))
        tile = np.ones((256, 256), np.float32)
        np.matmul(tile, tile)


def thread_layer() -> str:
    """Numba's threading layer in this process; "none" for a single thread, where no pool is started."""
    if numba.config.NUMBA_NUM_THREADS == 1:
        return "none"
    layer: str = numba.threading_layer()
    return layer

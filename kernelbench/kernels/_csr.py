"""What the sparse ops share: magnitude pruning, compressed sparse rows (CSR), libraries' forms.

Magnitude pruning keeps the largest elements of a whole matrix (Gale, Elsen, Hooker 2019): rows keep what they have
among these, so their lengths differ. The sparsity is the part that is dropped: 0 keeps all, 1 nothing.
"""

import importlib
import math
import warnings

import numpy as np
from numba import get_num_threads

from kernelbench.errors import UsageError
from kernelbench.kernels import _peers
from kernelbench.kernels._registry import Arrays, Shape

SPARSITIES = (0.5, 0.9, 0.95)
"""Measured by default: what 2:4 hardware drops, what large models lose little by, what small ones bear."""


def kept(total: int, shape: Shape) -> int:
    """How many of ``total`` are kept at ``shape["sparsity"]``, rounded up. Raises UsageError outside of 0 to 1."""
    sparsity: float = shape["sparsity"]
    if not 0 <= sparsity <= 1:
        raise UsageError(f"sparsity {sparsity!r} is not between 0 (all is kept) and 1 (nothing is)")
    # 1 - 0.9 is a little more than 0.1, which must not round up to one more.
    return math.ceil(round(total * (1 - sparsity), 6))


def prune(a: np.ndarray, count: int) -> np.ndarray:
    """``a`` with zeros for all but its ``count`` largest magnitudes; in place."""
    flat = a.reshape(-1)
    dropped = flat.size - count
    if dropped:
        flat[np.argpartition(np.abs(flat), dropped - 1)[:dropped]] = 0
    return a


Csr = tuple[np.ndarray, np.ndarray, np.ndarray]
"""values[nnz], columns[nnz], starts[m+1]: row i is starts[i]..starts[i+1]."""


def to_csr(a: np.ndarray) -> Csr:
    """CSR of a[m,n] with columns and starts of uint32: no index is negative, and the compiler need not ask."""
    rows, columns = np.nonzero(a)
    starts = np.zeros(a.shape[0] + 1, np.uint32)
    np.cumsum(np.bincount(rows, minlength=a.shape[0]), out=starts[1:])
    return a[rows, columns], columns.astype(np.uint32), starts


def csr_bytes(m: int, nnz: int, itemsize: int) -> int:
    """A value and a column of 4 bytes for each element stored, and where each row starts."""
    return nnz * (itemsize + 4) + 4 * (m + 1)


def even_bounds(starts: np.ndarray) -> np.ndarray:
    """bounds[threads+1]: rows bounds[t]..bounds[t+1] hold about as many stored elements for each thread t."""
    threads = get_num_threads()
    ends = starts.astype(np.int64)
    bounds: np.ndarray = np.searchsorted(ends, ends[-1] * np.arange(threads + 1) // threads).astype(np.int64)
    # Rows without elements at the end are nobody's by their elements, and somebody has to write them.
    bounds[0], bounds[-1] = 0, ends.size - 1
    return bounds


def for_scipy(inputs: Arrays, shape: Shape) -> Arrays:
    """(a as scipy.sparse.csr_array, the dense operand)."""
    return importlib.import_module("scipy.sparse").csr_array(inputs[0]), inputs[1]


def for_torch(inputs: Arrays, shape: Shape) -> Arrays:
    """(a as a sparse CSR tensor of torch, the dense operand); its indices are 32 bits, which its MKL takes as is."""
    torch = _peers.torch()
    values, columns, starts = to_csr(inputs[0])
    parts = (starts.astype(np.int32), columns.astype(np.int32), values)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta", UserWarning)
        made = torch.sparse_csr_tensor(*map(torch.from_numpy, parts), size=inputs[0].shape, check_invariants=True)
    return made, inputs[1]

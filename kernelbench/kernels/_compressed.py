"""What is said of y[m] = a[m,n] x[n] and y[m,n] = a[m,k] b[k,n] when a is stored in less: work and correctness.

A dense peer multiplies the zeros too: it has a work and, where operands are not finite, a reference of its own.
"""

import math

import numpy as np

from kernelbench.kernels import _weights
from kernelbench.kernels._check import EPS, Verification, close_to
from kernelbench.kernels._product import METRIC, check_product
from kernelbench.kernels._registry import Outputs, Shape
from kernelbench.model import DTYPE_BYTES, Accuracy, Work


def vector_outputs(shape: Shape, dtype: str) -> Outputs:
    """y[m]"""
    return (((shape["m"],), dtype),)


def matrix_outputs(shape: Shape, dtype: str) -> Outputs:
    """y[m,n]"""
    return (((shape["m"], shape["n"]), dtype),)


def _work(a: int, flop: int, dense: int, made: int) -> Work:
    return Work(
        model="modelled",
        flop=flop,
        mix="fma",
        read_bytes=a + dense,
        write_bytes=made,
        rfo_bytes=made,
        working_set_bytes=a + dense + made,
        prepared_bytes=a,
    )


def vector_work(a: int, products: int, shape: Shape, dtype: str) -> Work:
    """The work of y = a x when a takes ``a`` bytes and ``products`` multiplications are done."""
    s = DTYPE_BYTES[dtype]
    return _work(a, 2 * products, s * shape["n"], s * shape["m"])


def matrix_work(a: int, products: int, shape: Shape, dtype: str) -> Work:
    """The work of y = a b when a takes ``a`` bytes and ``products`` elements of it meet a row of b each."""
    m, n, k, s = shape["m"], shape["n"], shape["k"], DTYPE_BYTES[dtype]
    return _work(a, 2 * products * n, s * k * n, s * m * n)


def dense_vector_work(shape: Shape, dtype: str) -> Work:
    """With a's zeros: what a dense peer does. Compare times with it, not rates."""
    size = shape["m"] * shape["n"]
    return vector_work(size * DTYPE_BYTES[dtype], size, shape, dtype)


def dense_matrix_work(shape: Shape, dtype: str) -> Work:
    """With a's zeros: what a dense peer does. Compare times with it, not rates."""
    size = shape["m"] * shape["k"]
    return matrix_work(size * DTYPE_BYTES[dtype], size, shape, dtype)


def met(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(a b, |a| |b|) in float64 where zeros of a[m,k] are not stored, so that they meet nothing of b[k,n].

    That shows where b is not finite: 0 times infinity is NaN, and not stored it is nothing.
    """
    odd = np.flatnonzero(~np.isfinite(b).all(axis=1))
    tame, rest = b.astype(np.float64), b[odd].astype(np.float64)
    tame[~np.isfinite(b)] = 0
    rest[np.isfinite(rest)] = 0
    columns = [_weights.products(a, column) for column in tame.T]
    exact, scale = (np.array([c[i] for c in columns]).reshape(b.shape[1], a.shape[0]).T.copy() for i in range(2))
    with np.errstate(invalid="ignore"):  # infinities of both signs give NaN, as they should
        for row, column in zip(rest, a[:, odd].T.astype(np.float64), strict=True):
            products = column[:, None] * row
            exact += np.where((column[:, None] != 0) & (row != 0), products, 0.0)
    return exact, scale


def _judge_vector(v: Verification, exact: np.ndarray, scale: np.ndarray) -> Accuracy:
    # As gemv's: any order of at most n products, lanes included (Higham 2002, sec. 2.8).
    tolerance = max(8.0, v.shape["n"] ** 0.5) * EPS[v.dtype]
    metric = "max |error| / (|a| |x|)"
    return close_to(v.outputs[0], exact, scale, tolerance, metric=metric, reference="float64 einsum with the zeros")


def check_vector(v: Verification) -> Accuracy:
    """Judges y[m] = a x where zeros are not stored; inputs are a with its zeros and x."""

    def oracle() -> tuple[np.ndarray, np.ndarray]:
        a, x = v.inputs
        exact, scale = met(a, x[:, None])
        return exact[:, 0], scale[:, 0]

    return _judge_vector(v, *v.once("stored", oracle))


def check_dense_vector(v: Verification) -> Accuracy:
    """Judges y[m] = a x where zeros are multiplied as well."""
    return _judge_vector(v, *v.once("dense", lambda: _weights.products(*v.inputs)))


def _matrix_tolerance(v: Verification) -> float:
    # As matmul's: any order of at most k products (Higham 2002, sec. 2.8).
    depth: int = v.shape["k"]
    return max(8.0, math.sqrt(depth)) * EPS[v.dtype]


def check_matrix(v: Verification) -> Accuracy:
    """Judges y[m,n] = a b where zeros are not stored; inputs are a with its zeros and b."""
    a, b = v.inputs
    if np.isfinite(b).all():
        return check_product(v, a, b, v.outputs[0], _matrix_tolerance(v))
    exact, scale = v.once("met", lambda: met(a, b))
    reference = "float64 einsum of what is stored"
    return close_to(v.outputs[0], exact, scale, _matrix_tolerance(v), metric=METRIC, reference=reference)


def check_dense_matrix(v: Verification) -> Accuracy:
    """Judges y[m,n] = a b where zeros are multiplied as well."""
    a, b = v.inputs
    return check_product(v, a, b, v.outputs[0], _matrix_tolerance(v))

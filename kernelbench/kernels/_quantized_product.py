"""What a matmul that quantizes for itself prepares, does and must give; the kernels are in matmul_quantized.py."""

from collections.abc import Callable

import numpy as np
from msgspec import structs
from numba import get_num_threads

from kernelbench.kernels._check import EPS, Verification, close_to, exactly
from kernelbench.kernels._dot_gemm import scratch_bytes
from kernelbench.kernels._dot_tile import NR
from kernelbench.kernels._int8_product import panels
from kernelbench.kernels._product import METRIC, product_error
from kernelbench.kernels._quantize import absmax_int8, absmax_int8_columns, affine_uint8
from kernelbench.kernels._registry import Arrays, Shape
from kernelbench.kernels._scratch import Scratch, workspace
from kernelbench.model import Accuracy, Work

Prepare = Callable[[Arrays, Shape], Arrays]


def weights(b: np.ndarray, by_column: bool) -> tuple[np.ndarray, np.ndarray]:
    """(q int8 [k,n], steps f32 [n]) of b[k,n], symmetric. Raises ValueError for NaN and infinity."""
    if by_column:
        return absmax_int8_columns(b)
    q, step = absmax_int8(b)
    return q, np.full(b.shape[1], step, np.float32)


def prepared(by_column: bool, *, threads: bool = False, result: bool = False) -> Prepare:
    """(a f32 [m,k], panels of b, its columns' sums int32 and steps f32 [n, to whole panels], scratch ...).

    Scratch: q uint8 [m,k], steps f32 [m], zeros int32 [m], memory of the tile. Then, as asked for: the number of
    threads, or the step of the result [1], as a calibration would have found it.
    """

    def of(inputs: Arrays, shape: Shape) -> Arrays:
        a, b = inputs
        m, k = a.shape
        q, steps = weights(b, by_column)
        count = get_num_threads() if threads else 1
        beyond = (0, -shape["n"] % NR)  # whole vectors of them are read
        sums, steps = np.pad(q.sum(axis=0, dtype=np.int32), beyond), np.pad(steps, beyond)
        scratch = workspace((m, k), np.uint8), workspace((m,), np.float32), workspace((m,), np.int32)
        memory = Scratch.of(count * scratch_bytes(k, 1))
        last = (count,) if threads else (np.full(1, result_step(a, b)),) if result else ()
        return (a, panels(q, 0), sums, steps, *scratch, memory, *last)

    return of


def result_step(a: np.ndarray, b: np.ndarray) -> np.float32:
    """The step of an int8 that holds a @ b without saturating; 1 for all zeros."""
    peak = float(np.max(np.abs(a.astype(np.float64) @ b), initial=0.0))
    return np.float32(peak / 127.0 if 0 < peak < np.inf else 1.0)


def work(result_bytes: int) -> Callable[[Shape, str], Work]:
    """The work of one call: a in f32, b in bytes packed ahead, and a result of ``result_bytes`` an element."""

    def of(shape: Shape, dtype: str) -> Work:
        m, n, k = shape["m"], shape["n"], shape["k"]
        read, written = 4 * m * k + k * n + 8 * n, result_bytes * m * n
        return Work(
            model="modelled",
            flop=2 * m * n * k,  # integer operations; quantizing a and scaling c are some m k and m n more
            mix="dot",
            read_bytes=read,
            write_bytes=written,
            rfo_bytes=written,
            working_set_bytes=read + written + m * k,  # a in bytes, between its quantization and its use
            prepared_bytes=k * n + 8 * n,
        )

    return of


def _integers(v: Verification, by_row: bool, by_column: bool) -> tuple[np.ndarray, ...]:
    """(exact integer sums int64 [m,n], steps of a [m], steps of b [n]) by NumPy's own quantization."""
    a, b = v.inputs
    q, steps, zeros = affine_uint8(a, 1 if by_row else None)
    w, b_steps = weights(b, by_column)
    # Integers below 2^53 are exact in float64 whatever the order.
    whole = (q.astype(np.float64) - zeros[:, None]) @ w.astype(np.float64)
    return whole.astype(np.int64), steps, b_steps


def check(by_row: bool, by_column: bool) -> Callable[[Verification], Accuracy]:
    """Judges c[m,n] f32 first against the exact integers, scaled in float64, then against the operands as they were."""

    def of(v: Verification) -> Accuracy:
        key = f"integers {by_row} {by_column}"
        whole, steps, b_steps = v.once(key, lambda: _integers(v, by_row, by_column))
        with np.errstate(invalid="ignore", over="ignore"):
            exact = whole * (steps.astype(np.float64)[:, None] * b_steps)
        # An integer becomes f32, then two steps multiply it: 3 roundings. One off by 1 is seen below 2^22.
        scale = np.maximum(np.abs(exact), np.finfo(np.float32).tiny)
        close_to(
            v.outputs[0], exact, scale, 4 * EPS["f32"], metric="max |error| / |c|", reference="exact int64, scaled"
        )
        return _against_operands(v, key, v.outputs[0], steps, b_steps)

    return of


def check_result_bytes(v: Verification) -> Accuracy:
    """Judges c[m,n] int8 first against the exact integers, scaled and rounded in f32, then against the operands."""
    key = "integers True True"
    whole, steps, b_steps = v.once(key, lambda: _integers(v, True, True))
    last = v.prepared[-1][0]
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = whole.astype(np.float32) * (steps[:, None] * (np.float32(1) / np.float32(last))) * b_steps
    exactly(v.outputs[0], np.rint(np.clip(np.nan_to_num(scaled, nan=-127.0), -127, 127)).astype(np.int8))
    return _against_operands(v, key, v.outputs[0] * np.float64(last), steps, b_steps, rounding=float(last))


def _against_operands(
    v: Verification, key: str, c: np.ndarray, steps: np.ndarray, b_steps: np.ndarray, rounding: float = 0.0
) -> Accuracy:
    """How far c is from the product of the operands as they were; raises WrongResult beyond what rounding allows."""
    a, b = (x.astype(np.float64) for x in v.inputs)

    def bounds() -> tuple[np.ndarray, np.ndarray]:
        # Each of k factors errs by half a step of either side: sum of |a| step_b / 2 + |b| step_a / 2 + both.
        half_a, half_b = 0.5 * steps.astype(np.float64)[:, None], 0.5 * b_steps.astype(np.float64)
        across, down = np.abs(a).sum(axis=1)[:, None], np.abs(b).sum(axis=0)
        return a @ b, half_b * across + half_a * down + a.shape[1] * half_a * half_b

    with np.errstate(invalid="ignore", over="ignore"):
        exact, bound = v.once(f"bounds of {key}", bounds)
        least = np.finfo(np.float32).tiny + 8 * EPS["f32"] * np.abs(exact)
    accuracy = close_to(
        c,
        np.where(np.isfinite(bound), exact, np.nan),
        np.maximum(bound, 0) * (1 + 1e-5) + 0.5 * rounding * (1 + 1e-5) + least,
        1.0,
        metric="max |error| / (half a step of each factor)",
        reference="float64",
    )
    with np.errstate(invalid="ignore"):
        measured = product_error(v, v.inputs[0], v.inputs[1], c, np.inf)
    return structs.replace(
        accuracy, metric=METRIC, value=measured.value, reference="exact integers, then float64", tolerance=1.0
    )

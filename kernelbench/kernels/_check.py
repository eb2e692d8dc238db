"""Verification: is an output right, how exact is it, and if wrong, where.

References share no code with the kernels: float64 by einsum (no BLAS), integers by exact arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import UNSET

from kernelbench.model import Accuracy


class WrongResult(Exception):
    """An output differs from the reference by more than its tolerance; the text says where and by how much."""


@dataclass(frozen=True)
class Verification:
    """Everything a check may look at."""

    shape: Mapping[str, Any]
    """Dimensions and parameters."""
    dtype: str
    seed: int
    inputs: tuple[Any, ...]
    """The op's inputs (before ``prepare``)."""
    prepared: tuple[Any, ...]
    """The variant's own inputs, as timed."""
    outputs: tuple[np.ndarray, ...]
    """As the kernel left them."""
    memo: dict[Any, Any]
    """Keeps references between calls on the same inputs."""

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """``make()``, computed once for this op's inputs."""
        if key not in self.memo:
            self.memo[key] = make()
        return self.memo[key]


Check = Callable[[Verification], Accuracy]
"""Raises WrongResult, or says how exact the outputs are."""


def undeclared_check(found: Verification) -> Accuracy:
    """Stands for an op's check where none is given."""
    raise WrongResult("there is nothing to compare it with")


EPS = {"f64": 2.0**-53, "f32": 2.0**-24, "bf16": 2.0**-8}
"""Unit roundoff."""


CHUNK = 1 << 15
"""Elements compared at a time: a few float64 temporaries of 256 KiB stay in cache."""


def _errors(actual: np.ndarray, exact: np.ndarray, scale: np.ndarray | float) -> np.ndarray:
    """|actual - exact| / scale; infinite where one is finite and the other is not, 0 where both are the same."""
    # inf - inf, a zero scale and a difference beyond float64 are dealt with on the next lines.
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        error: np.ndarray = np.abs(actual - exact) / scale
    odd = ~np.isfinite(error)
    if odd.any():
        x, y = actual[odd], exact[odd]
        error[odd] = np.where((x == y) | (np.isnan(x) & np.isnan(y)), 0.0, np.inf)
    return error


Exact = tuple[np.ndarray, np.ndarray | float]
"""(float64 reference, its scale) of some elements."""


def close_to(
    actual: np.ndarray, exact: np.ndarray, scale: np.ndarray | float, tolerance: float, *, metric: str, reference: str
) -> Accuracy:
    """Every |actual - exact| must be at most ``tolerance`` x ``scale``; NaN or infinity only where exact has it.

    ``exact`` is float64 of actual's shape, ``scale`` as well or one number. Raises WrongResult naming the worst
    element.
    """
    truth = exact.reshape(-1)
    scales = scale.reshape(-1) if isinstance(scale, np.ndarray) else None
    return elementwise(
        actual,
        lambda part: (truth[part], scale if scales is None else scales[part]),
        tolerance,
        metric=metric,
        reference=reference,
    )


def elementwise(
    actual: np.ndarray, exact: Callable[[slice], Exact], tolerance: float, *, metric: str, reference: str
) -> Accuracy:
    """As ``close_to``, with the reference of some elements of the flattened array made when they are compared.

    Whole float64 references of a 64 MiB operand cost half a second of page faults; parts stay in cache. The SNR
    is 10 log10(sum exact^2 / sum error^2) dB over finite elements, absent when nothing differs.
    """
    flat = actual.reshape(-1)
    worst, value, wrong, signal, noise = 0, 0.0, 0, 0.0, 0.0
    for start in range(0, flat.size, CHUNK):
        part = slice(start, start + CHUNK)
        got = flat[part].astype(np.float64)
        want, scale = exact(part)
        error = _errors(got, want, scale)
        at = int(np.argmax(error))
        if error[at] > value:
            worst, value = start + at, float(error[at])
        wrong += int(np.count_nonzero(error > tolerance))
        finite = np.isfinite(got) & np.isfinite(want)
        if not finite.all():
            got, want = got[finite], want[finite]
        with np.errstate(over="ignore"):  # an infinite sum has no ratio: see below
            signal += float(np.dot(want, want))
            noise += float(np.dot(got - want, got - want))
    if wrong:
        where = [int(i) for i in np.unravel_index(worst, actual.shape)]
        raise WrongResult(
            f"{wrong} of {flat.size} elements wrong; worst at {where}: got {flat[worst]!s}, "
            f"expected {exact(slice(worst, worst + 1))[0][0]!s} ({metric} {value:.3g}, tolerance {tolerance:.3g})"
        )
    snr = 10 * math.log10(signal / noise) if 0 < noise < math.inf and 0 < signal < math.inf else UNSET
    return Accuracy(metric=metric, value=value, reference=reference, tolerance=tolerance, snr_db=snr)


def exactly(actual: np.ndarray, exact: np.ndarray) -> None:
    """Integers must match bit for bit; raises WrongResult naming the first that does not."""
    wrong = actual != exact
    if wrong.any():
        where = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise WrongResult(
            f"{int(wrong.sum())} of {actual.size} integers differ from the exact oracle; first at {list(where)}: "
            f"got {actual[where]!s}, expected {exact[where]!s}"
        )

"""Verified against another variant, where no reference is written out: ``kb.Op(..., check=kb.same_as("naive"))``."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass

import numpy as np

from kernelbench.errors import UsageError
from kernelbench.kernels import _registry as registry
from kernelbench.kernels._bf16 import decode
from kernelbench.kernels._check import EPS, Check, Verification, close_to, exactly
from kernelbench.kernels._values import NUMPY
from kernelbench.model import Accuracy

METRIC = "max |difference| / max |reference|"


@dataclass(frozen=True)
class SameAs:
    """A check that compares with another variant; made by ``same_as``."""

    reference: str
    tolerance: float
    """Absent: 0, which stands for the default of the number type."""
    own: str = ""
    """Full name of the variant that it verifies, once that is declared."""

    def of(self, variant: str) -> SameAs:
        """This check for ``variant``, the reference by its full name."""
        op = variant.partition("/")[0]
        full = self.reference if "/" in self.reference else f"{op}/{self.reference}"
        return SameAs(full, self.tolerance, variant)

    def __call__(self, found: Verification) -> Accuracy:
        """Raises WrongResult where an output differs, UsageError where there is no reference to compare with."""
        reference = self._variant(found.dtype)
        expected = found.once(f"{self} gives", lambda: _outputs(reference, found))
        if [x.shape for x in expected] != [x.shape for x in found.outputs]:
            raise UsageError(f"{self.reference} has outputs of other shapes than {self.own}; compare with another one")
        said = [self._compared(x, y, found) for x, y in zip(found.outputs, expected, strict=True)]
        return max(said, key=lambda accuracy: accuracy.value)

    def _variant(self, dtype: str) -> registry.Variant:
        known = registry.variants()
        if self.reference == self.own:
            raise UsageError(
                f"{self.own} is what others are compared with and cannot verify itself: give it a check of its own,"
                " or same_as another variant"
            )
        if self.reference not in known:
            near = difflib.get_close_matches(self.reference, known, n=3, cutoff=0.5)
            hint = f"did you mean {' or '.join(near)}?" if near else "name a variant that is declared"
            raise UsageError(f"{self.own} is compared with {self.reference!r}, which does not exist; {hint}")
        if dtype not in known[self.reference].dtypes:
            raise UsageError(f"{self.own} is compared with {self.reference}, which has no {dtype}; declare it there")
        return known[self.reference]

    def _compared(self, mine: np.ndarray, other: np.ndarray, found: Verification) -> Accuracy:
        bf16 = mine.dtype == NUMPY["bf16"]
        if mine.dtype.kind not in "f" and not bf16:
            exactly(mine, other)
            return Accuracy(metric="differing integers", value=0.0, reference=self.reference, tolerance=0.0)
        got, want = (decode(x) if bf16 else x for x in (mine, other))
        exact = want.astype(np.float64)
        finite = np.abs(exact[np.isfinite(exact)])
        scale = float(finite.max(initial=0.0)) or 1.0
        tolerance = self.tolerance or _roundings(found) * (EPS["bf16"] if bf16 else np.finfo(mine.dtype).eps / 2)
        return close_to(got, exact, scale, float(tolerance), metric=METRIC, reference=self.reference)


def same_as(reference: str, *, tolerance: float = 0.0) -> Check:
    """A check that compares every output with that of the variant ``reference`` on the same inputs.

    ``reference`` is a full name ("relu/naive") or that of a variant of the same op ("naive"). Each |difference| may be
    at most ``tolerance`` x the largest magnitude of that output. Left out: (16 + 4 sqrt(K)) x the type's unit
    roundoff, K the elements of the largest input, because sums taken in another order differ like a random walk
    (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 2.8). Integers must be equal.

    The reference is computed once on the same inputs, and not verified: with this check of its own it fails. Raises
    UsageError for a tolerance below 0.
    """
    if not 0 <= tolerance < np.inf:
        raise UsageError(f"same_as({reference!r}): tolerance {tolerance!r} is not a number from 0")
    return SameAs(reference, tolerance)


def _outputs(reference: registry.Variant, found: Verification) -> tuple[np.ndarray, ...]:
    """What ``reference`` makes of copies of the inputs: Numba compiles read-only ones apart."""
    settled = reference.whole(found.shape)
    copies = tuple(x.copy() if isinstance(x, np.ndarray) else x for x in found.inputs)
    made = reference.call(registry.Inputs(reference.prepare(copies, settled), settled, found.dtype))
    return made if isinstance(made, tuple) else (made,)


def _roundings(found: Verification) -> float:
    largest: int = max((x.size for x in found.inputs if isinstance(x, np.ndarray)), default=1)
    return 16.0 + 4.0 * math.sqrt(largest)

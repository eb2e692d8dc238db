"""Synthetic runs for the tests of advice: one op, a few cases, and what one rule says about them."""

from collections.abc import Callable, Sequence
from typing import Any

from kernelbench.analysis.advice import Advice, Observed
from kernelbench.analysis.advice_cases import Found, OpCases, by_op
from kernelbench.model import Ceiling, Record, Work
from kernelbench.report.advice import observed
from kernelbench.report.rows import rows
from tests.builders import case, matmul_work, record, result

STEADY = (1.0, 1.002, 0.998, 1.004, 1.001, 0.997)
SCATTERED = (1.0, 1.3, 0.9, 1.25, 1.1, 0.95)


def timed(
    variant: str, seconds: float, n: int = 512, dtype: str = "f32", threads: int = 1,
    pattern: Sequence[float] = STEADY, shape: dict[str, int] | None = None, work: Work | None = None,
    style: str | None = None, isa: str = "native", cache: str = "warm",
    params: dict[str, int] | None = None, **more: Any,
) -> Record:  # fmt: skip
    """A measured n^3 matmul, or with ``shape`` and ``work`` another op."""
    named = {"style": style} if style else {}
    of = case(
        variant, dtype, shape or {"m": n, "n": n, "k": n}, threads, isa=isa, cache=cache, params=params or {}, **named
    )
    work = work or matmul_work(n, 1 if dtype == "i8" else 4, "dot" if dtype == "i8" else "fma")
    return record(of, [seconds * share for share in pattern], work=work, **more)


def stream(variant: str, seconds: float, n: int, **more: Any) -> Record:
    """A measured relu of n elements of f32 (of i8 with ``dtype="i8"``): n FLOP, read once and written once."""
    size = 1 if more.get("dtype") == "i8" else 4
    work = Work("modelled", float(n), ADDS, size * n, size * n, size * n, 2.0 * size * n)
    return timed(variant, seconds, shape={"n": n}, work=work, **more)


ADDS = "add"
"""Adds: of them the example machine measured no ceiling but the FMA's, which stands in."""


def cases(*records: Record) -> tuple[Observed, ...]:
    """What a report hands to the analysis, for a run of these records."""
    made = result(records)
    return observed(rows(made), made)


def says(rule: Callable[[OpCases], Found], *records: Record, ceilings: tuple[Ceiling, ...] | None = None) -> Found:
    """What the rule finds in a run of these records on the example machine."""
    made = result(records) if ceilings is None else result(records, ceilings=ceilings)
    seen = observed(rows(made), made)
    (op,) = by_op(seen, made.machines, made.ceilings)
    return rule(op)


def advice(rule: Callable[[OpCases], Found], *records: Record, ceilings: tuple[Ceiling, ...] | None = None) -> Advice:
    """The same where the rule must find something."""
    found = says(rule, *records, ceilings=ceilings)
    assert isinstance(found, Advice)
    return found

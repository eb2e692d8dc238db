"""The rate that a set of rows is compared by, so that one axis serves them all."""

import math
from collections.abc import Callable, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.report.columns import COLUMNS, integer, interval, show
from kernelbench.report.rows import Number, Row
from kernelbench.report.text import safe_text
from kernelbench.units import seconds, three_digits


class Measure(Struct, frozen=True):
    """One quantity of a row, as a number for an axis and as text."""

    title: str
    """"GFLOP/s", "GB/s" or "calls a second"."""
    value: Callable[[Row], Number]
    roof: Callable[[Row], Number]
    """The same quantity at the roof; absent without one."""
    text: Callable[[Row], str]
    """In the digits of the tables, with its unit."""
    roof_text: Callable[[Row], str]
    """The roof in the same unit; empty without one."""


def _finite(value: Number) -> Number:
    """Absent where a damaged file makes a rate that no axis can hold."""
    return value if not isinstance(value, UnsetType) and 0 < value < math.inf else UNSET


def _per_second(time_s: Number) -> Number:
    return UNSET if isinstance(time_s, UnsetType) else _finite(1 / time_s)


FLOPS = Measure(
    "GFLOP/s",
    lambda row: _finite(row.gflops),
    lambda row: _finite(row.roof_gflops),
    lambda row: f"{COLUMNS['gflops'].text(row)} {'GOP/s' if integer(row) else 'GFLOP/s'}",
    COLUMNS["roof"].text,
)
BYTES = Measure(
    "GB/s",
    lambda row: _finite(row.gbps),
    lambda row: _finite(row.roof_gbps),
    lambda row: f"{COLUMNS['gbps'].text(row)} GB/s",
    lambda row: show(row.roof_gbps, lambda gbps: f"{three_digits(gbps)} GB/s"),
)
CALLS = Measure(
    "calls a second",
    lambda row: _per_second(row.best_s),
    lambda row: _per_second(row.roof_s),
    lambda row: f"{COLUMNS['median'].text(row)} a call",
    lambda row: show(row.roof_s, lambda time_s: f"{seconds(time_s)} a call"),
)


def measure(rows: Sequence[Row]) -> Measure:
    """GB/s where memory bounds all ``rows`` or none has FLOP, else GFLOP/s; calls a second where a model is absent."""
    moved = all(not isinstance(row.gbps, UnsetType) for row in rows)
    counted = all(not isinstance(row.gflops, UnsetType) for row in rows)
    if moved and (not counted or all(row.bound == "memory" for row in rows)):
        return BYTES
    return FLOPS if counted else CALLS


def tips(row: Row, unit: Measure, step: str = "") -> dict[str, str]:
    """What hovering over a case tells: title -> text, in the digits of the tables; only what applies."""
    told = {
        "case": safe_text(row.case_id),
        "median": COLUMNS["median"].text(row),
        "95% interval": interval(row),
        "rate": unit.text(row),
        "roof": unit.roof_text(row),
        "% roof": COLUMNS["fraction"].text(row),
        "which roof": COLUMNS["roof_name"].text(row),
        "x step": step,
        "x naive": COLUMNS["naive"].text(row),
        "x lib": COLUMNS["library"].text(row),
        "flags": COLUMNS["flags"].text(row),
    }
    return {title: text for title, text in told.items() if text}

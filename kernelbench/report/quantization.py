"""What fewer bits buy and cost: time, bytes and error of the variants that answer one question in several ways.

Errors are comparable across variants only as a ratio of signal to noise against float64: each check's own metric is
scaled by what its rounding allows. Root mean square of the error over that of the result = 10^(-SNR / 20).
"""

from collections.abc import Iterable, Sequence
from itertools import groupby

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.pareto import front
from kernelbench.analysis.roofline import bytes_moved, threads_text
from kernelbench.model import Record, Result
from kernelbench.report.columns import groups
from kernelbench.report.rows import Number, Row
from kernelbench.report.text import safe_text

APPROXIMATE = ("quantized", "sparse", "lowrank")
"""Styles that trade exactness or density for time: one of them makes a problem worth a picture."""


ROUNDED = "rounded weights"
"""Stands for the type of weights that a variant rounded to fewer bits, where the file does not name that type."""


class Point(Struct, frozen=True):
    """One measured case with a known error."""

    row: Row
    kind: str
    """Number type of the weights where they have their own ("i4", else ``ROUNDED``), else of the operands."""
    error: float
    """RMS of the error over RMS of the result, against float64; 0 where exact."""
    median_s: float
    moved_bytes: Number
    """Compulsory bytes a call reads and writes."""
    prepared_bytes: Number
    """Bytes made ahead of timing (quantized, packed); absent where nothing is."""
    on_front: bool = False
    """No other of its problem is at most as slow and as wrong, and better in one."""


class Problem(Struct, frozen=True):
    """The points that answer one question: one op, shape, thread count, instruction set and cache state."""

    title: str
    """"matmul n=512, 2 threads", safe to show."""
    op: str
    points: tuple[Point, ...]
    """In ladder order."""
    baseline: Point | UnsetType = UNSET
    """The fastest in plain f32."""

    @property
    def front(self) -> tuple[Point, ...]:
        """The points of the front, the most exact first."""
        return tuple(sorted((p for p in self.points if p.on_front), key=lambda p: (p.error, p.median_s)))

    def gain(self, point: Point) -> Number:
        """Speedup over the f32 baseline, by median; absent without one."""
        return UNSET if isinstance(self.baseline, UnsetType) else self.baseline.median_s / point.median_s


def problems(rows: Iterable[Row], result: Result) -> tuple[Problem, ...]:
    """Those of the measured ``rows`` (of ``result``, in ladder order) with several number types or such styles."""
    records = {(record.machine, record.case.id): record for record in result.records}
    several = len(result.machines) > 1
    measured = [row for row in rows if row.status == "measured"]
    found: list[Problem] = []
    for group in groups(measured):
        members = sorted(group.rows, key=_setting)
        for setting, alike in groupby(members, key=_setting):
            made = [_point(row, records[row.machine, row.case_id]) for row in alike]
            points = [point for point in made if not isinstance(point, UnsetType)]
            if _telling(points):
                found.append(_problem(f"{group.title}, {_words(setting, several)}", points))
    return tuple(found)


def _setting(row: Row) -> tuple[str, int, str]:
    return (row.machine, row.threads, row.isa)


def _words(setting: tuple[str, int, str], several: bool) -> str:
    machine, threads, isa = setting
    words = [threads_text(threads), "" if isa == "native" else f"isa={isa}", f"on {machine}" if several else ""]
    return safe_text(" ".join(word for word in words if word))


def _point(row: Row, record: Record) -> Point | UnsetType:
    error = rms_error(row)
    if isinstance(error, UnsetType) or isinstance(row.median_s, UnsetType):
        return UNSET
    return Point(row, _kind(row, record), error, row.median_s, bytes_moved(record.work), record.work.prepared_bytes)


def rms_error(row: Row) -> Number:
    """RMS of the error over RMS of the result, from the SNR; 0 where exact, absent where the file tells neither."""
    if not isinstance(row.snr_db, UnsetType):
        return float(10 ** (-row.snr_db / 20))
    return 0.0 if row.accuracy == 0 else UNSET


def _kind(row: Row, record: Record) -> str:
    types, dtype = record.case.dtypes, record.case.dtype
    if not isinstance(types, UnsetType) and not isinstance(types.weights, UnsetType):
        return safe_text(types.weights)
    # A library's variant with a parameter of its own (the group of its weights) computes from fewer bits as well.
    rounded = row.style == "quantized" or (row.style == "library" and row.own_params)
    return safe_text(f"{dtype}, {ROUNDED}") if rounded and dtype not in ("i8", "u8") else safe_text(dtype)


def _telling(points: Sequence[Point]) -> bool:
    kinds = {point.kind for point in points}
    return len(points) > 1 and (len(kinds) > 1 or any(point.row.style in APPROXIMATE for point in points))


def _problem(title: str, points: Sequence[Point]) -> Problem:
    best = set(front([(point.error, point.median_s) for point in points]))
    marked = tuple(replace(point, on_front=i in best) for i, point in enumerate(points))
    plain = [p for p in marked if p.kind == "f32" and p.row.style not in APPROXIMATE]
    baseline = min(plain, key=lambda p: p.median_s) if plain else UNSET
    return Problem(title, marked[0].row.op, marked, baseline)

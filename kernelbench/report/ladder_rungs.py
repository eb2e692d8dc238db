"""The rungs of every ladder: the variants of one op on one problem, each built on the one before."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.roofline import threads_text
from kernelbench.report.columns import groups, name, speedup
from kernelbench.report.rows import Number, Row
from kernelbench.report.text import safe_text


class Rung(Struct, frozen=True):
    """One variant on a ladder."""

    row: Row
    name: str
    """"tiled", "packed bf16", "parallel t=2"."""
    step: Number = UNSET
    """Speedup, by median, over the rung before of the same number type; absent on its first."""

    @property
    def step_text(self) -> str:
        """ "1.83x"; empty on the first rung."""
        return "" if isinstance(self.step, UnsetType) else speedup(self.step)


class Ladder(Struct, frozen=True):
    """The own variants of one op on one problem at one thread count, and the library to beat."""

    title: str
    """"matmul n=512, 2 threads"."""
    op: str
    threads: int
    rungs: tuple[Rung, ...]
    library: Row | UnsetType = UNSET
    """The fastest library variant at these threads, by median; of the first rung's number type where there is one."""

    @property
    def best(self) -> Rung:
        """The fastest rung, by median."""
        return min(self.rungs, key=lambda rung: median_s(rung.row))


def ladders(rows: Sequence[Row]) -> tuple[Ladder, ...]:
    """Every problem with at least two own variants: the most telling first, the others in the order of ``rows``.

    The most telling is the largest problem, at the most threads, of the op with the longest ladder.
    """
    several = len({row.machine for row in rows}) > 1
    found = [ladder for group in groups(_plain(rows)) for ladder in _of_group(group.title, group.rows, several)]
    longest = max((len(ladder.rungs) for ladder in found), default=0)
    op = next((ladder.op for ladder in found if len(ladder.rungs) == longest), "")
    # Sizes rise along the rows, and threads within a size.
    first = [ladder for ladder in found if ladder.op == op][-1:]
    return (*first, *(ladder for ladder in found if ladder not in first))


def median_s(row: Row) -> float:
    """Seconds per call of a measured row; infinite for others."""
    return float("inf") if isinstance(row.median_s, UnsetType) else row.median_s


def _plain(rows: Iterable[Row]) -> Iterator[Row]:
    """Measured at the machine's own instruction set: lower ones have their own picture."""
    return (row for row in rows if not isinstance(row.median_s, UnsetType) and row.isa == "native")


def _of_group(title: str, rows: Sequence[Row], several_machines: bool) -> Iterator[Ladder]:
    machine = attrgetter("machine")
    for name_of_it, members in groupby(sorted(rows, key=machine), key=machine):
        own = list(members)
        where = f" on {safe_text(name_of_it)}" if several_machines else ""
        for threads in sorted({row.threads for row in own}):
            rungs = _rungs(own, threads)
            if len(rungs) > 1 and any(rung.row.threads == threads for rung in rungs):
                # Of several number types: against an int8 library every f32 rung would look slow.
                first = rungs[0].row.dtype
                library = min(
                    (r for r in own if _is_library(r, threads)),
                    key=lambda r: (r.dtype != first, median_s(r)),
                    default=UNSET,
                )
                yield Ladder(f"{title}, {threads_text(threads)}{where}", own[0].op, threads, rungs, library)


def _is_library(row: Row, threads: int) -> bool:
    return row.style == "library" and row.threads == threads


def _rungs(rows: Sequence[Row], threads: int) -> tuple[Rung, ...]:
    """The rows at ``threads``, and those that were measured at 1 thread only: the steps that lead there.

    By number type, then threads, then style: so that no step mixes two of them more than once.
    """
    own = [row for row in rows if row.style != "library"]
    there = {_identity(row) for row in own if row.threads == threads}
    kept = [r for r in own if r.threads == threads or (r.threads == 1 and _identity(r) not in there)]
    kept.sort(key=lambda row: (row.dtype != "f32", row.dtype, row.threads))
    many_types = len({row.dtype for row in kept}) > 1
    many_counts = len({row.threads for row in kept}) > 1
    rungs: list[Rung] = []
    for row in kept:
        words = _words(row, many_types, many_counts)
        before = rungs[-1].row if rungs and rungs[-1].row.dtype == row.dtype else UNSET
        step = UNSET if isinstance(before, UnsetType) else median_s(before) / median_s(row)
        rungs.append(Rung(row, words, step))
    return tuple(rungs)


def _words(row: Row, many_types: bool, many_counts: bool) -> str:
    named = not many_types or row.dtype in row.variant or row.dtype.replace("i", "int", 1) in row.variant
    words = name(row) if named else f"{name(row)} {safe_text(row.dtype)}"
    return f"{words} t={row.threads}" if many_counts and row.threads > 1 else words


def _identity(row: Row) -> tuple[str, ...]:
    return (row.variant, row.dtype, row.params, row.case_id.partition(f"/t={row.threads}")[2])

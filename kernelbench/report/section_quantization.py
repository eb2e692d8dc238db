"""What fewer bits buy and what they cost: time over error, marks as large as the bytes that a call moves."""

from collections.abc import Sequence

from msgspec import UNSET, UnsetType

from kernelbench.model import Result
from kernelbench.report.quantization import Problem, problems
from kernelbench.report.quantization_text import HEADS, cells, sentence
from kernelbench.report.rows import Row
from kernelbench.report.section import Figure, Section, Table

MOST_POINTS = 600
"""Points drawn, in whole problems: each carries its tooltip's texts, and nobody walks through more in a select."""

ABOUT = (
    "Fewer bits move fewer bytes and cost exactness. Down is faster, left is more exact, a smaller mark moves fewer "
    "bytes. Filled marks on the stepped line are worth having: nothing is both at least as fast and at least as "
    "exact as they are. The dashed line is the fastest in plain f32. Errors are the root mean square of the error "
    "over that of the result, against float64."
)


_GIVEN = ("bf16", "f16")
GIVEN = (
    "Cases in {types} are given operands of that type: their error is what the variant adds, without what rounding "
    "the operands to that type had cost before."
)


def section(rows: Sequence[Row], result: Result) -> Section | UnsetType:
    """The section; absent where no problem was solved in several number types or by approximate variants."""
    from kernelbench.report.quantization_chart import spec

    found = problems(rows, result)
    if not found:
        return UNSET
    drawn = _drawn(found)
    first = _most_telling(drawn)
    choice = f", one of {len(drawn)} problems at a time" if len(drawn) > 1 else ""
    figure = Figure(
        "quantization",
        "Time against error",
        spec(drawn, first),
        f"Time per call against error{choice}. {sentence(first)}",
        Table(HEADS, tuple(cells(problem, point) for problem in drawn for point in problem.points)),
    )
    told = [sentence(problem) for problem in _largest(drawn)]
    kinds = {point.kind for problem in drawn for point in problem.points}
    if given := [kind for kind in _GIVEN if kind in kinds]:
        told.append(GIVEN.format(types=" and ".join(given)))
    if len(drawn) < len(found):
        told.append(f"Drawn are {len(drawn)} of {len(found)} problems, those with most variants; --csv has all.")
    return Section("quantization", "Fewer bits", ABOUT, (figure,), tuple(told))


def _drawn(found: Sequence[Problem]) -> list[Problem]:
    """Whole problems of at most ``MOST_POINTS`` points in all, at least one; those with most variants first."""
    kept: set[int] = set()
    room = MOST_POINTS
    for place in sorted(range(len(found)), key=lambda i: -len(found[i].points)):
        room -= len(found[place].points)
        if room >= 0 or not kept:
            kept.add(place)
    return [problem for place, problem in enumerate(found) if place in kept]


def _most_telling(drawn: Sequence[Problem]) -> Problem:
    """Of most number types, then the one that moves most bytes, then of most variants."""
    return max(drawn, key=lambda p: (len({point.kind for point in p.points}), _bytes(p), len(p.points)))


def _bytes(problem: Problem) -> float:
    moved = (point.moved_bytes for point in problem.points)
    return max((one for one in moved if not isinstance(one, UnsetType)), default=0.0)


def _largest(drawn: Sequence[Problem]) -> list[Problem]:
    """The last of each op and thread count in ladder order that has a baseline: its largest size."""
    compared = [problem for problem in drawn if not isinstance(problem.baseline, UnsetType)]
    return list({(problem.op, problem.points[0].row.threads): problem for problem in compared}.values())

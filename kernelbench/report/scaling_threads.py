"""Speedup and efficiency against threads."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET, UnsetType

from kernelbench.analysis.roofline import threads_text
from kernelbench.analysis.scaling import Team, teams
from kernelbench.report.columns import COLUMNS, name, speedup
from kernelbench.report.scaling_known import MOST_ROWS, Known, Pictures, first_then, left_out, shared_params, title
from kernelbench.report.scaling_lines import Curve, Guide, Point, View, spec
from kernelbench.report.section import Figure, Head, Table
from kernelbench.report.text import safe_text
from kernelbench.units import percent

HEIGHT = 280
"""Pixels of a plot."""
MOST_VIEWS = 150
"""Problems in a chart."""

_HEADS = (
    Head("case", numeric=False),
    Head("median", COLUMNS["median"].meaning),
    Head("speedup", "Time of the one thread over the time of the many, by median."),
    Head("efficiency", "Speedup over threads."),
    Head("over", "The case on 1 thread: the same variant, or where that was not measured the fastest sibling.", False),
    Head("its median", "Median of the case on 1 thread."),
)


def pictures(known: Known) -> Pictures | UnsetType:
    """Speedup and efficiency; UNSET when no case on several threads has a peer on one."""
    found = teams(known.timed)
    if not found:
        return UNSET
    problems = _problems(found, known)
    drawn = problems[:MOST_VIEWS]
    ordered = [team for problem in problems for team in problem]
    table = Table(_HEADS, tuple(_cells(team, known) for team in ordered[:MOST_ROWS]))
    best = max(problems[0], key=lambda team: team.speedup)
    alt = (
        f"Speedup over threads, both logarithmic, beside the ideal of as many times as threads. "
        f"{best.many.case.variant} reaches {speedup(best.speedup)} on {threads_text(best.many.case.threads)}, "
        f"an efficiency of {percent(best.efficiency)}."
    )
    charts = (
        spec([_view(p, known, efficiency=False) for p in drawn], "Problem: ", HEIGHT),
        spec([_view(p, known, efficiency=True) for p in drawn], "Problem: ", HEIGHT),
    )
    other = "The speedup divided by the threads, beside the ideal of 100%; the table under the speedups holds it too."
    figures = (
        Figure("scaling-speedup", "Speedup against threads", charts[0], safe_text(alt), table),
        Figure("scaling-efficiency", "Efficiency against threads", charts[1], other),
    )
    return Pictures(figures, left_out("Threads", len(drawn), len(problems), len(found)))


def _problems(found: Iterable[Team], known: Known) -> list[list[Team]]:
    """The teams by problem, in the order of the rows, but first the one with the most thread counts and variants."""
    problems: dict[tuple[object, ...], list[Team]] = {}
    for team in found:
        row = known.row(team.many)
        key = (row.machine, row.op, row.dtype, row.shape, shared_params(row), row.cache, row.isa)
        problems.setdefault(key, []).append(team)
    return first_then(max(problems.values(), key=_weight), list(problems.values()))


def _weight(problem: Sequence[Team]) -> tuple[int, bool, int, float]:
    counts, first = {team.many.case.threads for team in problem}, problem[0].many.case
    return len(counts), first.dtype == "f32", len(problem), sum(team.one.median_s for team in problem)


def _view(problem: Sequence[Team], known: Known, *, efficiency: bool) -> View:
    first = known.row(problem[0].many)
    cold = "cold" if first.cache == "cold" else ""
    level = "" if first.isa == "native" else first.isa
    name_it = title(
        first, first.shape, shared_params(first), cold, level, threads=False, several_machines=known.several_machines
    )
    most = max(team.many.case.threads for team in problem)
    counts = sorted({1, *(team.many.case.threads for team in problem)})
    ideal = Guide("ideal", ((1.0, 1.0), (float(most), 1.0 if efficiency else float(most))))
    return View(
        name_it,
        "%" if efficiency else "x",
        tuple(_curves(problem, known, efficiency=efficiency)),
        tuple((float(count), threads_text(count)) for count in counts),
        (ideal,),
    )


def _curves(problem: Iterable[Team], known: Known, *, efficiency: bool) -> Iterator[Curve]:
    of_variant: dict[tuple[str, str], list[Team]] = {}
    for team in problem:
        row = known.row(team.many)
        of_variant.setdefault((name(row), row.style), []).append(team)
    for (variant, style), own in of_variant.items():
        points = {float(t.many.case.threads): _point(t, known, efficiency=efficiency) for t in own}
        if own[0].same_variant:
            # Where every line begins, by what a speedup is.
            points[1.0] = Point(1.0, 1.0, {"case": safe_text(own[0].one.case.id), "median": _median(own[0], known)})
        yield Curve(variant, safe_text(style), tuple(points[x] for x in sorted(points)))


def _point(team: Team, known: Known, *, efficiency: bool) -> Point:
    row = known.row(team.many)
    told = {
        "case": safe_text(row.case_id),
        "median": COLUMNS["median"].text(row),
        "speedup": speedup(team.speedup),
        "efficiency": percent(team.efficiency),
        "over": _over(team, known),
        "flags": COLUMNS["flags"].text(row) or "none",
    }
    return Point(float(row.threads), team.efficiency if efficiency else team.speedup, told)


def _over(team: Team, known: Known) -> str:
    which = "itself" if team.same_variant else name(known.row(team.one))
    return f"{which} on 1 thread, {_median(team, known)}"


def _median(team: Team, known: Known) -> str:
    return COLUMNS["median"].text(known.row(team.one))


def _cells(team: Team, known: Known) -> tuple[str, ...]:
    row = known.row(team.many)
    times = (COLUMNS["median"].text(row), speedup(team.speedup), percent(team.efficiency))
    return safe_text(row.case_id), *times, safe_text(team.one.case.id), _median(team, known)

"""Bars for cases that differ in one setting only: the instruction set, or whether operands are cold."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.peaks import isa_words
from kernelbench.analysis.scaling import Timed, alike_but
from kernelbench.model import ISA_LEVELS
from kernelbench.report import ladder_bars
from kernelbench.report.columns import COLUMNS, name, speedup
from kernelbench.report.ladder_bars import Bar, Problem
from kernelbench.report.rows import Row
from kernelbench.report.scaling_known import MOST_ROWS, Known, Pictures, first_then, left_out, shared_params, title
from kernelbench.report.scaling_measure import Measure, measure, tips
from kernelbench.report.section import Figure, Head, Table
from kernelbench.report.text import safe_text
from kernelbench.units import ratio, seconds

MOST_PROBLEMS = 150
_MOST_BARS = 36
"""Bars at a time: the shapes of an op stand together until they are more."""

_LEVELS = (*dict.fromkeys(level for levels in ISA_LEVELS.values() for level in levels), "native")
"""Instruction sets in the order of their bars; unknown ones stand before native."""


class _Setting(Struct, frozen=True):
    """How cases that differ in one setting are shown."""

    varied: str
    figure: str
    heading: str
    heads: tuple[str, str, str]
    rank: Callable[[Row], tuple[object, ...]]
    word: Callable[[Row], str]
    numbers: Callable[[Sequence[Timed], int], tuple[str, str]]
    """Of the case at this place of its group: the two texts beside its rate."""
    meanings: tuple[str, str]


def isa_pictures(known: Known) -> Pictures | UnsetType:
    """A bar for each instruction set; UNSET when no case was measured at two of them."""
    return _pictures(known, _ISA)


def cache_pictures(known: Known) -> Pictures | UnsetType:
    """Cold beside warm; UNSET when no case was measured both ways."""
    return _pictures(known, _CACHE)


def _pictures(known: Known, setting: _Setting) -> Pictures | UnsetType:
    groups = [sorted(g, key=lambda t: setting.rank(known.row(t))) for g in alike_but(known.timed, setting.varied)]
    if not groups:
        return UNSET
    pools = _pools(groups, known)
    pools = first_then(max(pools, key=lambda pool: sum(map(len, pool))), pools)
    drawn = pools[:MOST_PROBLEMS]
    problems = [_problem(pool, known, setting) for pool in drawn]
    chart = ladder_bars.spec(problems, "Op: ", setting.heads)
    places = [(group, at) for pool in pools for group in pool for at in range(len(group))]
    cells = tuple(_cells(group, at, known, setting) for group, at in places[:MOST_ROWS])
    heads = (
        Head("case", numeric=False),
        Head("median", COLUMNS["median"].meaning),
        Head("rate", "At the best sample."),
    )
    named = tuple(Head(t, m) for t, m in zip(setting.heads[1:], setting.meanings, strict=True))
    alt = (
        f"{setting.heading}: bars for {problems[0].title}, one for each of {', '.join(_words(groups, known, setting))}."
    )
    table = Table((*heads, Head("% roof", COLUMNS["fraction"].meaning), *named), cells)
    made = Figure(setting.figure, setting.heading, chart, safe_text(alt), table)
    return Pictures((made,), left_out(setting.heading, len(drawn), len(pools), len(places)))


def _pools(groups: Iterable[Sequence[Timed]], known: Known) -> list[list[Sequence[Timed]]]:
    """The groups by op, number type and threads, all shapes together; shape by shape where they are too many."""
    found: dict[tuple[object, ...], list[Sequence[Timed]]] = {}
    for group in groups:
        row = known.row(group[0])
        found.setdefault((row.machine, row.op, row.dtype, row.threads), []).append(group)
    pools = []
    for pool in found.values():
        by_shape: dict[tuple[str, str], list[Sequence[Timed]]] = {}
        for group in pool:
            row = known.row(group[0])
            by_shape.setdefault((row.shape, shared_params(row)), []).append(group)
        pools += [pool] if sum(map(len, pool)) <= _MOST_BARS else list(by_shape.values())
    return pools


def _problem(pool: Sequence[Sequence[Timed]], known: Known, setting: _Setting) -> Problem:
    rows = [known.row(one) for group in pool for one in group]
    unit = measure(rows)
    shapes = {(row.shape, shared_params(row)) for row in rows}
    shared = " ".join(next(iter(shapes))) if len(shapes) == 1 else ""
    bars = [
        _bar(group, at, known, setting, unit, shape="" if shared else known.row(group[0]).shape)
        for group in pool
        for at in range(len(group))
    ]
    heading = title(rows[0], shared.strip(), threads=True, several_machines=known.several_machines)
    return Problem(heading, unit.title, tuple(bar for bar in bars if not isinstance(bar, UnsetType)))


def _bar(
    group: Sequence[Timed], at: int, known: Known, setting: _Setting, unit: Measure, *, shape: str
) -> Bar | UnsetType:
    row = known.row(group[at])
    value = unit.value(row)
    if isinstance(value, UnsetType):
        return UNSET
    plain = name(known.row(group[0])).removesuffix(f" isa={group[0].case.isa}")
    # A phone cuts long names off: what differs stands first.
    label = " ".join(word for word in (setting.word(row), plain, safe_text(shape)) if word)
    numbers = setting.numbers(group, at)
    return Bar(label, safe_text(row.style), value, (unit.text(row), *numbers), tips(row, unit), unit.roof(row))


def _cells(group: Sequence[Timed], at: int, known: Known, setting: _Setting) -> tuple[str, ...]:
    row = known.row(group[at])
    rate, share = measure([row]).text(row), COLUMNS["fraction"].text(row)
    return safe_text(row.case_id), COLUMNS["median"].text(row), rate, share, *setting.numbers(group, at)


def _words(groups: Iterable[Sequence[Timed]], known: Known, setting: _Setting) -> list[str]:
    return list(dict.fromkeys(setting.word(known.row(one)) for group in groups for one in group))


def _level_rank(row: Row) -> tuple[object, ...]:
    return (_LEVELS.index(row.isa) if row.isa in _LEVELS else len(_LEVELS) - 1.5, row.isa)


def _level_word(row: Row) -> str:
    used = isa_words(row.isa_used)
    return safe_text(f"native ({used})" if row.isa == "native" and used else isa_words(row.isa))


def _level_numbers(group: Sequence[Timed], at: int) -> tuple[str, str]:
    here = group[at].median_s
    step = speedup(group[at - 1].median_s / here) if at else ""
    return step, speedup(group[0].median_s / here)


def _state_rank(row: Row) -> tuple[object, ...]:
    return (row.cache != "warm", row.cache)


def _state_numbers(group: Sequence[Timed], at: int) -> tuple[str, str]:
    times = ratio(group[at].median_s / group[0].median_s) if at else ""
    return times, seconds(group[at].median_s)


_ISA = _Setting(
    "isa",  "scaling-isa", "Each instruction set", ("rate", "x step", "x lowest"), _level_rank, _level_word,
    _level_numbers, ("Speedup over the level before, by median.", "Speedup over the lowest level, by median."),
)  # fmt: skip
_CACHE = _Setting(
    "cache",  "scaling-cache", "Cold against warm", ("rate", "x time", "median"), _state_rank,
    lambda row: safe_text(row.cache), _state_numbers,
    ("Time with cold operands over the time with warm ones, by median.", COLUMNS["median"].meaning),
)  # fmt: skip

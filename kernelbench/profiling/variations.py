"""The same kernel at other sizes, thread counts and levels: which ones tell something. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, UnsetType
from msgspec.structs import replace

from kernelbench.model import Case, Param, Work, case_id
from kernelbench.protocol import CaseInfo

Levels = Sequence[tuple[str, int]]
"""(level, bytes of one thread's share) of the caches, nearest first."""

INSIDE = 0.5
"""A working set of this share of a cache is inside it for sure: guests misreport, stacks and code want room too."""
INSIDE_SHARED = 0.25
"""Of the last level, which neighbours use as well."""
HALVINGS = 26
DOUBLINGS = 16
SMALLEST = (1, 2, 4, 8, 16, 32, 64)
"""Sizes tried for the smallest call, all dimensions alike."""


class Sized(Struct, frozen=True):
    """A case with what is known of it."""

    case: Case
    work: Work
    footprint_bytes: float
    """Working set of one thread; 0 where it is not modelled."""


def at_shape(case: Case, shape: Mapping[str, int]) -> Case:
    """``case`` at another shape."""
    return renamed(replace(case, shape=dict(shape)))


def renamed(case: Case) -> Case:
    """``case`` under the id that its fields ask for."""
    made = case_id(
        case.variant,
        case.dtype,
        case.shape,
        case.threads,
        params=dict[str, Param](case.params),
        isa=case.isa,
        cache=case.cache,
        tuned=case.tuned,
    )
    return replace(case, id=made)


def shrunk(case: Case) -> tuple[Case, ...]:
    """``case`` at falling sizes, each half the work of the one before at most, its proportions kept."""
    found: dict[str, Case] = {case.id: case}
    for step in range(1, HALVINGS + 1):
        factor = 2.0 ** (-step / max(1, len([size for size in case.shape.values() if size > 1])))
        smaller = at_shape(case, {name: _rounded(size, factor) for name, size in case.shape.items()})
        found.setdefault(smaller.id, smaller)
    return tuple(found.values())[1:]


def grown(case: Case) -> tuple[Case, ...]:
    """``case`` at rising sizes, each twice the work of the one before at most."""
    dims = max(1, len([size for size in case.shape.values() if size > 1]))
    found: dict[str, Case] = {}
    for step in range(1, DOUBLINGS + 1):
        factor = 2.0 ** (step / dims)
        larger = at_shape(case, {name: size if size == 1 else int(size * factor) for name, size in case.shape.items()})
        found.setdefault(larger.id, larger)
    return tuple(found.values())


def smallest(case: Case) -> tuple[Case, ...]:
    """Candidates for the smallest call that is one, rising."""
    found: dict[str, Case] = {}
    for size in SMALLEST:
        other = at_shape(case, {name: min(size, whole) for name, whole in case.shape.items()})
        if other.id != case.id:
            found.setdefault(other.id, other)
    return tuple(found.values())


def described(cases: Iterable[Case], infos: Iterable[CaseInfo]) -> tuple[Sized, ...]:
    """Those of ``cases`` that can run, with their footprints."""
    by_id = {info.case_id: info for info in infos}
    return tuple(
        Sized(case, info.work, footprint(info.work, case.threads))
        for case in cases
        if not (info := by_id[case.id]).skip
    )


def footprint(work: Work, threads: int) -> float:
    """Bytes that one thread touches; 0 where the work model gives no working set."""
    size = work.working_set_bytes
    return 0.0 if isinstance(size, UnsetType) else size / threads


def level_of(levels: Levels, footprint_bytes: float) -> str:
    """The nearest cache that holds ``footprint_bytes``, else "DRAM"."""
    return next((name for name, size in levels if footprint_bytes <= size), "DRAM")


def inside(levels: Levels, sized: Sequence[Sized], below: str) -> dict[str, Sized]:
    """For each level nearer than ``below``: the largest of ``sized`` that lies well inside it."""
    found: dict[str, Sized] = {}
    for index, (name, size) in enumerate(levels):
        if name == below:
            break
        share = INSIDE_SHARED if index == len(levels) - 1 else INSIDE
        nearer = 0.0 if index == 0 else float(levels[index - 1][1])
        fits = [one for one in sized if 0.75 * nearer < one.footprint_bytes <= share * size]
        if fits:
            found[name] = max(fits, key=lambda one: one.footprint_bytes)
    return found


def around_knees(levels: Levels, sized: Sequence[Sized], points: int) -> tuple[Sized, ...]:
    """Of ``sized``, those that show where the time changes: the sizes around each cache's, at most ``points``."""
    wanted = sorted({share * size for _, size in levels for share in (0.25, 0.5, 0.8, 1.25, 2.5)})
    chosen: dict[str, Sized] = {}
    for goal in wanted:
        near = [one for one in sized if 0.6 * goal <= one.footprint_bytes <= 1.6 * goal]
        if near:
            best = min(near, key=lambda one: abs(one.footprint_bytes - goal))
            chosen.setdefault(best.case.id, best)
    ordered = sorted(chosen.values(), key=lambda one: one.footprint_bytes)
    step = max(1, -(-len(ordered) // max(1, points)))
    return tuple(ordered[::step])


def _rounded(size: int, factor: float) -> int:
    """A smaller size, a multiple of what sizes of its kind usually are multiples of."""
    wanted = max(1, int(size * factor))
    grain = next((grain for grain in (64, 16, 8) if size % grain == 0 and wanted >= grain), 1)
    return max(1, wanted // grain * grain)

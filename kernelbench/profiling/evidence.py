"""Taking a case apart, and what its parts say as counterfactuals."""

import time
from collections.abc import Iterator

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.bounds import Evidence
from kernelbench.machine import cache_levels
from kernelbench.model import Case, Counterfactual, Work
from kernelbench.model.profile import (
    CHAINS_CUT,
    INSIDE,
    NO_ARITHMETIC,
    NO_DIVIDES,
    NO_MEMORY,
    NO_TRANSCENDENTALS,
    NO_UNPACKING,
    ONE_THREAD,
    SMALLEST,
    SORTED,
)
from kernelbench.profiling.dissecting import Dissector
from kernelbench.profiling.selecting import Subject
from kernelbench.profiling.variations import (
    Sized,
    described,
    footprint,
    grown,
    inside,
    level_of,
    renamed,
    shrunk,
    smallest,
)
from kernelbench.protocol import Dissect, Dissected, Timed
from kernelbench.runner.host import pinning
from kernelbench.runner.job import WorkerFactory
from kernelbench.runner.library import Librarian
from kernelbench.units import size_bytes

REWRITES = (CHAINS_CUT, NO_DIVIDES, NO_TRANSCENDENTALS, NO_UNPACKING, NO_ARITHMETIC, NO_MEMORY)
BUDGET_S = {"full": 3.0, "quick": 1.5, "bounds": 0.8}
"""Time of all turns of one process."""


class Sizes(Struct, frozen=True):
    """What the kernel's other sizes are, asked before anything is timed."""

    levels: tuple[tuple[str, int], ...]
    """(level, one thread's share), nearest first."""
    smaller: tuple[Sized, ...]
    larger: tuple[Sized, ...]
    smallest: tuple[Sized, ...]
    """Candidates, rising; more than one because the least sizes may not be fit for every kernel."""

    @property
    def caches(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(name for name, _ in self.levels)


class Apart(Struct, frozen=True):
    """A case taken apart."""

    sizes: Sizes
    inside: dict[str, Sized]
    """By level: the case with a working set inside it."""
    whole: Dissected
    alone: Dissected | UnsetType = UNSET
    """On one thread; absent where it is one thread."""


def sizes_of(subject: Subject, library: Librarian) -> Sizes:
    """The other sizes at which the kernel can run."""
    case, machine = subject.case, subject.machine
    groups = (shrunk(case), grown(case), smallest(case))
    infos = library.describe(tuple({one.id: one for group in groups for one in group}.values()))
    fitting = tuple(info for info in infos if info.memory_bytes <= subject.memory_bytes)
    known = {info.case_id for info in fitting}
    below, above, least = (described([one for one in group if one.id in known], fitting) for group in groups)
    cpus = pinning(machine, {case.threads})[case.threads]
    return Sizes(cache_levels(machine, case.threads, cpus), below, above, least)


def take_apart(subject: Subject, sizes: Sizes, workers: WorkerFactory, *, effort: str) -> Apart:
    """Measure the case and what it would be otherwise.

    Raises KernelFailed when the kernel itself fails.
    """
    case = subject.case
    cpus = pinning(subject.machine, {1, case.threads})
    dissector = Dissector(workers, cpus.__getitem__, subject.config.modules, subject.source_hash)
    home = level_of(sizes.levels, footprint(subject.work, case.threads))
    nearer = inside(sizes.levels, sizes.smaller, home)
    least = sizes.smallest[:2]
    others = tuple({one.case.id: one.case for one in (*nearer.values(), *least)}.values())
    one_thread = case.threads == 1
    request = Dissect(
        case,
        subject.config.seed,
        time.monotonic(),
        others,
        REWRITES if one_thread else (),
        sorted_indices=one_thread,
        one_thread=not one_thread,
        budget_s=BUDGET_S[effort],
        memory=effort != "bounds",
    )
    whole = dissector.dissect(request)
    if one_thread:
        return Apart(sizes, nearer, whole)
    single = tuple(renamed(replace(one, threads=1)) for one in others)
    again = replace(
        request, case=renamed(replace(case, threads=1)), others=single, rewrites=REWRITES, sorted_indices=True,
        one_thread=False, memory=False,
    )  # fmt: skip
    return Apart(sizes, nearer, whole, dissector.dissect(again))


def unit_of(work: Work) -> str:
    """What time is divided by where sizes differ."""
    if not isinstance(work.flop, UnsetType) and work.flop > 0:
        return "FLOP"
    return "B" if _bytes(work) > 0 else "element"


def units(work: Work, case: Case) -> float:
    """How many of them one call does."""
    unit = unit_of(work)
    if unit == "FLOP" and not isinstance(work.flop, UnsetType):
        return work.flop
    if unit == "B":
        return _bytes(work)
    product = 1.0
    for size in case.shape.values():
        product *= size
    return product


def dispatch_of(whole: Dissected, sizes: Sizes) -> tuple[float, str]:
    """(seconds of a call that remain at the smallest size, that case's id; the empty call's and "" without one)."""
    ids = {one.case.id for one in sizes.smallest[:2]}
    found = [(one.call_s, one.name) for one in whole.timed if one.name in ids and not isinstance(one.call_s, UnsetType)]
    least, name = min(found, default=(whole.empty_call_s, ""))
    return min(least, whole.call_s), name


def evidence(subject: Subject, apart: Apart) -> Evidence:
    """What was measured, as the search for the bound takes it."""
    case = subject.case
    own = footprint(subject.work, case.threads)
    level = level_of(apart.sizes.levels, own) if own else ""
    alone: Evidence | UnsetType = UNSET
    if not isinstance(apart.alone, UnsetType):
        single = renamed(replace(case, threads=1))
        alone_dispatch, _ = dispatch_of(apart.alone, _on_one(apart.sizes))
        alone = Evidence(
            apart.alone.call_s,
            alone_dispatch,
            level_of(apart.sizes.levels, footprint(subject.work, 1)) if own else "",
            apart.sizes.caches,
            tuple(_changed(single, subject.work, apart.alone, _inside_on_one(apart), alone_dispatch)),
            mix=subject.work.mix,
        )
    dispatch_s, _ = dispatch_of(apart.whole, apart.sizes)
    found = tuple(counterfactuals(subject, apart))
    return Evidence(
        apart.whole.call_s, dispatch_s, level, apart.sizes.caches, found, case.threads, subject.work.mix, alone
    )


def counterfactuals(subject: Subject, apart: Apart) -> Iterator[Counterfactual]:
    """Every change of the case that was tried, as the file keeps it."""
    case, whole = subject.case, apart.whole
    dispatch_s, least = dispatch_of(whole, apart.sizes)
    yield Counterfactual(
        "empty body", "a call of nothing with the same arguments", "call", whole.call_s, whole.empty_call_s
    )
    if least:
        yield Counterfactual(SMALLEST, least, "call", whole.call_s, dispatch_s, case=least)
    yield from _changed(case, subject.work, whole, apart.inside, dispatch_s)
    if isinstance(apart.alone, UnsetType):
        return
    single = renamed(replace(case, threads=1))
    known = {one.name for one in whole.timed if not one.skipped}
    if ONE_THREAD not in known:
        alone_s = apart.alone.call_s
        yield Counterfactual(ONE_THREAD, "the same on one thread", "call", whole.call_s, alone_s, case=single.id)
    for one in _changed(single, subject.work, apart.alone, {}, 0.0):
        if one.name not in known:
            yield replace(one, change=f"{one.change} (on one thread)".strip())


def _changed(
    case: Case, work: Work, whole: Dissected, nearer: dict[str, Sized], dispatch_s: float
) -> Iterator[Counterfactual]:
    by_name = {one.name: one for one in whole.timed}
    for level, sized in nearer.items():
        yield _smaller(level, sized, by_name[sized.case.id], case, work, whole.call_s, dispatch_s)
    for name in (*REWRITES, SORTED, ONE_THREAD):
        if name not in by_name:
            continue
        one = by_name[name]
        if one.skipped and name == ONE_THREAD:
            continue
        if one.skipped:
            yield Counterfactual(name, one.change, "call", skipped=one.skipped)
        else:
            yield Counterfactual(name, one.change, "call", whole.call_s, one.call_s)


def _smaller(
    level: str, sized: Sized, timed: Timed, case: Case, work: Work, call_s: float, dispatch_s: float
) -> Counterfactual:
    name = INSIDE.format(level=level)
    change = f"{sized.case.id}: {size_bytes(sized.footprint_bytes)} a thread, inside {level}"
    unit = unit_of(work)
    if isinstance(timed.call_s, UnsetType):
        return Counterfactual(name, change, unit, case=sized.case.id, level=level, skipped=timed.skipped)
    # The part of a call that does not shrink with the work would make small sizes look slow.
    before = max(call_s - dispatch_s, 0.05 * call_s) / units(work, case)
    after = max(timed.call_s - dispatch_s, 0.05 * timed.call_s) / units(sized.work, sized.case)
    return Counterfactual(name, change, unit, before, after, case=sized.case.id, level=level)


def _on_one(sizes: Sizes) -> Sizes:
    return replace(sizes, smallest=tuple(_one_thread(sized) for sized in sizes.smallest))


def _inside_on_one(apart: Apart) -> dict[str, Sized]:
    return {level: _one_thread(sized) for level, sized in apart.inside.items()}


def _one_thread(sized: Sized) -> Sized:
    return replace(sized, case=renamed(replace(sized.case, threads=1)))


def _bytes(work: Work) -> float:
    return sum(part for part in (work.read_bytes, work.write_bytes) if not isinstance(part, UnsetType))

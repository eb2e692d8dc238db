"""Which cases differ in one thing only, and what threads bring: the pure part of the scaling pictures."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from kernelbench.analysis.match import same_problem
from kernelbench.model import Case

VARIED = ("threads", "isa", "cache")
"""What cases may differ in alone."""


class Timed(Struct, frozen=True):
    """One measured case."""

    case: Case
    machine: str
    median_s: float
    """Seconds per call: median over the rounds that count."""


class Team(Struct, frozen=True):
    """One case on several threads, and what one thread does with the same problem."""

    many: Timed
    one: Timed

    @property
    def same_variant(self) -> bool:
        """False when the variant was not measured at 1 thread and a sibling stands in."""
        return self.many.case.variant == self.one.case.variant

    @property
    def speedup(self) -> float:
        """Time of the one thread over the time of the many."""
        return self.one.median_s / self.many.median_s

    @property
    def efficiency(self) -> float:
        """Speedup over threads: 1 where every thread brings as much as the first."""
        return self.speedup / self.many.case.threads


def alike_but(timed: Iterable[Timed], varied: str) -> tuple[tuple[Timed, ...], ...]:
    """Groups of at least two cases of one machine that differ in ``varied`` (one of ``VARIED``) and nothing else.

    Groups and their members keep the order of ``timed``. Raises ValueError for another name.
    """
    if varied not in VARIED:
        raise ValueError(f"cases cannot be told apart by {varied!r} here; one of {', '.join(VARIED)}")
    found: dict[object, list[Timed]] = {}
    for one in timed:
        found.setdefault(_rest(one, varied), []).append(one)
    values = {key: {getattr(t.case, varied) for t in group} for key, group in found.items()}
    return tuple(tuple(group) for key, group in found.items() if len(values[key]) > 1)


def teams(timed: Sequence[Timed]) -> tuple[Team, ...]:
    """Every case on several threads with its one-thread peer; those without one are left out.

    The peer is the same variant at 1 thread, else the fastest at 1 thread of the same op, number type, shape,
    cache state and shared params: a library's among libraries, any other's among the rest.
    """
    itself = {_rest(t, "threads"): t for t in timed if t.case.threads == 1}
    serial: dict[object, list[Timed]] = {}
    for t in itself.values():
        serial.setdefault(_task(t), []).append(t)
    found = []
    for many in (t for t in timed if t.case.threads > 1):
        peers = [p for p in serial.get(_task(many), []) if same_problem(many.case, p.case)]
        own = itself.get(_rest(many, "threads"))
        if own is not None or peers:
            found.append(Team(many, own or min(peers, key=lambda p: p.median_s)))
    return tuple(found)


def _rest(timed: Timed, varied: str) -> tuple[object, ...]:
    """Everything of a case but its id, its style (which is only a label) and ``varied``."""
    case = timed.case
    names = ("op", "variant", "dtype", "dtypes", "tuned", *(name for name in VARIED if name != varied))
    shape, params = tuple(case.shape.items()), tuple(sorted(case.params.items()))
    return (timed.machine, shape, params, *(getattr(case, name) for name in names))


def _task(timed: Timed) -> tuple[object, ...]:
    case = timed.case
    library = case.style == "library"
    return (timed.machine, case.op, case.dtype, tuple(case.shape.items()), case.cache, case.isa, library)

"""What a time is set against: the naive and the library variants of the same problem."""

from collections.abc import Iterable

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.match import same_problem
from kernelbench.analysis.timing import Timing
from kernelbench.model import Case, Record

Number = float | UnsetType


class Timed(Struct, frozen=True):
    """A record with its times."""

    record: Record
    timing: Timing | UnsetType
    """Absent when it has no time that counts."""
    shape: str
    """Its shape in words."""


class Peers:
    """The naive and the library cases that times of the same problem are set against."""

    def __init__(self, timed: Iterable[Timed]) -> None:
        self._naive: dict[tuple[object, ...], list[tuple[Case, float]]] = {}
        self._library: dict[tuple[object, ...], list[tuple[Case, float]]] = {}
        self._known: dict[tuple[object, ...], tuple[Number, Number]] = {}
        for t in timed:
            case = t.record.case
            if isinstance(t.timing, UnsetType):
                continue
            if case.style == "naive" and case.threads == 1:
                self._naive.setdefault((_task(t), case.dtype), []).append((case, t.timing.median_s))
            if case.style == "library":
                self._library.setdefault((_task(t), case.dtype, case.threads), []).append((case, t.timing.median_s))

    def speedups(self, timed: Timed) -> tuple[Number, Number]:
        """Over the naive and over the fastest library variant, by median; absent without one."""
        case, task = timed.record.case, _task(timed)
        if isinstance(timed.timing, UnsetType):
            return UNSET, UNSET
        # All that decides who is a peer: cases that differ in nothing else share the answer.
        key = (task, tuple(case.shape.items()), tuple(case.params.items()), case.dtype, case.threads, case.isa)
        if key not in self._known:
            self._known[key] = self._naive_s(case, task), self._library_s(case, task)
        naive, library = self._known[key]
        return _over(naive, timed.timing.median_s), _over(library, timed.timing.median_s)

    def _naive_s(self, case: Case, task: tuple[str, ...]) -> Number:
        """Of its own number type before f32, and of its own instruction set before any other."""
        for dtype in (case.dtype, "f32"):
            peers = self._naive.get((task, dtype), [])
            alike = _least(case, [one for one in peers if one[0].isa == case.isa])
            found = _least(case, peers) if isinstance(alike, UnsetType) else alike
            if not isinstance(found, UnsetType):
                return found
        return UNSET

    def _library_s(self, case: Case, task: tuple[str, ...]) -> Number:
        """Of its own number type before f32: against int8 a kernel in f32 would look slow that is not."""
        for dtype in (case.dtype, "f32"):
            found = _least(case, self._library.get((task, dtype, case.threads), ()))
            if not isinstance(found, UnsetType):
                return found
        return UNSET


def _task(timed: Timed) -> tuple[str, ...]:
    """What must be equal, params apart, for one time to be a speedup over another."""
    record = timed.record
    return (record.machine, record.case.op, timed.shape, record.case.cache)


def _least(case: Case, peers: Iterable[tuple[Case, float]]) -> Number:
    """The least median of those that solve the problem of ``case``; absent without one."""
    return min((median_s for peer, median_s in peers if same_problem(case, peer)), default=UNSET)


def _over(peer_s: Number, own_s: float) -> Number:
    return UNSET if isinstance(peer_s, UnsetType) else peer_s / own_s

"""Measurements that can be asserted on: true, false, or not decidable on this host, which is neither.

What is not decidable raises what ``undecided`` makes of the reason (for pytest: a skip) instead of answering.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from kernelbench import units
from kernelbench.analysis.roofline import ABOVE_ROOF, Roof
from kernelbench.analysis.stats import Interval
from kernelbench.api import roofs, timing
from kernelbench.api.judging import MOST_S, Faster, Taken, Undecided, alone, faster, rounds_of
from kernelbench.api.operands import Copies
from kernelbench.api.timing import Declared
from kernelbench.api.turns import Call, setting_of, sides
from kernelbench.errors import UsageError

CLOCK_MOVED = 0.05
"""A core whose clock is further from that of the roofs is not judged by them."""


class Share(Struct, frozen=True, eq=False):
    """A share of a roof with its interval. Comparing it is true, false, or raises what ``undecided`` makes."""

    value: float
    """Of the best sample."""
    low: float | UnsetType
    high: float | UnsetType
    """95% interval of the rounds' bests; absent where too few rounds were quiet."""
    context: str
    """Times, the roof and what it is bound by, for the message of an assertion that fails."""
    doubt: str
    """Why no comparison is decidable; empty when it is."""
    undecided: Undecided

    def __gt__(self, bound: float) -> bool:
        return self._beyond(bound)

    def __ge__(self, bound: float) -> bool:
        return self._beyond(bound)

    def __lt__(self, bound: float) -> bool:
        return not self._beyond(bound)

    def __le__(self, bound: float) -> bool:
        return not self._beyond(bound)

    def __float__(self) -> float:
        return self.value

    def _beyond(self, bound: float) -> bool:
        """Whether the whole interval lies above ``bound``; False when it lies below."""
        if self.doubt or isinstance(self.low, UnsetType) or isinstance(self.high, UnsetType):
            raise self.undecided(f"not decidable: {self.doubt or 'no interval'}; {self!r}")
        if self.low > bound:
            return True
        if self.high < bound:
            return False
        raise self.undecided(f"not decidable: the interval crosses {units.percent(bound)}; {self!r}")

    def __repr__(self) -> str:
        span = ""
        if not isinstance(self.low, UnsetType) and not isinstance(self.high, UnsetType):
            span = f" (95% interval {units.percent(self.low)} to {units.percent(self.high)})"
        return f"{units.percent(self.value)} of its roof{span}: {self.context}"


class Judged:
    """A measured function: ``fraction_of_roof`` and ``faster_than`` answer, or say that nothing can be told here."""

    def __init__(self, call: Call, taken: Taken, undecided: Undecided) -> None:
        """``taken`` are the rounds of ``call``."""
        self.measurement, self.bests_s = taken.measurement, taken.bests_s
        self._call, self._undecided = call, undecided

    @property
    def best_s(self) -> float:
        """Seconds per call of the fastest sample."""
        return self.measurement.best_s

    @property
    def median_s(self) -> float:
        """Seconds per call of the median sample."""
        return self.measurement.median_s

    @property
    def bound(self) -> str:
        """What sets the roof: "compute" or "memory"; empty where there is no roof."""
        return self.measurement.bound

    @property
    def roof(self) -> Roof:
        """What the machine allows. Raises UsageError with the reason where there is none."""
        return roofs.need_roof(self.measurement)

    @property
    def fraction_of_roof(self) -> Share:
        """Share of the roof, to be compared: ``assert result.fraction_of_roof > 0.7``.

        Raises UsageError where there is no roof: neither ``flop`` nor ``bytes`` given, say.
        """
        limit, found = self.roof, self.measurement
        span = _interval(self.bests_s)
        low: float | UnsetType = UNSET
        high: float | UnsetType = UNSET
        if not isinstance(span, UnsetType):
            # The best of all samples is what the share is of: never above its own interval.
            low, high = limit.seconds / span.high, max(limit.seconds / span.low, limit.seconds / found.best_s)
        context = (
            f"{found.name} takes {units.seconds(found.best_s)}, the roof allows {units.seconds(limit.seconds)} "
            f"({limit.bound}: {limit.name})"
        )
        return Share(limit.seconds / found.best_s, low, high, context, self._doubt(), self._undecided)

    def faster_than(self, other: Judged | Callable[..., Any], by: float = 1.0, *, check: bool = True) -> Faster:
        """Whether this takes less than 1/``by`` of the time of ``other``, both timed in turns now.

        ``other`` is a callable, called with the same arguments, or another result. The answer needs an exact interval
        of the ratio wholly on one side of ``by``, at 5% in all over its looks; else it is not decidable. Raises
        UsageError when the two give different results (not with ``check=False``), or ``by`` is not above 0.
        """
        if not 0 < by < math.inf:
            raise UsageError(f"by={by!r} must be above 0: 1.2 asks for 1.2 times as fast")
        call = other._call if isinstance(other, Judged) else Call(other, self._call.args)
        with alone():
            both = sides(self._call, call, check=check)
            answer = faster(setting_of(both, MOST_S, seed=0), both.names, by, self._undecided)
            both.check()
        return answer

    def __repr__(self) -> str:
        return f"{self.measurement.name}: {self.measurement}"

    def _doubt(self) -> str:
        """Why this host can tell nothing; empty when it can."""
        if isinstance(_interval(self.bests_s), UnsetType):
            return f"only {len(self.bests_s)} rounds met a quiet core, and an interval needs 6"
        if self.roof.seconds / self.best_s > ABOVE_ROOF:
            return "it is above its roof: the work or the roof is wrong (`kernelbench ceilings` measures roofs anew)"
        clock, own = roofs.clock_of_roofs(self.measurement.threads), self.measurement.clock_hz
        if not isinstance(clock, UnsetType) and own and abs(own / clock - 1) > CLOCK_MOVED:
            return f"the core runs at {units.hertz(own)}, and the roofs were measured at {units.hertz(clock)}"
        return ""


def _interval(bests_s: Sequence[float]) -> Interval | UnsetType:
    from kernelbench.analysis.stats import median_interval

    return median_interval(bests_s)


def judge(call: Call, declared: Declared, undecided: Undecided) -> Judged:
    """``call`` measured in rounds until enough of them were quiet. Raises UsageError as ``kb.measure`` does."""
    import time

    if not isinstance(declared.work.flop, UnsetType) or not isinstance(declared.work.read_bytes, UnsetType):
        # Before the lock that measuring them takes, and not beside the samples.
        roofs.machine_card(declared.threads)
    with alone():
        # Where operands lie changes times by some percent: aligned copies are alike in every run of the tests.
        copies = Copies(call.args)
        found = rounds_of(timing.prepare(call.fn, copies.args), copies, declared, time.monotonic)
    return Judged(call, found, undecided)

"""Rounds for an answer: a function sampled until enough of them were quiet, two in turns until an interval tells."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct, UnsetType

from kernelbench import units
from kernelbench.analysis.sequential import confirmation
from kernelbench.analysis.stats import Interval
from kernelbench.analysis.turns import beside_neighbours
from kernelbench.api import roofs, timing
from kernelbench.api.measurement import Measurement
from kernelbench.api.operands import Copies
from kernelbench.api.timing import BusyCpus, Declared, Prepared
from kernelbench.api.turns import Rounds, Setting
from kernelbench.model import PairRound
from kernelbench.model.result import MIN_QUIET
from kernelbench.protocol import Effort

if TYPE_CHECKING:
    from kernelbench.timing.sampling import Samples

Undecided = Callable[[str], BaseException]
"""Makes of a reason what is raised where there is no answer."""

ROUND = Effort(samples=6, round_s=0.04, patience_s=0.1)
ROUNDS = 8
"""Quiet rounds of a measurement: two more than an interval needs."""
MOST_ROUNDS = 16
"""Rounds in all, on a host that is not quiet."""
MOST_S = 20.0
"""Longest time for a measurement, and for a comparison."""


class Faster(Struct, frozen=True, eq=False):
    """Whether one function is so many times as fast as another: ``bool`` is the answer, ``repr`` the evidence."""

    answer: bool
    evidence: str

    def __bool__(self) -> bool:
        return self.answer

    def __repr__(self) -> str:
        return self.evidence


class Taken(Struct, frozen=True):
    """A function in rounds."""

    measurement: Measurement
    bests_s: tuple[float, ...]
    """Best sample of each round that was quiet, seconds per call."""


def rounds_of(prepared: Prepared, copies: Copies, declared: Declared, clock: Callable[[], float]) -> Taken:
    """``prepared`` sampled in rounds, as long as too few were quiet and there is time."""
    ends_at, busy = clock() + MOST_S, BusyCpus()
    taken: list[Samples] = []
    bests: list[float] = []
    while len(bests) < ROUNDS and len(taken) < MOST_ROUNDS and (not taken or clock() < ends_at):
        copies.restore()
        one = timing.sampled(prepared, ROUND, declared.threads)
        taken.append(one)
        pairs = zip(one.seconds_per_call, one.disturbed, strict=True)
        quiet = [seconds for seconds, disturbed in pairs if not disturbed]
        if len(quiet) >= min(MIN_QUIET, len(one.seconds_per_call)):
            bests.append(min(quiet))
    return Taken(timing.measured(prepared, declared, taken, busy.now()), tuple(bests))


def alone() -> ExitStack:
    """The host's lock: tests that run in parallel, and other runs, would disturb each other."""
    from kernelbench.store.lock import HostLock

    stack = ExitStack()
    lock = stack.enter_context(HostLock())
    # Without it the measurement goes on: what disturbs it is seen, and told.
    lock.acquire(roofs.LOCK_WAIT_S, lambda _: None)
    return stack


def faster(setting: Setting, names: tuple[str, str], by: float, undecided: Undecided) -> Faster:
    """Whether the first side is ``by`` times as fast as the second: rounds until an interval tells, or time is up."""
    plan, rounds = confirmation(1), Rounds(setting)
    taken: list[PairRound] = []
    span: Interval | UnsetType = UNSET
    while len(taken) < plan.looks[-1] and not rounds.over:
        taken.append(rounds.next())
        if len(taken) not in plan.looks:
            continue
        span = plan.interval([one.log_ratio for one in taken])
        if isinstance(span, UnsetType):
            continue
        if span.low > math.log(by):
            return Faster(True, _evidence(names, by, taken, span))
        if span.high < math.log(by):
            return Faster(False, _evidence(names, by, taken, span))
    raise undecided(f"not decidable: {_evidence(names, by, taken, span)}")


def _evidence(names: tuple[str, str], by: float, rounds: Sequence[PairRound], span: Interval | UnsetType) -> str:
    """ "mine is 1.31x as fast as numpy (interval 1.30x to 1.32x, asked for 1.2x): 1.20 us against 1.57 us, …"."""
    if not rounds:
        return f"no round of {names[0]} and {names[1]} was finished in time"
    times = [units.seconds(median(getattr(one, side) for one in rounds)) for side in ("base_s", "head_s")]
    gain = units.ratio(math.exp(median(one.log_ratio for one in rounds)))
    words = (
        "no interval"
        if isinstance(span, UnsetType)
        else (f"interval {units.ratio(math.exp(span.low))} to {units.ratio(math.exp(span.high))}")
    )
    disturbed = beside_neighbours(rounds)
    tail = f", {disturbed} of them beside a busy neighbour" if disturbed else ""
    return (
        f"{names[0]} is {gain} as fast as {names[1]} ({words}, asked for {units.ratio(by)}): "
        f"{times[0]} against {times[1]}, {len(rounds)} rounds{tail}"
    )

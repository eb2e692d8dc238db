"""One case of an expectation: the number that its bound is about, with an interval, and what that decides.

A time is judged by the 95% sign-test interval over process rounds: a bound is kept only when the whole interval
keeps it, and missed only when the whole interval misses it. Two cases of one run are compared round by round, so
that what slowed a whole round slowed both. Accuracy is exact and needs no rounds.
"""

from collections.abc import Callable, Iterator, Sequence

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.above import MODEL_IN_DOUBT, explain_above
from kernelbench.analysis.roofline import NoRoof, Roof, bytes_moved, roof
from kernelbench.analysis.stats import MIN_ROUNDS, best, median, median_interval
from kernelbench.analysis.timing import timing
from kernelbench.expect import Bound, Rule, is_other
from kernelbench.model import Failed, Measured, Record, Result, Skipped, Work

DISTURBANCE = 4.0
"""Most that a busy host slows a case: a neighbour on the core takes up to 40%, another process or a stretch at half
speed 50%; together 1 / (0.6 x 0.5) = 3.3."""


class Check(Struct, frozen=True, omit_defaults=True):
    """One case of a rule, or one pair of cases."""

    case_id: str
    state: str
    """"pass", "fail" or "undecided"."""
    reason: str
    """The number with its interval, or why there is none, in words."""
    other_id: str | UnsetType = UNSET
    """Case that it was compared with; absent for other bounds."""
    value: float | UnsetType = UNSET
    """In the unit of the rule's bound; absent where it could not be had."""
    low: float | UnsetType = UNSET
    high: float | UnsetType = UNSET
    """95% interval of ``value``; absent below 6 rounds, and for accuracy, which is exact."""
    rounds: int = 0

    @property
    def text(self) -> str:
        """Case, what it was compared with, and the reason."""
        against = "" if isinstance(self.other_id, UnsetType) else f" against {self.other_id}"
        return f"{self.case_id}{against}: {self.reason}"


def checks(rule: Rule, record: Record, result: Result, alike: Sequence[Record]) -> Iterator[Check]:
    """One check of a case, or one for each case that it must be faster than; none for one that the plan skipped.

    ``alike``: the records of the same machine, device and shape, among which are all it may be compared with.
    """
    bound, case_id = rule.bound, record.case.id
    match record.outcome:
        case Skipped(reason=reason):
            if was_planned(record):
                yield Check(case_id, "undecided", f"not measured: {reason}")
        case Failed(stage=stage, message=message):
            yield Check(case_id, "fail", f"failed: {stage}: {message}")
        case Measured() if bound.key == "faster_than":
            yield from _speeds(rule, record, alike)
        case Measured() if bound.key == "min_roof_fraction":
            yield _of_roof(bound, record, result)
        case Measured() if bound.key == "max_seconds":
            medians = tuple(_rounds(record, median).values())
            yield _unless_disturbed(_by_interval(bound, record, medians), record, bound, "fail")
        case Measured():
            yield _accuracy(bound, record)


def was_planned(record: Record) -> bool:
    """True for a skipped case that was to be measured and was not reached: only those have their work in the file."""
    return record.work.model != "absent"


def _speeds(rule: Rule, record: Record, alike: Sequence[Record]) -> Iterator[Check]:
    candidates = [other for other in alike if is_other(rule.other, record.case, other.case)]
    others = [other for other in candidates if other is not record]
    if candidates and not others:
        # "matmul/*" against "matmul/naive" is not about naive itself.
        return
    tried = [other for other in others if not isinstance(other.outcome, Skipped)]
    for other in tried:
        yield _speed(rule.bound, record, other)
    if tried:
        return
    why = f"no case of this run is {rule.other.text} on the same problem"
    for other in others[:1]:
        reason = other.outcome.reason if isinstance(other.outcome, Skipped) else ""
        why = f"{other.case.id} was skipped: {reason}"
    yield Check(record.case.id, "undecided", f"nothing to compare with: {why}")


def _speed(bound: Bound, record: Record, other: Record) -> Check:
    """How many times as fast as ``other``: the ratio of the medians of each round that measured both."""
    if isinstance(other.outcome, Failed):
        reason = f"the latter failed: {other.outcome.stage}: {other.outcome.message}"
        return Check(record.case.id, "fail", reason, other.case.id)
    own, its = _rounds(record, median), _rounds(other, median)
    ratios = tuple(its[index] / own[index] for index in sorted(own.keys() & its.keys()))
    check = _unless_disturbed(_by_interval(bound, record, ratios), record, bound, "fail")
    # A neighbour that slowed the other case flatters this one.
    return replace(_unless_disturbed(check, other, bound, "pass"), other_id=other.case.id)


def _of_roof(bound: Bound, record: Record, result: Result) -> Check:
    """The share of its roof, from the best sample of each round: a roof is a limit, and only the best comes near."""
    machine = result.machines.get(record.machine, UNSET)
    limit = roof(record, result.ceilings, machine)
    if isinstance(limit, NoRoof) or limit.seconds <= 0:
        reason = limit.reason if isinstance(limit, NoRoof) else "its least time is 0"
        return Check(record.case.id, "undecided", f"it has no roof: {reason}")
    shares = tuple(limit.seconds / seconds for seconds in _rounds(record, best).values())
    check = _unless_disturbed(_by_interval(bound, record, shares), record, bound, "fail")
    if check.state == "fail" and (missing := _missing_roof(record.work, limit)):
        return _undecided(check, f"but a roof is not known: {missing}")
    above = explain_above(record, limit, result.ceilings, machine) if check.state == "pass" else UNSET
    if not isinstance(above, UnsetType) and above.cause == MODEL_IN_DOUBT:
        return _undecided(check, f"but {above.text}")
    return check


def _missing_roof(work: Work, limit: Roof) -> str:
    """Which roof the work has and the ceilings do not: with it the case might be nearer to its roof."""
    flop = 0.0 if isinstance(work.flop, UnsetType) or isinstance(work.mix, UnsetType) else work.flop
    no_compute = flop > 0 and isinstance(limit.compute, UnsetType)
    no_memory = not isinstance(bytes_moved(work), UnsetType) and isinstance(limit.memory, UnsetType)
    return limit.missing if no_compute or no_memory else ""


def _accuracy(bound: Bound, record: Record) -> Check:
    accuracy = record.accuracy
    if isinstance(accuracy, UnsetType):
        return Check(record.case.id, "undecided", "its accuracy was not recorded")
    value = accuracy.value if bound.key == "max_error" else accuracy.snr_db
    if isinstance(value, UnsetType):
        exact = accuracy.value == 0
        reason = "exact: there is no error" if exact else "no signal-to-noise ratio was recorded"
        return Check(record.case.id, "pass" if exact else "undecided", reason)
    fine = value >= bound.limit if bound.at_least else value <= bound.limit
    reason = f"{bound.show(value)} ({accuracy.metric}, against the {accuracy.reference})"
    return Check(record.case.id, "pass" if fine else "fail", reason, value=value)


def _by_interval(bound: Bound, record: Record, values: Sequence[float]) -> Check:
    """The state of a bound on the median of ``values``, one a round."""
    case_id, count = record.case.id, len(values)
    if not values:
        return Check(case_id, "undecided", "no round counts: superseded, empty, or not of both cases")
    middle, interval = median(values), median_interval(values)
    if isinstance(interval, UnsetType):
        few = f"{bound.show(middle)} over {count} round{'s' * (count != 1)}; an interval needs {MIN_ROUNDS}"
        reason = f"{few}: give --rounds {MIN_ROUNDS} or more, and time for them"
        return Check(case_id, "undecided", reason, value=middle, rounds=count)
    met, missed = interval.low >= bound.limit, interval.high < bound.limit
    if not bound.at_least:
        met, missed = interval.high <= bound.limit, interval.low > bound.limit
    span = f"{bound.show(middle)} ({bound.show(interval.low)} to {bound.show(interval.high)} over {count} rounds)"
    if met:
        state, tail = "pass", ""
    elif missed:
        state, tail = "fail", f", wholly {'below' if bound.at_least else 'above'} {bound.limit_text}"
    else:
        state, tail = "undecided", f" holds {bound.limit_text}: more rounds narrow it, such as --rounds {2 * count}"
    return Check(case_id, state, span + tail, value=middle, low=interval.low, high=interval.high, rounds=count)


def _unless_disturbed(check: Check, record: Record, bound: Bound, state: str) -> Check:
    """``check``, undecided where it is in ``state`` and neighbours that slowed ``record`` may be the reason."""
    time = timing(record)
    if check.state != state or isinstance(time, UnsetType):
        return check
    quiet, rounds = time.quiet_rounds, len(time.round_medians_s)
    if 2 * quiet >= rounds or _with_room(check, bound):
        return check
    whose = "it" if record.case.id == check.case_id else record.case.id
    why = f"but {whose} was undisturbed in only {quiet} of {rounds} rounds: the host may have slowed it, not the code"
    return _undecided(check, why)


def _with_room(check: Check, bound: Bound) -> bool:
    """True when the whole interval lies beyond the bound by more than a disturbed host explains."""
    if isinstance(check.low, UnsetType) or isinstance(check.high, UnsetType):
        return False
    if check.state == "pass":
        return check.low >= DISTURBANCE * bound.limit
    return DISTURBANCE * check.high < bound.limit if bound.at_least else check.low > DISTURBANCE * bound.limit


def _undecided(check: Check, why: str) -> Check:
    return replace(check, state="undecided", reason=f"{check.reason}, {why}")


def _rounds(record: Record, of: Callable[[Sequence[float]], float]) -> dict[int, float]:
    """One number of each round that counts, by the round's index; seconds."""
    if not isinstance(record.outcome, Measured) or isinstance(timing(record), UnsetType):
        return {}
    counted = [one for one in record.outcome.rounds if not one.superseded and one.samples_s]
    return {one.index: of(one.undisturbed_s or one.samples_s) for one in counted}

"""Did a run show what it had to? The rules of a configuration judged on one result, without a baseline.

``checks`` judges each case; here a rule is what its cases are: failed when one failed, passed when all did.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

import msgspec
from msgspec import Struct, UnsetType
from msgspec.structs import replace

from kernelbench.analysis.checks import Check, checks, was_planned
from kernelbench.errors import ResultFileError
from kernelbench.expect import BOUNDS, Bound, Rule, matches, stored
from kernelbench.model import Record, Result, Skipped

STATES = ("fail", "undecided", "pass")
"""Every state, the one to look at first first; of a rule's cases the first of these decides."""


class Judged(Struct, frozen=True, omit_defaults=True):
    """One rule and what became of it."""

    rule: str
    """In words, its name first."""
    state: str
    """One of ``STATES``."""
    reason: str
    """What decided, in words."""
    bound: str
    """One of ``expect.BOUNDS``: the unit of ``limit`` and of the checks' values."""
    limit: float
    checks: tuple[Check, ...] = ()
    """One a case, and one a pair of cases where it is compared with several."""
    left_out: int = 0
    """Cases that the rule is about and that the plan skipped."""

    @property
    def deciding(self) -> tuple[Check, ...]:
        """The checks in the rule's own state, the one that weighs most first."""
        up = 1 if Bound(self.bound, self.limit).at_least else -1
        # Without a number: a crash weighs more than any number, an exact result less.
        absent = math.inf if self.state == "pass" else -math.inf
        chosen = [check for check in self.checks if check.state == self.state]
        return tuple(sorted(chosen, key=lambda c: absent if isinstance(c.value, UnsetType) else up * c.value))


def judge(rules: Sequence[Rule], result: Result) -> tuple[Judged, ...]:
    """Every rule on one result, in the order of the rules."""
    alike: dict[tuple[object, ...], list[Record]] = defaultdict(list)
    for record in result.records:
        alike[_place(record)].append(record)
    return tuple(_judged(rule, result, alike) for rule in rules)


def judge_own(result: Result) -> tuple[Judged, ...]:
    """The rules of a result's own configuration on it. Raises ResultFileError when they are damaged."""
    return judge(stored(result.config), result)


def keep(result: Result, judged: Sequence[Judged]) -> Result:
    """``result`` with what was judged in it."""
    return replace(result, expectations=tuple(msgspec.to_builtins(one) for one in judged))


def kept(result: Result) -> tuple[Judged, ...]:
    """What was judged when the result was made. Raises ResultFileError when that is damaged."""
    try:
        found = msgspec.convert(result.expectations, tuple[Judged, ...])
        states = [state for one in found for state in (one.state, *(check.state for check in one.checks))]
        faults = [f"state {state!r}" for state in states if state not in STATES]
        faults += [f"bound {judged.bound!r}" for judged in found if judged.bound not in BOUNDS]
    except msgspec.ValidationError as error:
        faults = [str(error).replace("`", "")]
    if faults:
        raise ResultFileError(f"the expectations in the result are damaged or of a newer kernelbench: {faults[0]}")
    return found


def _judged(rule: Rule, result: Result, alike: dict[tuple[object, ...], list[Record]]) -> Judged:
    about = [record for record in result.records if matches(rule, record.case)]
    left_out = [record for record in about if isinstance(record.outcome, Skipped) and not was_planned(record)]
    done = tuple(check for record in about for check in checks(rule, record, result, alike[_place(record)]))
    state = next((state for state in STATES if any(check.state == state for check in done)), "undecided")
    judged = Judged(rule.text, state, "", rule.bound.key, rule.bound.limit, done, len(left_out))
    return replace(judged, reason=_reason(judged) if done else _why_none(about, left_out))


def _reason(judged: Judged) -> str:
    """What decided a rule that was about something."""
    total, deciding = len(judged.checks), judged.deciding
    lead = {"pass": f"{total} cases, the closest ", "fail": f"{len(deciding)} of {total} cases, the worst "}
    words = lead.get(judged.state, f"{len(deciding)} of {total} cases, such as ") if total > 1 else ""
    skipped = f"; {judged.left_out} more skipped" if judged.left_out else ""
    return f"{words}{deciding[0].text}{skipped}"


def _why_none(about: Sequence[Record], left_out: Sequence[Record]) -> str:
    if not about:
        return "no case of this run matches"
    for record in left_out:
        if isinstance(record.outcome, Skipped):
            return f"{record.case.id} was skipped: {record.outcome.reason}"
    return "every case that matches is itself the one to be faster than"


def _place(record: Record) -> tuple[object, ...]:
    """Records that agree in this may be compared with each other."""
    return (record.machine, record.device, *record.case.shape.items())

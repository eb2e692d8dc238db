"""Advice about the numbers themselves: what not to believe, what to measure again, what was not the kernel."""

from itertools import pairwise

from msgspec import UNSET, UnsetType

from kernelbench.analysis.above import MODEL_IN_DOUBT
from kernelbench.analysis.advice_cases import Found, Observed, OpCases, families, fastest, gain_of
from kernelbench.model import Measured
from kernelbench.units import percent, ratio, seconds

CONSTANT = 1.5
"""A time that grows by less than this ..."""
MUCH_WORK = 4.0
"""... while the work grows by this is not spent on the work."""
MOST_CITED = 20
"""Cases that one advice names, the worst first."""


def distrust(op: OpCases) -> Found:
    """A case above its roof that nothing measured explains."""
    doubtful = [c for c in op.cases if MODEL_IN_DOUBT in c.flags and not isinstance(c.roof_s, UnsetType)]
    if not doubtful:
        return UNSET
    worst = max(doubtful, key=_above)
    more = f", and {len(doubtful) - 1} more of its cases" if len(doubtful) > 1 else ""
    text = (
        f"{worst.case.id} reads {percent(_above(worst))} of its roof ({worst.roof_name}){more}, and nothing measured "
        f"explains it: settle first whether its work model or that roof is wrong, before acting on shares of {op.op}"
    )
    return op.advice("distrust", text, _first(worst, doubtful))


def _first(worst: Observed, all_of_them: list[Observed]) -> list[Observed]:
    """The worst and a few others: a run in which thousands did not hold still needs no list of them."""
    return [worst, *(c for c in all_of_them if c is not worst)][:MOST_CITED]


def _above(case: Observed) -> float:
    return 0.0 if isinstance(case.roof_s, UnsetType) else case.roof_s / case.best_s


def again(op: OpCases) -> Found:
    """Cases whose times did not hold still."""
    unsteady = [c for c in op.cases if c.unsteady]
    if not unsteady:
        return UNSET
    worst = max(unsteady, key=lambda c: ((c.high_s - c.low_s) / c.median_s, c.case.id))
    seen = f" ({seconds(worst.low_s)} to {seconds(worst.high_s)})" if worst.low_s < worst.high_s else ""
    text = (
        f"{len(unsteady)} of {len(op.cases)} measured cases of {op.op} did not hold still, {worst.case.id} most{seen}: "
        "measure again on a quieter host or with --rigorous before acting on them"
    )
    return op.advice("again", text, _first(worst, unsteady))


def dispatch(op: OpCases) -> Found:
    """A time that includes a call from Python and hardly grows with the work."""
    found: tuple[float, Observed, Observed] | None = None
    called = [c for c in op.cases if isinstance(c.record.outcome, Measured) and c.record.outcome.includes_python_call]
    for family in families((c for c in called if c.case.style != "python"), "shape"):
        sized = sorted((c for c in family if c.size > 0), key=lambda c: (c.size, c.case.id))
        for few, many in pairwise(sized):
            growth = many.size / few.size
            constant = many.median_s < CONSTANT * few.median_s
            if growth >= MUCH_WORK and constant and (found is None or growth > found[0]):
                found = (growth, few, many)
    if found is None:
        return UNSET
    growth, few, many = found
    compiled = _without_call(op, few)
    text = (
        f"{few.own_time}, {many.case.id} {seconds(many.median_s)} for {ratio(growth)} the work, both with a call from "
        "Python: consistent with times that are mostly that call"
    )
    if isinstance(compiled, UnsetType) or compiled.median_s >= few.median_s:
        return op.advice("dispatch", f"{text}; give it more work a call", (few, many))
    gain = gain_of(few, compiled)
    text += f"; give it more work a call, or call {compiled.case.variant} from compiled code "
    text += f"({seconds(compiled.median_s)}, {ratio(gain)})"
    return op.advice("dispatch", text, (few, many, compiled), gain)


def _without_call(op: OpCases, case: Observed) -> Observed | UnsetType:
    """The fastest case of the same problem, number type and threads that is timed without a call from Python."""
    problem = next(p for p in op.problems if any(c is case for c in p))
    kind = (case.case.dtype, case.case.threads)
    return fastest(
        c
        for c in problem
        if (c.case.dtype, c.case.threads) == kind
        and isinstance(c.record.outcome, Measured)
        and not c.record.outcome.includes_python_call
    )

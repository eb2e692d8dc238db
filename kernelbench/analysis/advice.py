"""What to do next, per op, from the measurements of one file.

A rule looks at the cases of one op and says at most one thing, with the numbers it rests on. It names a cause only
where two measured cases differ in nothing else; otherwise it says what the numbers are consistent with.
"""

from collections.abc import Callable, Iterable

from msgspec import UnsetType

from kernelbench.analysis import advice_memory, advice_threads, advice_trust, advice_variants
from kernelbench.analysis.advice_cases import KINDS as KINDS
from kernelbench.analysis.advice_cases import Advice as Advice
from kernelbench.analysis.advice_cases import Found, OpCases, by_op
from kernelbench.analysis.advice_cases import Observed as Observed
from kernelbench.model import Result

MOST_PER_OP = 3
"""More at once is a list nobody follows."""

RULES: tuple[Callable[[OpCases], Found], ...] = (
    advice_trust.distrust,
    advice_variants.chains,
    advice_variants.take,
    advice_variants.library,
    advice_memory.fewer_bytes,
    advice_variants.quantized,
    advice_variants.isa,
    advice_memory.working_set,
    advice_memory.cold,
    advice_threads.threads,
    advice_threads.crossover,
    advice_trust.dispatch,
    advice_trust.again,
)
"""Every rule. Of two that rest on the same cases the earlier one speaks."""


def advise(observed: Iterable[Observed], result: Result) -> tuple[Advice, ...]:
    """What to do next, at most ``MOST_PER_OP`` an op and machine: doubts about the numbers first, then by gain.

    ``observed``: the measured cases of ``result``, from which come the machines and ceilings. What rests on
    times that did not hold still comes after what does not, and last what has no gain to tell.
    """
    found: list[Advice] = []
    for op in by_op(observed, result.machines, result.ceilings):
        found += sorted(_distinct(rule(op) for rule in RULES), key=_order)[:MOST_PER_OP]
    return tuple(sorted(found, key=_order))


def _distinct(found: Iterable[Found]) -> list[Advice]:
    """One advice for one set of cases, and one about fewer bits: two rules may see the same."""
    kept: dict[object, Advice] = {}
    for advice in found:
        if isinstance(advice, UnsetType):
            continue
        fewer_bits = advice.kind in ("fewer-bytes", "quantized") and not isinstance(advice.gain, UnsetType)
        kept.setdefault("fewer bits" if fewer_bits else (frozenset(advice.case_ids), advice.kind == "again"), advice)
    return list(kept.values())


def _order(advice: Advice) -> tuple[bool, bool, bool, float, str, int]:
    told = not isinstance(advice.gain, UnsetType)
    gain = 0.0 if isinstance(advice.gain, UnsetType) else advice.gain
    return (advice.kind != "distrust", not told, bool(advice.unsteady), -gain, advice.op, KINDS.index(advice.kind))

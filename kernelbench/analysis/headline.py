"""The sentence at the top of a report: what was found, from measured numbers only."""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, UnsetType

from kernelbench.analysis.advice_cases import (
    Observed,
    OpCases,
    by_op,
    clearly_faster,
    gain_of,
    narrower,
    rivals,
)
from kernelbench.analysis.advice_memory import AT_ITS_ROOF
from kernelbench.units import percent, ratio

_FIRST = "matmul"
"""The op that a machine is known by: the sentence begins with it where it was measured."""


def headline(observed: Sequence[Observed], counts: Mapping[str, int], *, interrupted: bool = False) -> str:
    """One sentence on the nearest to a roof, fewer bits, the weakest op and libraries, another on what is missing.

    ``counts``: records by status ("measured", "failed", "skipped"). Parts without numbers are left out; a run
    without any measured case says so.
    """
    ending = " The run was interrupted: this is what was done." if interrupted else ""
    rest = ", ".join(f"{counts[status]} {status}" for status in ("failed", "skipped") if counts.get(status))
    if not observed:
        return f"Nothing was measured{': ' + rest if rest else ''}.{ending}"
    total, timed = sum(counts.values()), len(observed)
    # The order of ops decides which of them speaks for fewer bits.
    ops = sorted(by_op(observed, {}, ()), key=lambda op: (op.op != _FIRST, op.op, op.machine_id))
    near, weak = _nearest(observed), _weakest(observed)
    told = [_reaches(near), _fewer_bits(ops), "" if _same_op(weak, near) else _lags(weak), _libraries(ops)]
    parts = [part for part in told if part]
    noun, verb = "case" if total == 1 else "cases", "was" if timed == 1 else "were"
    measured = f"{timed} of {total} {noun} {verb} measured" + (f" ({rest})" if rest else "")
    if not parts:
        return f"{measured}; none has a roof or a peer to be set against.{ending}"
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}. {measured[0].upper()}{measured[1:]}.{ending}"


def _best_of_ops(observed: Sequence[Observed]) -> dict[str, Observed]:
    """The nearest to its roof of each op: of its own variants, of libraries where it has no others.

    A lower instruction set has a lower roof, easier to reach: it counts only where nothing else was measured, and
    so do cold operands.
    """
    best: dict[str, Observed] = {}
    for one in observed:
        if not isinstance(one.fraction, UnsetType):
            known = best.get(one.case.op, one)
            best[one.case.op] = max(known, one, key=_rank)
    return best


def _rank(one: Observed) -> tuple[bool, bool, bool, float]:
    return (one.own, one.case.isa == "native", one.case.cache == "warm", one.share)


def _nearest(observed: Sequence[Observed]) -> Observed | UnsetType:
    """The best matmul, where there is one with a roof; else the nearest to its roof of all."""
    best = _best_of_ops(observed)
    if not best:
        return UNSET
    # Everybody knows the f32 peak of their machine: where the first op was measured in f32, that is what is told.
    plain = _best_of_ops([one for one in observed if (one.case.op, one.case.dtype) == (_FIRST, "f32")])
    return plain.get(_FIRST) or best.get(_FIRST) or max(best.values(), key=lambda c: c.share)


def _reaches(one: Observed | UnsetType) -> str:
    if isinstance(one, UnsetType):
        return ""
    return f"the best {one.case.dtype} {one.case.op} reaches {percent(one.share)} of {one.roof_name} ({one.case.id})"


def _weakest(observed: Sequence[Observed]) -> Observed | UnsetType:
    """The best of the op whose best is farthest from its roof; absent with one op alone, or where all are near."""
    best = _best_of_ops(observed)
    weakest = min(best.values(), key=lambda c: c.share) if len(best) > 1 else UNSET
    return UNSET if isinstance(weakest, UnsetType) or weakest.share >= AT_ITS_ROOF else weakest


def _same_op(one: Observed | UnsetType, other: Observed | UnsetType) -> bool:
    """Whether both are known and of one op, which then has been told of already."""
    if isinstance(one, UnsetType) or isinstance(other, UnsetType):
        return False
    return one.case.op == other.case.op


def _lags(one: Observed | UnsetType) -> str:
    if isinstance(one, UnsetType):
        return ""
    return f"{one.case.op} is the weakest op, {percent(one.share)} of {one.roof_name} at its best, bound by {one.bound}"


def _fewer_bits(ops: Sequence[OpCases]) -> str:
    """What fewer bits buy at the largest problem of the first op that has both."""
    for op in ops:
        pairs = [pair for problem in op.problems for pair in narrower(problem) if pair[1].case.dtype == "i8"]
        if pairs:
            wide, few = max(pairs, key=lambda pair: (_steady(pair), pair[0].size, -pair[0].case.threads))
            gain = gain_of(wide, few)
            words = f"{ratio(gain)} as fast as" if clearly_faster(few, wide) else "no faster than"
            # Where rounds scatter the quotient of two medians may even pass what the hardware can give.
            doubt = "" if _steady((wide, few)) else ", in rounds that scatter"
            return f"int8 is {words} f32{doubt} ({few.case.id})"
    return ""


def _steady(pair: tuple[Observed, Observed]) -> bool:
    return not any(one.unsteady for one in pair)


def _libraries(ops: Sequence[OpCases]) -> str:
    cells = [pair for op in ops for problem in op.problems for pair in rivals(problem)]
    if not cells:
        return ""
    ahead = sum(clearly_faster(own, library, 1.0) for own, library in cells)
    behind = sum(clearly_faster(library, own, 1.0) for own, library in cells)
    level = f", level in {len(cells) - ahead - behind}" if len(cells) > ahead + behind else ""
    cells_word = "cell" if len(cells) == 1 else "cells"
    return f"the best variant beats the best library in {ahead} of {len(cells)} {cells_word}{level}"

"""Advice that sets one variant against another of the same problem: chains, the better rung, libraries, fewer bits."""

from msgspec import UNSET, UnsetType

from kernelbench.analysis.advice_cases import (
    Found,
    Observed,
    OpCases,
    clearly_faster,
    families,
    fastest,
    gain_of,
    narrower,
    rivals,
    up_to,
)
from kernelbench.analysis.peaks import isa_words
from kernelbench.model import ISA_LEVELS
from kernelbench.units import decibels, error, percent, ratio, seconds

FAR_BELOW = 0.5
"""Share of its roof under which a variant has clearly more to gain than the last few percent."""

MUCH_MORE = 1.5
"""Another variant that is so many times faster is worth taking."""

_CHAINS = ("chains", "accumulators")
"""Names of a parameter that counts the running sums of a variant."""

_FEET = ("naive", "python")
"""Styles that are slow on purpose: a ladder begins with them."""

_Pair = tuple[float, Observed, Observed]


def best_pair(pairs: list[_Pair]) -> _Pair | None:
    """The pair of the largest gain; None without any."""
    return max(pairs, key=lambda pair: pair[0], default=None)


def chains(op: OpCases) -> Found:
    """Few running sums against many: a parameter that counts them, else a naive variant beside one with many chains.

    Only the parameter differs in nothing else, so that only it names the cause.
    """
    counted = _counted_chains(op)
    if not isinstance(counted, UnsetType):
        return counted
    pairs: list[_Pair] = []
    for problem in op.problems:
        for slow in (c for c in problem if c.case.style == "naive"):
            alike = (c for c in problem if (c.case.dtype, c.case.threads) == (slow.case.dtype, slow.case.threads))
            fast = fastest(c for c in alike if c.own and ("chains" in c.case.variant or c.record.fastmath))
            if not isinstance(fast, UnsetType) and clearly_faster(fast, slow, MUCH_MORE):
                pairs.append((gain_of(slow, fast), slow, fast))
    found = best_pair(pairs)
    if found is None:
        return UNSET
    gain, slow, fast = found
    how = "whose sums may be reordered (fast-math)" if fast.record.fastmath else "with many running sums"
    text = f"{slow.own_time}, {fast.short} {how}: consistent with one chain of dependent additions; {up_to(gain)}"
    return op.advice("chains", f"{text} from several", (slow, fast), gain)


def _counted_chains(op: OpCases) -> Found:
    best: Found = UNSET
    for name in _CHAINS:
        sharing = [c for c in op.cases if isinstance(c.case.params.get(name), int)]
        by_rest: dict[object, list[Observed]] = {}
        for c in sharing:
            rest = tuple(sorted((k, v) for k, v in c.case.params.items() if k != name))
            case = c.case
            key = (
                case.variant,
                case.dtype,
                tuple(case.shape.items()),
                rest,
                case.threads,
                case.isa,
                case.cache,
                case.tuned,
            )
            by_rest.setdefault(key, []).append(c)
        for members in by_rest.values():
            fast = min(members, key=lambda c: c.median_s)
            slower = [c for c in members if _count(c, name) < _count(fast, name) and clearly_faster(fast, c)]
            slow = max(slower, key=lambda c: _count(c, name), default=None)
            if slow is None or (not isinstance(best, UnsetType) and gain_of(slow, fast) <= _gain(best)):
                continue
            gain = gain_of(slow, fast)
            text = (
                f"{slow.own_time}, {seconds(fast.median_s)} with {_count(fast, name)} {name}: "
                f"{_count(slow, name)} -> {_count(fast, name)} {name}, {up_to(gain)}"
            )
            best = op.advice("chains", text + _still_below(fast, members, name), (slow, fast), gain, supported=True)
    return best


def _still_below(fast: Observed, members: list[Observed], name: str) -> str:
    """What more than the most that was measured may give."""
    most = _count(fast, name) == max(_count(c, name) for c in members)
    if not most or not 0 < fast.share < FAR_BELOW:
        return ""
    return f"; that is the most measured and reaches {percent(fast.share)} of its roof, so try {2 * _count(fast, name)}"


def _count(case: Observed, name: str) -> int:
    value = case.case.params[name]
    return value if isinstance(value, int) else 0


def _gain(advice: Found) -> float:
    return 0.0 if isinstance(advice, UnsetType) or isinstance(advice.gain, UnsetType) else advice.gain


def take(op: OpCases) -> Found:
    """A variant far below its roof while another of the same number type and threads is much faster."""
    pairs: list[_Pair] = []
    for problem in op.problems:
        best: dict[tuple[str, int], Observed] = {}
        for c in problem:
            key = (c.case.dtype, c.case.threads)
            if c.own and not isinstance(c.fraction, UnsetType) and c.case.style != "quantized":
                best[key] = min(best.get(key, c), c, key=lambda one: one.median_s)
        for slow in problem:
            fast = best.get((slow.case.dtype, slow.case.threads))
            far = not isinstance(slow.fraction, UnsetType) and slow.fraction < FAR_BELOW
            rung = slow.own and slow.case.style not in (*_FEET, "quantized")
            if fast is not None and far and rung and clearly_faster(fast, slow, MUCH_MORE):
                pairs.append((gain_of(slow, fast), slow, fast))
    found = best_pair(pairs)
    if found is None:
        return UNSET
    gain, slow, fast = found
    text = (
        f"{slow.case.id} reaches {percent(slow.share)} of its {slow.bound} roof ({slow.roof_name}), "
        f"{fast.case.variant} {percent(fast.share)} of its own in {seconds(fast.median_s)} against "
        f"{seconds(slow.median_s)}: take {fast.case.variant}, {ratio(gain)}"
    )
    return op.advice("take", text, (slow, fast), gain)


def library(op: OpCases) -> Found:
    """The best own variant is slower than a library: by how much, and in how many cells."""
    cells = [pair for problem in op.problems for pair in rivals(problem)]
    behind = [(gain_of(own, peer), own, peer) for own, peer in cells if clearly_faster(peer, own)]
    found = best_pair(behind)
    if found is None:
        return UNSET
    gain, own, peer = found
    reach = f", which is {percent(peer.share)} of {peer.roof_name}" if peer.share else ""
    text = (
        f"{own.own_time}, the best own variant; {peer.short}{reach}: {ratio(gain)} is to be had. The library is "
        f"ahead in {len(behind)} of {len(cells)} cells"
    )
    return op.advice("library", text, (own, peer), gain)


def quantized(op: OpCases) -> Found:
    """What fewer bits buy over f32, and the error they cost."""
    pairs = [pair for problem in op.problems for pair in narrower(problem)]
    gains = [(gain_of(wide, few), wide, few) for wide, few in pairs if clearly_faster(few, wide)]
    found = best_pair(gains)
    if found is None:
        return UNSET
    gain, wide, few = found
    text = f"{wide.own_time}, {few.short}: {ratio(gain)} where its error is allowed ({error_of(few)})"
    return op.advice("quantized", text, (wide, few), gain)


def error_of(case: Observed) -> str:
    """ "max |error| 3.1e-03, SNR 41 dB": what is known of a case's exactness."""
    accuracy = case.record.accuracy
    if isinstance(accuracy, UnsetType):
        return "its error was not measured"
    noise = "" if isinstance(accuracy.snr_db, UnsetType) else f", SNR {decibels(accuracy.snr_db)}"
    return f"{accuracy.metric} = {error(accuracy.value)}{noise}"


def isa(op: OpCases) -> Found:
    """The same variant at two instruction-set levels: what the higher one buys, or costs."""
    pairs: list[_Pair] = []
    for family in families((c for c in op.cases if c.own), "isa"):
        ranked = sorted((c for c in family if _level(c) >= 0), key=_level)
        if len(ranked) > 1 and _level(ranked[0]) < _level(ranked[-1]):
            slow, fast = sorted((ranked[-2], ranked[-1]), key=lambda c: -c.median_s)
            if _level(slow) != _level(fast) and clearly_faster(fast, slow):
                pairs.append((gain_of(slow, fast), slow, fast))
    found = best_pair(pairs)
    if found is None:
        return UNSET
    gain, slow, fast = found
    times = f"{slow.own_time}, {seconds(fast.median_s)} with {_words(fast)}"
    buys = f"{_words(fast)} buys {ratio(gain)} over {_words(slow)}"
    if _level(fast) < _level(slow):
        buys = f"{_words(slow)} costs {ratio(gain)} here, so build it for {_words(fast)}"
    return op.advice("isa", f"{times}: {buys}", (slow, fast), gain, supported=True)


def _used(case: Observed) -> str:
    """The level that its code contains; what it was asked for where that is not known."""
    used = case.record.isa_used
    return case.case.isa if isinstance(used, UnsetType) else used


def _level(case: Observed) -> int:
    return next((levels.index(_used(case)) for levels in ISA_LEVELS.values() if _used(case) in levels), -1)


def _words(case: Observed) -> str:
    return isa_words(_used(case))

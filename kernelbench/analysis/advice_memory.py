"""Advice about bytes: how many, where they lie, and how far they come from."""

from itertools import pairwise

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.advice_cases import (
    Found,
    Observed,
    OpCases,
    clearly_faster,
    families,
    gain_of,
    up_to,
)
from kernelbench.analysis.advice_variants import error_of
from kernelbench.analysis.knees import against_os, knees
from kernelbench.analysis.ladder import WRITE_FRACTION, mix_ladder
from kernelbench.analysis.roofline import bytes_moved, intensity
from kernelbench.analysis.shares import shares
from kernelbench.units import percent, ratio, seconds, size_bytes

AT_ITS_ROOF = 0.9
"""From this share of a memory roof on, the bytes are what takes the time."""

_GROWS = 1.05

MUCH_SLOWER = 1.25
"""A rate that falls by this much from one size to the next, while its roof does not, has lost something."""


class _Edge(Struct, frozen=True):
    """Where a level ends for one thread."""

    bytes: float
    level: str
    """"L2"; empty when the OS claims no cache there."""
    measured: bool
    """True for a fall of the measured bandwidth, False for a claim of the OS."""


def fewer_bytes(op: OpCases) -> Found:
    """A case at its memory roof: what takes fewer bytes, where that was measured, else only that nothing else helps."""
    full = [c for c in op.cases if c.own and c.bound == "memory" and c.share >= AT_ITS_ROOF]
    if not full:
        return UNSET
    ids = {c.case.id for c in full}
    pairs = []
    for problem in op.problems:
        for wide in (c for c in problem if c.case.id in ids):
            leaner = [c for c in problem if c.own and c.case.threads == wide.case.threads and _moved(c) < _moved(wide)]
            pairs += [(gain_of(wide, c), wide, c) for c in leaner if clearly_faster(c, wide)]
    if not pairs:
        top = max(full, key=lambda c: (_moved(c), c.case.id))
        text = (
            f"{top.case.id} reaches {percent(top.share)} of its memory roof ({top.roof_name}): only moving fewer "
            f"bytes than its {size_bytes(_moved(top))} a call helps, by a smaller type or by fusing it with what comes "
            "before or after"
        )
        return op.advice("fewer-bytes", text, (top,))
    gain, wide, lean = max(pairs, key=lambda pair: pair[0])
    text = (
        f"{wide.case.id} reaches {percent(wide.share)} of its memory roof ({wide.roof_name}): only fewer bytes help. "
        f"{lean.short} moves {size_bytes(_moved(lean))} a call instead of {size_bytes(_moved(wide))}: {ratio(gain)} "
        f"where its error is allowed ({error_of(lean)})"
    )
    return op.advice("fewer-bytes", text, (wide, lean), gain)


def working_set(op: OpCases) -> Found:
    """A rate that falls, its share of the roof with it, where the working set crosses the end of a cache."""
    edges: dict[int, list[_Edge]] = {}
    found: tuple[float, Observed, Observed, _Edge] | None = None
    mine = [c for c in op.cases if c.own and c.case.style != "python" and c.case.cache == "warm"]
    for family in families(mine, "shape"):
        sized = sorted((c for c in family if c.footprint_bytes), key=lambda c: (c.footprint_bytes, c.case.id))
        for near, far in pairwise(sized):
            threads = far.case.threads
            if threads not in edges:
                edges[threads] = _edges(op, threads, far.record.placement)
            crossed = [e for e in edges[threads] if near.footprint_bytes <= e.bytes < far.footprint_bytes]
            loss = _loss(near, far) if _reuses(near, far) else 0.0
            if crossed and loss >= MUCH_SLOWER and (found is None or loss > found[0]):
                found = (loss, far, near, crossed[-1])
    if found is None:
        return UNSET
    loss, far, near, edge = found
    big, small = far.footprint_bytes, near.footprint_bytes
    name = edge.level or "the cache"
    end = f"measured bandwidth falls at {size_bytes(edge.bytes)}" if edge.measured else _claim(edge)
    text = (
        f"{far.case.id} touches {size_bytes(big)} a thread, {ratio(big / edge.bytes)} {name} ({end}), and works at "
        f"1/{ratio(loss)} of the rate of {near.case.id} with {size_bytes(small)}, though the roofs allow more: "
        f"consistent with operands that fall out of {name} between uses; tile to <= {size_bytes(edge.bytes)}, "
        f"{up_to(loss)}"
    )
    return op.advice("working-set", text, (far, near), loss)


def _reuses(near: Observed, far: Observed) -> bool:
    """True where a larger problem uses each byte more often: only then has a block anything to keep."""
    low, high = intensity(near.record.work), intensity(far.record.work)
    return not isinstance(low, UnsetType) and not isinstance(high, UnsetType) and high > _GROWS * low


def _claim(edge: _Edge) -> str:
    return f"the OS claims {size_bytes(edge.bytes)} a thread"


def _loss(near: Observed, far: Observed) -> float:
    """By how much the rate falls from one size to the next beyond what the roofs explain; 0 when that is not known."""
    if not (near.size and far.size and near.share and far.share):
        return 0.0
    fall = (near.size / near.median_s) / (far.size / far.median_s)
    slowest = (near.size / near.high_s) / (far.size / far.low_s)
    # A rate may fall because the roof does (data used once comes from farther away): tiling cannot help then.
    return min(fall, near.share / far.share) if slowest > 1 else 0.0


def _edges(op: OpCases, threads: int, cpus: tuple[int, ...]) -> list[_Edge]:
    """Ends of the levels for one of ``threads`` threads, rising: the ladder's knees, else what the OS claims."""
    ladders = [mix_ladder(op.ceilings, threads, mix) for mix in WRITE_FRACTION]
    found = next((k for k in map(knees, ladders) if k), ())
    if isinstance(op.machine, UnsetType):
        return [_Edge(k.bytes, "", True) for k in found]
    if not found:
        return [_Edge(s.bytes_per_thread, s.level, False) for s in shares(op.machine, threads, cpus).levels]
    matches = against_os(found, op.machine, threads, cpus)
    named = [(m.knee_bytes, m.level if m.agrees else "") for m in matches]
    return sorted(
        (_Edge(at, level, True) for at, level in named if not isinstance(at, UnsetType)), key=lambda e: e.bytes
    )


def cold(op: OpCases) -> Found:
    """The same case with its operands in cache and out of it."""
    pairs = []
    for family in families((c for c in op.cases if c.own), "cache"):
        states = {c.case.cache: c for c in family}
        warm, out = states.get("warm"), states.get("cold")
        if warm is not None and out is not None and clearly_faster(warm, out, 2.0):
            pairs.append((gain_of(out, warm), out, warm))
    if not pairs:
        return UNSET
    gain, out, warm = max(pairs, key=lambda pair: pair[0])
    text = (
        f"{out.own_time}, {seconds(warm.median_s)} with its operands in cache: use them while they are there (fuse, or "
        f"call it right after what makes them), {ratio(gain)}"
    )
    return op.advice("cold", text, (out, warm), gain, supported=True)


def _moved(case: Observed) -> float:
    moved = bytes_moved(case.record.work)
    return 0.0 if isinstance(moved, UnsetType) else moved

"""Knees of a bandwidth ladder: where it falls from one plateau to the next, beside the sizes the OS claims.

The curve is cut into pieces of constant log(B/s) by penalised least squares, solved exactly (optimal
partitioning: Jackson et al., IEEE Signal Processing Letters 12(2), 2005), the penalty a multiple of the
noise variance times log n as in Schwarz' criterion (Yao 1988). Pieces that are flat and long enough are
plateaus, the others ramps between them; a knee is where a plateau ends and a lower one follows.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from statistics import fmean, median

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.shares import Share, shares
from kernelbench.model import Machine, Unknown
from kernelbench.units import giga, size_bytes

MIN_DROP = 0.12
"""A fall from plateau to plateau below this is no knee."""
MIN_POINTS = 3
"""Ladder points of the shortest piece: fewer are an outlier."""
AGREES = 1.6
"""Knee and claimed size within this factor agree: between two ladder points, and a cache falls gradually."""

_STEEP = 0.75 * MIN_DROP
"""Least fall from the octave before a knee to the octave after it: a slope over many octaves has no knee."""
_OCTAVES = 1.25
"""A plateau between two falls is at least this long: what is shorter is a ramp, or two caches that show as one."""
_BEGUN = 0.3
"""Share of a fall after which it counts as begun: early on a gradual fall, past the scatter of a plateau."""
_FAR = 16.0
"""A knee this far from a claimed size is not that cache's; above the size a third of it in log, as sharing a
cache makes it look smaller, and nothing makes it look much larger."""

_DROP = -math.log(1 - MIN_DROP)

Points = Sequence[tuple[float, float]]


class Knee(Struct, frozen=True):
    """One fall of the curve."""

    bytes: float
    """Working set of one thread at which the fall has begun (30% of it in log)."""
    before_bytes_per_s: float
    after_bytes_per_s: float
    """The plateaus: geometric means of their points."""


class KneeMatch(Struct, frozen=True):
    """One cache that the OS claims, a knee, or both, and whether they tell the same."""

    level: str
    """"L2"; empty for a knee where no cache is claimed."""
    os_bytes: int | UnsetType
    """One thread's share of the claimed size; absent for a knee where no cache is claimed."""
    knee_bytes: float | UnsetType
    """Absent when bandwidth does not fall near the claimed size."""
    agrees: bool
    """False where ``text`` is a warning."""
    text: str


def knees(points: Points) -> tuple[Knee, ...]:
    """The knees of a ladder of (working set of one thread in bytes, B/s), at rising working sets.

    Needs 3 points a plateau; fewer than 6 points have no knee. Points that are not positive are left out.
    """
    best: dict[float, float] = {}
    for size, speed in points:
        if size > 0 and 0 < speed < math.inf:
            best[size] = max(best.get(size, 0.0), speed)
    sizes = [math.log2(size) for size in sorted(best)]
    speeds = [math.log(best[size]) for size in sorted(best)]
    flat = [piece for piece in _pieces(speeds) if _is_plateau(piece, sizes, speeds)]
    found = []
    for (start, end), (low, high) in pairwise(flat):
        before, after = fmean(speeds[start:end]), fmean(speeds[low:high])
        at = _crossing(sizes[start:high], speeds[start:high], end - start, (median(speeds[start:end]), after))
        if before - after >= _DROP and _is_steep(at, sizes, speeds):
            found.append(Knee(2**at, math.exp(before), math.exp(after)))
    return tuple(found)


def against_os(
    found: Sequence[Knee], machine: Machine, threads: int, cpus: Sequence[int] = ()
) -> tuple[KneeMatch, ...]:
    """The knees of a ladder at ``threads`` threads beside the caches that the OS claims for them.

    Claimed sizes are one thread's shares on ``cpus`` (without them: as the runner places threads), so that a
    hybrid machine is judged by the kind of core in use. Each cache and knee has at most one partner, in
    order. First the caches, nearest first, then the knees without one.
    """
    claims = shares(machine, threads, cpus)
    if not claims.levels:
        why = machine.caches if isinstance(machine.caches, Unknown) else "the OS gives no size for these CPUs"
        return tuple(KneeMatch("", UNSET, k.bytes, True, f"{_fall(k)}; cache sizes: {why}") for k in found)
    partner = _aligned([s.bytes_per_thread for s in claims.levels], [k.bytes for k in found])
    where = f" on {' and '.join(claims.kinds)} cores" if claims.kinds else ""
    caches = (
        _match(share, found[partner[i]] if i in partner else UNSET, where) for i, share in enumerate(claims.levels)
    )
    rest = [knee for i, knee in enumerate(found) if i not in partner.values()]
    return (*caches, *(_unclaimed(knee) for knee in rest))


def _match(share: Share, knee: Knee | UnsetType, where: str) -> KneeMatch:
    own = int(share.bytes_per_thread)
    each = f" ({size_bytes(own)} a thread)" if share.threads > 1 else ""
    claim = f"the OS claims {share.level} {size_bytes(share.size_bytes)}{each}{where}"
    if isinstance(knee, UnsetType):
        why = "the next level is as fast, or the cache is shared with others"
        return KneeMatch(share.level, own, UNSET, False, f"{claim}; bandwidth does not fall near it: {why}")
    agrees = max(own / knee.bytes, knee.bytes / own) <= AGREES
    why = "" if agrees else ": a guest may be lied to, or the cache is shared"
    return KneeMatch(share.level, own, knee.bytes, agrees, f"{claim}; bandwidth falls at {size_bytes(knee.bytes)}{why}")


def _unclaimed(knee: Knee) -> KneeMatch:
    why = "where the OS claims no cache: the reach of the TLB, or a cache shared with others"
    return KneeMatch("", UNSET, knee.bytes, False, f"{_fall(knee)}, {why}")


def _fall(knee: Knee) -> str:
    low, high = giga(knee.after_bytes_per_s), giga(knee.before_bytes_per_s)
    return f"bandwidth falls at {size_bytes(knee.bytes)} from {high} to {low} GB/s"


def _pieces(values: Sequence[float]) -> list[tuple[int, int]]:
    """[start, end) of the pieces that minimise squared error plus a penalty each; none with too few values."""
    count = len(values)
    if count < 2 * MIN_POINTS:
        return []
    sums = [0.0]
    squares = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
        squares.append(squares[-1] + value * value)
    penalty = _penalty(values)
    cost = [0.0] + [math.inf] * count
    start_of = [0] * (count + 1)
    for end in range(MIN_POINTS, count + 1):
        for start in range(end - MIN_POINTS + 1):
            error = squares[end] - squares[start] - (sums[end] - sums[start]) ** 2 / (end - start)
            if (total := cost[start] + error + penalty) < cost[end]:
                cost[end], start_of[end] = total, start
    cuts = [count]
    while cuts[-1]:
        cuts.append(start_of[cuts[-1]])
    return list(pairwise(reversed(cuts)))


def _penalty(values: Sequence[float]) -> float:
    """Never so small that a step below ``MIN_DROP`` pays; more on a noisy curve."""
    steps = [b - a for a, b in pairwise(values)]
    middle = median(steps)
    # 1.4826 x the median absolute deviation is the standard deviation of a normal; a difference has twice the variance.
    deviation = 1.4826 * median(abs(step - middle) for step in steps) / math.sqrt(2)
    return max(_DROP**2, 3 * deviation**2 * math.log(len(values)))


def _is_plateau(piece: tuple[int, int], sizes: Sequence[float], speeds: Sequence[float]) -> bool:
    """The ends of the ladder count as plateaus; between them one is long and falls by less than a drop an octave."""
    start, end = piece
    if start == 0 or end == len(sizes):
        return True
    octaves = sizes[end - 1] - sizes[start]
    middle = fmean(sizes[start:end])
    spread = sum((x - middle) ** 2 for x in sizes[start:end])
    slope = sum((x - middle) * y for x, y in zip(sizes[start:end], speeds[start:end], strict=True)) / spread
    return octaves >= _OCTAVES and slope > -_DROP


def _crossing(sizes: Sequence[float], speeds: Sequence[float], end: int, levels: tuple[float, float]) -> float:
    """log2 of the working set at which ``_BEGUN`` of the fall between two plateaus is done, interpolated.

    The piece that ends at ``end`` took every point of the ramp that is nearer to it than to the next piece,
    so the first point below is looked for from there, backwards and forwards.
    """
    before, after = levels
    wanted = before - _BEGUN * (before - after)
    while end > 1 and speeds[end - 1] < wanted:
        end -= 1
    while end < len(speeds) - 1 and speeds[end] >= wanted:
        end += 1
    above, below = max(speeds[end - 1], wanted), min(speeds[end], wanted)
    done = (above - wanted) / (above - below) if above > below else 0.5
    return sizes[end - 1] + done * (sizes[end] - sizes[end - 1])


def _is_steep(at: float, sizes: Sequence[float], speeds: Sequence[float]) -> bool:
    points = list(zip(sizes, speeds, strict=True))
    before = [y for x, y in points if at - 1 <= x < at]
    after = [y for x, y in points if at < x <= at + 1]
    # A sparse ladder may have no point within an octave: the plateaus alone decide then.
    return not (before and after) or fmean(before) - fmean(after) >= -math.log(1 - _STEEP)


def _aligned(claims: Sequence[float], found: Sequence[float]) -> dict[int, int]:
    """Index of a claim -> index of its knee: in order, each once, the nearest together."""
    best: tuple[float, dict[int, int]] = (0.0, {})
    for pairs in _pairings(len(claims), len(found)):
        score = sum(math.log(_FAR) - _distance(claims[i], found[k]) for i, k in pairs)
        if score > best[0]:
            best = (score, dict(pairs))
    return best[1]


def _pairings(claims: int, found: int) -> Iterator[list[tuple[int, int]]]:
    for count in range(1, min(claims, found) + 1):
        for left in combinations(range(claims), count):
            for right in combinations(range(found), count):
                yield list(zip(left, right, strict=True))


def _distance(claim: float, knee: float) -> float:
    gap = math.log(knee / claim)
    return 3 * gap if gap > 0 else -gap

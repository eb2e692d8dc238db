"""Whether the machine kept its speed: the probes of its ceilings over the time of a run.

At every moment a ceiling is judged by its probe nearest in time; its best probe is what it can be.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from statistics import median

from msgspec import Struct

from kernelbench.analysis.ladder import usable
from kernelbench.model import Ceiling

HALF_SPEED = 0.6
"""Below this share of the best a machine has lost a whole thread's worth, not a few percent of its clock."""


class Episode(Struct, frozen=True):
    """A stretch of time in which ceilings of one kind were far below their best."""

    start_s: float
    end_s: float
    """Seconds since the run began; negative before it."""
    share: float
    """The lowest share of its best that a ceiling had in it."""
    ceiling_id: str
    """Which ceiling that was."""


def episodes(ceilings: Iterable[Ceiling], slow: float = HALF_SPEED) -> tuple[Episode, ...]:
    """Stretches whose nearest probe fell below ``slow`` of its ceiling's best, in the order of their start.

    Each reaches halfway to the neighbouring probes of that ceiling, and no further than its first and last
    one. Stretches that overlap are one, told apart by kind of ceiling only: where the compute ceilings hold
    while the bandwidths fall, a neighbour uses the memory. Ceilings with one probe tell nothing.
    """
    found = []
    for kind in ("compute", "memory", "latency"):
        stretches = [s for c in usable(ceilings, kind) for s in _stretches(c, slow)]
        found += _merged(sorted(stretches, key=lambda s: (s.start_s, s.end_s)))
    return tuple(sorted(found, key=lambda e: (e.start_s, e.end_s)))


def drift_at(ceilings: Iterable[Ceiling], at_s: float) -> float:
    """Share of its best that a ceiling has by its probe nearest to ``at_s``, the median over ``ceilings``.

    1 when no ceiling was probed twice: there is nothing to compare with.
    """
    shares = []
    for kind in ("compute", "memory", "latency"):
        for ceiling in usable(ceilings, kind):
            timed = _shares(ceiling)
            if len(timed) > 1:
                shares.append(min(timed, key=lambda probe: abs(probe[0] - at_s))[1])
    return median(shares) if shares else 1.0


def _shares(ceiling: Ceiling) -> list[tuple[float, float]]:
    """(seconds, share of the best) of each probe, in time."""
    probes = sorted((probe.at_s, probe.value) for probe in ceiling.probes if probe.value > 0)
    values = [value for _, value in probes]
    # A rate is best when it is largest, a latency when it is smallest.
    if ceiling.kind == "latency":
        return [(at, min(values) / value) for at, value in probes]
    return [(at, value / max(values)) for at, value in probes]


def _stretches(ceiling: Ceiling, slow: float) -> list[Episode]:
    timed = _shares(ceiling)
    times = [at for at, _ in timed]
    edges = [times[0], *((a + b) / 2 for a, b in pairwise(times)), times[-1]] if times else []
    spans = [(low, high, share) for (low, high), (_, share) in zip(pairwise(edges), timed, strict=True)]
    found = []
    for is_slow, members in groupby(spans, key=lambda span: span[2] < slow):
        run = list(members)
        if is_slow:
            found.append(Episode(run[0][0], run[-1][1], min(share for *_, share in run), ceiling.id))
    return found


def _merged(stretches: Sequence[Episode]) -> list[Episode]:
    merged: list[Episode] = []
    for one in stretches:
        if merged and one.start_s <= merged[-1].end_s:
            last = merged[-1]
            worst = min(last, one, key=lambda e: e.share)
            merged[-1] = Episode(last.start_s, max(last.end_s, one.end_s), worst.share, worst.ceiling_id)
        else:
            merged.append(one)
    return merged

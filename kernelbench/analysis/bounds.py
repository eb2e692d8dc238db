"""Which bound holds a kernel: decided by what each measured change of it took away from its time. Pure.

A cause is named only when its own counterfactual is clearly faster. Special causes come before general ones, for a
division is arithmetic too and a gather reads memory too: each is looked for by a change that leaves the rest alone.

==================  ================================================  ==============================================
bound               its counterfactual is faster                      and what must not explain it
==================  ================================================  ==============================================
dispatch            the smallest size takes most of the time          -
imbalance           one thread, by its share of the threads           one thread is not held by memory that is shared
gather              indices in order
latency             chains cut: each iteration begins anew            -
divide              divides made multiplications                      -
transcendental      exp, log... left out                              -
unpacking           conversions, shifts, shuffles left out            -
bandwidth of Ln     the same work inside a nearer level               - ("accesses" where its operands pass at a rate
                                                                      far below the bandwidth measured there)
bandwidth of L1     loads and stores left out                         arithmetic left out is hardly faster
compute             arithmetic left out                               loads and stores left out is hardly faster
==================  ================================================  ==============================================
"""

from collections.abc import Mapping, Sequence

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis import bounds_words as words
from kernelbench.model.profile import (
    CHAINS_CUT,
    INSIDE,
    NO_ARITHMETIC,
    NO_DIVIDES,
    NO_MEMORY,
    NO_TRANSCENDENTALS,
    NO_UNPACKING,
    ONE_THREAD,
    SMALLEST,
    SORTED,
    Bound,
    Cause,
    Counterfactual,
)

FASTER = 1.25
"""A change must make the kernel this many times faster to be its cause: far beyond the scatter of a best-of-many."""
HARDLY = 1.12
"""Less than this is no change."""
MOSTLY = 0.5
"""A call is bound by dispatch when at least this share of it remains at the smallest size."""
ALIKE = 1.15
"""Two changes whose gains are within this factor of one another are not told apart."""
FEW_SHARED = 0.75
"""t threads that are less than this share of t times as fast as one are held back by something."""
LITTLE = 0.5
"""A kernel that moves its operands at less of a level's measured bandwidth waits for it in another way."""
SHARED_LEVELS = ("L3", "DRAM")
"""Where threads wait for the memory that they share, not for one another."""

SPECIAL = (
    (SORTED, "gather"),
    (CHAINS_CUT, "latency"),
    (NO_DIVIDES, "divide"),
    (NO_TRANSCENDENTALS, "transcendental"),
    (NO_UNPACKING, "unpacking"),
)
"""Counterfactual -> what it shows, the most special first."""

IMPLIED = {"gather": ("bandwidth", "compute")}
"""What a special cause explains as well; by default "compute": without arithmetic there is no chain and no divide."""


class Evidence(Struct, frozen=True, omit_defaults=True):
    """What was measured of one kernel."""

    call_s: float
    dispatch_s: float
    """What remains of a call at the smallest size."""
    level: str
    """Where one thread's share of its working set lives: "L1"..."DRAM"; "" where no working set is modelled."""
    levels: tuple[str, ...]
    """The caches there are, nearest first."""
    counterfactuals: tuple[Counterfactual, ...]
    threads: int = 1
    mix: str | UnsetType = UNSET
    """Of the work model."""
    alone: "Evidence | UnsetType" = UNSET
    """The same on one thread; absent for one thread."""
    bandwidth_share: float | UnsetType = UNSET
    """The bytes of its operands over its time, of the bandwidth measured at its working set; absent without a model."""


def diagnose(evidence: Evidence) -> Bound:
    """The bound that the counterfactuals support, several where they do not tell them apart, or none."""
    dispatch = _dispatch(evidence)
    if dispatch:
        return _told([dispatch], [])
    team = _imbalance(evidence) if evidence.threads > 1 else None
    if team:
        return _told([team], list(_single(evidence.alone).causes) if not isinstance(evidence.alone, UnsetType) else [])
    return _single(_with_alone(evidence))


def gains(evidence: Evidence) -> dict[str, float]:
    """Name -> how many times faster, for every counterfactual that was measured."""
    found: dict[str, float] = {}
    for one in evidence.counterfactuals:
        if not isinstance(one.before_s, UnsetType) and not isinstance(one.after_s, UnsetType):
            found[one.name] = one.before_s / one.after_s
    return found


def _single(evidence: Evidence) -> Bound:
    gain = gains(evidence)
    special = [_cause(kind, name, gain, evidence) for name, kind in SPECIAL if gain.get(name, 0.0) >= FASTER]
    memory, level = _nearer(evidence, gain)
    general = _general(evidence, gain, memory, level)
    if special:
        # A change of the operands' order leaves the arithmetic and the size of the traffic alone: where it is faster,
        # they did not hold the kernel. Of the others the one that took more away comes first.
        first = special[0]
        rest = [*special[1:], *(one for one in general if one.kind not in IMPLIED.get(first.kind, ("compute",)))]
        if first.kind != "gather":
            first, rest = _by_share(first, rest)
        return _told([first], [one for one in rest if one is not first])
    if not general:
        return Bound(words.nothing(gain), ())
    close = [one for one in general[1:] if _gain(one) * ALIKE >= _gain(general[0])]
    return _told([general[0], *close], [one for one in general[1:] if one not in close])


def _by_share(first: Cause, rest: list[Cause]) -> tuple[Cause, list[Cause]]:
    """The one that explains most of the time first; taking out all arithmetic takes out the divides as well."""
    rivals = [one for one in rest if one.kind == "bandwidth" and _gain(one) > _gain(first) * ALIKE]
    return (rivals[0], [first, *rest]) if rivals else (first, rest)


def _nearer(evidence: Evidence, gain: Mapping[str, float]) -> tuple[float, str]:
    """(gain, level): how much faster the work is in nearer levels, and the level that then held it. 0, "": not."""
    if not evidence.level:
        return 0.0, ""
    order = [*evidence.levels, "DRAM"]
    home = order.index(evidence.level)
    nearer = [name for name in order[:home] if INSIDE.format(level=name) in gain]
    best = max((gain[INSIDE.format(level=name)] for name in nearer), default=0.0)
    return (best, evidence.level) if best >= FASTER else (0.0, "")


def _general(evidence: Evidence, gain: Mapping[str, float], memory: float, level: str) -> list[Cause]:
    """Bandwidth of a level beyond L1, of L1, and compute, as far as supported, the largest gain first."""
    found = []
    if memory:
        found.append(_bandwidth(evidence, gain, level, memory))
    arithmetic, traffic = gain.get(NO_ARITHMETIC, 1.0), gain.get(NO_MEMORY, 1.0)
    if arithmetic >= FASTER and (traffic < FASTER or arithmetic > traffic * ALIKE):
        found.append(_cause("compute", NO_ARITHMETIC, gain, evidence))
    if not memory and traffic >= FASTER and (arithmetic < FASTER or traffic > arithmetic * ALIKE):
        found.append(_accesses(evidence, gain))
    if not found and arithmetic >= FASTER and traffic >= FASTER:
        found = [_cause("compute", NO_ARITHMETIC, gain, evidence), _accesses(evidence, gain)]
    return sorted(found, key=_gain, reverse=True)


def _bandwidth(evidence: Evidence, gain: Mapping[str, float], level: str, best: float) -> Cause:
    order = [*evidence.levels, "DRAM"]
    nearer = [name for name in order[: order.index(level)] if gain.get(INSIDE.format(level=name), 0.0) >= FASTER]
    support = INSIDE.format(level=nearer[-1])
    said = [words.evidence(support, gain), words.lives(evidence.level)]
    share = evidence.bandwidth_share
    name = f"{level} bandwidth"
    if not isinstance(share, UnsetType) and share < LITTLE:
        name = f"{level} accesses"
        said.append(words.wasted(level, share))
    return Cause("bandwidth", name, tuple(said), support, 1 - 1 / best, level=level)


def _accesses(evidence: Evidence, gain: Mapping[str, float]) -> Cause:
    first = evidence.levels[0] if evidence.levels else "L1"
    said = [words.evidence(NO_MEMORY, gain)]
    said += [words.evidence(NO_ARITHMETIC, gain)] if NO_ARITHMETIC in gain else []
    return Cause("bandwidth", f"{first} bandwidth", tuple(said), NO_MEMORY, _share(gain[NO_MEMORY]), level=first)


def _cause(kind: str, name: str, gain: Mapping[str, float], evidence: Evidence) -> Cause:
    mix = evidence.mix if kind == "compute" else UNSET
    return Cause(kind, words.named(kind, mix), (words.evidence(name, gain),), name, _share(gain[name]), mix=mix)


def _dispatch(evidence: Evidence) -> Cause | None:
    share = min(1.0, evidence.dispatch_s / evidence.call_s)
    if share < MOSTLY:
        return None
    said = (words.remains(evidence.dispatch_s, evidence.call_s),)
    return Cause("dispatch", words.named("dispatch", UNSET), said, SMALLEST, share)


def _imbalance(evidence: Evidence) -> Cause | None:
    """Threads that wait for one another: they gain little although, on one thread, nothing that is shared holds it."""
    found = [one for one in evidence.counterfactuals if one.name == ONE_THREAD and not one.skipped]
    if not found or isinstance(found[0].factor, UnsetType) or isinstance(evidence.alone, UnsetType):
        return None
    efficiency = 1 / (evidence.threads * found[0].factor)
    causes = _single(evidence.alone).causes
    shared = any(one.level in SHARED_LEVELS for one in causes)
    if efficiency > FEW_SHARED or shared:
        return None
    said = [words.threads(evidence.threads, efficiency)]
    said += [words.not_shared(causes[0].name)] if causes else []
    return Cause("imbalance", words.named("imbalance", UNSET), tuple(said), ONE_THREAD, 1 - efficiency)


def _with_alone(evidence: Evidence) -> Evidence:
    """For several threads: the changes of code, which one thread shows with less noise, are taken from there."""
    if isinstance(evidence.alone, UnsetType):
        return evidence
    own = {one.name for one in evidence.counterfactuals if not one.skipped}
    more = tuple(one for one in evidence.alone.counterfactuals if one.name not in own)
    return Evidence(
        evidence.call_s,
        evidence.dispatch_s,
        evidence.level,
        evidence.levels,
        (*evidence.counterfactuals, *more),
        mix=evidence.mix,
        bandwidth_share=evidence.bandwidth_share,
    )


def _told(causes: list[Cause], also: Sequence[Cause]) -> Bound:
    names = [one.name for one in causes]
    text = names[0] if len(names) == 1 else f"not told apart: {' or '.join(names)}"
    return Bound(text, tuple(causes), tuple(also))


def _share(gain: float) -> float:
    return max(0.0, 1 - 1 / gain)


def _gain(cause: Cause) -> float:
    return 1 / max(1e-9, 1 - cause.share)

"""Advice about threads: what they bring, what the machine would let them bring, and from which size on."""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.advice_cases import (
    Found,
    Observed,
    OpCases,
    clearly_faster,
    fastest,
    gain_of,
    rounded_weights,
)
from kernelbench.analysis.roofline import threads_text
from kernelbench.units import percent, ratio, seconds

LOW = 0.7
"""Share of what the threads could bring under which there is something to find."""

_LESSER = ("sparse", "lowrank")


class _Team(Struct, frozen=True):
    """One case on several threads and what one thread does with the same problem."""

    many: Observed
    one: Observed

    @property
    def speedup(self) -> float:
        """Of the threads over the one."""
        return gain_of(self.one, self.many)

    @property
    def roofs(self) -> float | UnsetType:
        """How many times higher the roof of the threads is than that of the one; absent where one was not measured, or
        where the two stand under different roofs for other reasons than their threads."""
        one, many = self.one.roof_s, self.many.roof_s
        if isinstance(one, UnsetType) or isinstance(many, UnsetType) or not self._alike:
            return UNSET
        return one / many

    @property
    def allowed(self) -> float:
        """The most that the threads can bring: what the roofs say, at most the number of threads."""
        threads = float(self.many.case.threads)
        return threads if isinstance(self.roofs, UnsetType) else min(threads, self.roofs)

    @property
    def _alike(self) -> bool:
        """True for two forms that move the same bytes with the same instructions, whatever they are called."""
        one, many = self.one.record.work, self.many.record.work
        same = (one.flop, one.mix, one.read_bytes, one.write_bytes, one.rfo_bytes)
        return same == (many.flop, many.mix, many.read_bytes, many.write_bytes, many.rfo_bytes)


def threads(op: OpCases) -> Found:
    """Threads that bring less than they could; where the measured bandwidth explains it, that is said instead."""
    low = [t for t in _teams(op) if t.speedup >= 1 and t.speedup < LOW * t.many.case.threads]
    if not low:
        return UNSET
    open_ones = [t for t in low if t.speedup < LOW * t.allowed and _clearly_short(t)]
    if not open_ones:
        return _explained(op, max(low, key=lambda t: t.many.case.threads / t.speedup))
    team = max(open_ones, key=lambda t: t.allowed / t.speedup)
    gain = team.allowed / team.speedup
    allow = f"{threads_text(team.many.case.threads)} could bring"
    if not isinstance(team.roofs, UnsetType):
        allow = "the roofs measured at both thread counts allow"
    text = f"{_facts(team)}; {allow} {ratio(team.allowed)} at most, so up to {ratio(gain)} is left"
    return op.advice("threads", text, (team.many, team.one), gain)


def _clearly_short(team: _Team) -> bool:
    """True when even the most favourable reading of both intervals leaves the threads short of what is allowed."""
    return team.one.high_s / team.many.low_s < team.allowed


def _explained(op: OpCases, team: _Team) -> Found:
    if team.allowed >= LOW * team.many.case.threads:
        return UNSET
    text = (
        f"{_facts(team)}; the roofs measured at both thread counts allow {ratio(team.allowed)}: consistent with "
        "threads that share one memory, so more of them will not help, fewer bytes will"
    )
    return op.advice("threads", text, (team.many, team.one))


def _facts(team: _Team) -> str:
    efficiency = percent(team.speedup / team.many.case.threads)
    return (
        f"{team.many.own_time}, {team.one.case.variant} {seconds(team.one.median_s)} on one thread: "
        f"{threads_text(team.many.case.threads)} bring {ratio(team.speedup)}, an efficiency of {efficiency}"
    )


def crossover(op: OpCases) -> Found:
    """Threads that cost more than they bring, and from which size on they pay."""
    by_kind: dict[object, list[_Team]] = {}
    for team in _teams(op):
        case = team.many.case
        by_kind.setdefault((case.variant, case.dtype, case.threads, case.cache, case.isa), []).append(team)
    found: tuple[float, list[_Team], _Team] | None = None
    for teams in by_kind.values():
        losing = [t for t in teams if clearly_faster(t.one, t.many)]
        worst = max(losing, key=lambda t: 1 / t.speedup, default=None)
        if worst is not None and (found is None or 1 / worst.speedup > found[0]):
            found = (1 / worst.speedup, teams, worst)
    if found is None:
        return UNSET
    gain, teams, worst = found
    text = (
        f"{worst.many.own_time}, {worst.one.case.variant} {seconds(worst.one.median_s)} on one thread: threads cost "
        f"{ratio(gain)} there{_until(teams)}"
    )
    return op.advice("crossover", text, (worst.many, worst.one), gain)


def _until(teams: list[_Team]) -> str:
    """Up to which case one thread wins, and from which the threads do."""
    ordered = sorted(teams, key=lambda t: (t.many.size, t.many.case.id))
    winning = [t for t in ordered if clearly_faster(t.many, t.one)]
    losing = [t for t in ordered if clearly_faster(t.one, t.many)]
    beyond = [t for t in winning if t.many.size > losing[-1].many.size]
    if beyond:
        first = beyond[0]
        return f"; they pay from {first.many.case.id} on ({ratio(first.speedup)}), so keep smaller ones on one thread"
    if winning:
        return "; they pay at some sizes only, so choose by size"
    return f"; they paid at none of the {len(teams)} sizes measured" if len(teams) > 1 else "; keep it on one thread"


def _teams(op: OpCases) -> list[_Team]:
    """Every own case on several threads with its serial peer: itself on one thread, else the form it is named after,
    else the fastest own variant of its number type."""
    teams = []
    for problem in op.problems:
        serial = [c for c in problem if c.own and c.case.threads == 1]
        by_variant = {(c.case.variant, c.case.dtype, tuple(sorted(c.case.params.items()))): c for c in serial}
        plain: dict[str, Observed | UnsetType] = {}
        for c in serial:
            if not rounded_weights(c.case) and c.case.style not in _LESSER:
                known = plain.get(c.case.dtype, UNSET)
                plain[c.case.dtype] = fastest([c] if isinstance(known, UnsetType) else [c, known])
        for many in (c for c in problem if c.own and c.case.threads > 1):
            rest = (many.case.dtype, tuple(sorted(many.case.params.items())))
            named = (many.case.variant, many.case.variant.removesuffix("_parallel"))
            one = next((by_variant[(v, *rest)] for v in named if (v, *rest) in by_variant), UNSET)
            if isinstance(one, UnsetType) and not rounded_weights(many.case):
                one = plain.get(many.case.dtype, UNSET)
            if not isinstance(one, UnsetType):
                teams.append(_Team(many, one))
    return teams

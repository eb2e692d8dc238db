"""The machine's ceilings in the course of a run: known or measured before it, and proven again around every group.

A recent machine card is used when a few probes show that it still holds; otherwise the ceilings are measured.
Then each group of cases stands between two such checks: a roof is the best of all probes, and a group beside
which the machine gave much less than that is measured again.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from msgspec import Struct, UnsetType

from kernelbench.model import Ceiling
from kernelbench.protocol import Ceilings, ProbeCeilings
from kernelbench.runner.job import Job, Past, Position, Progress, Sink
from kernelbench.runner.live import Live, failure
from kernelbench.store.journal import CeilingsDone
from kernelbench.units import percent

CEILINGS_TIMEOUT_S = 180.0
"""Probing compiles its loops the first time, and touches several times the last-level cache."""

BEFORE = -1
"""The round number of what was measured before the first round."""

HALF_SPEED = 0.6
"""A check that gives less than this share of a compute ceiling was taken on a machine at some half of its speed."""

HOLDS = (0.9, 1.05)
"""A card holds while its compute ceilings and private caches are found again within these shares."""
SHARED_ABOVE = 1.2
"""Memory that neighbours share may well be slower than on the card; much faster means that the card was too low."""
PRIVATE = ("L1", "L2")
MEMORY = "memory"
TRIES = 3
"""Checks before a card is given up: a neighbour may lower any one of them."""


class Roofs:
    """Probes ceilings through the living worker and keeps the best of each."""

    def __init__(
        self,
        job: Job,
        live: Live,
        journal: Sink,
        clock: Callable[[], float],
        started_at: float,
        progress: Progress,
        past: Past,
    ) -> None:
        self.notes: list[str] = []
        """What a user should know: a card reused or refused."""
        self.warnings: list[str] = []
        self.faults: list[str] = []
        self.fresh: list[Ceiling] = []
        """Ceilings measured because no card had them."""
        self._job, self._live, self._journal, self._clock = job, live, journal, clock
        self._started_at, self._progress, self._past = started_at, progress, past
        self._best: dict[str, float] = {}
        self._past_checks = Counter(past.probed)

    def before(self) -> None:
        """Have every thread count's ceilings: those of a card that holds, or measured now."""
        counts = sorted({case.threads for case in self._job.cases}) if self._job.ceilings else []
        for done, threads in enumerate(counts):
            if (BEFORE, threads, "native") in self._past.probed:
                continue
            self._progress.show(Position("ceilings", done, len(counts), f"t={threads}"))
            known = [ceiling for ceiling in self._job.known if ceiling.threads == threads]
            if missing := self._missing(threads, known):
                self.fresh += self._probe(BEFORE, threads, missing)
            self._live.close()

    def check(self, index: int, group: tuple[int, str], scope: str = "check") -> float:
        """Probe the few that tell the machine's speed now; returns the least share of a compute ceiling, 1 if none.

        Scope "pulse" leaves memory out.
        """
        if not self._job.ceilings:
            return 1.0
        if self._past_checks[index, *group]:
            # A resumed run: this check was made before the interruption.
            self._past_checks[index, *group] -= 1
            return 1.0
        found = self._probe(index, group[0], scope, group[1])
        return min((share for one in found if (share := self._share(one)) and one.kind == "compute"), default=1.0)

    def _missing(self, threads: int, known: Sequence[Ceiling]) -> str:
        """What a card leaves to be measured: nothing (""), "memory", or "quick" for everything."""
        if not known:
            return "quick"
        best: dict[str, Ceiling] = {}
        for _ in range(TRIES):
            for one in self._ask(threads, "check", "native"):
                if one.id not in best or _value(one) > _value(best[one.id]):
                    best[one.id] = one
            verdict = holds(known, list(best.values()))
            if verdict.holds or verdict.too_low:
                # A card that is too low is true as far as it goes: what is measured now comes on top of it.
                self._keep(BEFORE, threads, known)
                self._keep(BEFORE, threads, list(best.values()))
            if verdict.too_low:
                self.fresh += [*known, *best.values()]
                self._note(threads, f"is too low ({verdict.text}); {verdict.too_low} measured anew")
                return "memory" if verdict.too_low == MEMORY else "quick"
            if verdict.holds:
                self._note(threads, f"still holds ({verdict.text})")
                return ""
        self._note(threads, f"does not hold now ({verdict.text}); measured anew")
        return "quick"

    def _note(self, threads: int, text: str) -> None:
        self.notes.append(f"ceilings at t={threads}: {self._job.known_from} {text}")

    def _probe(self, index: int, threads: int, scope: str, isa: str = "native") -> Sequence[Ceiling]:
        found = self._ask(threads, scope, isa)
        if found:
            self._keep(index, threads, found, isa)
        return found

    def _ask(self, threads: int, scope: str, isa: str) -> Sequence[Ceiling]:
        request = ProbeCeilings(
            self._job.machine,
            self._job.levels[threads],
            self._started_at,
            scope,
            self._job.isa_levels,
            patience_s=PATIENCE_S[scope],
        )
        answer = self._live.ask((threads, isa), request, CEILINGS_TIMEOUT_S)
        if isinstance(answer, Ceilings):
            return answer.ceilings
        stage, why, fault = failure(answer)
        if fault:
            self.faults.append(why)
        text = f"the ceilings at t={threads} could not be probed ({stage}: {why})"
        self.warnings.append(text)
        self._progress.warn(text)
        self._live.close()
        return ()

    def _keep(self, index: int, threads: int, found: Sequence[Ceiling], isa: str = "native") -> None:
        self._journal.append(CeilingsDone(index, threads, isa, tuple(found)))
        for one in found:
            self._best[one.id] = max(self._best.get(one.id, 0.0), _value(one))

    def _share(self, one: Ceiling) -> float:
        return _value(one) / self._best[one.id] if self._best.get(one.id) else 0.0


PATIENCE_S = {"quick": 1.5, "memory": 1.0, "check": 0.05, "pulse": 0.02}
"""Extra time for quiet moments: much before the run, little around each of its groups."""


class Verdict(Struct, frozen=True):
    """Whether a card still holds."""

    holds: bool
    text: str
    """The shares found, or what is missing."""
    too_low: str = ""
    """What of it, when it does not hold because more was found than it says, and nothing less: memory or all."""


def holds(known: Sequence[Ceiling], checks: Sequence[Ceiling]) -> Verdict:
    """Whether ``checks`` find the ceilings of a card again. Pure; a check without its like on the card refutes it."""
    by_id = {one.id: one for one in known}
    shares = []
    for one in checks:
        if one.id not in by_id or not _value(by_id[one.id]):
            return Verdict(False, f"it has no {one.id}")
        shares.append((_value(one) / _value(by_id[one.id]), one))
    if not shares:
        return Verdict(False, "nothing could be checked")
    tight = [(share, one) for share, one in shares if one.kind == "compute" or one.level in PRIVATE]
    loose = [(share, one) for share, one in shares if (share, one) not in tight]
    low, high = HOLDS
    bad = [(s, one) for s, one in tight if not low <= s <= high] + [(s, one) for s, one in loose if s > SHARED_ABOVE]
    if bad:
        share, one = max(bad, key=lambda pair: abs(pair[0] - 1))
        return Verdict(False, f"{one.id} is at {percent(share)} of it", too_low=_too_low(bad))
    least, most = min(s for s, _ in tight or shares), max(s for s, _ in tight or shares)
    return Verdict(True, f"checked at {percent(least)} to {percent(most)} of it")


def _too_low(bad: Sequence[tuple[float, Ceiling]]) -> str:
    if min(share for share, _ in bad) < 1:
        return ""
    return MEMORY if all(one.kind == "memory" for _, one in bad) else "all"


def _value(ceiling: Ceiling) -> float:
    return 0.0 if isinstance(ceiling.value, UnsetType) else ceiling.value

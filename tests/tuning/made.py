"""A search that measures nothing: candidates cost what the test says, on a clock of its own."""

import math
import random

from kernelbench.gate.pair import SideFailed
from kernelbench.model import PairRound, Values
from kernelbench.tuning.contest import Contest
from kernelbench.tuning.search import Search, search_for

TUNABLE: dict[str, Values] = {"kc": (64, 16, 32, 128), "nc": (512, 256, 1024)}
DEFAULT = (64, 512)
START_S, MEET_S = 2.0, 0.1


class Host:
    """Its clock, what each candidate takes, and what goes wrong."""

    def __init__(self, costs: dict[Values, float] | None = None, scatter: float = 0.0, seed: int = 0) -> None:
        self.now = 0.0
        self.costs = costs or {}
        """Time over the default's; 1.5 where none is given."""
        self.scatter = scatter
        """Standard deviation of a meeting's log-ratio."""
        self.wrong: set[Values] = set()
        self.broken: set[Values] = set()
        """Where kernelbench's own code fails."""
        self.interrupt_at = math.inf
        self.references: list[Values] = []
        """Of every match, in order."""
        self.met: list[tuple[Values, Values]] = []
        """(reference, candidate)."""
        self.open = 0
        self.rng = random.Random(seed)

    def cost(self, values: Values) -> float:
        """What a call takes with these values."""
        return 1.0 if values == DEFAULT else self.costs.get(values, 1.5)

    def start(self, reference: Values) -> "Bout":
        """A match, as processes of its own."""
        self.now += START_S
        if reference in self.wrong:
            raise SideFailed(0, "verify", "it is wrong")
        self.references.append(reference)
        self.open += 1
        return Bout(self, reference)

    def contest(self, budget_s: float = 120.0, search: Search | None = None) -> Contest:
        """A contest that ran."""
        made = Contest(
            TUNABLE,
            search or search_for(TUNABLE, 0),
            self.start,
            budget_s=budget_s,
            clock=lambda: self.now,
            rng=random.Random(1),
            show=lambda *_: None,
        )
        made.run()
        return made


class Bout:
    """A match that costs time on the host's clock."""

    def __init__(self, host: Host, reference: Values) -> None:
        self._host, self._reference = host, reference

    def against(self, values: Values) -> PairRound:
        host = self._host
        host.now += MEET_S
        if len(host.met) >= host.interrupt_at:
            raise KeyboardInterrupt
        host.met.append((self._reference, values))
        if values in host.broken:
            raise SideFailed(1, "harness", "a fault of ours", fault=True)
        if values in host.wrong:
            raise SideFailed(1, "verify", "it is wrong")
        log = math.log(host.cost(values) / host.cost(self._reference)) + host.rng.gauss(0, host.scatter)
        return PairRound(0, log, 1e-3 * host.cost(self._reference), 1e-3, 6)

    def close(self) -> None:
        self._host.open -= 1

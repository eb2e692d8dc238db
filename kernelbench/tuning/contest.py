"""How the best candidate is found, and proved: screened, raced, confirmed, each in turns with another.

*Screen*: candidates meet the default, one after the other, in one pair of processes. *Race*: the best of them meet
the best so far in fresh pairs of processes; after each round some drop out. *Confirm*: the winner meets the default
in fresh pairs, in which nothing of the search counts: the best of many is always better in the rounds that made it
the best. It wins only if an interval of these rounds lies below the default's time (``analysis.sequential``).

Pure but for what is injected: ``start`` begins a match, ``clock`` tells the time, ``rng`` the order.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

from msgspec import UNSET, UnsetType

from kernelbench.analysis.sequential import Plan
from kernelbench.analysis.stats import median
from kernelbench.errors import WorkerError
from kernelbench.gate.pair import SideFailed
from kernelbench.model import Confirmed, Values
from kernelbench.tuning import words
from kernelbench.tuning.match import Match, Rounds, Show, Start
from kernelbench.tuning.search import BAD, Search, default_of
from kernelbench.units import percent

SCREEN_SHARE = 0.45
"""Of the budget, that the screen may take."""
KEEP = (8, 4, 4, 2, 2)
"""Candidates in each round of the race."""
HOPELESS = 1.05
"""Candidates slower than this times the default, or than the best, do not race: no noise of a round hides as much."""
WORTH = 0.005
"""A gain below this is not worth a case of another name."""
CONFIRM = Plan((6, 10, 14, 20), 0.05)
"""Looks after 6 rounds at the earliest, 20 at the latest: the chance that a winner is no faster at all is 5%."""
RESERVE = 1.25
"""Of the time that the first rounds of confirming should take, kept for them: starting processes takes its time."""


class Contest:
    """``run`` it; then ``winner``, ``reason``, ``confirmed`` and ``known`` say what was found."""

    def __init__(
        self,
        tunable: Mapping[str, Values],
        search: Search,
        start: Start,
        *,
        budget_s: float,
        clock: Callable[[], float],
        rng: random.Random,
        show: Show,
    ) -> None:
        self.default = default_of(tunable)
        self.winner, self.reason = self.default, "nothing was tried"
        self.confirmed: Confirmed | UnsetType = UNSET
        self.known: dict[Values, Rounds] = {}
        self.default_s: list[float] = []
        self.failed = ""
        self.interrupted = False
        self._search, self._begin, self._show = search, start, show
        self._clock, self._rng, self._budget_s = clock, rng, budget_s
        self._begun = clock()
        self._fresh_s = 0.0
        """What the slowest round in a fresh pair took: starting it and one meeting."""

    @property
    def spent_s(self) -> float:
        """Seconds since it was made."""
        return self._clock() - self._begun

    def run(self) -> None:
        """Screen, race, confirm. Ctrl-C ends it with what is done; so does a default that fails."""
        try:
            self._screen()
            self._race()
            self._confirm()
        except KeyboardInterrupt:
            self.interrupted = True
            self.reason = "interrupted before any candidate was proved faster: the default stays"
        except SideFailed as error:
            self.failed = f"with the default parameters, {error.stage}: {error.message}"
            self.reason = "the default parameters fail"

    # -- the phases ------------------------------------------------------------------------------

    def _screen(self) -> None:
        """Every candidate that the search proposes, until its share of the budget is spent."""
        match: Match | UnsetType = UNSET
        try:
            while self.spent_s < SCREEN_SHARE * self._budget_s:
                values = self._search.ask()
                if isinstance(values, UnsetType):
                    break
                self._show("screen", len(self.known), 0, values)
                begun, new = self._clock(), isinstance(match, UnsetType)
                if isinstance(match, UnsetType):
                    match = self._begin(self.default)
                match = self._screened(match, values)
                self._fresh_s = max(self._fresh_s, self._clock() - begun) if new else self._fresh_s
        finally:
            if not isinstance(match, UnsetType):
                match.close()

    def _screened(self, match: Match, values: Values) -> Match | UnsetType:
        """One candidate; the match, unless it failed: then neither process is to be trusted."""
        self.known[values] = rounds = Rounds()
        ratio = self._meet(match, self.default, values)
        if isinstance(ratio, UnsetType):
            self._search.tell(values, BAD)
            match.close()
            return UNSET
        rounds.screen.append(ratio)
        self._search.tell(values, math.exp(ratio))
        return match

    def _race(self) -> None:
        """The best few, in fresh processes, against the best of them; fewer each round."""
        left, heat_s = self._best(KEEP[0]), 2 * self._fresh_s
        limit_s = self._budget_s - RESERVE * CONFIRM.looks[0] * self._fresh_s
        for number, keep in enumerate(KEEP):
            left = self._near(left)[:keep]
            if len(left) < 2 or self.spent_s + heat_s > limit_s:
                return
            begun = self.spent_s
            left = self._heat(left, number)
            heat_s = self.spent_s - begun

    def _best(self, most: int) -> list[Values]:
        """The candidates worth racing, the fastest first."""
        right = [values for values, rounds in self.known.items() if not rounds.failed and rounds.screen]
        hopeful = [values for values in right if self._estimate(values) < math.log(HOPELESS)]
        return sorted(hopeful, key=self._estimate)[:most]

    def _near(self, left: list[Values]) -> list[Values]:
        """Those that may still turn out to be the best, the fastest first."""
        ordered = sorted(left, key=self._estimate)
        return [one for one in ordered if self._estimate(one) < self._estimate(ordered[0]) + math.log(HOPELESS)]

    def _heat(self, left: list[Values], number: int) -> list[Values]:
        """One round of the race, all against the best so far and the default with them; those that did not fail."""
        best = min(left, key=self._estimate)
        others = [values for values in left if values != best]
        self._rng.shuffle(others)
        logs: dict[Values, float] = {best: 0.0}
        match = self._begin_with(best)
        if isinstance(match, UnsetType):
            return others
        try:
            for values in (self.default, *others):
                self._show("race", number, len(KEEP), values)
                ratio = self._meet(match, best, values)
                if isinstance(ratio, UnsetType):
                    # What this pair still would have measured, the next round does.
                    return [one for one in left if not self.known[one].failed]
                logs[values] = ratio
        finally:
            match.close()
        for values in left:
            self.known[values].race.append(logs[values] - logs[self.default])
        return left

    def _confirm(self) -> None:
        """The best candidate against the default, in rounds of their own."""
        found = self._best(1)
        if not found:
            self.reason = words.why_nothing(self.known, self._budget_s)
            return
        gain = 1 - math.exp(self._estimate(found[0]))
        if gain < WORTH:
            self.reason = f"no candidate was faster than the default by more than {percent(WORTH)}"
            return
        logs: list[float] = []
        while len(logs) < CONFIRM.looks[-1]:
            if self.spent_s + self._fresh_s > self._budget_s:
                break
            self._show("confirm", len(logs), CONFIRM.looks[-1], found[0])
            log = self._in_fresh_pair(found[0])
            if isinstance(log, UnsetType):
                self.reason = f"the best candidate failed: {self.known[found[0]].failed}"
                return
            logs.append(log)
            if self._settled(found[0], logs):
                return
        self.reason = words.undecided(gain, len(logs), CONFIRM.looks[0], self._budget_s)

    def _settled(self, values: Values, logs: list[float]) -> bool:
        """Whether the rounds so far say which of both is faster."""
        if len(logs) not in CONFIRM.looks:
            return False
        interval = CONFIRM.interval(logs)
        ratio = math.exp(median(logs))
        assert not isinstance(interval, UnsetType), "these looks have an interval"
        self.confirmed = Confirmed(
            ratio, len(logs), math.exp(interval.low), math.exp(interval.high), interval.confidence
        )
        if interval.high < 0 and 1 - ratio >= WORTH:
            self.winner = values
            self.reason = f"{percent(1 - ratio)} less time than the default in {len(logs)} fresh rounds"
            return True
        if ratio > 1 - WORTH:
            self.reason = f"the best candidate did not prove faster than the default in {len(logs)} fresh rounds"
        return ratio > 1 - WORTH

    # -- their parts -----------------------------------------------------------------------------

    def _meet(self, match: Match, reference: Values, values: Values) -> float | UnsetType:
        """The log-ratio of both; absent where the candidate failed. Raises SideFailed where the default did."""
        try:
            seen = match.against(values)
        except SideFailed as error:
            self._bury(reference if error.side == 0 else values, error)
            return UNSET
        if reference == self.default:
            self.default_s.append(seen.base_s)
        return seen.log_ratio

    def _begin_with(self, reference: Values) -> Match | UnsetType:
        try:
            return self._begin(reference)
        except SideFailed as error:
            self._bury(reference, error)
            return UNSET

    def _bury(self, values: Values, error: SideFailed) -> None:
        if error.fault:
            raise WorkerError(f"kernelbench's own code failed in a worker: {error.message}") from error
        if values == self.default:
            raise error
        self.known[values].failed = f"{error.stage}: {error.message}"

    def _in_fresh_pair(self, values: Values) -> float | UnsetType:
        begun = self._clock()
        match = self._begin(self.default)
        try:
            return self._meet(match, self.default, values)
        finally:
            match.close()
            self._fresh_s = max(self._fresh_s, self._clock() - begun)

    def _estimate(self, values: Values) -> float:
        return self.known[values].estimate

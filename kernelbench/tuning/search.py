"""Which candidates are tried, in which order: all of them where they are few, else what an optimiser asks for.

Pure but for ``rng``. A candidate is one value for each parameter, in the order of their declaration.
"""

from __future__ import annotations

import importlib.util
import random
from collections.abc import Mapping
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Protocol

from msgspec import UNSET, UnsetType

from kernelbench.model import Values

if TYPE_CHECKING:
    import optuna

EXHAUSTIVE = 40
"""Up to so many candidates all are tried: at a few tenths of a second each, they take a few seconds."""
REPEATS = 20
"""An optimiser that proposes known candidates so often in a row has converged."""
BAD = 10.0
"""The ratio that an optimiser is told of a candidate that failed: an order of magnitude slower than the default."""


class Search(Protocol):
    """Proposes candidates, one by one."""

    name: str
    """Which candidates it tries, in words."""

    def ask(self) -> Values | UnsetType:
        """The next candidate, each once; absent when there is none left worth trying."""

    def tell(self, values: Values, ratio: float) -> None:
        """Time of the candidate just asked for over the default's."""


def count(tunable: Mapping[str, Values]) -> int:
    """How many candidates there are, the default among them."""
    return prod(map(len, tunable.values()))


def default_of(tunable: Mapping[str, Values]) -> Values:
    """The default candidate."""
    return tuple(values[0] for values in tunable.values())


def search_for(tunable: Mapping[str, Values], seed: int) -> Search:
    """All candidates in random order where they are at most ``EXHAUSTIVE``; else Optuna's choice, or a sample."""
    rng = random.Random(seed)
    if count(tunable) <= EXHAUSTIVE:
        return Listed(_others(tunable), rng, "all of them")
    if importlib.util.find_spec("optuna") is None:
        return Sampled(tunable, rng)
    return Optimised(tunable, seed)


def why_sampled(tunable: Mapping[str, Values]) -> str:
    """What a user should know where an optimiser would do better; empty where it is there or not needed."""
    if count(tunable) <= EXHAUSTIVE or importlib.util.find_spec("optuna") is not None:
        return ""
    return (
        f"{count(tunable)} candidates are more than the {EXHAUSTIVE} that are all tried, and Optuna, which would "
        "choose among them, is not installed: a random sample is tried; pip install 'kernelbench[tune]' for better"
    )


class Listed:
    """Given candidates in random order."""

    def __init__(self, candidates: list[Values], rng: random.Random, name: str) -> None:
        self.name = name
        self._left = candidates
        rng.shuffle(self._left)

    def ask(self) -> Values | UnsetType:
        """The next one."""
        return self._left.pop() if self._left else UNSET

    def tell(self, values: Values, ratio: float) -> None:
        """The order does not depend on it."""


class Sampled:
    """Candidates drawn at random, none twice."""

    name = "a random sample"

    def __init__(self, tunable: Mapping[str, Values], rng: random.Random) -> None:
        self._tunable, self._rng = tunable, rng
        self._seen = {default_of(tunable)}

    def ask(self) -> Values | UnsetType:
        """One that was not drawn before."""
        while len(self._seen) < count(self._tunable):
            drawn = tuple(self._rng.choice(values) for values in self._tunable.values())
            if drawn not in self._seen:
                self._seen.add(drawn)
                return drawn
        return UNSET

    def tell(self, values: Values, ratio: float) -> None:
        """The draw does not depend on it."""


class Optimised:
    """What Optuna's tree-structured Parzen estimator proposes (Bergstra et al. 2011), each candidate once.

    Values are told to it by their rank: block sizes are ordered, and a neighbour's time says something.
    """

    name = "those that Optuna's TPE proposes"

    def __init__(self, tunable: Mapping[str, Values], seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._ranked = {name: sorted(values) for name, values in tunable.items()}
        self._space: dict[str, optuna.distributions.BaseDistribution] = {
            name: optuna.distributions.IntDistribution(0, len(values) - 1) for name, values in self._ranked.items()
        }
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        default = default_of(tunable)
        self._known: dict[Values, float] = {default: 1.0}
        # It begins where the default is, so that the first proposals are not all blind.
        self._study.add_trial(
            optuna.trial.create_trial(params=self._ranks(default), distributions=self._space, value=1.0)
        )
        self._trials: dict[Values, optuna.Trial] = {}

    def _ranks(self, values: Values) -> dict[str, int]:
        return {name: ranked.index(value) for (name, ranked), value in zip(self._ranked.items(), values, strict=True)}

    def ask(self) -> Values | UnsetType:
        """The next proposal that is not known yet."""
        for _ in range(REPEATS):
            trial = self._study.ask(self._space)
            values = tuple(ranked[trial.params[name]] for name, ranked in self._ranked.items())
            if values not in self._known:
                self._trials[values] = trial
                return values
            self._study.tell(trial, self._known[values])
        return UNSET

    def tell(self, values: Values, ratio: float) -> None:
        """What became of its proposal."""
        self._known[values] = ratio
        self._study.tell(self._trials.pop(values), ratio)


def _others(tunable: Mapping[str, Values]) -> list[Values]:
    return [values for values in product(*tunable.values()) if values != default_of(tunable)]

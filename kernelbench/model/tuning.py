"""What tuning found: every candidate that was tried, and whether the best of them is faster than the default."""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model.case import Case

Values = tuple[int, ...]
"""A candidate: one value for each tunable parameter, in the order they are declared in."""


class Tried(Struct, frozen=True, omit_defaults=True):
    """One candidate of the landscape."""

    values: Values
    ratio: float | UnsetType = UNSET
    """Its time over the default's, the median of its rounds; absent where it failed."""
    rounds: int = 0
    """Pairs of processes that it was timed in."""
    failed: str = ""
    """Stage and reason, in one line; empty where it is right."""


class Confirmed(Struct, frozen=True):
    """The winner against the default, in rounds that had no part in finding it."""

    ratio: float
    """Its time over the default's, the median of these rounds."""
    rounds: int
    low: float | UnsetType = UNSET
    high: float | UnsetType = UNSET
    """Bounds of the interval (sign test); absent with too few rounds."""
    confidence: float | UnsetType = UNSET
    """Of the interval: 0.9."""


class Tuning(Struct, frozen=True, omit_defaults=True):
    """The search for one case."""

    case: Case
    """With the default parameters."""
    machine: str
    """Machine id."""
    created: str
    """UTC, ISO 8601."""
    tunable: dict[str, Values]
    """Parameter -> the values it may have, the default first."""
    candidates: int
    """How many combinations there are."""
    strategy: str
    """Which of them are tried, in words: "all of them"."""
    tried: tuple[Tried, ...]
    """In the order they were tried; the default is not among them: its ratio is 1."""
    winner: Values
    """The parameters to use: the default's where no other is faster beyond the noise."""
    reason: str
    """Why that one, in words."""
    default_s: float | UnsetType = UNSET
    """Seconds a call with the default parameters, the median over the rounds; absent where nothing was timed."""
    confirmed: Confirmed | UnsetType = UNSET
    """Absent where the search found nothing to confirm, or time was up."""
    budget_s: float = 0.0
    spent_s: float = 0.0
    interrupted: bool = False
    failed: str = ""
    """Why the case cannot be tuned: the default itself is wrong or does not start; empty otherwise."""
    notes: tuple[str, ...] = ()
    """What else a reader should know."""

    @property
    def default(self) -> Values:
        """The default parameters."""
        return tuple(values[0] for values in self.tunable.values())

    @property
    def is_faster(self) -> bool:
        """Whether the winner is another than the default."""
        return self.winner != self.default

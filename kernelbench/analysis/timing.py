"""What the samples of one case amount to: best, median, interval, and whether they scatter."""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.stats import Interval, best, median, median_interval
from kernelbench.model import Measured, Record, Round

NOISY_RANGE = 0.10
"""A case is noisy when its interval (its whole range below 6 rounds) is wider than this share of the median."""


MIN_QUIET = 2
"""Undisturbed samples that may stand for a round (all of them where it has fewer)."""


class Timing(Struct, frozen=True, omit_defaults=True):
    """Seconds per call of one measured case, over the rounds that count."""

    round_medians_s: tuple[float, ...]
    """One a process round, superseded rounds left out."""
    median_s: float
    """Median of the round medians."""
    best_s: float
    """Smallest sample."""
    interval: Interval | UnsetType = UNSET
    """Sign-test interval of the median, seconds; absent below 6 rounds."""
    noisy: bool = False
    quiet_rounds: int = 0
    """Rounds with enough undisturbed samples to be judged by those alone."""


def undisturbed(one: Round) -> tuple[float, ...]:
    """The round's undisturbed samples; empty when there are too few to stand for it.

    Rounds of files that do not say which samples were disturbed count whole.
    """
    marks = one.interference.disturbed
    if len(marks) != len(one.samples_s):
        return one.samples_s
    kept = tuple(s for s, bad in zip(one.samples_s, marks, strict=True) if not bad)
    return kept if len(kept) >= min(MIN_QUIET, len(one.samples_s)) else ()


def timing(record: Record) -> Timing | UnsetType:
    """The timing of a record; absent when it was not measured or no round counts."""
    if not isinstance(record.outcome, Measured):
        return UNSET
    rounds = [r for r in record.outcome.rounds if not r.superseded and r.samples_s]
    samples = [s for r in rounds for s in r.samples_s]
    # A time of zero or less cannot be true and would make every rate derived from it infinite.
    if not samples or min(samples) <= 0:
        return UNSET
    kept = [undisturbed(r) for r in rounds]
    medians = tuple(median(k or r.samples_s) for k, r in zip(kept, rounds, strict=True))
    middle = median(medians)
    interval = median_interval(medians)
    low, high = (min(medians), max(medians)) if isinstance(interval, UnsetType) else (interval.low, interval.high)
    return Timing(
        round_medians_s=medians,
        median_s=middle,
        best_s=best(samples),
        interval=interval,
        noisy=high - low > NOISY_RANGE * middle,
        quiet_rounds=sum(bool(k) for k in kept),
    )

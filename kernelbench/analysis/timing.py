"""What the samples of one case amount to: best, median, interval, and whether they scatter."""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.stats import Interval, median, median_interval
from kernelbench.model import Measured, Record

NOISY_RANGE = 0.10
"""A case is noisy when its interval (its whole range below 6 rounds) is wider than this share of the median."""


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
    """Rounds with enough undisturbed samples: their median is over those alone."""


def timing(record: Record) -> Timing | UnsetType:
    """The timing of a record; absent when it was not measured or no round counts."""
    if not isinstance(record.outcome, Measured):
        return UNSET
    rounds = [r for r in record.outcome.rounds if not r.superseded and r.samples_s]
    smallest = min((min(r.samples_s) for r in rounds), default=0.0)
    # A time of zero or less cannot be true and would make every rate derived from it infinite.
    if smallest <= 0:
        return UNSET
    kept = [r.undisturbed_s for r in rounds]
    medians = tuple(median(k or r.samples_s) for k, r in zip(kept, rounds, strict=True))
    middle = median(medians)
    interval = median_interval(medians)
    low, high = (min(medians), max(medians)) if isinstance(interval, UnsetType) else (interval.low, interval.high)
    return Timing(
        round_medians_s=medians,
        median_s=middle,
        best_s=smallest,
        interval=interval,
        noisy=high - low > NOISY_RANGE * middle,
        quiet_rounds=sum(bool(k) for k in kept),
    )

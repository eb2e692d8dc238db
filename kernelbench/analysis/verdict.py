"""The verdict on two times: an interval against a threshold.

A verdict needs the whole interval on one side: regressed only beyond the threshold, unchanged only inside
it, otherwise ambiguous, with the smallest effect that this comparison could have seen. The rule is that of
criterion.rs; why a point estimate must not decide: Georges, Buytaert & Eeckhout (2007).
"""

import math

from msgspec import UnsetType

from kernelbench.analysis.stats import MIN_ROUNDS, Interval
from kernelbench.units import near_one, percent


def by_interval(
    estimate: float, interval: Interval | UnsetType, threshold: float, rounds: tuple[int, int], seen: str = ""
) -> tuple[str, str]:
    """(verdict, reason) for the log-ratio new / base, ``interval`` its 95% interval (absent below 6 rounds a side).

    The band is [1/(1+t), 1+t], so that swapping the sides mirrors the verdict. ``rounds`` are BASE's and NEW's.
    ``seen`` says in an ambiguous cell's reason what would have been seen; without it, what ``interval`` could see.
    """
    if isinstance(interval, UnsetType):
        return "ambiguous", (
            f"{rounds[0]} rounds in BASE and {rounds[1]} in NEW; a 95% interval needs {MIN_ROUNDS} on each side: "
            "measure with --rounds 6 or more"
        )
    low, high = math.exp(interval.low), math.exp(interval.high)
    span = f"the interval {near_one(low)} to {near_one(high)}"
    lower, upper = 1 / (1 + threshold), 1 + threshold
    if low > upper:
        return "regressed", f"{span} lies wholly above {near_one(upper)}"
    if high < lower:
        return "improved", f"{span} lies wholly below {near_one(lower)}"
    if lower <= low and high <= upper:
        return "unchanged", f"{span} lies wholly within {near_one(lower)} to {near_one(upper)}"
    return "ambiguous", f"{span} crosses the threshold; {seen or seen_from(detectable(estimate, interval, threshold))}"


def seen_from(slowdown: float) -> str:
    """The smallest slowdown that would have been seen (0.08 = 8%), in words."""
    return f"slowdowns from {percent(slowdown)} would have been seen"


def detectable(estimate: float, interval: Interval, threshold: float) -> float:
    """The slowdown (0.08 = 8%) whose interval, as wide below its estimate as this one, would just clear the threshold.

    ``estimate`` and ``interval`` are log-ratios.
    """
    return (1 + threshold) * math.exp(estimate - interval.low) - 1

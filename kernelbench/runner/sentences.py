"""What a run says of itself when not everything went as planned."""

from kernelbench.runner.job import Job
from kernelbench.units import percent, seconds


def budget_spent(job: Job, rounds: int, spent_s: float, round_s: float) -> str:
    """The time budget ended it after so many rounds."""
    return (
        f"the time budget of {seconds(job.time_budget_s)} allows {rounds} of {job.rounds} rounds"
        f" ({seconds(spent_s)} spent, a round takes {seconds(round_s)}): the rest is dropped;"
        " a longer time budget or fewer cases give all of them"
    )


def slow_machine(share: float, stretch_s: tuple[float, float], cases: int) -> str:
    """Between these seconds of the run the machine reached only ``share`` of its ceilings."""
    begun, ended = stretch_s
    return (
        f"the machine gave {percent(share)} of its compute ceilings between {begun:.0f} s and {ended:.0f} s:"
        f" {cases} case rounds are to be measured again"
    )


def kept_slow(cases: int) -> str:
    """What was to be measured again was not."""
    return f"no time was left to measure again what a slow machine gave: {cases} cases keep such a round"

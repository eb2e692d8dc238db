"""Why a search ended with the default, in words."""

from collections.abc import Mapping

from kernelbench.model import Values
from kernelbench.tuning.match import Rounds
from kernelbench.units import percent, seconds


def why_nothing(known: Mapping[Values, Rounds], budget_s: float) -> str:
    """There is no candidate to confirm."""
    if not known:
        return f"the budget of {seconds(budget_s)} ended before any candidate was tried; give a longer one"
    if all(rounds.failed for rounds in known.values()):
        return "every candidate failed"
    return "every candidate was slower than the default"


def undecided(gain: float, rounds: int, least: int, budget_s: float) -> str:
    """The best candidate took ``gain`` less time in the search, but ``rounds`` fresh rounds do not prove it."""
    took = f"the best candidate took {percent(gain)} less time in the search"
    if rounds < least:
        return (
            f"{took}, but the budget of {seconds(budget_s)} allowed {rounds} of the {least} fresh rounds that prove "
            "it; give a longer one"
        )
    return f"{took}, which {rounds} fresh rounds do not prove beyond their scatter"

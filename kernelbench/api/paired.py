"""``kb.compare``: which of two functions is faster, by how much, and how sure that is."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from kernelbench import units
from kernelbench.errors import UsageError

PLACEMENT = "one process, one placement: what code and addresses do to the time is in it; `kernelbench ab` takes it out"


class Paired(Struct, frozen=True, omit_defaults=True):
    """Two functions timed in turns. ``str`` gives it in one line."""

    names: tuple[str, str]
    verdict: str
    """"improved" (the second is faster), "regressed", "unchanged" or "ambiguous"."""
    reason: str
    """Why, in words."""
    ratio: float
    """Time of the second over that of the first, median over the rounds."""
    times_s: tuple[float, float]
    """Seconds per call of either, medians."""
    rounds: int
    """Of the verdict; each is one log-ratio."""
    threshold: float
    """0.05: up to 5% does not count."""
    low: float | UnsetType = UNSET
    high: float | UnsetType = UNSET
    """95% sign-test interval of ``ratio``; absent below 6 rounds."""
    notes: tuple[str, ...] = ()
    """What a reader must know to trust or doubt it."""

    def __str__(self) -> str:
        first, second = (units.seconds(one) for one in self.times_s)
        span = ""
        if not isinstance(self.low, UnsetType) and not isinstance(self.high, UnsetType):
            span = f" (95% interval {_ratio(self.low)} to {_ratio(self.high)})"
        why = f"; {self.reason}" if self.verdict == "ambiguous" else ""
        return f"{self.verdict}: {_words(self)}{span}; {self.names[0]} {first}, {self.names[1]} {second}{why}"

    def _repr_html_(self) -> str:
        """For notebooks: the line, the interval beside the threshold as a picture, and the notes."""
        notes = "".join(f"<li>{_escaped(note)}</li>" for note in (self.reason, *self.notes))
        return f"<p>{_escaped(str(self))}</p>{_picture(self)}<ul>{notes}</ul>"


def compare(
    f: Callable[..., Any],
    g: Callable[..., Any],
    args: Sequence[Any] = (),
    *,
    threshold: float = 0.05,
    check: bool = True,
    seconds: float = 10.0,
    seed: int = 0,
) -> Paired:
    """Is ``g(*args)`` faster or slower than ``f(*args)``? Timed in turns, in random order, in rounds.

    Both work on copies of ``args`` in the same memory, written anew before each turn when one of them works in place:
    the originals stay as they are, and neither sees what the other left. Each round gives one log-ratio; a verdict
    needs an exact interval of their median wholly inside or outside of ``threshold`` (0.05 = 5%), and a change fresh
    rounds that confirm it, as in ``kernelbench ab``. The rounds take
    about a second, at most some ``seconds``. Weaker than `ab`:
    one process has one placement of code and pages. ``seed`` is that of the order.

    Raises UsageError when the results disagree (unless ``check=False``: floats by more than sqrt(eps) of the largest
    value, anything else at all), when ``threshold`` is not above 0, or a Numba function cannot be entered; what the
    functions raise comes out unchanged.

    >>> x = np.ones(4096)
    >>> kb.compare(np.sum, np.max, (x,), check=False, seconds=0.2).names
    ('sum', 'max')
    """
    from kernelbench.api.turns import Call, judged, setting_of, sides

    if not 0 < threshold < float("inf"):
        raise UsageError(f"threshold={threshold!r} must be above 0; 0.05 lets up to 5% pass as unchanged")
    both = sides(Call(f, args), Call(g, args), check=check)
    found = judged(setting_of(both, seconds, seed), threshold)
    both.check()
    return paired(both.names, found, (*both.notes, PLACEMENT))


def paired(names: tuple[str, str], found: Any, notes: tuple[str, ...] = ()) -> Paired:
    """What a judged cell (``gate.cells.CellState``) says. Raises UsageError where no round was finished."""
    from kernelbench.analysis.paired import cell
    from kernelbench.analysis.turns import beside_neighbours

    rounds = found.rounds or found.screen
    if not rounds:
        raise UsageError("no round was finished in the time given: pass a larger seconds=")
    made = cell(found.case.id, found.verdict, "", rounds, found.threshold)
    if isinstance(made.ratio, UnsetType) or isinstance(made.base, UnsetType) or isinstance(made.new, UnsetType):
        raise UsageError("no round was finished in the time given: pass a larger seconds=")
    disturbed = beside_neighbours(rounds)
    if disturbed:
        notes = (f"{disturbed} of {len(rounds)} rounds met a busy neighbour on the core", *notes)
    return Paired(
        names=names,
        verdict=found.verdict,
        reason=_reason(found, len(rounds), made.detectable),
        ratio=made.ratio,
        times_s=(made.base, made.new),
        rounds=len(rounds),
        threshold=found.threshold,
        low=made.ci_low,
        high=made.ci_high,
        notes=notes,
    )


def _reason(found: Any, rounds: int, detectable: float | UnsetType) -> str:
    bound = units.percent(found.threshold)
    if found.verdict == "unchanged":
        return f"within {bound} after {rounds} rounds"
    if found.verdict in ("improved", "regressed"):
        return f"beyond {bound}: seen in {len(found.screen)} rounds, confirmed in {rounds} fresh ones"
    if isinstance(detectable, UnsetType):
        return f"only {rounds} rounds in the time given; a verdict needs 6: pass a larger seconds="
    return (
        f"neither beyond nor within {bound} after {rounds} rounds; a slowdown from {units.percent(detectable)} "
        "would have been seen"
    )


def _words(found: Paired) -> str:
    """ "my_add takes 0.757x the time of add"."""
    return f"{found.names[1]} takes {_ratio(found.ratio)}x the time of {found.names[0]}"


def _ratio(value: float) -> str:
    return units.near_one(value) if value > 0.5 else units.three_digits(value)


def _picture(found: Paired) -> str:
    import base64

    from kernelbench.report.chart_small import interval, svg

    if isinstance(found.low, UnsetType) or isinstance(found.high, UnsetType):
        return ""
    drawn = svg(interval(found.low, found.ratio, found.high, found.threshold))
    data = base64.b64encode(drawn.encode()).decode()
    return f'<img alt="{_escaped(_words(found))}" style="max-width:100%" src="data:image/svg+xml;base64,{data}">'


def _escaped(text: str) -> str:
    from kernelbench.report.text import safe_text

    return html.escape(safe_text(text), quote=True)

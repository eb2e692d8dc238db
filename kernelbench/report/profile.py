"""A profile as it reads: the sentence at the top, and how its numbers become digits. Every format shows these texts."""

from collections.abc import Iterator, Mapping

from msgspec import UNSET, Struct, UnsetType

from kernelbench.analysis.peaks import isa_words
from kernelbench.analysis.roofline import threads_text
from kernelbench.errors import ResultFileError
from kernelbench.model import Case, Cause, Counterfactual, Profile, Result, Unknown
from kernelbench.model.profile import SMALLEST
from kernelbench.report.columns import roof_rate
from kernelbench.report.facts import Fact
from kernelbench.report.rows import Row, rows
from kernelbench.report.section import Table
from kernelbench.report.text import safe_text
from kernelbench.units import giga, percent, ratio, seconds

LEVEL = 0.03
"""Times nearer than this are called equal: less than one change of a shared machine's clock."""

_UNITS = {"FLOP": "GFLOP/s", "B": "GB/s"}
"""Unit of work -> how its rate is written; others count what they are called."""

_LESS_WORK = (SMALLEST, "empty body")
"""Changes that leave nearly nothing of a call."""


class Part(Struct, frozen=True):
    """One question that a profile answers. All texts are safe to show in a terminal."""

    id: str
    title: str
    lines: tuple[str, ...] = ()
    table: Table | UnsetType = UNSET
    about: str = ""
    """How to read the table; empty where it needs no word."""
    facts: tuple[Fact, ...] = ()


class View(Struct, frozen=True):
    """A profile beside the rows that its cases have in every report."""

    profile: Profile
    result: Result
    rows: Mapping[str, Row]
    """By case id."""
    case: Case
    """What was profiled."""

    @property
    def row(self) -> Row:
        """The row of the profiled case."""
        return self.rows[self.case.id]


def view(result: Result) -> View:
    """What every format starts from. Raises ResultFileError where a file of kind "profile" lacks its profile."""
    profile = result.profile
    if isinstance(profile, UnsetType):
        raise ResultFileError("a result of kind 'profile' that holds no profile: damaged or edited; measure again")
    cases = {record.case.id: record.case for record in result.records}
    if profile.case not in cases:
        raise ResultFileError(
            f"a profile of {safe_text(profile.case)!r}, whose record is not in the file: damaged or edited; "
            "measure again"
        )
    return View(profile, result, {row.case_id: row for row in rows(result)}, cases[profile.case])


def sentence(of: View) -> str:
    """ "matmul/tiled f32 n=512: 62.0% of its roof (117 GFLOP/s), bound by L2 bandwidth"."""
    return safe_text(f"{title(of)}: {_reach(of.row, of.profile)}, {_held_by(of.profile)}")


def title(of: View) -> str:
    """The case as people say it: "matmul/tiled f32 n=512 causal=1, 2 threads, AVX2"."""
    row = of.row
    words = " ".join(word for word in (row.variant, row.dtype, row.shape, row.params) if word)
    level = "" if of.case.isa == "native" else isa_words(of.case.isa)
    cold = "cold operands" if of.case.cache == "cold" else ""
    threads = threads_text(row.threads) if row.threads > 1 else ""
    return ", ".join(part for part in (words, threads, level, cold) if part)


def notes(of: View) -> tuple[str, ...]:
    """What to know before believing the numbers: above its roof, a roof that is missing, an interrupted profile."""
    found = [of.row.above, of.row.reason and f"About its roof: {of.row.reason}", of.row.higher]
    if of.result.interrupted:
        found.append("The profile was interrupted: this is what was done")
    return tuple(safe_text(f"{text[0].upper()}{text[1:]}.".replace("..", ".")) for text in found if text)


def not_measured(of: View) -> tuple[str, ...]:
    """What could not be measured, a line for each reason: "no divides, no unpacking: it is called from Python"."""
    found: dict[str, list[str]] = {}
    for note in of.profile.notes:
        what, _, why = note.rpartition(": ") if note.count(": ") == 1 else ("", "", note)
        found.setdefault(why, []).append(what)
    for row in of.rows.values():
        if row.status == "failed":
            found.setdefault(row.reason, []).append(row.case_id)
    return tuple(safe_text(f"{', '.join(whats)}: {why}" if any(whats) else why) for why, whats in found.items())


def causes(profile: Profile) -> Iterator[tuple[str, Cause]]:
    """What holds the kernel back and what else does a little, each with how it reads."""
    known = len(profile.bound.causes) == 1
    for cause in profile.bound.causes:
        yield (safe_text(f"{cause.name if known else f'Either {cause.name}'}{_share(cause)}"), cause)
    for cause in profile.bound.also:
        yield safe_text(f"Also {cause.name}{_share(cause)}"), cause


def supporting(profile: Profile) -> frozenset[str]:
    """Names of the counterfactuals that support a cause."""
    return frozenset(cause.counterfactual for cause in (*profile.bound.causes, *profile.bound.also))


def amount(time_s: float | UnsetType, basis: str) -> str:
    """The time of a call ("1.23 us"), or of a unit of work as its rate ("81.3 GFLOP/s"); empty when absent."""
    if isinstance(time_s, UnsetType):
        return ""
    return seconds(time_s) if basis == "call" else rate(time_s, basis)


def rate(per_unit_s: float, unit: str) -> str:
    """Seconds per unit of work as its rate: "81.3 GFLOP/s", "1.20 G elements/s"."""
    if per_unit_s <= 0:
        return ""
    return f"{giga(1 / per_unit_s)} {rate_unit(unit)}"


def rate_unit(unit: str) -> str:
    """In what the rate of a unit of work is told: "GFLOP/s", "GB/s", "G elements/s"."""
    return _UNITS.get(unit, f"G {safe_text(unit)}s/s")


def effect(counterfactual: Counterfactual) -> str:
    """ "1.90x faster", "as fast", "1.20x slower", of less work "1.2% remains"; empty when it was skipped."""
    factor = counterfactual.factor
    if isinstance(factor, UnsetType) or factor <= 0:
        return ""
    if counterfactual.name in _LESS_WORK and counterfactual.basis == "call":
        # Less work: that it takes less time is no speedup, what stays of it is the point.
        return f"{percent(1 / factor)} remains"
    if abs(factor - 1) <= LEVEL:
        return "as fast"
    return f"{ratio(factor)} faster" if factor > 1 else f"{ratio(1 / factor)} slower"


def either(value: float | Unknown | UnsetType) -> float | UnsetType:
    """The number, where there is one."""
    return UNSET if isinstance(value, Unknown) else value


def _reach(row: Row, profile: Profile) -> str:
    if isinstance(row.roof_fraction, UnsetType):
        return f"{seconds(profile.split.call_s)} a call, no roof to set it against"
    limit = roof_rate(row)
    return f"{percent(row.roof_fraction)} of its roof" + (f" ({limit})" if limit else "")


def _held_by(profile: Profile) -> str:
    """Bounds that are not told begin with "not": "not told apart: A or B", "not known: why"."""
    text = profile.bound.text
    return f"what bounds it is {text}" if text.startswith("not ") else f"bound by {text}"


def _share(cause: Cause) -> str:
    return f", {percent(cause.share)} of the time"

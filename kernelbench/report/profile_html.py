"""A profile as one self-contained page that works offline and runs no code but its own (``report.page``)."""

from msgspec import UNSET, Struct, UnsetType

from kernelbench.model import Result, TimeSplit
from kernelbench.report.facts import machine_facts
from kernelbench.report.page import chart_scripts, filled, own_scripts
from kernelbench.report.profile import Part, View, not_measured, notes, sentence, title, view
from kernelbench.report.profile_figures import figures
from kernelbench.report.profile_parts import parts
from kernelbench.report.section import Figure, Table
from kernelbench.report.text import safe_text
from kernelbench.units import percent, seconds

METHOD = (
    "A bound is named only where a measured change supports it: the same kernel with one thing changed, timed in "
    "turns with it in one process.",
    "The sweeps are ordinary cases, each verified and timed in fresh processes; times are of the best sample, rates "
    "and % roof follow from them.",
    "Roofs: the largest of many probes on this machine; bandwidth is read off the measured ladder at the working set "
    "of one thread.",
)


class Drawn(Struct, frozen=True):
    """A part with what only a page has."""

    part: Part
    figures: tuple[Figure, ...] = ()
    table: Table | UnsetType = UNSET
    """Absent where it is folded away below a figure."""
    bar: tuple["Stretch", ...] = ()


class Stretch(Struct, frozen=True):
    """One stretch of the bar of a call's time."""

    name: str
    text: str
    """Its time and share."""
    width: str
    """In CSS."""


class Link(Struct, frozen=True):
    """One entry of the table of contents."""

    id: str
    title: str


def render(result: Result) -> str:
    """The whole page. Raises ResultFileError where a file of kind "profile" lacks its profile."""
    of = view(result)
    drawn = [_drawn(part, of) for part in parts(of)]
    advice = tuple(map(safe_text, of.profile.advice))
    missing = not_measured(of)
    contents = [Link(one.part.id, one.part.title) for one in drawn]
    contents.insert(1, Link("advice", "What to do next")) if advice else None
    contents += [Link("machine", "Machine and method")] + ([Link("missing", "Not measured")] if missing else [])
    values = {
        "title": safe_text(title(of)),
        "found": sentence(of),
        "doubts": notes(of),
        "created": safe_text(result.created),
        "machines": [machine_facts(machine) for machine in result.machines.values()],
        "contents": contents,
        "parts": drawn,
        "advice": advice,
        "missing": missing,
        "method": (*METHOD, *_made(result)),
    }
    scripts = chart_scripts if any(one.figures for one in drawn) else own_scripts
    return filled("profile.html.j2", scripts("figures.js"), values)


def _drawn(part: Part, of: View) -> Drawn:
    made = figures(part, of)
    # What a figure draws stands folded away below it.
    table = UNSET if any(not isinstance(one.table, UnsetType) for one in made) else part.table
    return Drawn(part, made, table, _bar(of.profile.split) if part.id == "time" else ())


def _bar(split: TimeSplit) -> tuple[Stretch, ...]:
    if split.call_s <= 0:
        return ()
    pairs = (("dispatch", split.dispatch_s), ("kernel", split.kernel_s))
    shares = [(name, time_s, min(1.0, max(0.0, time_s / split.call_s))) for name, time_s in pairs]
    return tuple(
        Stretch(name, f"{seconds(time_s)}, {percent(share)}", f"{100 * share:.2f}%") for name, time_s, share in shares
    )


def _made(result: Result) -> tuple[str, ...]:
    tool = result.kernelbench
    by = f"Measured by kernelbench {tool.version}, method {tool.method_version}, at {result.created}."
    return (safe_text(by), *(safe_text(f"Noted: {note}.") for note in result.notes))

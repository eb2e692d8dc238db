"""A profile as JSON, full precision: the profile itself, the rows of its cases, the machine and the ceilings."""

import msgspec

from kernelbench.model import Ceiling, Machine, Profile, Result, Tool
from kernelbench.report.profile import sentence, view
from kernelbench.report.rows import Row


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What ``profile --json`` and ``report --json`` of a profile print. A number that does not apply is left out."""

    kind: str
    created: str
    kernelbench: Tool
    finding: str
    """The bound and how far from the roof, in a sentence."""
    profile: Profile
    rows: tuple[Row, ...]
    """One a case of the sweeps, the profiled one among them."""
    machines: dict[str, Machine]
    ceilings: tuple[Ceiling, ...]
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    """What else a reader should know about the whole profile."""


def render(result: Result) -> str:
    """The profile as indented JSON, ending in a newline.

    Raises ResultFileError where a file of kind "profile" lacks its profile.
    """
    of = view(result)
    report = Report(
        kind=result.kind,
        created=result.created,
        kernelbench=result.kernelbench,
        finding=sentence(of),
        profile=of.profile,
        rows=tuple(of.rows.values()),
        machines=result.machines,
        ceilings=result.ceilings,
        interrupted=result.interrupted,
        notes=result.notes,
    )
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"

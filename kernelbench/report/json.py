"""The rows as JSON, full precision, what follows from them, and the machines and ceilings they were judged by."""

from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from kernelbench.model import Ceiling, Machine, Result, Tool
from kernelbench.report import advice
from kernelbench.report.rows import Row, rows


class Advised(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to do next."""

    op: str
    machine: str
    rule: str
    """Which rule says so: one of ``analysis.advice.KINDS``."""
    text: str
    """One sentence with its numbers."""
    cites: tuple[str, ...]
    """The cases it rests on, by id, the one to act on first."""
    gain: float | UnsetType = UNSET
    """At most so many times faster would that case become; left out where nothing measured tells."""
    unsteady: tuple[str, ...] = ()
    """Which of the cases did not hold still."""
    supported: bool = False
    """True when two cases that differ in nothing else show the cause."""


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What ``report --json`` prints. A number that does not apply is left out."""

    kind: str
    created: str
    kernelbench: Tool
    finding: str
    """What was found, in a sentence or two."""
    rows: tuple[Row, ...]
    """One a record; the fields are the CSV's columns and some more."""
    advice: tuple[Advised, ...]
    """What to do next, in the order in which to do it."""
    machines: dict[str, Machine]
    ceilings: tuple[Ceiling, ...]
    interrupted: bool = False
    notes: tuple[str, ...] = ()
    """What else a reader should know about the whole run."""


def render(result: Result) -> str:
    """The report as indented JSON, ending in a newline."""
    everything = rows(result)
    report = Report(
        kind=result.kind,
        created=result.created,
        kernelbench=result.kernelbench,
        finding=advice.finding(everything, result),
        rows=everything,
        advice=_advised(everything, result),
        machines=result.machines,
        ceilings=result.ceilings,
        interrupted=result.interrupted,
        notes=result.notes,
    )
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"


def _advised(everything: Sequence[Row], result: Result) -> tuple[Advised, ...]:
    return tuple(
        Advised(a.op, a.machine, a.kind, a.text, a.case_ids, a.gain, a.unsteady, a.supported)
        for a in advice.advice(everything, result)
    )

"""The rows as JSON, full precision, with the machines and ceilings they were judged by."""

import msgspec

from kernelbench.model import Ceiling, Machine, Result, Tool
from kernelbench.report.rows import Row, rows


class Report(msgspec.Struct, frozen=True, omit_defaults=True):
    """What ``report --json`` prints. A number that does not apply is left out."""

    kind: str
    created: str
    kernelbench: Tool
    rows: tuple[Row, ...]
    """One a record; the fields are the CSV's columns."""
    machines: dict[str, Machine]
    ceilings: tuple[Ceiling, ...]
    interrupted: bool = False


def render(result: Result) -> str:
    """The report as indented JSON, ending in a newline."""
    report = Report(
        kind=result.kind,
        created=result.created,
        kernelbench=result.kernelbench,
        rows=rows(result),
        machines=result.machines,
        ceilings=result.ceilings,
        interrupted=result.interrupted,
    )
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"

"""The report as GitHub-flavoured Markdown."""

import re
from collections.abc import Iterator, Sequence

from kernelbench.analysis.expectations import kept
from kernelbench.model import Result
from kernelbench.report import advice
from kernelbench.report.columns import COLUMNS, FLAGS, groups
from kernelbench.report.expectations import LABELS, by_state
from kernelbench.report.facts import ceiling_lines, machine_facts, method
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import safe_text


def render(result: Result) -> str:
    """The whole report: finding, expectations, ladder tables, what was not measured, ceilings, machine, method."""
    everything = rows(result)
    blocks = [
        "# kernelbench report",
        _escaped(advice.finding(everything, result)),
        *_expected(result),
        *_ladders([r for r in everything if r.status == "measured"]),
        *_advised(everything, result),
        *_not_measured(everything),
        *_ceilings(result),
        *_machines(result),
        "## Method\n\n" + "\n".join(f"- {_escaped(line)}" for line in method(result, everything)),
    ]
    return "\n\n".join(blocks) + "\n"


def _expected(result: Result) -> Iterator[str]:
    body = [[LABELS[one.state], safe_text(one.rule), safe_text(one.reason)] for one in by_state(kept(result))]
    if body:
        yield "## Expectations\n\n" + _table(["state", "expectation", "found"], body, [])


def _ladders(measured: Sequence[Row]) -> Iterator[str]:
    keys = [k for k in COLUMNS if any(COLUMNS[k].text(r) for r in measured)]
    for group in groups(measured):
        body = [[COLUMNS[k].text(row) for k in keys] for row in group.rows]
        yield f"## {_escaped(group.title)}\n\n" + _table([COLUMNS[k].title for k in keys], body, keys)
    if measured:
        flags = {f: FLAGS[f] for f in FLAGS if any(f in r.flags for r in measured)}
        meanings = [(COLUMNS[k].title, COLUMNS[k].meaning) for k in keys] + list(flags.items())
        yield "\n".join(f"- *{_escaped(title)}*: {_escaped(meaning)}" for title, meaning in meanings)


def _advised(everything: Sequence[Row], result: Result) -> Iterator[str]:
    given = advice.texts(advice.advice(everything, result))
    if given:
        yield f"## {advice.TITLE}\n\n" + "\n".join(f"{i}. {_escaped(text)}" for i, text in enumerate(given, 1))


def _not_measured(everything: Sequence[Row]) -> Iterator[str]:
    for status in ("failed", "skipped"):
        cases = [r for r in everything if r.status == status]
        if cases:
            lines = [f"- {_escaped(safe_text(r.case_id))}: {_escaped(safe_text(r.reason))}" for r in cases]
            yield f"## {status.capitalize()}\n\n" + "\n".join(lines)


def _ceilings(result: Result) -> Iterator[str]:
    lines = ceiling_lines(result.ceilings)
    if lines:
        body = [[c.name, c.value, c.footprint, c.spread, c.provenance] for c in lines]
        yield "## Ceilings\n\n" + _table(["ceiling", "value", "working set a thread", "spread", "how"], body, [])


def _machines(result: Result) -> Iterator[str]:
    for machine in result.machines.values():
        body = [[fact.label, fact.text] for fact in machine_facts(machine)]
        yield "## Machine\n\n" + _table(["fact", "value"], body, [])


def _table(headers: Sequence[str], body: Sequence[Sequence[str]], keys: Sequence[str]) -> str:
    from tabulate import tabulate

    cells = [[_escaped(cell) for cell in row] for row in body]
    align = ["right" if k in COLUMNS and COLUMNS[k].numeric else "left" for k in keys] or None
    return tabulate(
        cells, headers=[_escaped(h) for h in headers], tablefmt="pipe", disable_numparse=True, colalign=align
    )


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: no tag, link, emphasis or cell border of its own."""
    return re.sub(r"([\\`*_{}\[\]<>|#~!])", r"\\\1", text).replace("&", "&amp;")

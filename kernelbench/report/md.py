"""The report as GitHub-flavoured Markdown: what was found and what to do stand open, the tables are folded away.

It fits into a comment on a pull request, whatever the size of the result.
"""

from collections.abc import Iterator, Sequence

from kernelbench.analysis.expectations import kept
from kernelbench.model import Result
from kernelbench.report import advice
from kernelbench.report.columns import COLUMNS, FLAGS
from kernelbench.report.excerpt import MOST_NAMED, flagged, reasons, shown, some
from kernelbench.report.expectations import LABELS, by_state
from kernelbench.report.facts import ceiling_lines, machine_facts, method
from kernelbench.report.markdown import code, escaped, folded, table
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import clip, safe_text

MOST_ROWS = 120
MOST_CEILINGS = 40
MOST_ADVICE = 20
WHERE_CEILINGS = "the roofs of these cases; --json has all"
MOST_EXPECTED = 50
MOST_CHARACTERS = 300
"""Of one text from the file: a comment on GitHub holds 65536 in all."""


def render(result: Result) -> str:
    """The whole report: finding, expectations, advice, tables, what was not measured, ceilings, machine, method."""
    everything = rows(result)
    measured = [row for row in everything if row.status == "measured"]
    blocks = [
        "# kernelbench report",
        _text(advice.finding(everything, result), most=1000),
        *_expected(result),
        *_advised(everything, result),
        *_ladders(measured),
        *_flagged(everything),
        *_not_measured(everything),
        *_ceilings(result, measured),
        *_machines(result),
        folded("Method", "\n".join(f"- {_text(line)}" for line in method(result, everything)[:MOST_EXPECTED])),
    ]
    return "\n\n".join(blocks) + "\n"


def _expected(result: Result) -> Iterator[str]:
    judged = by_state(kept(result))
    body = [[LABELS[one.state], _text(one.rule), _text(one.reason)] for one in judged[:MOST_EXPECTED]]
    if body:
        yield "## Expectations\n\n" + table(["state", "expectation", "found"], body)
    if len(judged) > len(body):
        yield f"and {len(judged) - len(body)} more; the result file names all"


def _advised(everything: Sequence[Row], result: Result) -> Iterator[str]:
    given = advice.texts(advice.advice(everything, result))
    lines = [f"{i}. {_text(text, most=600)}" for i, text in enumerate(given[:MOST_ADVICE], 1)]
    if lines:
        yield f"## {advice.TITLE}\n\n" + "\n".join(lines)
    if len(given) > len(lines):
        yield f"{len(given) - len(lines)} more, of less gain: --json and --html have them all."


def _ladders(measured: Sequence[Row]) -> Iterator[str]:
    """One table for all ops, the groups told apart by its first column: a heading and a header each would be longer."""
    if not measured:
        return
    part = shown(measured, MOST_ROWS)
    keys = [k for k in COLUMNS if any(COLUMNS[k].text(r) for r in part.rows)]
    body = [
        [_text(group.title, most=80), *(_text(COLUMNS[k].text(row), most=120) for k in keys)]
        for group in part.groups
        for row in group.rows
    ]
    headers = ["problem", *(escaped(COLUMNS[k].title) for k in keys)]
    ladder = table(headers, body, right=[False, *(COLUMNS[k].numeric for k in keys)])
    meanings = [f"- *{escaped(COLUMNS[k].title)}*: {escaped(COLUMNS[k].meaning)}" for k in keys]
    texts = [text for text in (part.note, ladder, "\n".join(meanings)) if text]
    yield folded(f"Table: {len(part.rows)} of {len(measured)} measured cases", "\n\n".join(texts))


def _flagged(everything: Sequence[Row]) -> Iterator[str]:
    lines = []
    for flag, ids in list(flagged(everything).items())[:MOST_EXPECTED]:
        meaning = f" ({escaped(FLAGS[flag])})" if flag in FLAGS else ""
        lines.append(f"- *{_text(flag, most=40)}*{meaning}: {some([_id(i) for i in ids], MOST_NAMED)}")
    if lines:
        yield "## Beware\n\n" + "\n".join(lines)


def _not_measured(everything: Sequence[Row]) -> Iterator[str]:
    for status in ("failed", "skipped"):
        cases, note = reasons(everything, status)
        lines = [f"- {_id(case)}: {_text(why)}" for case, why in cases] + ([f"- {note}"] if note else [])
        if cases:
            yield f"## {status.capitalize()}\n\n" + "\n".join(lines)


def _ceilings(result: Result, measured: Sequence[Row]) -> Iterator[str]:
    """Those that are somebody's roof: a run may hold hundreds."""
    every = ceiling_lines(result.ceilings)
    roofs = {safe_text(row.roof_name) for row in measured}
    lines = ([line for line in every if line.name in roofs] or list(every))[:MOST_CEILINGS]
    if not lines:
        return
    body = [[_text(text, most=120) for text in (c.name, c.value, c.footprint, c.spread, c.provenance)] for c in lines]
    ladder = table(["ceiling", "value", "working set a thread", "spread", "how"], body)
    yield folded(f"Ceilings: {len(lines)} of {len(every)}; {WHERE_CEILINGS}", ladder)


def _machines(result: Result) -> Iterator[str]:
    for machine in list(result.machines.values())[:4]:
        facts = machine_facts(machine)
        body = [[_text(fact.label), _text(fact.text)] for fact in facts]
        yield folded(f"Machine: {clip(facts[0].text, 80)}", table(["fact", "value"], body))


def _text(text: str, *, most: int = MOST_CHARACTERS) -> str:
    """Foreign text, its middle left out where it is long."""
    return escaped(clip(safe_text(text), most))


def _id(case_id: str) -> str:
    return code(clip(case_id, 120))

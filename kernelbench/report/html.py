"""The report as one self-contained HTML file that works offline and runs no code but its own (``report.page``).

The page is a list of sections: each ``section_*`` module makes one from the rows, and the template draws any of
them. Adding one is its module and a line in ``SECTIONS``.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct, UnsetType

from kernelbench.analysis.expectations import kept
from kernelbench.model import Result
from kernelbench.report import advice, section_ladder, section_quantization, section_roofline, section_scaling
from kernelbench.report.expectations import LABELS, by_state
from kernelbench.report.facts import ceiling_lines, machine_facts, method
from kernelbench.report.page import chart_scripts, filled, own_scripts
from kernelbench.report.page_filters import filters
from kernelbench.report.page_legend import legend
from kernelbench.report.page_table import table
from kernelbench.report.page_unmeasured import unmeasured
from kernelbench.report.rows import Row, rows
from kernelbench.report.section import Head, Section, Table
from kernelbench.report.text import safe_text
from kernelbench.report.thinning import ON_CANVAS

SECTIONS: tuple[Callable[[Sequence[Row], Result], Section | UnsetType], ...] = (
    section_roofline.section,
    section_ladder.section,
    section_scaling.section,
    section_quantization.section,
)
"""What the page shows above the table, in order."""

_SCRIPTS = ("figures.js", "tips.js", "table.js", "filters.js", "link.js")


class _Link(Struct, frozen=True):
    """One entry of the table of contents."""

    id: str
    title: str


def render(result: Result) -> str:
    """The whole page."""
    everything = rows(result)
    made = [section(everything, result) for section in SECTIONS]
    sections = [section for section in made if not isinstance(section, UnsetType)]
    shown = table(everything)
    advised = advice.texts(advice.advice(everything, result))
    missing = unmeasured(everything, result.ceilings)
    values = {
        "created": safe_text(result.created),
        "found": advice.finding(everything, result),
        "machines": [machine_facts(machine) for machine in result.machines.values()],
        "contents": _contents(sections, shown=bool(everything), advised=bool(advised), missing=bool(missing)),
        "sections": sections,
        "filters": filters(everything),
        "canvas": sum(row.status == "measured" for row in everything) > ON_CANVAS,
        "legend": legend(everything, result.ceilings),
        "table": shown,
        "advised": advised,
        "expected": _expected(result),
        "ceilings": _ceilings(result),
        "method": method(result, everything),
        "missing": missing,
    }
    drawn = any(section.figures for section in sections)
    return filled("report.html.j2", (chart_scripts if drawn else own_scripts)(*_SCRIPTS), values)


def _contents(sections: Sequence[Section], *, shown: bool, advised: bool, missing: bool) -> list[_Link]:
    links = [_Link(section.id, section.title) for section in sections]
    links += [_Link("table", "Table")] if shown else []
    links += [_Link("advice", advice.TITLE)] if advised else []
    links.append(_Link("machine", "Machine and method"))
    return links + ([_Link("missing", "Not measured")] if missing else [])


def _expected(result: Result) -> Table:
    heads = tuple(Head(title, numeric=False) for title in ("state", "expectation", "found"))
    judged = by_state(kept(result))
    return Table(heads, tuple((LABELS[one.state], safe_text(one.rule), safe_text(one.reason)) for one in judged))


def _ceilings(result: Result) -> Table:
    heads = (
        Head("ceiling", numeric=False),
        Head("value", "The largest of its probes."),
        Head("working set a thread"),
        Head("spread", "How far the median probe lies below the largest."),
        Head("how", numeric=False),
    )
    lines = ceiling_lines(result.ceilings)
    return Table(heads, tuple((one.name, one.value, one.footprint, one.spread, one.provenance) for one in lines))

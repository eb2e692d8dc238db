"""The report as one self-contained HTML file that works offline and runs no code but its own.

Everything that comes from a result file is untrusted: the template escapes it, the data island escapes
``<``, and the page's Content-Security-Policy allows exactly the two scripts written here, by their hash,
no network and no evaluation of text. Vega therefore runs its expressions through its interpreter.
"""

from collections.abc import Sequence

from msgspec import UnsetType

from kernelbench.model import Result
from kernelbench.report.advice import finding
from kernelbench.report.chart import charts
from kernelbench.report.columns import COLUMNS, FLAGS, groups, interval
from kernelbench.report.facts import ceiling_lines, machine_facts, method
from kernelbench.report.page import chart_scripts, filled
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import safe_text


def render(result: Result) -> str:
    """The whole page."""
    everything = rows(result)
    measured = [r for r in everything if r.status == "measured"]
    drawn = charts(everything, result.ceilings)
    values = {
        "created": safe_text(result.created),
        "found": finding(everything, result),
        "spec": _spec(result, everything) if drawn else {},
        "columns": [COLUMNS[k] for k in _shown(measured)],
        "groups": [(group.title, [_cells(row, _shown(measured)) for row in group.rows]) for group in groups(measured)],
        "flags": {f: FLAGS[f] for f in FLAGS if any(f in r.flags for r in measured)},
        "unmeasured": _unmeasured(everything),
        "ceilings": ceiling_lines(result.ceilings),
        "machines": [machine_facts(m) for m in result.machines.values()],
        "method": method(result, everything),
    }
    return filled("report.html.j2", chart_scripts("report.js") if drawn else (), values)


def _spec(result: Result, everything: Sequence[Row]) -> dict[str, object]:
    from kernelbench.report.chart_html import spec

    return spec(charts(everything, result.ceilings))


def _shown(measured: Sequence[Row]) -> list[str]:
    return [k for k in COLUMNS if any(COLUMNS[k].text(r) for r in measured)]


def _cells(row: Row, keys: Sequence[str]) -> list[dict[str, str]]:
    """One table row: text, class, hover text and, for the roof fraction, the length of its bar."""
    cells = []
    for key in keys:
        cell = {"text": COLUMNS[key].text(row), "kind": "number" if COLUMNS[key].numeric else "word", "title": ""}
        if key == "variant":
            cell |= {"kind": "name", "title": safe_text(row.case_id)}
        elif key == "median":
            cell["title"] = interval(row)
        elif key == "fraction" and not isinstance(row.roof_fraction, UnsetType):
            cell["bar"] = f"{100 * min(1.0, row.roof_fraction):.1f}%"
            cell["title"] = safe_text(row.roof_name)
        elif key == "flags":
            cell["title"] = "; ".join(FLAGS[f] for f in row.flags if f in FLAGS)
        cells.append(cell)
    return cells


def _unmeasured(everything: Sequence[Row]) -> list[tuple[str, list[tuple[str, str]]]]:
    found_cases = []
    for status in ("failed", "skipped"):
        cases = [(safe_text(r.case_id), safe_text(r.reason)) for r in everything if r.status == status]
        if cases:
            found_cases.append((status.capitalize(), cases))
    return found_cases

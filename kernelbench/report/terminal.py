"""The report for a terminal: the table, a roofline, what failed or was skipped."""

import textwrap
from collections.abc import Iterator, Sequence

from kernelbench.analysis.expectations import kept
from kernelbench.model import Result
from kernelbench.report import advice, expectations
from kernelbench.report.chart import charts
from kernelbench.report.columns import COLUMNS, FLAGS, Group, groups
from kernelbench.report.facts import NOT_MEASURED, ceiling_lines
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import clip, safe_text

MIN_WIDTH = 40
"""Narrower terminals get lines of this width."""

_CHART_WIDTH = 110
_DROP_ORDER = ("roof_name", "error", "intensity", "gbps", "roof", "library", "interval", "bound", "naive",
               "gflops")  # fmt: skip
"""Which columns go first where the width does not carry them all."""

_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"


def render(result: Result, *, width: int, colour: bool) -> str:
    """The whole report as text of at most ``width`` columns, ending in a newline."""
    width = max(width, MIN_WIDTH)
    everything = rows(result)
    blocks = [
        _wrap(advice.finding(everything, result), width),
        *_tables([r for r in everything if r.status == "measured"], width, colour),
        *_rooflines(result, everything, width, colour),
        *_advised(result, everything, width, colour),
        *_flagged(everything, width, colour),
        *_not_measured(result, everything, width, colour),
        *_expected(result, width, colour),
        *(_wrap(safe_text(f"Noted: {note}"), width) for note in result.notes),
    ]
    return "\n\n".join(blocks) + "\n"


def _tables(measured: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    """One table a group, all with the same columns and widths so that they read as one."""
    if not measured:
        return
    offered = [c for c in COLUMNS if c != "flags"]
    keys = [c for c in offered if any(COLUMNS[c].text(r) for r in measured)]
    dropped: list[str] = []
    for key in _DROP_ORDER:
        if _needed(keys, measured) <= width:
            break
        if key in keys:
            keys.remove(key)
            dropped.append(key)
    names = max(8, width - _needed([k for k in keys if k != "variant"], measured) - 2)
    for group in groups(measured):
        yield _heading(group.title, colour) + "\n" + _table(group, keys, measured, names)
    meanings = [f"{COLUMNS[k].title}: {COLUMNS[k].meaning}" for k in keys if k in ("interval", "fraction", "library")]
    if dropped:
        titles = ", ".join(COLUMNS[k].title for k in sorted(dropped, key=list(COLUMNS).index))
        meanings.append(f"No room for: {titles}. A wider terminal shows them, as do --html, --md and --csv.")
    if meanings:
        yield "\n".join(_dim(_wrap(m, width), colour) for m in meanings)


def _table(group: Group, keys: Sequence[str], measured: Sequence[Row], names: int) -> str:
    import tabulate

    # Its two spare columns per heading would cost whole columns of ours at 80 characters.
    tabulate.MIN_PADDING = 0
    widths = {k: _column_width(k, measured) for k in keys}
    widths["variant"] = min(widths["variant"], names)
    # Padding every cell to the width over all groups keeps the groups' columns under one another.
    body = [[_pad(k, COLUMNS[k].text(row), widths[k]) for k in keys] for row in group.rows]
    headers = [_pad(k, COLUMNS[k].title, widths[k]) for k in keys]
    return tabulate.tabulate(body, headers=headers, tablefmt="simple", disable_numparse=True, preserve_whitespace=True)


def _pad(key: str, text: str, width: int) -> str:
    text = clip(text, width)
    return text.rjust(width) if COLUMNS[key].numeric else text.ljust(width)


def _column_width(key: str, measured: Sequence[Row]) -> int:
    return max(len(COLUMNS[key].title), *(len(COLUMNS[key].text(r)) for r in measured))


def _needed(keys: Sequence[str], measured: Sequence[Row]) -> int:
    return sum(_column_width(k, measured) for k in keys) + 2 * (len(keys) - 1)


def _rooflines(result: Result, everything: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    """The rooflines at the fewest and at the most threads: more would push the table off the screen."""
    from kernelbench.report.terminal_chart import draw

    found_charts = charts(everything, result.ceilings)
    for chart in dict.fromkeys((found_charts[0], found_charts[-1])) if found_charts else ():
        title = f"Roofline at {chart.threads} thread" + ("s" if chart.threads != 1 else "")
        yield _heading(title, colour) + "\n" + draw(chart, width=min(width, _CHART_WIDTH), colour=colour)


def _advised(result: Result, everything: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    given = advice.advice(everything, result)
    if given:
        yield "\n".join([_heading(advice.TITLE, colour), *advice.lines(given, width=width)])


def _flagged(everything: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    flags = dict.fromkeys(f for r in everything for f in r.flags)
    if not flags:
        return
    lines = [_heading("Beware", colour)]
    for flag in flags:
        cases = ", ".join(safe_text(r.case_id) for r in everything if flag in r.flags)
        meaning = f" ({FLAGS[flag]})" if flag in FLAGS else ""
        lines.append(_wrap(f"{safe_text(flag)}{meaning}: {cases}", width, "  "))
    yield "\n".join(lines)


def _not_measured(result: Result, everything: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    for status, title in (("failed", "Failed"), ("skipped", "Skipped")):
        cases = [r for r in everything if r.status == status]
        if cases:
            lines = [_wrap(f"{safe_text(r.case_id)}: {safe_text(r.reason)}", width, "  ") for r in cases]
            yield "\n".join([_heading(title, colour), *lines])
    missing = [c for c in ceiling_lines(result.ceilings) if c.value == NOT_MEASURED]
    if missing:
        lines = [_wrap(f"{c.name}: {c.provenance}", width, "  ") for c in missing]
        yield "\n".join([_heading("Ceilings not measured", colour), *lines])


def _expected(result: Result, width: int, colour: bool) -> Iterator[str]:
    judged = kept(result)
    if judged:
        heading = _heading(_wrap(expectations.heading(judged), width), colour)
        yield "\n".join([heading, *expectations.lines(judged, width=width)])


def _heading(text: str, colour: bool) -> str:
    return f"{_BOLD}{text}{_RESET}" if colour else text


def _dim(text: str, colour: bool) -> str:
    return f"{_DIM}{text}{_RESET}" if colour else text


def _wrap(text: str, width: int, indent: str = "") -> str:
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent + "  " if indent else "")

"""The report for a terminal: the tables, rooflines, advice, what to beware of, what failed or was skipped."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from kernelbench.analysis.expectations import kept
from kernelbench.analysis.roofline import threads_text
from kernelbench.model import Result
from kernelbench.report import advice, expectations
from kernelbench.report.chart import Chart, charts
from kernelbench.report.columns import COLUMNS, FLAGS, Group
from kernelbench.report.excerpt import MOST_NAMED, flagged, reasons, shown, some
from kernelbench.report.facts import NOT_MEASURED, ceiling_lines
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import clip, safe_text

MIN_WIDTH = 40
"""Narrower terminals get lines of this width."""

MOST_ROWS = 400
"""Rows of all tables together: more scroll out of reach."""

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
    part = shown(measured, MOST_ROWS)
    if part.note:
        yield _wrap(part.note, width)
    widths = {k: _column_width(k, part.rows) for k in COLUMNS if k != "flags"}
    keys = [k for k, taken in widths.items() if taken]
    dropped: list[str] = []
    for key in _DROP_ORDER:
        if _needed(keys, widths) <= width:
            break
        if key in keys:
            keys.remove(key)
            dropped.append(key)
    names = max(8, width - _needed([k for k in keys if k != "variant"], widths) - 2)
    widths["variant"] = min(widths["variant"], names)
    for group in part.groups:
        yield _heading(_wrap(group.title, width), colour) + "\n" + _table(group, keys, widths)
    meanings = [f"{COLUMNS[k].title}: {COLUMNS[k].meaning}" for k in keys if k in ("interval", "fraction", "library")]
    if dropped:
        titles = ", ".join(COLUMNS[k].title for k in sorted(dropped, key=list(COLUMNS).index))
        meanings.append(f"No room for: {titles}. A wider terminal shows them, as do --html, --md and --csv.")
    if meanings:
        yield "\n".join(_dim(_wrap(m, width), colour) for m in meanings)


def _table(group: Group, keys: Sequence[str], widths: Mapping[str, int]) -> str:
    import tabulate

    # Its two spare columns per heading would cost whole columns of ours at 80 characters.
    tabulate.MIN_PADDING = 0
    # Padding every cell to the width over all groups keeps the groups' columns under one another.
    body = [[_pad(k, COLUMNS[k].text(row), widths[k]) for k in keys] for row in group.rows]
    headers = [_pad(k, COLUMNS[k].title, widths[k]) for k in keys]
    return tabulate.tabulate(body, headers=headers, tablefmt="simple", disable_numparse=True, preserve_whitespace=True)


def _pad(key: str, text: str, width: int) -> str:
    text = clip(text, width)
    return text.rjust(width) if COLUMNS[key].numeric else text.ljust(width)


def _column_width(key: str, rows: Sequence[Row]) -> int:
    """Of its title and its widest cell; 0 when all its cells are empty."""
    widest = max(len(COLUMNS[key].text(row)) for row in rows)
    return max(widest, len(COLUMNS[key].title)) if widest else 0


def _needed(keys: Sequence[str], widths: Mapping[str, int]) -> int:
    return sum(widths[k] for k in keys) + 2 * (len(keys) - 1)


def _rooflines(result: Result, everything: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    """Of each machine the rooflines at the fewest and the most threads: more would push the tables off the screen."""
    from kernelbench.report.terminal_chart import bars, draw

    of_machines: dict[str, list[Chart]] = {}
    for chart in charts(everything, result.ceilings):
        of_machines.setdefault(chart.machine, []).append(chart)
    ends = [found[place] for found in of_machines.values() for place in sorted({0, len(found) - 1})]
    for chart in ends:
        where = safe_text(f" on {chart.machine}") if len(of_machines) > 1 else ""
        yield (
            _heading(f"Roofline at {threads_text(chart.threads)}{where}", colour)
            + "\n"
            + draw(chart, width=min(width, _CHART_WIDTH), colour=colour)
        )
    if moving := bars(everything, width=min(width, _CHART_WIDTH)):
        yield _heading("GB/s without FLOP (full bar: the roof)", colour) + "\n" + moving


def _advised(result: Result, everything: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    given = advice.advice(everything, result)
    if given:
        yield "\n".join([_heading(advice.TITLE, colour), *advice.lines(given, width=width)])


def _flagged(everything: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    flags = flagged(everything)
    if not flags:
        return
    lines = [_heading("Beware", colour)]
    for flag, ids in flags.items():
        meaning = f" ({FLAGS[flag]})" if flag in FLAGS else ""
        lines.append(_wrap(f"{flag}{meaning}: {some(ids, MOST_NAMED)}", width, "  "))
    yield "\n".join(lines)


def _not_measured(result: Result, everything: Sequence[Row], width: int, colour: bool) -> Iterator[str]:
    for status, title in (("failed", "Failed"), ("skipped", "Skipped")):
        cases, note = reasons(everything, status)
        if cases:
            lines = [_wrap(text, width, "  ") for text in [f"{id}: {why}" for id, why in cases] + [note] if text]
            yield "\n".join([_heading(title, colour), *lines])
    missing: dict[str, list[str]] = {}
    for line in ceiling_lines(result.ceilings):
        if line.value == NOT_MEASURED:
            missing.setdefault(line.provenance, []).append(line.name)
    if missing:
        lines = [_wrap(f"{some(names, MOST_NAMED)}: {why}", width, "  ") for why, names in missing.items()]
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

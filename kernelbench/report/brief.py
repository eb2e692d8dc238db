"""A short Markdown of a run, for a comment or a step summary: the finding, a picture, the fastest cases, advice."""

from collections.abc import Iterator, Sequence

from msgspec import UnsetType

from kernelbench.model import Result
from kernelbench.report import advice
from kernelbench.report.columns import COLUMNS, groups
from kernelbench.report.markdown import escaped
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import safe_text

MOST_ROWS = 20
"""Groups in the table: what does not fit one screen of a comment is not read."""
MOST_ADVICE = 5

_KEYS = ("variant", "dtype", "threads", "median", "interval", "gflops", "gbps", "fraction", "bound", "library", "flags")


def render(result: Result, picture: str = "") -> str:
    """The document; ``picture`` is the address of a roofline to show in it, empty without one."""
    everything = rows(result)
    measured = [row for row in everything if row.status == "measured"]
    blocks = [
        "## kernelbench",
        escaped(advice.finding(everything, result)),
        *([link(picture)] if picture else []),
        *_fastest(measured),
        *_advised(everything, result),
        *_failed(everything),
    ]
    return "\n\n".join(blocks) + "\n"


def with_picture(document: str, picture: str) -> str:
    """The whole report (``md.render``) with the picture at that address below its finding."""
    head, finding, *rest = document.split("\n\n")
    return "\n\n".join([head, finding, link(picture), *rest])


def link(address: str) -> str:
    """A Markdown picture; ``address`` is a path or URL without anything escaped."""
    from urllib.parse import quote

    return f"![Roofline](<{quote(address, safe='/:')}>)"


def _fastest(measured: Sequence[Row]) -> Iterator[str]:
    """The fastest case of each op, shape and cache state, the largest shapes where there are too many."""
    from tabulate import tabulate

    found = [(group.title, min(group.rows, key=_time)) for group in groups(measured)]
    if not found:
        return
    kept = found
    if len(found) > MOST_ROWS:
        # In ladder order the last of an op is its largest shape, and cold operands follow warm ones.
        largest = {row.op: (title, row) for title, row in sorted(found, key=lambda one: one[1].cache == "warm")}
        kept = [one for one in found if one in largest.values()][:MOST_ROWS]
    keys = [key for key in _KEYS if any(COLUMNS[key].text(row) for _, row in kept)]
    body = [[escaped(title), *(escaped(COLUMNS[key].text(row)) for key in keys)] for title, row in kept]
    heads = ["fastest of", *(escaped(COLUMNS[key].title) for key in keys)]
    align = ["left", *("right" if COLUMNS[key].numeric else "left" for key in keys)]
    yield tabulate(body, headers=heads, tablefmt="pipe", disable_numparse=True, colalign=align)
    if len(kept) < len(found):
        yield f"{len(found) - len(kept)} more problems are in the whole report."


def _time(row: Row) -> float:
    return float("inf") if isinstance(row.median_s, UnsetType) else row.median_s


def _advised(everything: Sequence[Row], result: Result) -> Iterator[str]:
    given = advice.texts(advice.advice(everything, result))
    if given:
        lines = [f"{number}. {escaped(text)}" for number, text in enumerate(given[:MOST_ADVICE], 1)]
        yield f"### {advice.TITLE}\n\n" + "\n".join(lines)


def _failed(everything: Sequence[Row]) -> Iterator[str]:
    failed = [row for row in everything if row.status == "failed"]
    if failed:
        lines = [f"- {escaped(safe_text(r.case_id))}: {escaped(safe_text(r.reason))}" for r in failed[:MOST_ROWS]]
        lines += [f"- and {len(failed) - MOST_ROWS} more" for _ in range(len(failed) > MOST_ROWS)]
        yield "### Failed\n\n" + "\n".join(lines)

"""Expectations for people: each rule with its state, and the cases that decided it."""

import textwrap
from collections.abc import Iterator, Sequence

from kernelbench.analysis.expectations import STATES, Judged
from kernelbench.report.text import safe_text

LABELS = {"fail": "fail", "undecided": "not decidable", "pass": "pass"}
"""State -> as it is shown."""

_CASES = 5
"""Cases shown of a rule that did not pass; the result file holds all of them."""


def render(judged: Sequence[Judged], *, width: int) -> str:
    """Heading and rules in at most ``width`` columns, ending in a newline; empty without a rule."""
    if not judged:
        return ""
    return "\n".join([textwrap.fill(heading(judged), width), *lines(judged, width=width)]) + "\n"


def heading(judged: Sequence[Judged]) -> str:
    """How many rules are in which state: "Expectations: 1 fail, 3 pass"."""
    counts = {state: sum(one.state == state for one in judged) for state in STATES}
    return "Expectations: " + ", ".join(f"{count} {LABELS[state]}" for state, count in counts.items() if count)


def by_state(judged: Sequence[Judged]) -> list[Judged]:
    """The rules, those to look at first first."""
    return sorted(judged, key=lambda one: STATES.index(one.state))


def lines(judged: Sequence[Judged], *, width: int) -> Iterator[str]:
    """Every rule and beneath it what decided, indented, in at most ``width`` columns."""
    for one in by_state(judged):
        yield _wrapped(f"{LABELS[one.state]}: {one.rule}", width, 2)
        shown = one.deciding[:_CASES]
        if one.state == "pass" or not shown:
            yield _wrapped(one.reason, width, 4)
            continue
        yield from (_wrapped(check.text, width, 4) for check in shown)
        if rest := len(one.deciding) - len(shown):
            yield _wrapped(f"... and {rest} more like these; the result file names all", width, 4)


def _wrapped(text: str, width: int, indent: int) -> str:
    first, after = " " * indent, " " * (indent + 2)
    return textwrap.fill(safe_text(text), width, initial_indent=first, subsequent_indent=after)

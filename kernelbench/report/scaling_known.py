"""What every picture of scaling is made from, and what each of them amounts to."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import Struct, UnsetType

from kernelbench.analysis.roofline import threads_text
from kernelbench.analysis.scaling import Timed
from kernelbench.model import Result
from kernelbench.report.rows import Row
from kernelbench.report.section import Figure
from kernelbench.report.text import safe_text

MOST_ROWS = 200
"""Rows of one table; the whole result stands in the table of the page."""


Problem = TypeVar("Problem")


class Known(Struct, frozen=True):
    """The measured cases of a result, as the analysis takes them, and their rows."""

    timed: tuple[Timed, ...]
    """In the order of the rows."""
    rows: dict[tuple[str, str], Row]
    """By machine and case id."""
    several_machines: bool
    """True when titles must name the machine."""

    def row(self, one: Timed) -> Row:
        """The row of a case."""
        return self.rows[one.machine, one.case.id]


class Pictures(Struct, frozen=True):
    """Figures that answer one question."""

    figures: tuple[Figure, ...]
    left_out: str = ""
    """What the figures leave out, in a sentence; empty when nothing."""


def known(rows: Sequence[Row], result: Result) -> Known:
    """The measured ones of ``rows``, which are those of ``result``."""
    cases = {(record.machine, record.case.id): record.case for record in result.records}
    found: dict[tuple[str, str], Row] = {}
    timed = []
    for row in rows:
        key = (row.machine, row.case_id)
        if not isinstance(row.median_s, UnsetType) and key not in found:
            found[key] = row
            timed.append(Timed(cases[key], row.machine, row.median_s))
    return Known(tuple(timed), found, len({machine for machine, _ in found}) > 1)


def title(row: Row, *words: str, threads: bool, several_machines: bool) -> str:
    """ "triad f32 cold, 2 threads": op, number type, ``words``, and where asked for its threads and machine."""
    text = " ".join(word for word in (row.op, row.dtype, *words) if word)
    text += f", {threads_text(row.threads)}" if threads else ""
    return safe_text(f"{text} on {row.machine}" if several_machines else text)


def first_then(best: Problem, problems: Sequence[Problem]) -> list[Problem]:
    """``problems`` with ``best``, one of them, moved to the front: the one that is shown first."""
    return [best, *(problem for problem in problems if problem is not best)]


def shared_params(row: Row) -> str:
    """Parameters that all variants of the op have: another value is another problem."""
    own = row.own_params.split(",")
    return ",".join(word for word in row.params.split(",") if word not in own)


def left_out(what: str, drawn: int, found: int, cases: int) -> str:
    """What a figure named ``what`` leaves out, in a sentence; empty when nothing."""
    told = [f"the chart holds the first {drawn} of {found} problems"] if drawn < found else []
    told += [f"the table under it the first {MOST_ROWS} of {cases} cases"] if cases > MOST_ROWS else []
    return f"{what}: {', '.join(told)}." if told else ""

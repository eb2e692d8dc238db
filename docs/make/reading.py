"""Writes docs/READING.md from READING.md.j2 and docs/example/run.json: `python docs/make/reading.py`.

The page quotes a real run. Every number in it is looked up here and formatted as reports format it, and every
comparison that its prose makes is asserted (``holds``), so that a new run changes the numbers or stops the page.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import UnsetType

from kernelbench.analysis.ladder import usable, value_of
from kernelbench.analysis.peaks import threads_text
from kernelbench.analysis.roofline import Roof, bytes_moved, roof
from kernelbench.errors import KernelbenchError, UsageError
from kernelbench.model import STYLES, Record, Result
from kernelbench.report import advice
from kernelbench.report.columns import COLUMNS, FLAGS
from kernelbench.report.facts import machine_facts
from kernelbench.report.rows import Row, rows
from kernelbench.report.text import safe_text
from kernelbench.store.files import read_result
from kernelbench.units import giga, percent, ratio, seconds, size_bytes, three_digits

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "READING.md"
RUN = FOLDER.parent / "example" / "run.json"

LEVELS = ("L1", "L2", "L3", "DRAM")


class Example:
    """The run as the page asks for it."""

    def __init__(self, result: Result) -> None:
        self.result = result
        everything = rows(result)
        self.measured = [row for row in everything if row.status == "measured"]
        self.not_measured = [row for row in everything if row.status != "measured"]
        self._rows = {row.case_id: row for row in everything}
        self._records = {record.case.id: record for record in result.records}
        self.advice = advice.texts(advice.advice(everything, result))
        self.finding = advice.finding(everything, result)
        (self.machine,) = result.machines.values()
        self.facts = {fact.label: fact.text for fact in machine_facts(self.machine)}

    def row(self, case_id: str) -> Row:
        """The row of a case. Raises UsageError when the run lacks it."""
        if case_id not in self._rows:
            raise UsageError(f"the run has no case {case_id!r}, which READING.md.j2 quotes; measure example.toml")
        return self._rows[case_id]

    def cell(self, case_id: str, column: str) -> str:
        """A number of a case as every report shows it. Raises UsageError when it has none."""
        text = self.cell_or_none(case_id, column)
        if not text:
            raise UsageError(f"{case_id} has no {column!r}, which READING.md.j2 quotes")
        return text

    def cell_or_none(self, case_id: str, column: str) -> str:
        """As ``cell``; empty when it has none."""
        return COLUMNS[column].text(self.row(case_id))

    def rate(self, case_id: str) -> str:
        """ "104 GFLOP/s"."""
        unit = "GOP/s" if self.row(case_id).dtype == "i8" else "GFLOP/s"
        return f"{self.cell(case_id, 'gflops')} {unit}"

    def record(self, case_id: str) -> Record:
        """The record of a case, for its work."""
        self.row(case_id)
        return self._records[case_id]

    def flop(self, case_id: str) -> str:
        """ "268 million"."""
        return f"{three_digits(number(self.record(case_id).work.flop) / 1e6)} million"

    def bytes(self, case_id: str) -> str:
        """ "3 MiB"."""
        return size_bytes(number(bytes_moved(self.record(case_id).work)))

    def limits(self, case_id: str) -> Roof:
        """Both roofs of a case. Raises UsageError when it has none."""
        found = roof(self.record(case_id), self.result.ceilings, self.machine)
        if not isinstance(found, Roof) or isinstance(found.compute, UnsetType) or isinstance(found.memory, UnsetType):
            raise UsageError(f"{case_id} lacks a roof, which READING.md.j2 quotes")
        return found

    def peak(self, case_id: str) -> str:
        """The compute ceiling that judges a case: "118 GFLOP/s"."""
        return f"{giga(self._compute(case_id))} GFLOP/s"

    def compute_time(self, case_id: str) -> str:
        """The least time its arithmetic takes."""
        return seconds(number(self.record(case_id).work.flop) / self._compute(case_id))

    def memory_rate(self, case_id: str) -> str:
        """The bandwidth at its working set: "104 GB/s"."""
        return f"{giga(self._memory(case_id))} GB/s"

    def memory_time(self, case_id: str) -> str:
        """The least time its bytes take."""
        return seconds(number(bytes_moved(self.record(case_id).work)) / self._memory(case_id))

    def _compute(self, case_id: str) -> float:
        compute = self.limits(case_id).compute
        assert not isinstance(compute, UnsetType), "limits() has looked"
        return compute.flop_per_s

    def _memory(self, case_id: str) -> float:
        memory = self.limits(case_id).memory
        assert not isinstance(memory, UnsetType), "limits() has looked"
        return memory.bytes_per_s

    def ridges(self, case_id: str) -> list[tuple[str, str, str, float]]:
        """Per level its fastest bandwidth, and the ridge point with a case's peak: as text, and in FLOP/B."""
        threads = self.row(case_id).threads
        found = []
        for level in LEVELS:
            memory = usable(self.result.ceilings, "memory")
            rates = [value_of(c) for c in memory if (c.level, c.threads) == (level, threads)]
            if rates:
                ridge = self._compute(case_id) / max(rates)
                found.append((level, f"{giga(max(rates))} GB/s", f"{three_digits(ridge)} FLOP/B", ridge))
        return found

    def faster(self, case_id: str, than: str) -> str:
        """How many times as fast, by the best samples: "13.1x"."""
        return ratio(number(self.row(than).best_s) / number(self.row(case_id).best_s))

    def table(self, case_ids: Sequence[str], columns: Sequence[str]) -> str:
        """The rows of a report as a Markdown table."""
        heads = [COLUMNS[column] for column in columns]
        lines = ["| " + " | ".join(head.title for head in heads) + " |"]
        lines.append("|" + "|".join("---:" if head.numeric else "---" for head in heads) + "|")
        for case_id in case_ids:
            row = self.row(case_id)
            lines.append("| " + " | ".join(escaped(head.text(row)) for head in heads) + " |")
        return "\n".join(lines)

    def flagged(self, flag: str) -> list[Row]:
        """The measured cases that carry a flag."""
        return [row for row in self.measured if flag in row.flags]


def number(value: float | UnsetType) -> float:
    """``value``. Raises UsageError where it does not apply."""
    if isinstance(value, UnsetType):
        raise UsageError("READING.md.j2 quotes a number that does not apply to its case")
    return value


def holds(true: bool, statement: str) -> str:
    """Nothing. Raises UsageError when the run does not show what the prose says."""
    if not true:
        raise UsageError(f"the run does not show that {statement}; change READING.md.j2, or measure again")
    return ""


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return text.replace("|", "\\|").replace("_", "\\_").replace("<", "&lt;").replace("*", "\\*")


def render(result: Result) -> str:
    """The whole text of docs/READING.md. Raises UsageError when the run lacks what the page quotes."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True,
    )  # fmt: skip
    values: Mapping[str, Any] = {
        "run": Example(result),
        "holds": holds,
        "number": number,
        "escaped": escaped,
        "percent": percent,
        "created": safe_text(result.created[:10]),
        "flags": FLAGS,
        "styles": STYLES,
        "threads_text": threads_text,
        "rounds": max((len(record_rounds(r)) for r in result.records), default=0),
    }
    return environment.get_template("READING.md.j2").render(values)


def record_rounds(record: Record) -> Sequence[Any]:
    """Its rounds; none when it was not measured."""
    return getattr(record.outcome, "rounds", ())


if __name__ == "__main__":
    try:
        PAGE.write_text(render(read_result(RUN)), encoding="utf-8")
    except KernelbenchError as error:
        sys.exit(f"error: {error}")
    print(f"wrote {PAGE}")

"""A number reads the same wherever it stands: one place gives it its digits."""

import ast
import csv as stdlib_csv
import html as entities
import io
import json as stdlib_json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import UnsetType

import kernelbench
from kernelbench.model import Result
from kernelbench.report import advice, csv, html, json, md, terminal
from kernelbench.report.columns import COLUMNS, FIELDS
from kernelbench.report.rows import Row, rows
from kernelbench.units import seconds
from tests.builders import sample
from tests.report.golden_data import everything

NUMBERS = [key for key, column in COLUMNS.items() if column.numeric]
ALLOWED = {
    "report/junit.py": "seconds as XML wants them",
    "report/chart_html.py": "an expression of Vega, not text",
    "report/section_compare_roofline.py": "an expression of Vega, not text",
    "report/quantization_chart.py": "an expression of Vega, not text",
    "report/scaling_lines.py": "ticks of an axis: round numbers",
    "report/ladder_bars.py": "ticks of an axis: round numbers",
    "report/page_table.py": "the length of a bar, for CSS",
    "report/profile_html.py": "the length of a bar, for CSS",
    "report/card.py": "a quota of the CPU as the system gives it",
    "analysis/match.py": "six digits, to tell apart amounts that differ by a thousandth",
    "analysis/sides.py": "a sample as the file gives it, because it cannot be true",
}
"""Files under report/ and analysis/ that choose digits themselves, and why they may."""


def texts() -> list[tuple[Row, str]]:
    """(row, text) of every number of a measured case that the tables show."""
    measured = [row for row in rows(everything()) if row.status == "measured"]
    return [(row, text) for row in measured for key in NUMBERS if (text := COLUMNS[key].text(row))]


def test_the_terminal_shows_every_number_in_its_one_form() -> None:
    shown = terminal.render(everything(), width=400, colour=False)
    assert [text for _, text in texts() if text not in shown] == []


def test_markdown_shows_every_number_in_its_one_form() -> None:
    shown = re.sub(r"\\(.)", r"\1", md.render(everything()))
    assert [text for _, text in texts() if f"| {text} |" not in shown] == []


def test_the_page_shows_every_number_in_its_one_form() -> None:
    shown = entities.unescape(re.sub("<[^>]*>", " ", html.render(everything())))
    assert [text for _, text in texts() if text not in shown] == []


@pytest.mark.parametrize("made", [everything(), sample()])
def test_advice_gives_times_as_the_table_does(made: Result) -> None:
    table = {row.case_id: row for row in rows(made)}
    given = advice.advice(tuple(table.values()), made)
    assert given
    for one in given:
        known = {text for id in one.case_ids for text in times(table[id])}
        assert set(re.findall(r"(?<![\w.])[\d.]+ (?:ns|us|ms|s)\b", one.text)) <= known


def times(row: Row) -> Iterator[str]:
    for value in (row.median_s, row.best_s, row.ci_low_s, row.ci_high_s):
        if not isinstance(value, UnsetType):
            yield seconds(value)


@pytest.mark.parametrize("made", [everything(), sample()])
def test_advice_and_finding_give_shares_of_roofs_as_the_table_does(made: Result) -> None:
    found = rows(made)
    known = {COLUMNS["fraction"].text(row) for row in found}
    told = [one.text for one in advice.advice(found, made) if one.kind in ("take", "distrust", "fewer-bytes")]
    for text in (*told, advice.finding(found, made)):
        assert set(re.findall(r"[\d.]+%", text)) <= known


def test_csv_and_json_hold_the_same_full_precision() -> None:
    lines = list(stdlib_csv.DictReader(io.StringIO(csv.render(everything()))))
    exported = stdlib_json.loads(json.render(everything()))["rows"]
    numbers = [f for f in FIELDS if any(isinstance(row.get(f), int | float) for row in exported)]
    assert "roof_fraction" in numbers
    for line, row, own in zip(lines, exported, rows(everything()), strict=True):
        for field in numbers:
            value = getattr(own, field)
            assert line[field] == ("" if isinstance(value, UnsetType) else repr(row.get(field, value)))
            assert row.get(field, value) == value


def test_only_units_decides_on_digits() -> None:
    package = Path(kernelbench.__file__).parent
    files = [p for room in ("report", "analysis") for p in sorted((package / room).glob("*.py"))]
    found = {str(p.relative_to(package)) for p in files if any(rounding(ast.parse(p.read_text())))}
    assert found - set(ALLOWED) == set()


def rounding(module: ast.Module) -> Iterator[bool]:
    """For every part of an f-string whether it says with how many digits a number is written."""
    for node in ast.walk(module):
        if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            spec = "".join(str(part.value) for part in ast.walk(node.format_spec) if isinstance(part, ast.Constant))
            yield bool(re.fullmatch(r"[+ ,]*[\d.]*[efgEFG%]", spec))

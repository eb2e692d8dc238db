"""Whole documents against golden files, from one run that holds some of everything."""

import csv as stdlib_csv
import io
import json as stdlib_json

import pytest
from msgspec.structs import replace

from kernelbench.model import Failed, Result, Skipped
from kernelbench.report import csv, json, md, terminal
from kernelbench.report.columns import FIELDS
from tests.builders import case, record, result
from tests.report.golden_data import everything
from tests.report.golden_file import assert_golden

BAD = {
    "one cell": result([record()]),
    "none measured": result([record(outcome=Skipped("too slow"))]),
    "all failed": result([record(case(f"matmul/v{i}"), Failed("verify", "wrong")) for i in range(30)]),
    "no ceilings": result([record()], ceilings=()),
    "no machine": result([record()], machines={}),
    "nothing at all": result([], ceilings=(), machines={}),
}


@pytest.mark.parametrize("width", [80, 140])
def test_the_terminal_report_is_the_golden_one(width: int) -> None:
    assert_golden(f"terminal-{width}.txt", terminal.render(everything(), width=width, colour=False))


def test_the_csv_is_the_golden_one() -> None:
    assert_golden("report.csv", csv.render(everything()))


def test_the_markdown_is_the_golden_one() -> None:
    assert_golden("report.md", md.render(everything()))


def test_the_json_is_the_golden_one() -> None:
    assert_golden("report.json", json.render(everything()))


def test_without_colour_the_text_is_that_with_colour_less_its_escapes() -> None:
    plain, coloured = (terminal.render(everything(), width=80, colour=on) for on in (False, True))
    assert "\x1b" not in plain
    for title in ("matmul n=256", "Beware", "Failed", "Skipped", "What to do next"):
        assert f"\x1b[1m{title}" in coloured


@pytest.mark.parametrize("name", BAD)
def test_a_poor_result_has_every_form(name: str) -> None:
    made = BAD[name]
    assert terminal.render(made, width=80, colour=False).endswith("\n")
    assert md.render(made).startswith("# kernelbench report\n")
    assert len(list(stdlib_csv.reader(io.StringIO(csv.render(made))))) == 1 + len(made.records)
    assert len(stdlib_json.loads(json.render(made))["rows"]) == len(made.records)


def test_every_line_of_the_csv_has_all_its_columns() -> None:
    lines = list(stdlib_csv.reader(io.StringIO(csv.render(everything()))))
    assert {len(line) for line in lines} == {len(FIELDS)}


def test_json_holds_the_finding_the_advice_and_the_notes() -> None:
    exported = stdlib_json.loads(json.render(everything()))
    assert exported["finding"].startswith("The best f32 matmul reaches 67.1% of ")
    assert exported["notes"] == ["the host was busy: 12% of its time was stolen"]
    first = exported["advice"][0]
    assert (first["op"], first["rule"], first["cites"]) == ("matmul", "distrust", ["matmul/fused/f32/n=256/t=1"])
    assert first["text"].startswith("matmul/fused/f32/n=256/t=1 reads 144.8% of its roof")
    assert {id for one in exported["advice"] for id in one["cites"]} <= {row["case_id"] for row in exported["rows"]}


def test_notes_of_the_run_are_shown() -> None:
    for text in (terminal.render(everything(), width=80, colour=False), md.render(everything())):
        assert "the host was busy: 12% of its time was stolen" in text


def test_ops_without_flop_are_shown_as_bars_of_bandwidth() -> None:
    text = terminal.render(everything(), width=80, colour=False)
    assert "transpose/tiled/f32/n=4096/t=1  █████████████▏·  18.2 GB/s  87.6% of 20.8 GB/s" in text
    assert "GB/s without FLOP" not in terminal.render(result([record()]), width=80, colour=False)


@pytest.mark.parametrize("width", [40, 60, 80, 140])
def test_bars_rooflines_and_tables_of_two_machines_fit_the_width(width: int) -> None:
    assert max(map(len, terminal.render(everything(), width=width, colour=False).split("\n"))) <= width


def test_the_rows_of_two_machines_are_not_mixed() -> None:
    text = terminal.render(everything(), width=80, colour=False)
    assert "matmul n=256 on 0123456789ab\n" in text
    assert "matmul n=256 on ba9876543210\n" in text
    assert " on 0123456789ab" not in terminal.render(one_machine(), width=80, colour=False)


def one_machine() -> Result:
    made = everything()
    return replace(made, records=tuple(r for r in made.records if r.machine == "0123456789ab"))

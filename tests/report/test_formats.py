"""Whole reports: widths, what they say, and untrusted text in every format."""

import csv as stdlib_csv
import io
import json as stdlib_json
import re

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from kernelbench.model import Failed, Result
from kernelbench.report import csv, json, md, terminal
from kernelbench.report.advice import finding
from kernelbench.report.columns import FIELDS
from kernelbench.report.markdown import escaped
from kernelbench.report.rows import rows
from tests.builders import case, record, result, sample


def test_the_report_does_not_depend_on_the_window_it_is_made_in(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    for columns, lines in (("30", "5"), ("300", "80")):
        monkeypatch.setenv("COLUMNS", columns)
        monkeypatch.setenv("LINES", lines)
        made.append(terminal.render(sample(), width=100, colour=False))
    assert made[0] == made[1]


@pytest.mark.parametrize("width", [40, 60, 80, 100, 132, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = terminal.render(sample(), width=width, colour=False)
    assert max(map(len, text.split("\n"))) <= width


def test_at_80_columns_median_interval_fraction_and_both_speedups_are_shown() -> None:
    header = next(line for line in terminal.render(sample(), width=80, colour=False).split("\n") if "median" in line)
    assert all(title in header for title in ("±", "GFLOP/s", "% roof", "bound", "x naive", "x lib"))


def test_dropped_columns_are_named_with_where_to_see_them() -> None:
    text = terminal.render(sample(), width=60, colour=False)
    assert re.search(r"No room for: .*GB/s.*--csv", text.replace("\n", " "))


def test_colour_appears_only_when_asked_for() -> None:
    assert "\x1b[" in terminal.render(sample(), width=80, colour=True)
    assert "\x1b" not in terminal.render(sample(), width=80, colour=False)


def test_failed_and_skipped_cases_are_listed_with_their_reasons() -> None:
    text = " ".join(terminal.render(sample(), width=80, colour=False).split())
    assert "matmul/packed/f32/n=256/t=1: verify: 3 of 9 elements differ" in text
    assert "matmul/python/f32/n=512/t=1: would take about 134 s a call" in text
    assert "compute/bf16/avx512/dot/t=1: no AVX-512 BF16 here" in text


def test_a_result_with_nothing_in_it_still_renders_in_every_format() -> None:
    empty = result([], ceilings=(), machines={})
    assert terminal.render(empty, width=80, colour=False) == "Nothing was measured.\n"
    assert csv.render(empty) == ",".join(FIELDS) + "\n"
    assert stdlib_json.loads(json.render(empty))["rows"] == []
    assert "Nothing was measured" in md.render(empty)


def test_the_finding_opens_with_the_best_matmul_and_ends_with_what_was_not_measured() -> None:
    sentence = finding(rows(sample()), sample())
    assert sentence.startswith("The best f32 matmul reaches ")
    assert sentence.endswith("20 of 24 cases were measured (2 failed, 2 skipped).")


def test_a_case_above_its_roof_is_not_drawn_as_a_triumph() -> None:
    fast, honest = record(case("matmul/tiled"), [1e-3] * 6), record(case("matmul/library"), [3e-3] * 6)
    made = result([fast, honest])
    assert "matmul/library/f32/n=512/t=1" in finding(rows(made), made)
    assert "matmul/tiled/f32" not in finding(rows(made), made)
    assert "above-roof (faster than its roof allows" in terminal.render(made, width=200, colour=False)


def test_an_interrupted_run_says_so() -> None:
    assert "interrupted" in terminal.render(replace(sample(), interrupted=True), width=80, colour=False)


def test_json_holds_the_machines_and_ceilings_the_rows_were_judged_by() -> None:
    exported = stdlib_json.loads(json.render(sample()))
    assert list(exported["machines"]) == ["0123456789ab"]
    assert len(exported["ceilings"]) == len(sample().ceilings)


def hostile(text: str) -> Result:
    of = replace(case(), id=text, variant=text, op=text)
    return result([record(of, Failed("verify", text)), record(replace(of, id=text + "2"))])


@pytest.mark.parametrize("text", ["=cmd()", "+1", "-1", "@x", " =1", "\t=1"])
def test_csv_text_that_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    for line in stdlib_csv.DictReader(io.StringIO(csv.render(hostile(text)))):
        assert line["case_id"][0] in "'\\"


def test_escapes_in_names_reach_no_terminal() -> None:
    made = hostile("\x1b]0;owned\x07\u202e")
    for text in (terminal.render(made, width=80, colour=False), md.render(made), csv.render(made)):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)


def test_markdown_in_names_is_text() -> None:
    assert "\\<img\\>\\|\\*" in md.render(hostile("<img>|*"))


LIVE = ("@octocat", "see #123", "GH-7", "http://evil.example", "https://e.example", "www.evil.example", ":tada:", "$x$")
"""What GitHub makes a mention, a reference, a link, an emoji or a formula of."""


@pytest.mark.parametrize("text", LIVE)
def test_nothing_in_foreign_text_is_live_in_a_comment(text: str) -> None:
    shown = escaped(f"wrong: {text} at 1").replace("&#8203;", "\u200b")
    assert text not in shown
    assert not re.search(r"@\w|(?<!\\)#|#\d|GH-\d|(https?|ftp):/|www\.|:\w+:|(?<!\\)\$", shown)


@pytest.mark.parametrize("text", ["1.37 ms", "12:30:05", "f32 AVX-512", "n=512", "3.1e-07", "-0.5 (x)", "1. a", "a: b"])
def test_harmless_text_reads_as_it_is_in_markdown(text: str) -> None:
    shown = re.sub("<[^>]*>", "", MarkdownIt("commonmark").render(escaped(text))).strip()
    assert shown == text


@pytest.mark.parametrize("text", ["- item", "+ item", "1. item", "2) item", "# title", "> quote", "    code", "=== x"])
def test_foreign_text_begins_no_list_heading_quote_or_code(text: str) -> None:
    assert re.fullmatch(r"<p>[^<]*</p>\n", MarkdownIt("commonmark").render(escaped(text)))


def test_hostile_names_stay_in_their_cell_and_make_no_tag_or_link() -> None:
    shown = (
        MarkdownIt("commonmark").enable("table").render(md.render(hostile("<script>|`[x](http://e)`|\n\x1b[31m\u202e")))
    )
    assert "<script" not in shown
    assert "<a " not in shown
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", shown)

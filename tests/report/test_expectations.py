"""Expectations as people see them."""

import re

import pytest

from kernelbench.analysis.checks import Check
from kernelbench.analysis.expectations import Judged, keep
from kernelbench.report import md, terminal
from kernelbench.report.expectations import render
from tests.builders import result, sample


def check(number: int, state: str, **more: object) -> Check:
    value = float(number)
    return Check(f"matmul/tiled/f32/n={number}/t=1", state, f"{value:.2f}x over 6 rounds", value=value, **more)


def judged(state: str, count: int = 1, name: str = "tiled pays") -> Judged:
    checks = tuple(check(1 + i, state, other_id="matmul/naive/f32/n=1/t=1") for i in range(count))
    rule = f"{name} (matmul/tiled where n >= 256: at least 5x as fast as matmul/naive)"
    return Judged(rule, state, "the reason in words", "faster_than", 5.0, checks)


EVERY = [judged("pass", name="first"), judged("undecided", name="second"), judged("fail", name="third")]


def test_what_failed_comes_first_and_what_passed_last() -> None:
    text = render(EVERY, width=80)
    assert text.startswith("Expectations: 1 fail, 1 not decidable, 1 pass\n  fail: third")
    assert text.index("third") < text.index("second") < text.index("first")


def test_every_case_that_failed_is_named_the_worst_first_up_to_a_few() -> None:
    text = render([judged("fail", 12)], width=120)
    assert re.findall(r"n=(\d+)/t=1 against", text) == ["1", "2", "3", "4", "5"]
    assert "... and 7 more like these; the result file names all" in text


def test_a_rule_without_any_case_gives_its_reason() -> None:
    assert "the reason in words" in render([judged("undecided", 0)], width=80)


def test_without_rules_nothing_is_shown() -> None:
    assert render([], width=80) == ""
    assert "Expectations" not in terminal.render(sample(), width=80, colour=False)
    assert "Expectations" not in md.render(sample())


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, render(EVERY, width=width).split("\n"))) <= width


def test_reports_show_them_after_the_table_and_in_markdown_as_a_table() -> None:
    made = keep(sample(), EVERY)
    shown = terminal.render(made, width=80, colour=False)
    assert shown.rstrip().endswith("the reason in words")
    assert shown.index("median") < shown.index("Expectations: 1 fail")
    assert re.search(r"\| fail +\| third \(matmul/tiled where n \\>= 256", md.render(made))


def test_escapes_in_a_stored_expectation_reach_no_terminal_and_no_markup() -> None:
    bad = "\x1b[31m\u202e<img>|*"
    made = keep(result(), [Judged(bad, "fail", bad, "max_error", 1.0, (Check(bad, "fail", bad),))])
    for text in (terminal.render(made, width=80, colour=False), md.render(made)):
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    assert "<img>" not in md.render(made)

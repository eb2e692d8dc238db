"""Results of thousands of cases: what is left out for people, that it is said, and that it is in the data."""

import re

import pytest

from kernelbench.model import Failed, Record, Result, Skipped
from kernelbench.report import csv, md, terminal
from kernelbench.report.excerpt import shown, some
from kernelbench.report.rows import rows
from tests.builders import case, matmul_work, record, result

STYLES = ("naive", "vectorized", "tiled", "library")


def large(problems: int, *extra: Record) -> Result:
    """Four variants of one op of ten at so many sizes, half of them noisy."""
    made = []
    for number in range(problems):
        n = 64 + number
        for style in STYLES:
            medians = [1e-3, 1.5e-3, 0.8e-3] if number % 2 else [1e-3] * 3
            of = case(f"op{number % 10}/{style}", shape={"m": n, "n": n, "k": n})
            made.append(record(of, medians, work=matmul_work(n)))
    return result((*made, *extra))


MANY = large(750)


def test_a_small_result_is_shown_whole_and_nothing_is_said() -> None:
    part = shown(rows(large(10)), 400)
    assert (len(part.rows), part.note) == (40, "")


def test_of_a_large_result_every_op_keeps_its_largest_problems() -> None:
    part = shown(rows(MANY), 80)
    assert len(part.rows) == 80
    assert {row.op for row in part.rows} == {f"op{i}" for i in range(10)}
    assert {int(row.shape.removeprefix("n=")) for row in part.rows} == set(range(64 + 730, 64 + 750))
    assert part.note.startswith("80 of 3000 measured cases are shown")


def test_of_a_problem_with_very_many_cases_the_fastest_stay_in_their_order() -> None:
    records = [record(case("matmul/tiled", params={"group": i}), [1e-3 / i] * 3) for i in range(1, 200)]
    part = shown(rows(result(records)), 30)
    assert [row.params for row in part.rows] == [f"group={i}" for i in range(170, 200)]


def test_a_terminal_gets_no_endless_table_and_is_told_so() -> None:
    text = terminal.render(MANY, width=100, colour=False)
    assert text.count("\n") < 2000
    assert re.search(r"400 of 3000 measured cases are shown: .* --csv and --json have all", " ".join(text.split()))
    assert max(map(len, text.split("\n"))) <= 100


def test_markdown_of_a_large_result_fits_into_a_comment() -> None:
    text = md.render(large(750, *(record(case(f"x/v{i}"), Failed("verify", "wrong " * 500)) for i in range(300))))
    assert len(text) < 65_536
    assert "120 of 3000 measured cases are shown" in text


def test_the_csv_has_every_case() -> None:
    assert csv.render(MANY).count("\n") == 1 + 3000


@pytest.mark.parametrize("outcome", [Skipped("too slow"), Failed("verify", "wrong")])
def test_of_many_cases_that_were_not_measured_some_are_named_and_the_rest_counted(outcome: Skipped | Failed) -> None:
    made = result([record(case(f"matmul/v{i}"), outcome) for i in range(100)])
    for text in (terminal.render(made, width=200, colour=False), md.render(made)):
        assert "and 80 more; --csv and --json have all of them" in text
        assert text.count("matmul/v") == 20


def test_a_flag_of_many_cases_names_a_few() -> None:
    text = " ".join(terminal.render(MANY, width=100, colour=False).split())
    assert re.search(r"noisy \([^)]*\): (op\S+, ){5}op\S+ and 1494 more", text)


def test_few_items_are_all_named() -> None:
    assert some(["a", "b"], 2) == "a, b"
    assert some(["a", "b", "c"], 2) == "a, b and 1 more"

"""The advice as lines of a terminal and of Markdown."""

from msgspec.structs import replace

from kernelbench.analysis.advice import Advice
from kernelbench.report import advice, md, terminal
from kernelbench.report.rows import rows
from tests.analysis.advising import timed
from tests.builders import MACHINE_ID, machine, result, sample


def made(count: int) -> list[Advice]:
    return [Advice(f"op{i}", MACHINE_ID, "take", f"op{i}/a takes long. " * 8, (f"op{i}/a",), 2.0) for i in range(count)]


def test_lines_are_numbered_and_fit_the_width() -> None:
    for width in (40, 80, 132):
        found = advice.lines(made(11), width=width)
        assert max(map(len, found)) <= width
        assert found[0].startswith(" 1. op0/a takes long.")
        assert any(line.startswith("11. ") for line in found)


def test_a_terminal_gets_a_dozen_and_how_many_more_there_are() -> None:
    found = advice.lines(made(15), width=200)
    assert found[-1].startswith("    3 more, of less gain")
    assert not any(line.startswith("13.") for line in found)


def test_a_dozen_is_not_called_a_part() -> None:
    assert "more" not in advice.lines(made(12), width=200)[-1]


def test_the_machine_is_named_only_where_there_are_several() -> None:
    one, other = made(2)
    assert advice.texts([one, other])[0].startswith("op0/a")
    assert advice.texts([one, replace(other, machine="feed")])[1].startswith("On feed: op1/a")


def test_both_reports_have_the_same_advice() -> None:
    given = advice.texts(advice.advice(rows(sample()), sample()))
    wide = terminal.render(sample(), width=2000, colour=False)
    assert given
    assert all(text in wide for text in given)
    assert md.render(sample()).count("\n1. ") == 1
    assert "## What to do next" in md.render(sample())


def test_a_report_without_advice_has_no_heading_for_it() -> None:
    quiet = result([timed("matmul/tiled", 3e-3)])
    assert advice.TITLE not in terminal.render(quiet, width=80, colour=False)
    assert advice.TITLE not in md.render(quiet)


def test_names_from_a_file_are_shown_as_text() -> None:
    hostile = "<b>\x1b[31m\u202e|`x"
    found = result([timed(f"{hostile}/tiled", 4e-3), timed(f"{hostile}/lib", 2e-3, style="library")])
    assert advice.advice(rows(found), found)
    shown = terminal.render(found, width=80, colour=False) + md.render(found)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    section = md.render(found).split(advice.TITLE)[1].split("##")[0]
    assert "\\<b\\>" in section
    assert "<b>" not in section


def test_two_machines_with_one_case_id_keep_their_own_numbers() -> None:
    slow = replace(timed("matmul/tiled", 9e-3), machine="feed")
    both = result([timed("matmul/tiled", 3e-3), slow], machines={MACHINE_ID: machine(), "feed": machine("feed")})
    seen = advice.observed(rows(both), both)
    assert sorted((o.record.machine, round(o.median_s, 4)) for o in seen) == [(MACHINE_ID, 0.003), ("feed", 0.009)]

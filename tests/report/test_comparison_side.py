"""Several results beside each other."""

import pytest

from kernelbench.analysis.cell import Cell, Comparison
from kernelbench.report.comparison_side import render_side_by_side
from kernelbench.report.comparison_words import MOST_ROWS, Named, View
from tests.report.comparison_data import every, hostile, named, timed
from tests.report.golden_file import assert_golden


def second() -> Comparison:
    """Another NEW: the regression is gone, one case has no time, one case is its own."""
    kept = [c for c in every().cells if "tiled" not in c.case_id and "relu" not in c.case_id]
    fixed = timed("matmul/tiled/f32/n=512/t=1", "unchanged", 1.001, "")
    gone = Cell("relu/vectorized/f32/n=4096/t=1", "missing", "only in BASE", 1e-3, was_measured=True)
    return Comparison("time", 0.05, (*kept, fixed, gone, Cell("max/naive/f32/n=1/t=1", "new", "only in NEW", new=1.0)))


def test_the_columns_at_80_are_the_golden_ones() -> None:
    assert_golden("comparison-side-80.txt", render_side_by_side([named(), named(second(), new="fix")], width=80))


@pytest.mark.parametrize("width", [60, 80, 120])
def test_more_columns_than_fit_go_into_further_tables(width: int) -> None:
    made = [Named("base", f"candidate-{i}", every()) for i in range(12)]
    text = render_side_by_side(made, width=width)
    assert max(map(len, text.split("\n"))) <= width
    assert all(f"candidate-{i}" in text for i in range(12))


def test_long_names_become_numbers_that_the_head_explains() -> None:
    text = render_side_by_side([named(new="results/a-long-name.json"), named(new="results/another.json")], width=80)
    assert "NEW 1 results/a-long-name.json:" in text
    assert "NEW 2 results/another.json:" in text


def test_the_means_are_over_the_cells_that_all_have() -> None:
    text = " ".join(render_side_by_side([named(new="a"), named(second(), new="b")], width=80).split())
    assert "a geometric mean 1.041 over 4 matched cells; b geometric mean 1.012 over 4 matched cells" in text


def test_without_a_cell_that_all_have_no_means_are_set_beside_each_other() -> None:
    other = Comparison("time", 0.05, (timed("a/b/f32/n=1/t=1", "unchanged", 1.0, ""),))
    assert "there are no means" in render_side_by_side([named(new="a"), named(other, new="b")], width=80)


def test_a_case_is_ordered_by_its_gravest_cell() -> None:
    text = render_side_by_side([named(second(), new="a"), named(new="b")], width=80)
    table = text[text.index("----") :]
    assert table.index("matmul/tiled") < table.index("triad/parallel")


def test_only_changed_keeps_a_case_that_any_column_found_changed() -> None:
    text = render_side_by_side([named(second(), new="a"), named(new="b")], width=80, view=View(only_changed=True))
    assert "matmul/tiled" in text
    assert "matmul/naive" not in text


def test_a_case_that_stands_for_two_machines_is_not_lost() -> None:
    twice = Comparison("time", 0.05, (timed("a/b", "unchanged", 1.0, ""), timed("a/b", "regressed", 2.0, "")))
    text = render_side_by_side([named(twice, new="a"), named(twice, new="b")], width=80)
    assert "1.000 =" in text
    assert "2.000 !" in text


def test_of_ten_thousand_cells_the_table_lists_the_first() -> None:
    many = Comparison("time", 0.05, tuple(timed(f"a/b/f32/n={n}/t=1", "unchanged", 1.0, "") for n in range(10_000)))
    text = render_side_by_side([named(many, new="x"), named(many, new="y")], width=80)
    assert text.count("a/b/f32") == MOST_ROWS
    assert f"and {10_000 - MOST_ROWS} more cells" in text


def test_foreign_names_reach_no_terminal_unspelled() -> None:
    assert "\x1b" not in render_side_by_side([hostile(), hostile()], width=80)

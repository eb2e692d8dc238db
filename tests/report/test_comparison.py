"""A comparison in the terminal: golden output, order, width, untrusted text."""

import json
import re

import pytest

from kernelbench.analysis.cell import Comparison
from kernelbench.report.comparison import render, to_json
from kernelbench.report.comparison_words import MOST_REASONS, MOST_ROWS, View
from tests.report.comparison_data import every, hostile, judged, named, timed
from tests.report.golden_file import assert_golden


def order(text: str) -> list[str]:
    """The case ids of the table, top to bottom."""
    return re.findall(
        r"^(\w+/\w+)/\S+ +(?:regressed|failed|improved|ambiguous|new|missing|incomp|unchanged)", text, re.M
    )


def test_the_table_at_80_columns_is_the_golden_one() -> None:
    assert_golden("comparison-80.txt", render(named(), width=80))


@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = render(named(), width=max(width, 60))
    assert max(map(len, text.split("\n"))) <= max(width, 60)


def test_the_gravest_verdict_comes_first_and_small_sizes_before_large_ones() -> None:
    text = render(named(), width=120)
    assert order(text)[0] == "matmul/tiled"
    assert text.index("matmul/naive/f32/n=64/") < text.index("matmul/naive/f32/n=512/")


def test_sorted_by_ratio_the_slowest_comes_first_and_what_has_none_last() -> None:
    found = order(render(named(), width=120, view=View(sort="ratio")))
    assert found[:2] == ["matmul/tiled", "triad/parallel"]
    assert found.index("relu/vectorized") < found.index("copy/naive")


def test_sorted_by_case_the_ids_decide() -> None:
    found = order(render(named(), width=120, view=View(sort="case")))
    assert found == sorted(found)


def test_only_changed_leaves_the_unchanged_cells_out_but_counts_them() -> None:
    text = render(named(), width=120, view=View(only_changed=True))
    assert "matmul/naive" not in text
    assert "2 unchanged" in text


def test_the_geometric_mean_says_over_how_many_cells_it_is() -> None:
    assert "geometric mean 0.964 over 5 matched cells" in render(named(), width=80)


def test_a_cell_with_a_threshold_of_its_own_shows_it() -> None:
    own = timed("relu/naive/f32/n=1/t=1", "unchanged", 1.0, "", threshold=0.2)
    text = render(named(Comparison("time", 0.05, (*every().cells, own))), width=120)
    assert "(1 cell has another)" in text
    assert re.search(r"relu/naive\S+ .*20\.0%", text)


def test_reasons_of_thousands_of_harmless_cells_are_cut_short_and_of_regressions_never() -> None:
    cells = [
        timed(f"relu/naive/f32/n={n}/t=1", verdict, 1.1, "so") for n in range(99) for verdict in ("regressed", "new")
    ]
    text = render(named(Comparison("time", 0.05, tuple(cells))), width=80)
    assert text.count("regressed: relu") == 99
    assert text.count("new: relu") == MOST_REASONS
    assert f"new: and {99 - MOST_REASONS} more" in text


def test_of_ten_thousand_cells_the_table_lists_the_first_and_every_regression() -> None:
    cells = [timed(f"relu/naive/f32/n={n}/t=1", "unchanged", 1.0, "") for n in range(10_000)]
    slow = [timed(f"sum/naive/f32/n={n}/t=1", "regressed", 0.5, "so") for n in range(3)]
    text = render(named(Comparison("time", 0.05, (*cells, *slow))), width=80, view=View(sort="ratio"))
    assert text.count("relu/naive") == MOST_ROWS - 3
    assert text.count("sum/naive") == 2 * 3
    assert f"and {10_000 + 3 - MOST_ROWS} more cells" in text


def test_foreign_names_reach_no_terminal_unspelled() -> None:
    text = render(hostile(), width=80)
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e]", text)
    assert "\\x1b[31m" in text


def test_a_comparison_of_nothing_still_renders() -> None:
    assert "no cells" in render(named(Comparison("time", 0.05, ())), width=80)


def test_json_holds_every_cell_with_its_threshold_and_the_notes() -> None:
    (one,) = json.loads(to_json([named()]))["comparisons"]
    assert len(one["comparison"]["cells"]) == len(every().cells)
    assert one["comparison"]["cells"][0]["threshold"] == 0.05
    assert one["comparison"]["notes"]


def test_json_holds_expectations_only_where_they_were_asked_for() -> None:
    assert "expectations" not in json.loads(to_json([named()]))
    assert [e["state"] for e in json.loads(to_json([named()], judged()))["expectations"]] == [
        "pass",
        "fail",
        "undecided",
    ]

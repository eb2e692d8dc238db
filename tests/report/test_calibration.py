"""A calibration in the terminal and as JSON."""

import json

import pytest
from msgspec.structs import replace

from kernelbench.analysis.calibration import Calibrated, Calibration, Rates, Runs, Slowed, Smallest
from kernelbench.report.calibration import render, to_json
from tests.builders import MACHINE_ID
from tests.report.comparison_data import HOSTILE
from tests.report.golden_file import assert_golden


def slowed(*found: float) -> tuple[Slowed, ...]:
    """2, 5 and 10%, a little more than that reached."""
    return tuple(
        Slowed(asked, 12, reached=1.01 * asked, found=one) for asked, one in zip((0.02, 0.05, 0.10), found, strict=True)
    )


CELLS = (
    Calibrated(
        "matmul/packed/f32/n=256/t=1", 0.05, 0.05, 12, floor=0.0081, scatter=0.0042, rates=Rates(1.0, 0.0, 0.0),
        slowed=slowed(0.0, 0.31, 1.0), smallest=Smallest(0.0864, "between"),
    ),
    Calibrated(
        "triad/vectorized/f32/n=16777216/t=1", 0.05, 0.071, 12, floor=0.071, scatter=0.031,
        rates=Rates(0.954, 0.002, 0.004), slowed=slowed(0.0, 0.0, 0.62),
    ),
    Calibrated(
        "matmul/numpy/f32/n=256/t=1", 0.05, 0.05, 12, floor=0.02, scatter=0.01, rates=Rates(0.99, 0.0, 0.0),
        why_no_slowdowns="called from Python: extra work fits into compiled kernels only",
    ),
    Calibrated(
        "relu/vectorized/f32/n=64/t=1", 0.05, 0.05, 12, floor=0.011, scatter=0.006, rates=Rates(1.0, 0.0, 0.0),
        slowed=(Slowed(0.02, 0, why="failed on HEAD (warm-up): a step is too coarse"), *slowed(0.0, 0.9, 1.0)[1:]),
        smallest=Smallest(0.0505, "at most"),
    ),
    Calibrated("softmax/online/f32/m=16,n=256/t=1", 0.05, 0.05, 0, failed="failed on HEAD (verify): wrong"),
    Calibrated("gemv/tiled/f32/m=64,n=64/t=1", 0.05, 0.05, 5, scatter=0.01),
)  # fmt: skip
FOUND = Calibration(
    MACHINE_ID, "Example CPU 9000", "2026-01-02T03:04:05+00:00", 12, 500, 0.05, CELLS, Runs(0.002, 0.004),
    ("each side worked in memory of its own (asked for): expect more scatter",),
)  # fmt: skip


def test_the_report_at_80_columns_is_the_golden_one() -> None:
    assert_golden("calibration-80.txt", render(FOUND, width=80))


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(map(len, render(FOUND, width=width).split("\n"))) <= width


def test_a_wide_terminal_shows_scatter_and_whole_case_ids() -> None:
    text = render(FOUND, width=160)
    assert "scatter" in text
    assert "triad/vectorized/f32/n=16777216/t=1 " in text


def test_it_says_that_replays_are_not_runs() -> None:
    assert "not 500 runs" in " ".join(render(FOUND, width=80).split())


def test_without_rates_it_says_so_and_states_none() -> None:
    few = replace(FOUND, cells=CELLS[-1:], runs=Calibration.__struct_defaults__[0])
    text = render(few, width=80)
    assert "no rates: no cell has the 8 rounds that they need" in text
    assert "whole runs" not in text
    assert "alarm" not in text


def test_without_slowdowns_there_are_no_columns_of_them() -> None:
    text = render(replace(FOUND, cells=CELLS[2:3]), width=80)
    assert "sees" not in text
    assert "+5%" not in text


def test_where_everything_failed_the_reasons_are_left() -> None:
    text = render(replace(FOUND, cells=CELLS[4:5], runs=Calibration.__struct_defaults__[0]), width=80)
    assert "failed on HEAD (verify): wrong" in " ".join(text.split())


def test_cells_of_one_reason_share_a_line() -> None:
    alike = tuple(replace(CELLS[2], case_id=f"matmul/numpy/f32/n={n}/t=1") for n in (64, 128, 256))
    assert "matmul/numpy/f32/n=64/t=1 and 2 more: identical code only" in render(replace(FOUND, cells=alike), width=200)


def test_untrusted_text_reaches_no_terminal() -> None:
    bad = replace(CELLS[4], case_id=HOSTILE, failed=HOSTILE)
    fine = replace(CELLS[0], case_id=HOSTILE)
    text = render(replace(FOUND, cells=(bad, fine), cpu=HOSTILE, notes=(HOSTILE,)), width=80)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_json_has_every_number_at_full_precision() -> None:
    found = json.loads(to_json(FOUND))
    assert found["cells"][0]["floor"] == 0.0081
    assert found["runs"] == {"regressed": 0.002, "improved": 0.004}
    assert "floor" not in found["cells"][5]

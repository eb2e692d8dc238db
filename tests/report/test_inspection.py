"""An inspection as text: everything in its place, within its width, and nothing of the user's let through raw."""

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from kernelbench.model import Case
from kernelbench.model.inspection import Carried, Foreseen, Inspection, LoopLine, Mix, Ran, Said
from kernelbench.report.inspection import render
from kernelbench.report.inspection_diff import loops_diff, side_by_side, summary
from tests.report.golden_file import assert_golden

LINES = (
    LoopLine(".LBB0_6:"),
    LoopLine("vaddps (%rcx,%r9,4), %zmm1, %zmm1", "add/mul zmm, 16 FLOP, in 64 B", 256),
    LoopLine("addq $16, %r9", "integer", 256),
    LoopLine("cmpq %r9, %rdx", "integer", 256),
    LoopLine("jne .LBB0_6", "branch", 256),
)
FOUND = Inspection(
    case=Case("sum/vectorized/f32/n=4096/t=1", "sum", "sum/vectorized", "vectorized", "f32", {"n": 4096}, 1),
    isa_used="avx512",
    function="my_kernels.total",
    label=".LBB0_6",
    lines=LINES,
    mix=Mix(
        {"add/mul": {"zmm": 1}, "load": {"zmm": 1}, "integer": {"scalar": 2}, "branch": {"scalar": 1}},
        4,
        "zmm",
        flop=16,
        int_ops=0,
        load_bytes=64,
        store_bytes=0,
        stack_bytes=0,
    ),
    depth=1,
    loops=2,
    vectorized=True,
    reasons=("LLVM: vectorized loop (vectorization width: 16, interleaved count: 1)",),
    remarks=(Said("my.py:12", "vectorized loop (vectorization width: 16, interleaved count: 1)", True),),
    where="my.py:12",
    chains=(Carried(("v1",), ("vaddps (%rcx,%r9,4), %zmm1, %zmm1",), 3.0, "arithmetic"),),
    latencies="zen4",
    iterations=256,
    share=0.72,
    ran=(
        Ran("my_kernels.total", ".LBB0_6", "zmm", 256, 0.72, 0.97),
        Ran("my_kernels.total", ".LBB0_9", "scalar", 31, 0.2, 0.03),
    ),
    foreseen=Foreseen("ZEN4", {"0": 0.5, "10": 1.0, "12": 1.0}, 3.0, 3.0, ("vpfoo %zmm0, %zmm1",)),
    call_s=256 * 4.0 / 3.5e9,
    clock_hz=3.5e9,
)
SCALAR = replace(
    FOUND,
    case=replace(FOUND.case, isa="scalar"),
    mix=replace(FOUND.mix, width="scalar", counts={"add/mul": {"scalar": 1}, "branch": {"scalar": 1}}, flop=1),
    lines=(LoopLine(".LBB0_1:"), LoopLine("addss (%rcx,%r9,4), %xmm1", "add/mul", 4096), *LINES[2:]),
    vectorized=False,
    reasons=("a reason",),
    call_s=4 * FOUND.call_s,
)


def test_the_whole_text_is_as_it_was() -> None:
    assert_golden("inspection-80.txt", render(FOUND))


def test_two_levels_are_set_beside_each_other() -> None:
    both = side_by_side((SCALAR, FOUND)) + "\n\n" + loops_diff(SCALAR, FOUND) + "\n\n" + summary(SCALAR, FOUND) + "\n"
    assert_golden("inspection-diff-80.txt", both)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    long = replace(FOUND, reasons=("a reason " * 30,), unforeseen="no words " * 30, foreseen=UNSET)
    wide = replace(long, lines=(LoopLine("vfoo " + "%zmm0, " * 40, "a note " * 20),))
    assert max(map(len, render(wide, width=width).splitlines())) <= width


@pytest.mark.parametrize("count", [2, 3, 5])
def test_columns_share_the_width(count: int) -> None:
    assert max(map(len, side_by_side((FOUND,) * count).splitlines())) <= 80


def test_cycles_are_the_whole_calls_shared_out_over_its_iterations() -> None:
    assert FOUND.cycles == pytest.approx(4.0)
    assert replace(FOUND, case=replace(FOUND.case, threads=2)).cycles == pytest.approx(8.0)
    assert replace(FOUND, iterations=UNSET).cycles is UNSET


def test_what_was_not_counted_says_why_and_that_it_is_a_guess() -> None:
    text = render(replace(FOUND, iterations=UNSET, share=UNSET, ran=(), uncounted="it calls foo"))
    assert "not counted (it calls foo)" in text
    assert "the iterations are not counted" in text


def test_without_a_prediction_the_reason_stands_in_its_place() -> None:
    assert "no prediction: OSACA is not installed" in render(
        replace(FOUND, foreseen=UNSET, unforeseen="OSACA is not installed")
    )


def test_without_a_time_the_reason_stands_in_its_place() -> None:
    assert "not timed: not asked for" in render(replace(FOUND, call_s=UNSET, untimed="not asked for"))


def test_loops_of_the_call_are_listed_only_where_the_hot_one_is_not_nearly_all() -> None:
    assert "loops run" in render(FOUND)
    assert "loops run" not in render(replace(FOUND, share=0.99))


def test_what_comes_from_the_users_code_is_spelled_out() -> None:
    text = render(
        replace(FOUND, function="evil\x1b[31m", where="a\u202eb.py:1", remarks=(Said("x", "\x1b]0;y\x07", True),))
    )
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_equal_loops_are_said_to_be() -> None:
    other = replace(FOUND, lines=(LoopLine(".LBB7_1:"), *LINES[1:-1], LoopLine("jne .LBB7_1")))
    assert loops_diff(FOUND, other) == "the loops are the same, line for line"


def test_other_work_is_not_compared_in_time() -> None:
    other = replace(FOUND, case=replace(FOUND.case, shape={"n": 8}))
    assert summary(FOUND, other) == ""

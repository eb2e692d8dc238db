"""Counting what a loop consists of."""

import pytest

from kernelbench.native.histogram import histogram
from kernelbench.native.loops import Loop, hot_loop
from tests.native.loops_data import EPILOGUE


def test_an_instruction_that_computes_on_memory_is_counted_as_a_load_as_well() -> None:
    assert histogram(["vaddps (%rdi), %zmm0, %zmm1"]).counts == {"add/mul": {"zmm": 1}, "load": {"zmm": 1}}


def test_operations_and_bytes_are_those_of_all_lanes() -> None:
    loop = hot_loop(EPILOGUE)
    assert isinstance(loop, Loop)
    found = histogram(loop.lines)
    assert (found.flop, found.load_bytes, found.store_bytes) == (32, 128, 128)


def test_the_width_is_that_of_most_operations_not_the_widest_register_met() -> None:
    lines = ["vxorps %zmm9, %zmm9, %zmm9", *["vaddps %ymm0, %ymm1, %ymm2"] * 3, "vaddss %xmm0, %xmm1, %xmm2"]
    assert histogram(lines).width == "ymm"


def test_where_nothing_computes_the_width_is_that_of_what_is_moved() -> None:
    assert histogram(["vmovups (%rdi), %ymm0", "vmovups %ymm0, (%rsi)", "addq $32, %rdi"]).width == "ymm"


def test_scalar_floats_in_vector_registers_are_scalar() -> None:
    assert histogram(["vmulss (%rdi), %xmm0, %xmm1", "vaddss %xmm1, %xmm2, %xmm2"]).width == "scalar"


@pytest.mark.parametrize(("compare", "width"), [("vcmpltss", "scalar"), ("vcmpltps", "xmm")])
def test_a_choice_is_as_wide_as_the_comparison_that_it_follows(compare: str, width: str) -> None:
    # There is no form of it for single numbers.
    lines = ["vmovups (%rdi), %ymm1", f"{compare} %xmm1, %xmm0, %xmm2", "vblendvps %xmm2, %xmm1, %xmm0, %xmm0"]
    assert histogram(lines).width == width


def test_traffic_of_the_stack_is_kept_apart() -> None:
    found = histogram(["vmovups 64(%rsp), %zmm0", "vaddps 128(%rsp), %zmm0, %zmm1", "vmovups (%rdi), %zmm2"])
    assert found.counts["spill"] == {"zmm": 2}
    assert (found.load_bytes, found.stack_bytes) == (64, 128)


def test_labels_are_no_instructions() -> None:
    assert histogram([".LBB0_1:", "jne .LBB0_1"]).instructions == 1


def test_nothing_at_all_is_scalar() -> None:
    assert histogram([]).width == "scalar"

"""Every x86 level has a target whose code has that level's registers and no wider ones."""

import platform

import pytest

from kernelbench.model import ISA_LEVELS
from kernelbench.native.assembly import isa_used
from kernelbench.native.jit import compile_ir
from kernelbench.native.targets import TARGETS

SQUARE_64_BYTES = """
define void @square(ptr %x) "prefer-vector-width"="512" {
  %v = load <16 x float>, ptr %x, align 4
  %w = fmul <16 x float> %v, %v
  store <16 x float> %w, ptr %x, align 4
  ret void
}
"""
SQUARE_ONE = """
define float @square(float %x) {
  %y = fmul float %x, %x
  ret float %y
}
"""
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86-64 targets")


def test_the_levels_of_x86_and_the_targets_are_the_same_in_the_same_order() -> None:
    assert tuple(TARGETS) == ISA_LEVELS["x86_64"]


@on_x86
@pytest.mark.parametrize(
    ("level", "registers"), [("sse2", "sse2"), ("sse4.2", "sse2"), ("avx2", "avx2"), ("avx512", "avx512")]
)
def test_a_wide_vector_is_split_into_the_registers_of_the_level(level: str, registers: str) -> None:
    target = TARGETS[level]
    assert isa_used(compile_ir(SQUARE_64_BYTES, cpu=target.cpu, features=target.features).assembly) == registers


@on_x86
@pytest.mark.parametrize(("level", "vex"), [("scalar", False), ("sse4.2", False), ("avx2", True), ("avx512", True)])
def test_only_the_levels_from_avx2_on_have_three_operand_instructions(level: str, vex: bool) -> None:
    target = TARGETS[level]
    assembly = compile_ir(SQUARE_ONE, cpu=target.cpu, features=target.features).assembly
    assert ("vmulss" in assembly) is vex
    assert isa_used(assembly) == "scalar"

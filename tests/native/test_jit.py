"""IR text becomes callable code for this host or for another instruction-set level."""

import ctypes
import platform

import pytest

from kernelbench.native.host import llvm_host
from kernelbench.native.jit import compile_ir

ADD = "define i64 @add(i64 %a, i64 %b) {\n  %c = add i64 %a, %b\n  ret i64 %c\n}"
SCALE = """
define void @scale(ptr %x) "prefer-vector-width"="512" {
  %v = load <16 x float>, ptr %x, align 4
  %w = fmul <16 x float> %v, %v
  store <16 x float> %w, ptr %x, align 4
  ret void
}
"""


def test_a_compiled_function_can_be_called() -> None:
    code = compile_ir(ADD)
    assert ctypes.CFUNCTYPE(ctypes.c_int64, *[ctypes.c_int64] * 2)(code.address("add"))(40, 2) == 42


def test_a_function_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="subtract"):
        compile_ir(ADD).address("subtract")


def test_text_that_is_no_ir_is_refused_with_the_parsers_words() -> None:
    with pytest.raises(RuntimeError, match=r"expected|error"):
        compile_ir("define nonsense")


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the levels named here are those of x86-64")
@pytest.mark.parametrize(("cpu", "register"), [("x86-64", "%xmm"), ("haswell", "%ymm"), ("x86-64-v4", "%zmm")])
def test_the_target_decides_the_registers(cpu: str, register: str) -> None:
    features = "+avx512f,+avx512vl,+evex512" if cpu == "x86-64-v4" else ""
    assert register in compile_ir(SCALE, cpu=cpu, features=features).assembly


def test_the_host_has_a_name_and_features() -> None:
    name, features = llvm_host()
    assert name
    assert features

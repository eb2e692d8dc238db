"""A copy of compiled code that counts how often each of its lines runs."""

import ctypes
import platform

import pytest

from kernelbench.native.assembly import bodies
from kernelbench.native.counting import CannotCount, CountingCopy, unresolved
from kernelbench.native.jit import compile_ir
from kernelbench.native.loops import Loop, most_run

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="counts in x86-64 code")

SUM = """
define i64 @total(ptr %x, i64 %n) {
entry:
  %any = icmp sgt i64 %n, 0
  br i1 %any, label %body, label %done
body:
  %i = phi i64 [0, %entry], [%next, %body]
  %sum = phi i64 [0, %entry], [%more, %body]
  %p = getelementptr i64, ptr %x, i64 %i
  %v = load volatile i64, ptr %p
  %more = add i64 %sum, %v
  %next = add i64 %i, 1
  %again = icmp slt i64 %next, %n
  br i1 %again, label %body, label %done
done:
  %result = phi i64 [0, %entry], [%more, %body]
  ret i64 %result
}
"""


@pytest.fixture(scope="module")
def assembly() -> str:
    return compile_ir(SUM).assembly


def called(copy: CountingCopy, n: int) -> int:
    values = (ctypes.c_int64 * max(1, n))(*range(n))
    function = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64)(copy.address)
    return int(function(ctypes.addressof(values), n))


def test_a_copy_computes_what_the_code_computes(assembly: str) -> None:
    assert called(CountingCopy(assembly, "total"), 1000) == 499500


def test_each_instruction_of_the_loop_ran_once_an_iteration(assembly: str) -> None:
    copy = CountingCopy(assembly, "total")
    called(copy, 1000)
    loop = most_run(assembly, copy.counts())
    assert isinstance(loop, Loop)
    ran = [copy.counts()[loop.function][place] for place in loop.places]
    assert {count for line, count in zip(loop.lines, ran, strict=True) if not line.endswith(":")} == {1000}


def test_what_is_passed_by_did_not_run(assembly: str) -> None:
    copy = CountingCopy(assembly, "total")
    called(copy, 0)
    assert most_run(assembly, copy.counts()) is not None
    assert 0 < sum(copy.counts()["total"]) < len(bodies(assembly)["total"].lines)


def test_counts_add_up_over_calls(assembly: str) -> None:
    copy = CountingCopy(assembly, "total")
    called(copy, 10)
    called(copy, 20)
    assert max(copy.counts()["total"]) == 30


def test_a_function_that_this_process_lacks_is_named() -> None:
    text = "kernel:\n\tmovabsq\t$no_such_function_anywhere, %rax\n\tcallq\t*%rax\n\tretq\n"
    assert unresolved(text) == ["no_such_function_anywhere"]
    with pytest.raises(CannotCount, match="no_such_function_anywhere"):
        CountingCopy(text, "kernel")


def test_what_the_code_defines_itself_is_not_missing(assembly: str) -> None:
    assert unresolved(assembly) == []

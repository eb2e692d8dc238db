"""Code with one kind of instruction taken out: what is changed, what is left alone, and that it still compiles."""

import pytest

from kernelbench.model import profile
from kernelbench.native import rewrite as rewriting
from kernelbench.native.chains import carried
from kernelbench.native.jit import compile_ir
from kernelbench.native.rewrite import REWRITES, rewrite

SUM = """define double @f(ptr %x, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %j, %loop ]
  %t = phi double [ 0.0, %entry ], [ %u, %loop ]
  %p = getelementptr double, ptr %x, i64 %i
  %v = load double, ptr %p, align 8
  %q = fdiv double %v, 3.0
  %u = fadd double %t, %q
  %j = add i64 %i, 1
  %c = icmp eq i64 %j, %n
  br i1 %c, label %done, label %loop
done:
  ret double %u
}
"""

STEERED = """define i64 @f(double %x) {
  %h = fdiv double %x, 2.0
  %n = fptosi double %h to i64
  ret i64 %n
}
"""


def test_the_value_carried_around_a_loop_is_found_and_the_counter_is_none() -> None:
    (one,) = carried(SUM.split("\n"))
    assert (one.phi, one.initial, one.back) == ("%t", "0.0", ("%u",))


def test_cutting_the_chain_starts_every_iteration_anew_and_keeps_the_addition() -> None:
    done = rewrite(SUM, rewriting.CHAINS_CUT)
    assert done.count == 1
    assert "%t = phi double [ 0.0, %entry ], [ 0.0, %loop ]" in done.text
    assert 'asm sideeffect "", "x"(double %u)' in done.text


def test_divides_become_multiplications() -> None:
    assert "fmul double %v, 3.0" in rewrite(SUM, rewriting.NO_DIVIDES).text


def test_a_divide_that_counts_turns_is_left_alone() -> None:
    assert rewrite(STEERED, rewriting.NO_DIVIDES).count == 0


def test_without_arithmetic_the_loads_stay() -> None:
    text = rewrite(SUM, rewriting.NO_ARITHMETIC).text
    assert "load volatile double" in text
    assert "fadd" not in text
    assert "%j = add i64 %i, 1" in text


def test_without_loads_the_arithmetic_stays() -> None:
    text = rewrite(SUM, rewriting.NO_MEMORY).text
    assert "load double" not in text
    assert "fadd double %t, %q" in text


def test_calls_of_transcendental_functions_are_known_by_their_names() -> None:
    text = "define float @f(float %x) {\n  %y = tail call float @{name}(float %x)\n  ret float %y\n}\n"
    for name in ("expf", "llvm.exp.f32", "tanhf"):
        assert rewrite(text.replace("{name}", name), rewriting.NO_TRANSCENDENTALS).count == 1
    assert rewrite(text.replace("{name}", "llvm.fabs.f32"), rewriting.NO_TRANSCENDENTALS).count == 0


@pytest.mark.parametrize("name", [name for name in REWRITES if "transcend" not in name and "unpack" not in name])
def test_every_rewritten_module_compiles(name: str) -> None:
    assert compile_ir(rewrite(SUM, name).text).address("f")


def test_the_rewrites_are_named_as_the_model_names_their_counterfactuals() -> None:
    names = (
        profile.CHAINS_CUT,
        profile.NO_DIVIDES,
        profile.NO_TRANSCENDENTALS,
        profile.NO_UNPACKING,
        profile.NO_ARITHMETIC,
        profile.NO_MEMORY,
    )
    assert tuple(REWRITES) == names

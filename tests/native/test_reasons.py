"""Why a loop is vectorized or not, in words."""

from msgspec import UNSET

from kernelbench.native.carried import loop_carried
from kernelbench.native.histogram import histogram
from kernelbench.native.reasons import reasons, vectorized

SUM = ["vaddss (%rdi), %xmm0, %xmm0", "addq $4, %rdi", "jne .LBB0_1"]
WIDE = ["vaddps (%rdi), %zmm0, %zmm1", "vmovups %zmm1, (%rdi)", "addq $64, %rdi", "jne .LBB0_1"]


def why(lines: list[str], said: list[str] | None = None) -> str:
    return "; ".join(reasons(lines, histogram(lines), loop_carried(lines), UNSET if said is None else said))


def test_a_sum_without_reassociation_says_so_without_any_remark() -> None:
    assert not vectorized(histogram(SUM))
    assert "may not be reordered without fast-math" in why(SUM)


def test_llvms_own_words_come_first() -> None:
    assert why(SUM, ["loop not vectorized: cannot prove it"]).startswith("LLVM: loop not vectorized: cannot prove it;")


def test_a_loop_that_llvm_vectorized_tells_its_words() -> None:
    assert why(WIDE, ["vectorized loop (vectorization width: 16, interleaved count: 4)"]) == (
        "LLVM: vectorized loop (vectorization width: 16, interleaved count: 4)"
    )


def test_vectors_that_llvm_did_not_make_are_the_kernels_own() -> None:
    assert "the kernel is written in vectors" in why(WIDE, ["loop not vectorized"])


def test_without_a_source_line_nobody_is_said_to_have_made_the_vectors() -> None:
    assert "its source line is not known" in why(WIDE)


def test_a_call_in_the_loop_is_a_reason() -> None:
    assert "it calls a function" in why(["vmovss (%rdi), %xmm0", "callq *%rax", "vmovss %xmm0, (%rdi)", "jne .L"])


def test_branches_on_data_are_a_reason() -> None:
    assert "branches on its data" in why(["vucomiss (%rdi), %xmm0", "ja .LBB0_2", "addq $4, %rdi", "jne .LBB0_1"])

"""Which vector registers code really computes in, read off short pieces of assembly."""

import pytest

from kernelbench.native.assembly import functions, isa_used


def function(*lines: str) -> str:
    return "\n".join(["\t.text", "\t.globl\tkernel", "kernel:", *(f"\t{line}" for line in lines), "\tretq"])


CHOICE = "vblendvps\t%xmm2, %xmm1, %xmm0, %xmm0"
X86 = {
    "512-bit arithmetic": ("avx512", ["vfmadd231ps\t(%rdi), %zmm0, %zmm1"]),
    "512-bit loads and stores": ("avx512", ["vmovups\t(%rdi), %zmm0", "vmovups\t%zmm0, (%rsi)"]),
    "256-bit arithmetic": ("avx2", ["vaddps\t%ymm0, %ymm1, %ymm2"]),
    "256-bit arithmetic beside a wide zero": ("avx2", ["vpxorq\t%zmm0, %zmm0, %zmm0", "vaddps\t%ymm0, %ymm1, %ymm2"]),
    "wide moves to the stack only": ("scalar", ["vmovups\t%ymm0, 32(%rsp)", "vmovups\t%zmm1, -64(%rbp)"]),
    "wide zeroing only": ("scalar", ["vxorps\t%ymm0, %ymm0, %ymm0", "pxor\t%xmm1, %xmm1", "addsd\t%xmm2, %xmm3"]),
    "scalar floats in vector registers": ("scalar", ["vmulss\t(%rdi), %xmm0, %xmm1", "vaddss\t%xmm1, %xmm2, %xmm2"]),
    "scalar floats copied between registers": ("scalar", ["movaps\t%xmm0, %xmm1", "mulsd\t(%rdi), %xmm1"]),
    "the sign of a scalar float": ("scalar", ["xorps\t.LCPI0_0(%rip), %xmm0", "vandps\t%xmm2, %xmm0, %xmm1"]),
    "a scalar float chosen of two": ("scalar", ["vcmpltss\t%xmm1, %xmm0, %xmm2", CHOICE]),
    "packed floats chosen of two": ("sse2", ["vcmpltps\t%xmm1, %xmm0, %xmm2", CHOICE]),
    "scalar conversion": ("scalar", ["cvtsi2sd\t%rax, %xmm0", "ucomisd\t%xmm0, %xmm1"]),
    "packed floats": ("sse2", ["mulps\t%xmm0, %xmm1"]),
    "packed floats with AVX encoding": ("sse2", ["vmulpd\t%xmm0, %xmm1, %xmm2"]),
    "packed integers": ("sse2", ["paddd\t%xmm0, %xmm1"]),
    "packed loads and stores": ("sse2", ["movups\t(%rdi), %xmm0", "movups\t%xmm0, (%rsi)"]),
    "integers only": ("scalar", ["pushq\t%rbx", "popcntq\t%rax, %rcx", "addq\t$1, %rax", "popq\t%rbx"]),
    "a register named in a comment": ("scalar", ["addq\t$1, %rax  # not %zmm3"]),
}


@pytest.mark.parametrize(("expected", "lines"), X86.values(), ids=X86)
def test_the_widest_level_computed_in_is_found(expected: str, lines: list[str]) -> None:
    assert isa_used(function(*lines)) == expected


@pytest.mark.parametrize(
    ("expected", "line"),
    [
        ("neon", "fmla\tv0.4s, v1.4s, v2.4s"),
        ("neon", "ld1\t{ v0.16b }, [x0]"),
        ("scalar", "fmadd\td0, d1, d2, d3"),
        ("scalar", "add\tx0, x0, #1"),
    ],
)
def test_vector_registers_of_arm_are_known(expected: str, line: str) -> None:
    assert isa_used(function(line)) == expected


def test_nothing_at_all_is_scalar() -> None:
    assert isa_used("") == "scalar"


@pytest.mark.parametrize("wrapper", ["_ZN7cpython6kernel", "cfunc.kernel", "numba_gil_ensure"])
def test_wrappers_that_convert_python_objects_are_not_the_kernel(wrapper: str) -> None:
    text = function("addsd\t%xmm0, %xmm1") + f"\n{wrapper}:\n\tvmovups\t(%rdi), %zmm0\n\tvaddps\t%zmm0, %zmm1, %zmm1\n"
    assert isa_used(text) == "scalar"


def test_local_labels_belong_to_the_function_they_are_in() -> None:
    found = functions("kernel:\n\txorl %eax, %eax\n.LBB0_1:\n\tincq  %rax\n\t.p2align 4\nother:\n\tretq\n")
    assert found == {"kernel": ["xorl %eax, %eax", "incq %rax"], "other": ["retq"]}

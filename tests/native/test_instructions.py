"""Single instructions: kind, width, operations, bytes. What they are is Intel's manual's, not this code's."""

import pytest

from kernelbench.native.instructions import parse

SEEN = {
    # line: (kind, width, FLOP, integer operations, bytes loaded, bytes stored)
    "vfmadd231ps (%rax), %zmm1, %zmm2": ("fma", "zmm", 32, 0, 64, 0),
    "vfmadd231ps (%rax){1to16}, %zmm1, %zmm2": ("fma", "zmm", 32, 0, 4, 0),
    "vfnmadd213pd %ymm0, %ymm1, %ymm2": ("fma", "ymm", 8, 0, 0, 0),
    "vfmadd231ss 4(%rdi,%rcx,4), %xmm1, %xmm0": ("fma", "scalar", 2, 0, 4, 0),
    "vaddps %ymm0, %ymm1, %ymm2": ("add/mul", "ymm", 8, 0, 0, 0),
    "mulsd (%rdi), %xmm1": ("add/mul", "scalar", 1, 0, 8, 0),
    "addps %xmm0, %xmm1": ("add/mul", "xmm", 4, 0, 0, 0),
    "vdivpd %zmm0, %zmm1, %zmm2": ("divide", "zmm", 8, 0, 0, 0),
    "vsqrtss %xmm0, %xmm1, %xmm2": ("divide", "scalar", 1, 0, 0, 0),
    "vmaxps %zmm0, %zmm1, %zmm2": ("compare", "zmm", 16, 0, 0, 0),
    "vcmpltps %zmm0, %zmm1, %k1": ("compare", "zmm", 0, 0, 0, 0),
    "vpmaxsb %ymm0, %ymm1, %ymm2": ("compare", "ymm", 0, 32, 0, 0),
    "vpdpbusd (%rdi){1to16}, %zmm1, %zmm0": ("dot", "zmm", 0, 128, 4, 0),
    "vdpbf16ps %zmm0, %zmm1, %zmm2": ("dot", "zmm", 64, 0, 0, 0),
    "vpmaddwd %ymm0, %ymm1, %ymm2": ("dot", "ymm", 0, 24, 0, 0),
    "vpaddd %zmm0, %zmm1, %zmm2": ("integer", "zmm", 0, 16, 0, 0),
    "vmovups 64(%rcx,%r9,4), %zmm0": ("load", "zmm", 0, 0, 64, 0),
    "vmovups %ymm1, (%rax,%r9,4)": ("store", "ymm", 0, 0, 0, 32),
    "vmovss (%rcx), %xmm0": ("load", "scalar", 0, 0, 4, 0),
    "vmovsd %xmm0, (%rcx)": ("store", "scalar", 0, 0, 0, 8),
    "vbroadcastss (%rsi), %zmm3": ("load", "zmm", 0, 0, 4, 0),
    "vbroadcastss %xmm1, %zmm3": ("shuffle", "zmm", 0, 0, 0, 0),
    "vpmovsxbd (%rdi,%rax), %zmm0": ("convert", "zmm", 0, 0, 16, 0),
    "vpmovdb %zmm0, (%rdi)": ("convert", "zmm", 0, 0, 0, 16),
    "vcvtdq2ps %zmm0, %zmm1": ("convert", "zmm", 0, 0, 0, 0),
    "vcvtsi2ss %eax, %xmm0, %xmm1": ("convert", "scalar", 0, 0, 0, 0),
    "vgatherdps (%rax,%zmm1,4), %zmm0 {%k1}": ("gather", "zmm", 0, 0, 64, 0),
    "vpermilps $177, %ymm0, %ymm1": ("shuffle", "ymm", 0, 0, 0, 0),
    "vxorps %xmm0, %xmm0, %xmm0": ("bitwise", "xmm", 0, 0, 0, 0),
    "vmovaps %zmm1, %zmm2": ("move", "zmm", 0, 0, 0, 0),
    "vmovups %zmm0, 64(%rsp)": ("spill", "zmm", 0, 0, 0, 64),
    "movq 8(%rsp), %rax": ("spill", "scalar", 0, 0, 8, 0),
    "pushq %rbx": ("spill", "scalar", 0, 0, 0, 8),
    "movq (%rax), %rcx": ("load", "scalar", 0, 0, 8, 0),
    "movzbl (%rdi), %eax": ("load", "scalar", 0, 0, 1, 0),
    "movl %eax, (%rdi)": ("store", "scalar", 0, 0, 0, 4),
    "movq %rax, %rcx": ("integer", "scalar", 0, 0, 0, 0),
    "addq $1, (%rdi)": ("integer", "scalar", 0, 0, 8, 8),
    "addq $8, %rsi": ("integer", "scalar", 0, 0, 0, 0),
    "leaq (%rdx,%rsi,4), %rdx": ("integer", "scalar", 0, 0, 0, 0),
    "cmpq (%rdi), %rax": ("integer", "scalar", 0, 0, 8, 0),
    "idivl %ecx": ("divide", "scalar", 0, 0, 0, 0),
    "jne .LBB0_6": ("branch", "scalar", 0, 0, 0, 0),
    "callq *%rax": ("call", "scalar", 0, 0, 0, 0),
    "prefetcht0 64(%rdi)": ("other", "scalar", 0, 0, 0, 0),
}


@pytest.mark.parametrize(("line", "wanted"), SEEN.items(), ids=SEEN)
def test_an_instruction_is_what_the_manual_says(line: str, wanted: tuple[str, str, float, float, float, float]) -> None:
    one = parse(line)
    assert (one.kind, one.width, one.flop, one.int_ops, one.load_bytes, one.store_bytes) == wanted


def test_an_operand_in_memory_is_one_operand_whatever_commas_it_holds() -> None:
    assert parse("vaddps 64(%rcx,%r9,4), %zmm0, %zmm1").operands == ("64(%rcx,%r9,4)", "%zmm0", "%zmm1")


def test_a_masked_target_keeps_its_mask() -> None:
    assert parse("vmovups (%rax), %zmm0 {%k1} {z}").operands[-1] == "%zmm0 {%k1} {z}"

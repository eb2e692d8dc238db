"""Chains of dependent instructions around a loop."""

import pytest

from kernelbench.native.carried import loop_carried, registers
from kernelbench.native.latencies import LATENCIES, latencies_of

ADD, FMA = LATENCIES["zen4"]["add"], LATENCIES["zen4"]["fma"]


def test_a_sum_in_one_register_waits_for_every_addition() -> None:
    (chain, *_) = loop_carried(["vaddss (%rdi), %xmm0, %xmm0", "vaddss 4(%rdi), %xmm0, %xmm0", "addq $8, %rdi"])
    assert (chain.registers, chain.cycles, chain.kind) == (("v0",), 2 * ADD, "arithmetic")


def test_several_sums_are_several_chains_none_longer_than_its_own() -> None:
    found = loop_carried([f"vaddps {64 * i}(%rdi), %zmm{i}, %zmm{i}" for i in range(4)])
    assert [chain.cycles for chain in found] == [ADD] * 4


def test_a_multiply_add_hands_its_target_on() -> None:
    (chain,) = loop_carried(["vfmadd231ps (%rdi), %zmm1, %zmm0"])
    assert (chain.registers, chain.cycles) == (("v0",), FMA)


def test_what_is_written_before_it_is_read_is_not_carried() -> None:
    assert loop_carried(["vmovups (%rdi), %zmm0", "vaddps %zmm0, %zmm0, %zmm1", "vmovups %zmm1, (%rsi)"]) == ()


def test_a_register_zeroed_in_the_loop_is_not_carried() -> None:
    assert loop_carried(["vxorps %xmm0, %xmm0, %xmm0", "vfmadd231ps %zmm1, %zmm2, %zmm0"]) == ()


def test_a_counter_is_a_chain_of_addresses() -> None:
    (chain,) = loop_carried(["addq $64, %r9", "cmpq %r9, %rdx", "jne .LBB0_1"])
    assert (chain.kind, chain.cycles) == ("address", 1)


def test_two_registers_that_swap_carry_one_chain_around_two_iterations() -> None:
    (chain, *_) = loop_carried(["vaddss %xmm2, %xmm0, %xmm3", "vmovaps %xmm1, %xmm0", "vmovaps %xmm3, %xmm1"])
    assert chain.registers == ("v0", "v1")
    assert chain.cycles == ADD / 2


def test_a_sum_kept_in_memory_goes_through_store_and_load() -> None:
    found = loop_carried(
        ["vmovss (%rax), %xmm0", "vaddss (%rdi), %xmm0, %xmm0", "vmovss %xmm0, (%rax)", "addq $4, %rdi"]
    )
    assert found[0].kind == "memory"
    assert found[0].cycles == ADD + LATENCIES["zen4"]["forward"]


def test_stores_to_an_address_that_moves_carry_nothing() -> None:
    found = loop_carried(["vmovss (%rax), %xmm0", "vmovss %xmm0, (%rax)", "addq $4, %rax"])
    assert [chain.kind for chain in found] == ["address"]


def test_a_merging_mask_reads_its_target() -> None:
    assert loop_carried(["vaddps %zmm1, %zmm2, %zmm0 {%k1}"])[0].registers == ("v0",)
    assert loop_carried(["vaddps %zmm1, %zmm2, %zmm0 {%k1} {z}"]) == ()


def test_a_pointer_chased_is_a_chain_through_its_load() -> None:
    (chain,) = loop_carried(["movq (%rax), %rax", "decq %rcx", "jne .LBB0_1"])[:1]
    assert chain.registers == ("a",)
    assert chain.cycles == LATENCIES["zen4"]["load"]


@pytest.mark.parametrize(
    ("operand", "name"),
    {
        "%zmm3": "v3",
        "%xmm3": "v3",
        "%eax": "a",
        "%al": "a",
        "%r9d": "r9",
        "%r11": "r11",
        "%sil": "si",
        "%rdi": "di",
        "%ebp": "bp",
        "%rdx": "d",
        "%k1": "k1",
        "%cl": "c",
        "%bh": "b",
    }.items(),
)
def test_a_register_has_one_name_whatever_its_width(operand: str, name: str) -> None:
    assert registers(operand) == {name}


def test_a_design_without_a_table_of_its_own_says_whose_it_takes() -> None:
    assert latencies_of("cascadelake")[0] == "skylake"
    assert latencies_of("unheard_of")[0] == "zen4"

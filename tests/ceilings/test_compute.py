"""Peak arithmetic: the code of each level contains what it claims, for every chain, and nothing wider."""

import ctypes
import platform
import re

import llvmlite.binding as llvm
import numpy as np
import pytest
from msgspec.structs import replace

from kernelbench.ceilings.compute import (
    CHAINS,
    Absent,
    Kind,
    accumulators,
    compiled,
    faults,
    kinds,
    seed,
    work,
)
from kernelbench.ceilings.compute_ir import source
from kernelbench.native.host import llvm_host
from kernelbench.native.jit import Code
from kernelbench.native.targets import Target

X86 = ("scalar", "sse2", "sse4.2", "avx2", "avx512")
AVX512 = frozenset({"sse2", "ssse3", "avx2", "fma", "avx512f", "avx512bw"})
ZEN4 = AVX512 | {"avx512vnni", "avx512bf16"}
ARM = frozenset({"neon", "fp-armv8"})
PAIRS = [(dtype, mix) for dtype in ("f64", "f32") for mix in ("fma", "add", "fma_add")]

TABLE = {f"{kind.dtype}-{kind.isa}-{kind.mix}": kind for kind in kinds(X86, ZEN4) if isinstance(kind, Kind)}
NEON = {
    f"{kind.dtype}-{kind.isa}-{kind.mix}": kind
    for kind in kinds(("scalar", "neon"), ARM | {"dotprod", "bf16"})
    if isinstance(kind, Kind)
}
HOST = llvm_host()[1]
NEEDED = {"avx2": {"avx2", "fma"}, "avx512": {"avx512f", "avx512bw"}, "sse4.2": {"ssse3"}}
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86-64 targets")
every = pytest.mark.parametrize("kind", TABLE.values(), ids=TABLE)


def at(isa: str, dtype: str, mix: str, features: frozenset[str], levels: tuple[str, ...] = X86) -> Kind | Absent:
    """The one entry of the table."""
    (found,) = (k for k in kinds(levels, features) if (k.isa, k.dtype, k.mix) == (isa, dtype, mix))
    return found


def kind_at(isa: str, dtype: str, mix: str, features: frozenset[str] = ZEN4, levels: tuple[str, ...] = X86) -> Kind:
    found = at(isa, dtype, mix, features, levels)
    assert isinstance(found, Kind)
    return found


def code_of(kind: Kind, chains: int) -> Code:
    code = compiled(kind, chains)
    assert isinstance(code, Code), code
    return code


def test_each_level_has_every_type_and_mix_once_and_the_widest_comes_last() -> None:
    table = [(k.isa, k.dtype, k.mix) for k in kinds(X86, ZEN4)]
    full = [*PAIRS, ("bf16", "dot"), ("i8", "dot")]
    assert table == [(isa, *pair) for isa in X86 for pair in full if isa != "sse4.2" or pair == ("i8", "dot")]


def test_levels_that_are_not_usable_are_not_in_the_table() -> None:
    assert {k.isa for k in kinds(X86[:4], AVX512)} == {"scalar", "sse2", "sse4.2", "avx2"}


@pytest.mark.parametrize(("isa", "bits"), [("sse2", 128), ("avx2", 256), ("avx512", 512)])
@pytest.mark.parametrize(("dtype", "size"), [("f64", 64), ("f32", 32)])
def test_a_vector_has_as_many_lanes_as_the_level_is_wide(isa: str, bits: int, dtype: str, size: int) -> None:
    assert kind_at(isa, dtype, "fma").form.lanes == bits // size
    assert kind_at("scalar", dtype, "fma").form.lanes == 1


@pytest.mark.parametrize(
    ("isa", "dtype", "reason"),
    [
        ("scalar", "bf16", "scalar has no bf16 dot product"),
        ("avx2", "bf16", "avx2 has no bf16 dot product"),
        ("avx512", "bf16", "this CPU has no AVX512-BF16"),
        ("scalar", "i8", "scalar has no product of bytes"),
        ("sse2", "i8", "sse2 has no product of bytes"),
    ],
)
def test_a_missing_instruction_is_told_with_its_reason(isa: str, dtype: str, reason: str) -> None:
    found = at(isa, dtype, "dot", AVX512)
    assert isinstance(found, Absent)
    assert found.reason == reason
    assert found.unit == ("OP/s" if dtype == "i8" else "FLOP/s")


def test_matrix_tiles_are_present_and_not_measured() -> None:
    tiles = [k for k in kinds(X86, ZEN4 | {"amx-tile", "amx-int8", "amx-bf16"}) if k.isa == "amx"]
    assert tiles == [
        Absent("bf16", "amx", "dot", "FLOP/s", "present, not measured"),
        Absent("i8", "amx", "dot", "OP/s", "present, not measured"),
    ]


def test_vectors_of_unknown_length_are_named_and_not_measured() -> None:
    sve = [k for k in kinds(("scalar", "neon", "sve"), ARM) if k.isa == "sve"]
    assert len(sve) == 8
    assert all(isinstance(k, Absent) and "neon is measured instead" in k.reason for k in sve)


@pytest.mark.parametrize(
    ("isa", "features", "levels", "way"),
    [
        ("avx512", ZEN4, X86, "vpdpbusd"),
        ("avx512", AVX512, X86, "maddubs"),
        ("sse4.2", ZEN4, X86, "maddubs"),
        # Where avx512 stands for the host, avx2 is what plain AVX2 code can do; where avx2 does, it is all that is.
        ("avx2", ZEN4 | {"avxvnni"}, X86, "maddubs"),
        ("avx2", AVX512 | {"avxvnni"}, X86[:4], "vpdpbusd"),
        ("avx2", AVX512, X86[:4], "maddubs"),
    ],
)
def test_byte_products_take_the_instruction_that_the_level_may_use(
    isa: str, features: frozenset[str], levels: tuple[str, ...], way: str
) -> None:
    kind = kind_at(isa, "i8", "dot", features, levels)
    assert kind.form.way == way
    assert (kind.ops_per_lane, kind.unit) == (8, "OP/s")
    assert ("no single instruction" in kind.provenance) is (way == "maddubs")


@on_x86
@every
@pytest.mark.parametrize("chains", [CHAINS[1], CHAINS[-1]])
def test_the_code_has_the_instructions_in_registers_of_its_level_or_is_refused(kind: Kind, chains: int) -> None:
    code = compiled(kind, chains)
    if accumulators(kind, chains) + kind.constants > kind.registers:
        assert re.fullmatch(rf"{chains} chains need \d+ registers; {kind.isa} has {kind.registers}", str(code))
        return
    assert isinstance(code, Code), code
    wider = {"avx2": "%zmm", "avx512": "%tmm"}.get(kind.isa, r"%[yz]mm")
    assert not re.search(rf"{wider}|\bcall", code.assembly)


@on_x86
@pytest.mark.parametrize(
    ("isa", "dtype", "features", "levels"),
    [("avx512", "i8", AVX512, X86), ("avx2", "i8", AVX512 | {"avxvnni"}, X86[:4])],
)
def test_the_forms_of_other_hosts_compile_as_well(
    isa: str, dtype: str, features: frozenset[str], levels: tuple[str, ...]
) -> None:
    code_of(kind_at(isa, dtype, "dot", features, levels), 8)


@on_x86
@pytest.mark.parametrize("isa", ["scalar", "sse2", "avx2", "avx512"])
@pytest.mark.parametrize("mix", ["fma", "fma_add"])
def test_no_accumulator_goes_through_memory(isa: str, mix: str) -> None:
    # A spill would turn the peak into a measurement of the store buffer.
    assert "%rsp" not in code_of(kind_at(isa, "f32", mix), 8).assembly


@pytest.mark.parametrize("kind", NEON.values(), ids=NEON)
def test_arm_code_has_its_instructions_in_the_loop_and_no_moves_beside_them(kind: Kind) -> None:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        target = llvm.Target.from_triple("aarch64-linux-gnu")
    except RuntimeError as error:
        pytest.skip(f"this LLVM cannot emit code for ARM: {error}")
    machine = target.create_target_machine(cpu="generic", features=kind.target.features, opt=3)
    module = llvm.parse_assembly(source(kind.form, 12))
    module.triple, module.data_layout = target.triple, str(machine.target_data)
    assembly = machine.emit_assembly(module)
    assert faults(kind, 12, assembly) == ""
    loop = assembly.split("\n.LBB0_1:")[1].split(".LBB0_1")[0]
    assert not re.search(r"\bmov\s+v", loop)


def test_arm_without_the_extensions_has_no_dot_products() -> None:
    reasons = [k.reason for k in kinds(("scalar", "neon"), ARM) if isinstance(k, Absent) and k.isa == "neon"]
    assert reasons == ["this CPU has no Armv8.6 BF16", "this CPU has no Armv8.2 dot product (sdot)"]


@on_x86
def test_code_without_the_claimed_instruction_is_refused() -> None:
    kind = replace(kind_at("avx2", "f32", "fma"), instructions=("vfdivide",))
    assert compiled(kind, 8) == "the emitted loop has 0 of 16 vfdivide"


@on_x86
def test_code_whose_adds_beside_the_others_are_missing_is_refused() -> None:
    kind = kind_at("avx2", "f32", "fma_add")
    assert compiled(replace(kind, adding="vaddnothing"), 8) == "the emitted loop has 0 of 24 vaddnothing"


@on_x86
@pytest.mark.parametrize(("isa", "cpu", "used"), [("avx512", "haswell", "avx2"), ("avx2", "x86-64-v4", "avx512")])
def test_code_in_registers_of_another_level_is_refused(isa: str, cpu: str, used: str) -> None:
    # 512-bit vectors where the other level is compiled for.
    kind = replace(kind_at("avx512", "f32", "fma"), isa=isa, target=Target(cpu, "-prefer-256-bit"))
    assert compiled(kind, 4) == f"the emitted code uses the registers of {used} instead of {isa}"


def result(kind: Kind, chains: int, trips: int) -> np.ndarray:
    """The sum of all chains' accumulators after ``trips`` trips of the real code."""
    block = (ctypes.c_int64 * 16)(trips, seed(kind))
    code = code_of(kind, chains)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code.address("peak"))(ctypes.addressof(block))
    return np.frombuffer(block, {"f64": "f8", "i8": "i4"}.get(kind.dtype, "f4"), kind.form.lanes, offset=16)


def skip_unless_it_runs(kind: Kind) -> None:
    needed = NEEDED.get(kind.isa, set()) | set(re.findall(r"avx512(?:vnni|bf16)", kind.target.features))
    if platform.machine() != "x86_64" or not needed <= HOST:
        pytest.skip(f"this CPU cannot run {kind.provenance}")


@every
def test_after_a_million_steps_every_chain_is_where_it_began(kind: Kind) -> None:
    skip_unless_it_runs(kind)
    trips = 1_000_000 // kind.form.steps
    if kind.dtype == "i8":
        # 1 1 + 2 2 + 3 3 + 4 4 = 30 more with every step, in sums that wrap at 32 bits.
        each = seed(kind) + 30 * kind.form.steps * trips
        expected: float = np.array(4 * each, np.int64).astype(np.int32)
    else:
        start = np.frombuffer(seed(kind).to_bytes(8, "little"), {"f64": "f8"}.get(kind.dtype, "f4"))[0]
        expected = accumulators(kind, 4) * start
    assert (result(kind, 4, trips) == expected).all()


def test_the_work_counts_every_lane_of_every_step() -> None:
    # 1000 trips x 2 steps x 12 chains x 8 lanes x 2 FLOP.
    assert work(kind_at("avx2", "f32", "fma"), chains=12, trips=1000) == 1000 * 2 * 12 * 8 * 2
    # 6 chains multiply, 6 add: 2 steps each of 4 lanes.
    assert work(kind_at("sse2", "f32", "fma"), chains=12, trips=1000) == 1000 * 2 * (6 + 6) * 4
    # 8 chains x 3 FMA and 6 chains x 4 adds of 16 lanes.
    assert work(kind_at("avx512", "f32", "fma_add"), chains=8, trips=10) == 10 * 16 * (8 * 3 * 2 + 6 * 4)
    # 4 chains multiply and 8 add: 2 steps each of one lane.
    assert work(kind_at("scalar", "f64", "fma_add"), chains=8, trips=10) == 10 * 2 * (4 + 8)
    # 64 byte products and their 64 sums in each of 2 steps.
    assert work(kind_at("avx512", "i8", "dot"), chains=4, trips=1) == 4 * 2 * 128

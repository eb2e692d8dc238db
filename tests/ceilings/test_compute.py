"""Peak arithmetic: the code contains what it claims, once per chain, and is refused when it does not."""

import ctypes
import platform
import re

import numpy as np
import pytest
from msgspec.structs import replace

from kernelbench.ceilings import compute
from kernelbench.ceilings.compute import CHAINS, SEEDS, Kind, best_kind, compiled, source, work
from kernelbench.ceilings.probes import COMPUTE, host_features
from kernelbench.simd.jit import Code, compile_ir

AVX512 = frozenset({"sse2", "avx2", "fma", "avx512f"})
AVX2 = frozenset({"sse2", "avx", "avx2", "fma"})
KINDS = {f"{d}-{m}": best_kind(d, m, host_features()) for d, m in COMPUTE}
HERE = {name: kind for name, kind in KINDS.items() if isinstance(kind, Kind)}
here = pytest.mark.parametrize("kind", HERE.values(), ids=HERE)
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="compiles for x86-64 targets")


@pytest.mark.parametrize(
    ("features", "isa", "bits"),
    [
        (AVX512, "avx512", 512),
        (AVX2, "avx2", 256),
        (AVX2 - {"fma"}, "sse2", 128),
        (frozenset({"sse2"}), "sse2", 128),
        (frozenset({"neon", "fp-armv8"}), "neon", 128),
        (frozenset({"fp-armv8"}), "neon", 128),
    ],
)
@pytest.mark.parametrize(("dtype", "width"), [("f64", 64), ("f32", 32)])
def test_the_widest_fused_multiply_add_of_the_features_is_taken(
    features: frozenset[str], isa: str, bits: int, dtype: str, width: int
) -> None:
    kind = best_kind(dtype, "fma", features)
    assert isinstance(kind, Kind)
    assert (kind.isa, kind.lanes, kind.ops_per_lane, kind.unit) == (isa, bits // width, 2, "FLOP/s")


def test_without_vectors_there_is_a_reason_instead() -> None:
    assert best_kind("f32", "fma", frozenset()) == "no vector multiply-add known for f32 on this CPU"


def test_the_byte_dot_product_does_64_products_and_sums() -> None:
    kind = best_kind("i8", "dot", AVX512 | {"avx512vnni"})
    assert isinstance(kind, Kind)
    assert (kind.lanes * kind.ops_per_lane, kind.unit) == (128, "OP/s")


def test_without_a_dot_product_instruction_there_is_a_reason_instead() -> None:
    assert "AVX512-VNNI" in str(best_kind("i8", "dot", AVX512))


@here
@pytest.mark.parametrize("chains", CHAINS)
def test_the_code_has_the_instruction_once_per_chain(kind: Kind, chains: int) -> None:
    code = compiled(kind, chains)
    assert isinstance(code, Code)
    assert len(re.findall(kind.instruction, code.assembly)) >= chains


@here
def test_code_without_the_claimed_instruction_is_refused(kind: Kind) -> None:
    refusal = compiled(replace(kind, instruction="vfdivide"), 8)
    assert refusal == "the emitted code has 0 of 8 vfdivide"


@on_x86
def test_code_that_fell_back_to_narrower_registers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def for_haswell(text: str) -> Code:
        return compile_ir(text, cpu="haswell", features="")

    monkeypatch.setattr(compute, "compile_ir", for_haswell)
    wide = best_kind("f32", "fma", AVX512)
    assert isinstance(wide, Kind)
    assert str(compiled(wide, 4)).startswith("the emitted code has 0 of 4 ")


@on_x86
@pytest.mark.parametrize(("cpu", "features"), [("x86-64", frozenset({"sse2"})), ("haswell", AVX2)])
@pytest.mark.parametrize("dtype", ["f64", "f32"])
def test_narrower_levels_compile_to_their_own_instruction(
    monkeypatch: pytest.MonkeyPatch, cpu: str, features: frozenset[str], dtype: str
) -> None:
    monkeypatch.setattr(compute, "compile_ir", lambda text: compile_ir(text, cpu=cpu, features=""))
    kind = best_kind(dtype, "fma", features)
    assert isinstance(kind, Kind)
    code = compiled(kind, 12)
    assert isinstance(code, Code)
    assert "call" not in code.assembly


def result(kind: Kind, chains: int, trips: int) -> np.ndarray:
    """The sum of all chains' accumulators after ``trips`` steps of each."""
    block = (ctypes.c_int64 * 16)(trips, SEEDS[kind.dtype])
    code = compile_ir(source(kind, chains))
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(code.address("peak"))(ctypes.addressof(block))
    return np.frombuffer(block, {"f64": "f8", "f32": "f4", "i8": "i4"}[kind.dtype], kind.lanes, offset=16)


@here
def test_every_chain_reaches_the_result(kind: Kind) -> None:
    # All chains start alike, so twice as many of them sum to twice as much.
    assert (result(kind, 4, trips=1) != 0).all()
    assert (result(kind, 8, trips=1) == 2 * result(kind, 4, trips=1)).all()


@pytest.mark.parametrize("name", ["f64-fma", "f32-fma"])
def test_the_values_of_a_chain_stay_bounded_and_away_from_zero(name: str) -> None:
    if name not in HERE:
        pytest.skip(str(KINDS[name]))
    assert result(HERE[name], 4, trips=10_000) == pytest.approx(4.0)


def test_the_work_counts_every_lane_of_every_chain() -> None:
    kind = best_kind("f32", "fma", AVX2)
    assert isinstance(kind, Kind)
    assert work(kind, chains=12, trips=1000) == 1000 * 12 * 8 * 2

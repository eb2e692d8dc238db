"""Dot products within a lane give the same integers with and without the instruction for them."""

import json
import os
import platform
import subprocess
import sys
import zlib
from pathlib import Path

import numba
import numpy as np
import pytest

from kernelbench.kernels._bf16 import decode, encode
from kernelbench.simd import dot
from kernelbench.simd import lanes as simd
from tests.kernels.running import assembly, ran, sizes

SHAPES = ((1, 1, 1), (12, 32, 4), (13, 33, 5), (29, 70, 67))

PRODUCTS = f"""
import json, zlib
from tests.kernels.running import VARIANTS, assembly, ran, sizes

sums = []
for shape in {SHAPES!r}:
    found = ran("matmul/int8", "i8", sizes("matmul", *shape), seed=3)
    VARIANTS["matmul/int8"].check(found)
    sums.append(zlib.crc32(found.outputs[0].tobytes()))
emitted = assembly("matmul/int8", "i8")
print(json.dumps([sums, [name for name in ("vpdpbusd", "%zmm", "%ymm", "pmaddwd") if name in emitted]]))
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="haswell is an x86-64 target")
def test_a_target_without_the_instruction_gives_the_same_integers() -> None:
    target = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}
    ended = subprocess.run(
        [sys.executable, "-c", PRODUCTS],
        cwd=Path(__file__).parents[2],
        env=os.environ | target,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    sums, used = json.loads(ended.stdout)
    here = [ran("matmul/int8", "i8", sizes("matmul", *shape), seed=3).outputs[0] for shape in SHAPES]
    assert used == ["%ymm", "pmaddwd"]
    assert sums == [zlib.crc32(integers.tobytes()) for integers in here]


def test_a_target_with_the_instruction_uses_it() -> None:
    if not dot.target_has_vnni():
        pytest.skip("this CPU has no AVX512-VNNI")
    assert "vpdpbusd" in assembly("matmul/int8", "i8")


@pytest.mark.parametrize(
    ("features", "has"), [("", False), ("+avx2,+fma", False), ("+avx512f,+avx512vnni", True), ("-avx512vnni", False)]
)
def test_the_target_of_the_process_decides_not_the_host(
    monkeypatch: pytest.MonkeyPatch, features: str, has: bool
) -> None:
    monkeypatch.setattr(numba.core.config, "CPU_FEATURES", features)
    monkeypatch.setattr(dot, "vector_bytes", lambda: 64)
    dot.features.cache_clear()
    assert dot.target_has_vnni() is has
    dot.features.cache_clear()


@numba.njit
def four_products(sums, unsigned, signed):  # type: ignore[no-untyped-def]
    """sums += dot4 of unsigned and signed words, a vector."""
    u, s = (
        simd.reinterpret(simd.load(unsigned, 0), np.uint8),
        simd.reinterpret(simd.load(signed, 0), np.int8),
    )
    simd.store(sums, 0, dot.dot4(simd.load(sums, 0), u, s))


@numba.njit
def two_products(sums, pairs, others):  # type: ignore[no-untyped-def]
    """sums += dot_bf16 of pairs and others, words, a vector."""
    x, y = (simd.reinterpret(simd.load(pairs, 0), np.uint16), simd.reinterpret(simd.load(others, 0), np.uint16))
    simd.store(sums, 0, dot.dot_bf16(simd.load(sums, 0), x, y))


@pytest.mark.parametrize("extreme", [False, True])
def test_four_products_of_bytes_are_added_to_each_lane_without_saturating(extreme: bool) -> None:
    rng = np.random.default_rng(1)
    unsigned = np.full(64, 255, np.uint8) if extreme else rng.integers(0, 256, 64, dtype=np.uint8)
    signed = np.full(64, -128, np.int8) if extreme else rng.integers(-128, 128, 64, dtype=np.int8)
    sums = rng.integers(-(2**30), 2**30, 16, dtype=np.int32)
    expected = sums + (unsigned.astype(np.int32) * signed).reshape(16, 4).sum(axis=1)
    lanes = simd_lanes()
    four_products(sums, unsigned.view(np.int32), signed.view(np.int32))
    assert sums[:lanes].tolist() == expected[:lanes].tolist()


def test_two_products_of_bf16_are_added_to_each_lane() -> None:
    rng = np.random.default_rng(2)
    pairs, others = (encode(rng.standard_normal(32, np.float32)) for _ in range(2))
    sums = rng.standard_normal(16, np.float32)
    exact = sums + (decode(pairs).astype(np.float64) * decode(others)).reshape(16, 2).sum(axis=1)
    lanes = simd_lanes()
    two_products(sums, pairs.view(np.int32), others.view(np.int32))
    assert sums[:lanes] == pytest.approx(exact[:lanes], abs=8 * 2.0**-24)


def simd_lanes() -> int:
    """32-bit numbers in a register of this process's target."""
    return max(1, dot.vector_bytes() // 4)

"""The integer tile gives the same integers with and without the dot-product instruction."""

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

from kernelbench.simd import dot
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
print(json.dumps([sums, [name for name in ("vpdpbusd", "%zmm", "%ymm") if name in emitted]]))
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
    assert used == ["%ymm"]
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
    assert dot.target_has_vnni() is has


@numba.njit
def one_tile(a, b, start, c):  # type: ignore[no-untyped-def]
    dot.dot_tile(a, b, start, c)


@pytest.mark.parametrize("depth", [4, 8, 60])
def test_a_tile_adds_products_of_unsigned_and_signed_bytes_to_its_start(depth: int) -> None:
    rng = np.random.default_rng(depth)
    a = rng.integers(0, 256, (dot.ROWS, depth), dtype=np.uint8)
    b = rng.integers(-128, 128, (depth, dot.COLUMNS), dtype=np.int8)
    start = rng.integers(-(2**20), 2**20, dot.COLUMNS, dtype=np.int32)
    panel = np.ascontiguousarray(b.reshape(depth // dot.QUAD, dot.QUAD, dot.COLUMNS).transpose(0, 2, 1))
    c = np.full((dot.ROWS + 1, dot.COLUMNS + 5), 7, np.int32)
    one_tile(a, panel, start, c)
    assert (c[: dot.ROWS, : dot.COLUMNS] == start + a.astype(np.int64) @ b.astype(np.int64)).all()
    assert (c[dot.ROWS :] == 7).all()
    assert (c[:, dot.COLUMNS :] == 7).all()

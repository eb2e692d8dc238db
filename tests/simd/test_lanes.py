"""Vectors as values: each operation gives what NumPy gives lane by lane, and memory beyond a vector is left alone."""

import os
import platform
import re
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from kernelbench.simd import lanes as simd
from kernelbench.simd.vector import lanes_of, target_has_fma, vector_bytes

FLOATS = [np.float32, np.float64]
INTEGERS = [np.int8, np.int32, np.uint8]


@njit
def of_floats(x, y, z, out):  # type: ignore[no-untyped-def]
    n, step = x.size, simd.lanes(x)
    for i in range(0, n, step):
        a, b, c = simd.load(x, i), simd.load(y, i), simd.load(z, i)
        simd.store(out, i, a + b)
        simd.store(out, n + i, a - b)
        simd.store(out, 2 * n + i, a * b)
        simd.store(out, 3 * n + i, a / b)
        simd.store(out, 4 * n + i, -a)
        simd.store(out, 5 * n + i, simd.fma(a, b, c))
        simd.store(out, 6 * n + i, simd.maximum(a, b))
        simd.store(out, 7 * n + i, simd.minimum(a, b))
        simd.store(out, 8 * n + i, simd.absolute(a))
        simd.store(out, 9 * n + i, simd.with_sign(a, b))
        simd.store(out, 10 * n + i, 2.0 * a + 1)
        total = a
        total += b
        total *= 0.5
        simd.store(out, 11 * n + i, total)
        both = (a < b) & (b <= c)
        simd.store(out, 12 * n + i, simd.select(both, a, c))
        either = (a > b) | (a >= c)
        simd.store(out, 13 * n + i, simd.select(either, a, c))
        simd.store(out, 14 * n + i, simd.select(a == b, a, simd.fill(a, 1)))
        simd.store(out, 15 * n + i, simd.select(a != b, a, simd.zeros(a)))


def by_numpy(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    kind = x.dtype.type
    fused = (x.astype(np.longdouble) * y + z).astype(kind) if target_has_fma() else x * y + z
    return np.stack(
        [
            *(x + y, x - y, x * y, x / y, -x, fused),
            *(np.where(x > y, x, y), np.where(x < y, x, y), np.abs(x), np.copysign(x, y)),
            *(kind(2) * x + kind(1), (x + y) * kind(0.5)),
            *(np.where((x < y) & (y <= z), x, z), np.where((x > y) | (x >= z), x, z)),
            *(np.where(x == y, x, kind(1)), np.where(x != y, x, kind(0))),
        ]
    )


@pytest.mark.parametrize("kind", FLOATS)
def test_operations_of_floats_are_numpys_for_random_and_special_values(kind: type) -> None:
    odd = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.5, float(np.finfo(kind).tiny)]
    special = np.array(np.meshgrid(odd, odd, odd)).reshape(3, -1)
    rng = np.random.default_rng(5)
    # Small whole numbers, so that a fused product and a rounded one are the same in any wider type.
    random = rng.integers(-2000, 2000, (3, 128)) * 0.25
    x, y, z = np.concatenate([special, random], axis=1).astype(kind)
    assert x.size % 64 == 0
    out = np.full((16, x.size), 7, kind)
    of_floats(x, y, z, out)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = by_numpy(x, y, z)
    for row, (got, want) in enumerate(zip(out, expected, strict=True)):
        np.testing.assert_array_equal(got, want, err_msg=f"row {row}")


@njit
def of_integers(x, y, out):  # type: ignore[no-untyped-def]
    n, step = x.size, simd.lanes(x)
    for i in range(0, n, step):
        a, b = simd.load(x, i), simd.load(y, i)
        simd.store(out, i, a + b)
        simd.store(out, n + i, a - b)
        simd.store(out, 2 * n + i, a * b)
        simd.store(out, 3 * n + i, a & b)
        simd.store(out, 4 * n + i, a | b)
        simd.store(out, 5 * n + i, a ^ b)
        simd.store(out, 6 * n + i, a << 3)
        simd.store(out, 7 * n + i, a >> 3)
        simd.store(out, 8 * n + i, -a)
        simd.store(out, 9 * n + i, simd.maximum(a, b))
        simd.store(out, 10 * n + i, simd.minimum(a, b))
        simd.store(out, 11 * n + i, simd.select(a < b, a, b ^ 1))


@pytest.mark.parametrize("kind", INTEGERS)
def test_operations_of_integers_wrap_and_compare_by_their_sign(kind: type) -> None:
    limits = np.iinfo(kind)
    rng = np.random.default_rng(6)
    x, y = rng.integers(limits.min, limits.max, (2, 128), dtype=kind, endpoint=True)
    x[:3], y[:3] = limits.min, (limits.min, limits.max, 1)
    out = np.zeros((12, x.size), kind)
    of_integers(x, y, out)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        expected = [x + y, x - y, x * y, x & y, x | y, x ^ y, x << kind(3), x >> kind(3), -x]
        expected += [np.maximum(x, y), np.minimum(x, y), np.where(x < y, x, y ^ kind(1))]
    np.testing.assert_array_equal(out, np.stack(expected))


@njit
def converted(x, bytes_, halves, order, out, whole, raw):  # type: ignore[no-untyped-def]
    step = simd.lanes(x)
    a = simd.load(x, 0)
    simd.store(whole, 0, simd.convert(a, np.int32))
    simd.store(raw, 0, simd.reinterpret(a, np.int32))
    simd.store(out, 0, simd.convert(simd.load(whole, 0), np.float32))
    simd.store(out, step, simd.load_as(bytes_, 1, np.float32))
    simd.store(out, 2 * step, simd.load_bf16(halves, 0))
    simd.store(out, 3 * step, simd.gather(x, simd.load(order, 0)))
    simd.store(out, 4 * step, simd.polynomial(a, (1.0, -2.0, 0.5)))
    simd.store(out, 5 * step, simd.scaled(a, simd.fill(a, -3.0)))
    return simd.sum(a), simd.highest(a), simd.lowest(a), simd.sum(simd.load(whole, 0))


def test_conversions_gathers_and_sums_are_exact() -> None:
    lanes = lanes_of(4)
    x = ((np.arange(lanes) - 3) * 1.75).astype(np.float32)
    bytes_ = np.arange(-5, lanes - 4).astype(np.int8)
    halves = np.array([0x3F80 + 16 * i for i in range(lanes)], np.uint16)
    order = np.arange(lanes)[::-1].astype(np.int32)
    out = np.zeros((6, lanes), np.float32)
    whole, raw = np.zeros(lanes, np.int32), np.zeros(lanes, np.int32)
    total, high, low, integers = converted(x, bytes_, halves, order, out, whole, raw)
    np.testing.assert_array_equal(whole, np.trunc(x))
    np.testing.assert_array_equal(raw, x.view(np.int32))
    wide = (halves.astype(np.uint32) << 16).view(np.float32)
    expected = [np.trunc(x), bytes_[1:], wide, x[::-1], 1 - 2 * x + x * x / 2, x / 8]
    np.testing.assert_array_equal(out, np.stack(expected).astype(np.float32))
    assert (total, high, low, integers) == (x.sum(), x.max(), x.min(), whole.sum())


@pytest.mark.parametrize("kind", FLOATS)
def test_a_power_of_two_is_applied_with_one_rounding_over_the_whole_range(kind: type) -> None:
    reach = {np.float32: 252, np.float64: 2044}[kind]
    n = np.arange(-reach, reach + 1).astype(kind)
    x = np.linspace(0.7, 1.5, n.size).astype(kind)
    out = np.zeros_like(x)
    apply_powers(x, n, out)
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(out, np.ldexp(x, n.astype(int)))


@njit
def apply_powers(x, n, out):  # type: ignore[no-untyped-def]
    for i in range(0, x.size, simd.lanes(x)):
        rest = x.size - i
        simd.store_part(out, i, simd.scaled(simd.load_part(x, i, rest), simd.load_part(n, i, rest)), rest)


@njit
def parts(x, y, at, count):  # type: ignore[no-untyped-def]
    v = simd.load_part(x, at, count)
    simd.store_part(y, at, simd.select(simd.first(x, count), v + 1, simd.fill(x, 9)), count)
    return simd.sum(v)


@pytest.mark.parametrize("kind", [*FLOATS, np.int8])
def test_a_part_of_a_vector_is_read_and_written_and_nothing_beyond(kind: type) -> None:
    lanes = lanes_of(np.dtype(kind).itemsize)
    for count in range(lanes + 3):
        x = np.arange(1, 2 * lanes + 5).astype(kind)
        y = np.full(x.size, 7, kind)
        whole = min(count, lanes)
        total = parts(x, y, 1, count)
        expected = np.full(x.size, 7, kind)
        expected[1 : 1 + whole] = x[1 : 1 + whole] + kind(1)
        np.testing.assert_array_equal(y, expected)
        assert total == x[1 : 1 + whole].sum(dtype=kind)


@njit
def streamed(x, y, first):  # type: ignore[no-untyped-def]
    simd.stream(y, first, simd.load(x, 0))
    simd.fence()
    return simd.lanes(x), simd.lanes(np.int8), simd.lanes(y)


def test_a_vector_is_streamed_to_where_it_is_aligned() -> None:
    lanes = lanes_of(4)
    x = np.arange(lanes, dtype=np.float32)
    y = np.full(4 * lanes + 32, 7, np.float32)
    first = -y.ctypes.data // 4 % max(lanes, 1)
    assert streamed(x, y, first) == (lanes, lanes_of(1), lanes)
    np.testing.assert_array_equal(y[first : first + lanes], x)
    assert (np.delete(y, slice(first, first + lanes)) == 7).all()


@pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86-64 assembly")
def test_the_code_is_as_wide_as_the_registers_of_the_target() -> None:
    of_floats.compile("(float32[::1], float32[::1], float32[::1], float32[:,::1])")
    text = "\n".join(of_floats.inspect_asm().values())
    used = {64: "zmm", 32: "ymm", 16: "xmm", 0: "xmm"}[vector_bytes()]
    packed = "ps" if vector_bytes() else "ss"
    assert re.search(rf"v?mul{packed}\s.*%{used}", text)
    assert bool(re.search(rf"vfmadd\w*{packed}\s.*%{used}", text)) == target_has_fma()


CACHED = """
import numpy as np
from numba import njit
from kernelbench.simd import lanes as simd

@njit(cache=True)
def kernel(x, y):
    for i in range(0, x.size, simd.lanes(x)):
        rest = x.size - i
        simd.store_part(y, i, simd.fma(simd.exp(simd.load_part(x, i, rest)), 2.0, 1.0), rest)

x = np.zeros(5, np.float32)
y = np.empty_like(x)
kernel(x, y)
assert (y == 3).all()
print(sum(kernel.stats.cache_hits.values()), sum(kernel.stats.cache_misses.values()))
"""


def test_a_second_process_finds_the_code_of_a_kernel_that_uses_lanes_and_exp(tmp_path: Path) -> None:
    (tmp_path / "cached.py").write_text(CACHED)
    said = []
    for _ in range(2):
        ended = subprocess.run(
            [sys.executable, str(tmp_path / "cached.py")],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        said.append(ended.stdout.split())
    assert said == [["0", "1"], ["1", "0"]]

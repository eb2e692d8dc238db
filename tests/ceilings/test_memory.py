"""Bandwidth probes touch the bytes they claim, and the ladder of sizes has no gap."""

import ctypes
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelbench.ceilings.memory import ARRAYS, MIXES, STEP_BYTES, array_bytes, compiled, ladder

derandomized = settings(deadline=None, derandomize=True, database=None)
LEVELS = (("L1", 32 << 10), ("L2", 1 << 20), ("L3", 16 << 20), ("DRAM", 256 << 20))


def aligned(count: int) -> np.ndarray:
    raw = np.empty(4 * count + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + 4 * count].view(np.float32)


def move(mix: str, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """a, b, c of ``count`` random numbers after one run of the probe, and its result words."""
    rng = np.random.default_rng(count)
    a, b, c = (aligned(count) for _ in range(3))
    for x in (a, b, c):
        x[:] = rng.random(count, np.float32)
    block = (ctypes.c_int64 * 16)(a.ctypes.data, b.ctypes.data, c.ctypes.data, 4 * count)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(compiled(mix).address("move"))(block)
    return a, b, c, np.frombuffer(block, np.uint64)[8:]


COUNTS = [STEP_BYTES // 4, 3 * STEP_BYTES // 4]
"""One trip of the loop, and several."""


@pytest.mark.parametrize("count", COUNTS)
def test_copy_copies_every_element(count: int) -> None:
    a, b, *_ = move("copy", count)
    assert (a == b).all()


@pytest.mark.parametrize("count", COUNTS)
def test_triad_computes_every_element(count: int) -> None:
    a, b, c, _ = move("triad", count)
    assert (a == b + np.float32(0.5) * c).all()


@pytest.mark.parametrize("count", COUNTS)
def test_read_reads_every_word_and_writes_none(count: int) -> None:
    before, *_ = move("copy", count)
    a, _, _, result = move("read", count)
    assert (a == before).all()
    assert (result == np.bitwise_or.reduce(a.view(np.uint64).reshape(-1, 8), axis=0)).all()


@pytest.mark.parametrize("mix", MIXES)
def test_a_probe_has_no_call_in_it(mix: str) -> None:
    assert "call" not in compiled(mix).assembly
    assert "mem" not in compiled(mix).assembly


@derandomized
@given(st.sampled_from(MIXES), st.integers(0, 1 << 34))
def test_arrays_are_whole_steps_that_together_fill_the_working_set(mix: str, working_set: int) -> None:
    each = array_bytes(mix, working_set)
    assert each % STEP_BYTES == 0
    assert each >= STEP_BYTES
    assert each * ARRAYS[mix] <= max(working_set, STEP_BYTES * ARRAYS[mix])
    assert (each + STEP_BYTES) * ARRAYS[mix] > working_set


def test_a_level_stands_at_half_of_a_threads_share_and_dram_at_all_of_its_bytes() -> None:
    named = {name: size for size, name in ladder(LEVELS) if name}
    assert named == {"L1": 16 << 10, "L2": 512 << 10, "L3": 8 << 20, "DRAM": 256 << 20}


@st.composite
def levels(draw: st.DrawFn) -> tuple[tuple[str, int], ...]:
    """Shares that grow from level to level, and DRAM at four times the last."""
    sizes = [draw(st.integers(16 << 10, 128 << 10))]
    for _ in range(draw(st.integers(0, 2))):
        sizes.append(sizes[-1] * draw(st.integers(2, 40)) + draw(st.integers(0, 4096)))
    return (*((f"L{i + 1}", size) for i, size in enumerate(sizes)), ("DRAM", 4 * sizes[-1]))


@derandomized
@given(levels())
def test_the_ladder_rises_without_repeating_a_size_and_ends_in_dram(given_levels: tuple[tuple[str, int], ...]) -> None:
    points = ladder(given_levels)
    sizes = [size for size, _ in points]
    assert sizes == sorted(set(sizes))
    assert points[-1] == (given_levels[-1][1], "DRAM")


@derandomized
@given(levels())
def test_every_level_is_on_the_ladder_once(given_levels: tuple[tuple[str, int], ...]) -> None:
    names = [name for _, name in ladder(given_levels) if name]
    assert sorted(names) == sorted(name for name, _ in given_levels)


@derandomized
@given(levels())
def test_no_octave_has_fewer_than_two_points(given_levels: tuple[tuple[str, int], ...]) -> None:
    sizes = [size for size, _ in ladder(given_levels)]
    assert all(two_on <= 2.5 * size for size, two_on in zip(sizes, sizes[2:], strict=False))
    assert all(following <= 2**0.5 * 1.12 * size for size, following in itertools.pairwise(sizes))

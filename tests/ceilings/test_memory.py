"""Bandwidth probes touch the bytes they claim with the instructions they claim, and the ladder has no gap."""

import ctypes
import itertools
import platform
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernelbench.ceilings.memory import (
    ARRAYS,
    MIXES,
    REPEATS_WORD,
    RESULT_WORD,
    STEP_BYTES,
    array_bytes,
    compiled,
    ladder,
    moved_bytes,
    rfo_bytes,
    widths,
    working_set_bytes,
)
from kernelbench.ceilings.memory_ir import LOOPS, UNROLL, source
from kernelbench.native.jit import compile_ir

derandomized = settings(deadline=None, derandomize=True, database=None)
on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="reads x86 assembly")
LEVELS = (("L1", 32 << 10), ("L2", 1 << 20), ("L3", 16 << 20), ("DRAM", 256 << 20))
FORMS = [(mix, width) for mix in MIXES for width in widths()]
COUNTS = [STEP_BYTES // 4, 3 * STEP_BYTES // 4]
"""Elements of an array: one trip of the widest loop, and several."""


def aligned(count: int) -> np.ndarray:
    raw = np.empty(4 * count + 64, np.uint8)
    start = -raw.ctypes.data % 64
    return raw[start : start + 4 * count].view(np.float32)


class Moved:
    """a, b, c of ``count`` random numbers before and after one call of the probe, and its result words."""

    def __init__(self, mix: str, width: int, count: int, repeats: int = 1) -> None:
        rng = np.random.default_rng(count)
        arrays = [aligned(count) for _ in range(3)]
        for x in arrays:
            x[:] = rng.random(count, np.float32)
        self.before = tuple(x.copy() for x in arrays)
        block = (ctypes.c_int64 * 32)(*(x.ctypes.data for x in arrays), 4 * count)
        block[REPEATS_WORD] = repeats
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(compiled(mix, width).address("move"))(block)
        self.after = tuple(arrays)
        self.result = np.frombuffer(block, np.uint64)[RESULT_WORD : RESULT_WORD + width // 8]


def expected(mix: str, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, ...]:
    """What one sweep of ``mix`` makes of a, b, c."""
    return {
        "read": (a, b, c),
        "write": (np.full_like(a, 0.5), b, c),
        "copy": (a, a, c),
        "triad": (b + np.float32(0.5) * c, b, c),
        "update": (-a, b, c),
    }[mix.removesuffix("_nt")]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize(("mix", "width"), FORMS)
def test_a_sweep_does_to_every_element_what_its_mix_says_and_nothing_else(mix: str, width: int, count: int) -> None:
    moved = Moved(mix, width, count)
    assert all((x == y).all() for x, y in zip(moved.after, expected(mix, *moved.before), strict=True))


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("width", widths())
def test_read_reads_every_word(width: int, count: int) -> None:
    moved = Moved("read", width, count)
    words = moved.before[0].view(np.uint64).reshape(-1, width // 8)
    assert (moved.result == np.bitwise_or.reduce(words, axis=0)).all()


@pytest.mark.parametrize("width", widths())
@pytest.mark.parametrize(("repeats", "sign"), [(0, -1), (1, -1), (2, 1), (3, -1), (1000, 1)])
def test_a_call_sweeps_as_often_as_its_block_says_and_an_update_stays_bounded(
    width: int, repeats: int, sign: int
) -> None:
    moved = Moved("update", width, STEP_BYTES // 4, repeats)
    assert (moved.after[0] == sign * moved.before[0]).all()


def loops(assembly: str) -> list[list[str]]:
    """Instructions of each loop in ``move``, the innermost first: from a label to the last jump back to it."""
    lines = [line.split("#")[0].strip() for line in assembly.splitlines()]
    labels = {line[:-1]: n for n, line in enumerate(lines) if line.startswith(".LBB")}
    back = {}
    for n, line in enumerate(lines):
        jump = re.match(r"j\w+\s+(\.LBB\w+)", line)
        if jump and labels[jump[1]] < n:
            back[jump[1]] = n
    found = [[line for line in lines[labels[name] : end + 1] if line[:1].isalpha()] for name, end in back.items()]
    return sorted(found, key=len)


MEMORY = r"-?\d*\(%[^)]*\)"


def loads(body: list[str], register: str) -> int:
    """Instructions that load a whole register's width: memory is a source, the register the destination."""
    return sum(bool(re.search(rf"{MEMORY}, (.*, )?%{register}\d+$", line)) for line in body)


def stores(body: list[str], register: str) -> int:
    """Instructions that store a whole register."""
    return sum(bool(re.search(rf"%{register}\d+, {MEMORY}$", line)) for line in body)


LEVELS_OF_X86 = [("znver4", 64, "zmm"), ("skylake-avx512", 64, "zmm"), ("znver4", 32, "ymm"), ("haswell", 32, "ymm")]
EMITTED = [(mix, *level) for mix in MIXES for level in [*LEVELS_OF_X86, ("x86-64", 16, "xmm")]]


def emitted(mix: str, cpu: str, width: int) -> str:
    return compile_ir(source(mix, width), cpu=cpu, features="").assembly


@on_x86
@pytest.mark.parametrize(("mix", "cpu", "width", "register"), EMITTED)
def test_a_trip_has_its_loads_and_stores_in_registers_of_the_claimed_width(
    mix: str, cpu: str, width: int, register: str
) -> None:
    body = loops(emitted(mix, cpu, width))[0]
    counted = (loads(body, register), stores(body, register))
    assert counted == (UNROLL * len(LOOPS[mix].reads), UNROLL * len(LOOPS[mix].writes))


@on_x86
@pytest.mark.parametrize(("mix", "cpu", "width", "register"), EMITTED)
def test_a_trip_touches_no_other_memory_and_indexes_none(mix: str, cpu: str, width: int, register: str) -> None:
    body = loops(emitted(mix, cpu, width))[0]
    addresses = [address for line in body for address in re.findall(MEMORY, line)]
    assert len(addresses) == UNROLL * len(LOOPS[mix].reads + LOOPS[mix].writes)
    assert not any("," in address for address in addresses)


@on_x86
@pytest.mark.parametrize(("mix", "cpu", "width", "register"), EMITTED)
def test_streaming_stores_are_in_the_streaming_mixes_only(mix: str, cpu: str, width: int, register: str) -> None:
    assembly = emitted(mix, cpu, width)
    streaming = re.findall(rf"\bv?movntp[sd]\s+%{register}", assembly)
    assert len(streaming) == (UNROLL if mix.endswith("_nt") else 0)


@on_x86
@pytest.mark.parametrize("mix", MIXES)
def test_a_call_with_streaming_stores_ends_by_waiting_for_them(mix: str) -> None:
    instructions = [line.strip() for line in compiled(mix).assembly.splitlines() if line.startswith("\t")]
    assert instructions.count("sfence") == mix.endswith("_nt")
    if mix.endswith("_nt"):
        assert max(i for i, line in enumerate(instructions) if "movnt" in line) < instructions.index("sfence")


@on_x86
@pytest.mark.parametrize(("mix", "width"), FORMS)
def test_every_sweep_is_really_made(mix: str, width: int) -> None:
    inner, outer = loops(compiled(mix, width).assembly)
    assert all(line in outer for line in inner)


@pytest.mark.parametrize(("mix", "width"), FORMS)
def test_a_probe_has_no_call_in_it(mix: str, width: int) -> None:
    assert not re.search(r"\bcall|\bbl\b|memcpy|memset|memmove", compiled(mix, width).assembly)


def test_the_widest_vectors_are_tried_first_and_narrower_ones_where_they_may_be_faster() -> None:
    assert widths(frozenset({"avx512f", "avx2", "avx"})) == (64, 32)
    assert widths(frozenset({"avx2", "avx"})) == (32,)
    assert widths(frozenset({"sse2"})) == widths(frozenset({"neon"})) == (16,)


def test_algorithmic_bytes_count_what_the_source_loads_and_stores() -> None:
    counted = {mix: moved_bytes(mix, 1) for mix in MIXES}
    assert counted == {"read": 1, "write": 1, "update": 2, "copy": 2, "triad": 3, "copy_nt": 2, "triad_nt": 3}


def test_lines_read_for_ownership_are_those_overwritten_without_being_read_first() -> None:
    counted = {mix: rfo_bytes(mix, 1) for mix in MIXES}
    assert counted == {"read": 0, "write": 1, "update": 0, "copy": 1, "triad": 1, "copy_nt": 0, "triad_nt": 0}


@derandomized
@given(st.sampled_from(MIXES), st.integers(0, 1 << 34))
def test_arrays_are_whole_steps_that_together_fill_the_working_set(mix: str, working_set: int) -> None:
    each = array_bytes(mix, working_set)
    assert each % STEP_BYTES == 0
    assert each >= STEP_BYTES
    assert working_set_bytes(mix, each) <= max(working_set, STEP_BYTES * ARRAYS[mix])
    assert working_set_bytes(mix, each + STEP_BYTES) > working_set


def test_a_step_is_whole_trips_at_every_width() -> None:
    assert all(STEP_BYTES % (UNROLL * width) == 0 for width in (16, 32, 64))


def test_a_level_stands_at_half_of_a_threads_share_and_dram_at_all_of_its_bytes() -> None:
    named = {name: size for size, name in ladder(LEVELS) if name}
    assert named == {"L1": 16 << 10, "L2": 512 << 10, "L3": 8 << 20, "DRAM": 256 << 20}


def test_a_share_smaller_than_the_cache_before_it_is_measured_beyond_that_cache() -> None:
    # 1.375 MiB of the last level a core behind 1 MiB of its own: half of it would still fit the second level.
    levels = (("L1", 32 << 10), ("L2", 1 << 20), ("L3", 1408 << 10), ("DRAM", 64 << 20))
    assert {name: size for size, name in ladder(levels)}["L3"] == (1024 + 704) << 10


def test_the_ladder_begins_at_four_kib_with_four_points_an_octave() -> None:
    sizes = [size for size, _ in ladder(LEVELS)]
    assert sizes[:5] == [4096, 4870, 5792, 6888, 8192]
    assert len(sizes) == 4 * 16 + 1


def test_a_levels_own_point_replaces_only_the_regular_one_beside_it() -> None:
    points = ladder((("L1", 48 << 10), ("DRAM", 1 << 20)))
    assert (24 << 10, "L1") in points
    # 4096 x 2^(10/4) = 23170 makes way; 4096 x 2^(11/4) = 27554 stays.
    assert {size for size, _ in points} & {23170, 27554} == {27554}


@st.composite
def levels(draw: st.DrawFn) -> tuple[tuple[str, int], ...]:
    """Shares that grow from level to level, and DRAM at four times the last."""
    sizes = [draw(st.integers(16 << 10, 128 << 10))]
    for _ in range(draw(st.integers(0, 2))):
        sizes.append(sizes[-1] * draw(st.integers(2, 40)) + draw(st.integers(0, 4096)))
    return (*((f"L{i + 1}", size) for i, size in enumerate(sizes)), ("DRAM", 4 * sizes[-1]))


@derandomized
@given(levels(), st.sampled_from([1, 2, 4]))
def test_the_ladder_rises_without_repeating_a_size_and_ends_in_dram(
    given_levels: tuple[tuple[str, int], ...], an_octave: int
) -> None:
    points = ladder(given_levels, an_octave)
    sizes = [size for size, _ in points]
    assert sizes == sorted(set(sizes))
    assert points[-1] == (given_levels[-1][1], "DRAM")


@derandomized
@given(levels())
def test_every_level_is_on_the_ladder_once(given_levels: tuple[tuple[str, int], ...]) -> None:
    names = [name for _, name in ladder(given_levels) if name]
    assert sorted(names) == sorted(name for name, _ in given_levels)


@derandomized
@given(levels(), st.sampled_from([2, 4]))
def test_no_gap_is_wider_than_the_spacing_and_the_tenth_that_a_level_may_shift_it(
    given_levels: tuple[tuple[str, int], ...], an_octave: int
) -> None:
    sizes = [size for size, _ in ladder(given_levels, an_octave)]
    assert all(following <= 2 ** (1 / an_octave) * 1.12 * size for size, following in itertools.pairwise(sizes))

"""Advice about bytes: a run that triggers each rule, and one that does not."""

from msgspec import UNSET

from kernelbench.analysis.advice_memory import cold, fewer_bytes, working_set
from kernelbench.model import Ceiling, Record, Work
from tests.analysis.advising import advice, says, stream, timed
from tests.builders import KIB, compute, memory

N = 65536
"""relu of 512 KiB: L2 of the example machine, which copies at 80 GB/s there: 6.5 us."""


def test_a_case_at_its_memory_roof_is_told_what_fewer_bytes_bought() -> None:
    found = advice(fewer_bytes, stream("relu/vectorized", 6.8e-6, N), stream("relu/int8", 1.9e-6, N, dtype="i8"))
    assert "of its memory roof (L2 copy 1 thread): only fewer bytes help" in found.text
    assert "moves 128 KiB a call instead of 512 KiB: 3.58x" in found.text


def test_a_case_at_its_memory_roof_without_a_leaner_one_has_no_gain_to_tell() -> None:
    found = advice(fewer_bytes, stream("relu/vectorized", 6.8e-6, N))
    assert found.gain is UNSET
    assert "only moving fewer bytes than its 512 KiB a call helps" in found.text


def test_a_case_below_its_memory_roof_is_not_told_to_move_fewer_bytes() -> None:
    assert says(fewer_bytes, stream("relu/vectorized", 9e-6, N), stream("relu/int8", 2e-6, N, dtype="i8")) is UNSET


def test_a_case_bound_by_arithmetic_is_not_told_to_move_fewer_bytes() -> None:
    assert says(fewer_bytes, timed("matmul/tiled", 2.4e-3)) is UNSET


def test_a_rate_that_falls_beyond_a_cache_is_told_where_it_ends() -> None:
    # 3 x 4 x 512^2 = 3 MiB against 1 MiB of L2: half the rate of 768 KiB.
    found = advice(working_set, timed("matmul/tiled", 4e-4, n=256), timed("matmul/tiled", 6.4e-3))
    assert "touches 3 MiB a thread, 3.00x L2 (the OS claims 1 MiB a thread)" in found.text
    assert "consistent with operands that fall out of L2 between uses; tile to <= 1 MiB" in found.text
    assert not found.supported


def long_ladder() -> tuple[Ceiling, ...]:
    """Bandwidth that falls between 512 KiB and 768 KiB, in quarter octaves from 16 KiB to 8 MiB."""
    sizes = [int(16 * KIB * 2 ** (step / 4)) for step in range(37)]
    return compute(117e9), *(memory(100e9 if size < 640 * KIB else 40e9, size) for size in sizes)


def test_where_the_measured_bandwidth_falls_counts_before_what_the_os_claims() -> None:
    found = advice(
        working_set, timed("matmul/tiled", 4e-4, n=192), timed("matmul/tiled", 2e-3, n=256), ceilings=long_ladder()
    )
    assert "L2 (measured bandwidth falls at 6" in found.text


def test_a_rate_that_holds_beyond_a_cache_is_no_advice() -> None:
    assert says(working_set, timed("matmul/tiled", 4e-4, n=256), timed("matmul/tiled", 3.2e-3)) is UNSET


def reused(seconds: float, n: int, flop: float) -> Record:
    """As many bytes as relu has, but work that may grow faster than they do."""
    work = Work("modelled", flop, "fma", 4.0 * n, 4.0 * n, 4.0 * n, 8.0 * n)
    return timed("op/tiled", seconds, shape={"n": n}, work=work)


def test_a_fall_that_the_roof_explains_is_no_matter_of_tiling() -> None:
    # 97% of what L2 copies, and 97% of what DRAM does, at a quarter of the rate.
    pair = (reused(6.8e-6, N, 1e4), reused(8e-3, 256 * N, 3e6))
    assert says(working_set, *pair) is UNSET
    assert "tile" in advice(working_set, pair[0], reused(1.6e-2, 256 * N, 3e6)).text


def test_what_is_used_once_cannot_be_tiled() -> None:
    far = stream("relu/vectorized", 2e-2, 16 << 20)
    assert says(working_set, stream("relu/vectorized", 6.8e-6, N), far) is UNSET


def test_two_sizes_within_one_cache_tell_nothing_about_its_end() -> None:
    # 48 KiB and 768 KiB: both beyond 32 KiB of L1 and within 1 MiB of L2.
    assert says(working_set, timed("matmul/tiled", 6e-6, n=64), timed("matmul/tiled", 2e-3, n=256)) is UNSET


def test_cold_operands_are_set_against_warm_ones() -> None:
    found = advice(cold, stream("relu/vectorized", 7e-6, N), stream("relu/vectorized", 2.8e-5, N, cache="cold"))
    assert found.supported
    assert found.case_ids[0] == "relu/vectorized/f32/n=65536/t=1/cold"
    assert "4.00x" in found.text


def test_cold_operands_that_cost_little_are_no_advice() -> None:
    pair = (stream("relu/vectorized", s, N, cache=c) for s, c in ((7e-6, "warm"), (8e-6, "cold")))
    assert says(cold, *pair) is UNSET


def test_without_ceilings_nothing_is_said_about_memory() -> None:
    pair = (stream("relu/vectorized", 6.8e-6, N), stream("relu/int8", 1.9e-6, N, dtype="i8"))
    assert says(fewer_bytes, *pair, ceilings=()) is UNSET
    assert says(working_set, *pair, ceilings=()) is UNSET

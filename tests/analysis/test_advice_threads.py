"""Advice about threads: a run that triggers each rule, and one that does not."""

import pytest
from msgspec import UNSET

from kernelbench.analysis.advice_threads import crossover, threads
from tests.analysis.advising import advice, says, stream, timed
from tests.builders import ceilings


def test_threads_that_bring_little_are_told_what_is_left() -> None:
    found = advice(threads, timed("matmul/parallel", 4e-3), timed("matmul/parallel", 3.2e-3, threads=2))
    assert "2 threads bring 1.25x, an efficiency of 62.5%" in found.text
    assert "the machine allows 2.00x, so up to 1.60x is left" in found.text


def test_threads_that_bring_nearly_all_are_no_advice() -> None:
    assert says(threads, timed("matmul/parallel", 4e-3), timed("matmul/parallel", 2.2e-3, threads=2)) is UNSET


def test_without_the_case_on_one_thread_the_form_it_is_named_after_is_its_peer() -> None:
    found = advice(
        threads,
        timed("matmul/tiled", 2.5e-3),
        timed("matmul/packed", 4e-3),
        timed("matmul/packed_parallel", 3.2e-3, threads=2, style="parallel"),
    )
    assert found.case_ids[1] == "matmul/packed/f32/n=512/t=1"


def test_a_memory_that_gives_two_threads_no_more_is_what_the_numbers_are_consistent_with() -> None:
    shared = tuple(c for c in ceilings() if c.threads == 1 or c.kind == "compute")
    shared += tuple(
        type(c)(**{**{f: getattr(c, f) for f in c.__struct_fields__}, "id": c.id[:-1] + "2", "threads": 2})
        for c in ceilings() if c.kind == "memory" and c.threads == 1
    )  # fmt: skip
    n = 64 << 20
    pair = (stream("relu/parallel", 3.2e-2, n), stream("relu/parallel", 3.1e-2, n, threads=2))
    found = advice(threads, *pair, ceilings=shared)
    assert found.gain is UNSET
    assert "consistent with threads that share one memory" in found.text


def test_threads_that_scatter_too_much_to_tell_are_no_advice() -> None:
    many = timed("matmul/parallel", 2.9e-3, threads=2, pattern=(0.6, 1, 1, 1, 1, 1.4))
    assert says(threads, timed("matmul/parallel", 4e-3), many) is UNSET


def test_threads_that_cost_at_small_sizes_are_told_from_where_they_pay() -> None:
    found = advice(
        crossover,
        stream("relu/vectorized", 1e-7, 2048),
        stream("relu/parallel", 2e-6, 2048, threads=2),
        stream("relu/vectorized", 3e-3, 16 << 20),
        stream("relu/parallel", 1.6e-3, 16 << 20, threads=2),
    )
    assert "threads cost 20.0x there; they pay from relu/parallel/f32/n=16777216/t=2 on (1.88x)" in found.text
    assert found.gain == pytest.approx(20, rel=0.01)


def test_threads_that_cost_at_every_size_say_so() -> None:
    found = advice(
        crossover,
        stream("relu/vectorized", 1e-7, 2048),
        stream("relu/parallel", 2e-6, 2048, threads=2),
        stream("relu/vectorized", 2e-7, 4096),
        stream("relu/parallel", 2e-6, 4096, threads=2),
    )
    assert "they paid at none of the 2 sizes measured" in found.text


def test_threads_that_pay_are_no_crossover() -> None:
    assert says(crossover, timed("matmul/tiled", 4e-3), timed("matmul/parallel", 3e-3, threads=2)) is UNSET


def test_weights_of_fewer_bits_are_no_serial_peer_of_full_ones() -> None:
    int4 = timed("gemv/int4", 1e-3, style="quantized")
    assert says(crossover, int4, timed("gemv/parallel", 3e-3, threads=2)) is UNSET

"""Advice about threads: a run that triggers each rule, and one that does not."""

import pytest
from msgspec import UNSET, structs

from kernelbench.analysis.advice_threads import crossover, threads
from kernelbench.model import Ceiling, Work
from tests.analysis.advising import advice, says, stream, timed
from tests.builders import ceilings


def ladder_of_two(gain: float) -> tuple[Ceiling, ...]:
    """The example machine's, its memory ``gain`` times as fast for two threads as for one at every level."""
    return tuple(c for c in ceilings() if c.threads == 1 or c.kind == "compute") + tuple(
        structs.replace(c, id=c.id.removesuffix("1") + "2", threads=2, value=gain * c.value)
        for c in ceilings()
        if c.kind == "memory" and c.threads == 1 and isinstance(c.value, float)
    )


def test_threads_that_bring_little_are_told_what_is_left() -> None:
    found = advice(threads, timed("matmul/parallel", 4e-3), timed("matmul/parallel", 3.2e-3, threads=2))
    assert "2 threads bring 1.25x, an efficiency of 62.5%" in found.text
    assert "the roofs measured at both thread counts allow 2.00x at most, so up to 1.60x is left" in found.text


def test_what_the_roofs_allow_does_not_depend_on_what_the_serial_form_is_called() -> None:
    n = 64 << 20
    pair = (stream("relu/vectorized", 8e-2, n), stream("relu/parallel", 7.8e-2, n, threads=2))
    found = advice(threads, *pair, ceilings=ladder_of_two(1.5))
    assert "the roofs measured at both thread counts allow 1.50x at most" in found.text


def test_a_ceiling_that_was_not_measured_is_not_what_the_machine_allows() -> None:
    alone = tuple(c for c in ceilings() if c.threads == 1)
    pair = (timed("matmul/parallel", 4e-3), timed("matmul/parallel", 3.2e-3, threads=2))
    found = advice(threads, *pair, ceilings=alone)
    assert "2 threads could bring 2.00x at most" in found.text
    assert "roofs" not in found.text


def test_forms_that_move_different_bytes_do_not_tell_what_threads_may_bring() -> None:
    n = 64 << 20
    more = Work("modelled", float(n), "add", 8 * n, 4 * n, 4 * n, 12.0 * n)
    serial = timed("relu/vectorized", 8e-2, shape={"n": n}, work=more)
    found = advice(threads, serial, stream("relu/parallel", 7e-2, n, threads=2), ceilings=ladder_of_two(1.0))
    assert "2 threads could bring 2.00x at most" in found.text


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
    n = 64 << 20
    pair = (stream("relu/parallel", 3.2e-2, n), stream("relu/parallel", 3.1e-2, n, threads=2))
    found = advice(threads, *pair, ceilings=ladder_of_two(1.0))
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

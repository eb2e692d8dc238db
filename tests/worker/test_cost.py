"""What a case takes in memory, and what is observed beside a batch of slices."""

import dataclasses
import mmap

import numpy as np
import pytest
from msgspec import UNSET

from kernelbench.kernels import _registry as registry
from kernelbench.model import Case, Work
from kernelbench.timing import clock
from kernelbench.worker import cost
from kernelbench.worker.bench import cold_sets
from kernelbench.worker.cost import Pressure, Watch, memory_bytes
from tests.kernels.running import VARIANTS, some_shape

LAST_LEVEL = 32 << 20


def case(n: int, cache: str = "warm") -> Case:
    return Case("relu/naive/f32", "relu", "relu/naive", "naive", "f32", {"n": n}, threads=1, cache=cache)


def needed(n: int, cache: str = "warm") -> int:
    variant = VARIANTS["relu/naive"]
    return memory_bytes(variant, case(n, cache), variant.work({"n": n}, "f32"), LAST_LEVEL)


def test_a_case_takes_at_least_its_operands_and_the_inputs_they_were_made_from() -> None:
    assert needed(10**6) >= 2 * (2 * 4 * 10**6)


def test_memory_grows_in_proportion_to_the_size() -> None:
    assert needed(2 * 10**6) == pytest.approx(2 * needed(10**6))


def test_a_cold_case_takes_four_times_the_last_level_more() -> None:
    assert needed(10**5, "cold") >= 4 * LAST_LEVEL > needed(10**5)


def test_an_unknown_working_set_counts_as_nothing() -> None:
    assert memory_bytes(VARIANTS["relu/naive"], case(9), Work(model="absent"), LAST_LEVEL) == 0


@pytest.mark.parametrize(("working_set", "sets"), [(1 << 20, 128), ((1 << 20) + 1, 128), (3 << 20, 43), (1 << 30, 2)])
def test_cold_operand_sets_total_four_times_the_last_level_and_are_two_at_least(working_set: int, sets: int) -> None:
    assert cold_sets(case(1, "cold"), working_set, LAST_LEVEL) == sets


def test_a_warm_case_has_one_operand_set() -> None:
    assert cold_sets(case(1), 1, LAST_LEVEL) == 1


def test_a_page_touched_between_start_and_stop_is_a_page_fault() -> None:
    watch = Watch()
    with mmap.mmap(-1, 64 * mmap.PAGESIZE) as pages:
        watch.start()
        for page in range(64):
            pages[page * mmap.PAGESIZE] = 1
        seen = watch.stop()
    assert seen.page_faults >= 1
    assert seen.involuntary_switches >= 0


def test_each_batch_counts_only_its_own_disturbances(monkeypatch: pytest.MonkeyPatch) -> None:
    # involuntary switches, minor and major faults: at construction, then at each start and stop
    counts = iter([(1, 10, 0), (3, 14, 0), (6, 19, 1), (10, 25, 3), (10, 26, 3)])

    class Usage:
        def __init__(self, who: int) -> None:
            self.ru_nivcsw, self.ru_minflt, self.ru_majflt = next(counts)

    monkeypatch.setattr(cost.resource, "getrusage", Usage)
    watch = Watch()
    seen = []
    for _ in range(2):
        watch.start()
        seen.append(watch.stop())
    assert [(one.involuntary_switches, one.page_faults) for one in seen] == [(3, 6), (0, 1)]


def test_the_clock_is_observed_where_there_is_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "available", lambda: True)
    monkeypatch.setattr(clock, "clock_hz", lambda: 3.5e9)
    assert Watch().stop().clock_hz == Watch().clock_hz() == 3.5e9
    monkeypatch.setattr(clock, "available", lambda: False)
    assert Watch().stop().clock_hz == Watch().clock_hz() == 0


def test_a_look_is_the_additions_a_second_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "adds_per_s", lambda: 1.4e10)
    assert Watch().adds_per_s() == 1.4e10


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("own_cores", [True, False])
def test_neighbours_are_seen_where_additions_are_known_and_no_threads_of_ours_share_a_core(
    monkeypatch: pytest.MonkeyPatch, known: bool, own_cores: bool
) -> None:
    monkeypatch.setattr(clock, "available", lambda: known)
    assert Watch(own_cores=own_cores).sees_neighbours == (known and own_cores)


def test_stolen_and_throttled_time_is_told_since_the_round_began(monkeypatch: pytest.MonkeyPatch) -> None:
    steal, throttled = iter([5.0, 5.25]), iter([1.0, 3.0])
    monkeypatch.setattr(cost, "_steal_s", lambda: next(steal))
    monkeypatch.setattr(cost, "_throttled_s", lambda: next(throttled))
    assert Pressure().since() == {"steal_s": 0.25, "throttled_s": 2.0}


def test_what_the_system_does_not_tell_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "_steal_s", lambda: None)
    monkeypatch.setattr(cost, "_throttled_s", lambda: None)
    assert Pressure().since() == {}


def test_the_catalogue_declares_the_working_set_of_every_variant() -> None:
    for variant in registry.variants().values():
        shape = some_shape(variant, 8)
        assert all(variant.work(shape, dtype).working_set_bytes is not UNSET for dtype in variant.dtypes)


@pytest.mark.parametrize(("name", "dtype"), [("matmul/int8", "i8"), ("gemv/int4", "f32"), ("spmv/naive", "f32")])
def test_compressed_operands_count_the_whole_ones_that_they_are_made_from(name: str, dtype: str) -> None:
    variant = VARIANTS[name]
    shape = variant.whole(512)
    params = {key: shape[key] for key in variant.params}
    sizes = {key: shape[key] for key in variant.op.dims}
    of = Case("x", variant.op.name, name, variant.style, dtype, sizes, threads=1, params=params)
    made = sum(x.nbytes for x in variant.op.inputs(shape, dtype, np.random.default_rng(0)))
    prepared = sum(x.nbytes for x in variant.make_inputs(shape, dtype).arrays if isinstance(x, np.ndarray))
    exact = sum(8 * int(np.prod(size)) for size, _ in variant.outputs(shape, dtype))
    assert memory_bytes(variant, of, variant.work(shape, dtype), LAST_LEVEL) >= made + prepared + exact


def test_a_neighbour_whose_work_model_fails_costs_nobody_else_the_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_VARIANTS", dict(registry.variants()))
    # Made anew, which registers it.
    dataclasses.replace(VARIANTS["relu/naive"], name="relu/broken", work=lambda shape, dtype: Work(**shape["no such"]))
    assert needed(1000) > 0
